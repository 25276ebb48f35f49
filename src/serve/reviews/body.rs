//! The body of a request: how large it may be, and that it is read to its end.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::Body;
use hyper::header::CONTENT_LENGTH;

use crate::serve::metrics::Failure;

/// The largest body, in bytes: an update carries two objects. etcd takes 1.5 MiB of one, and in
/// JSON the API server writes six bytes for each `<`, `>` and `&` of it.
pub const BODY_LIMIT: usize = 20 * 1024 * 1024;

/// The largest body whose length is not announced, in bytes. The API server announces it.
pub(super) const UNANNOUNCED_LIMIT: usize = 8 * 1024 * 1024;

/// What a review weighs at least, in KiB, however small its body: bounds how many are in flight.
pub(super) const LEAST_WEIGHT: usize = 16;

/// The most that is read, in bytes, of what nobody wants.
const DRAIN_LIMIT: usize = 4 * BODY_LIMIT;

/// The body of a request.
pub(super) trait Readable:
    Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static
{
}

impl<B> Readable for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static
{
}

/// The KiB of the budget a review takes. A body of unknown length needs the most that one may have.
pub(super) fn weight(headers: &HeaderMap) -> Result<u32, (Failure, String)> {
    let length = announced(headers).unwrap_or(UNANNOUNCED_LIMIT);
    if length > BODY_LIMIT {
        return Err(too_large(BODY_LIMIT));
    }
    Ok(u32::try_from(length.div_ceil(1024).max(LEAST_WEIGHT)).unwrap_or(u32::MAX))
}

/// The whole of `body`, whose request has these `headers`.
pub(super) async fn read<B: Readable>(
    headers: &HeaderMap,
    body: &mut B,
) -> Result<Bytes, (Failure, String)> {
    // no body is longer than it was announced
    let limit = announced(headers).map_or(UNANNOUNCED_LIMIT, |_| BODY_LIMIT);
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err((Failure::Malformed, "the body ended early".to_owned())),
    }
}

/// Reads what is left of `body`, beside its answer. Whoever still sends when the connection is closed
/// sees a broken pipe instead of the answer.
pub(super) fn drain<B: Readable>(mut body: B, deadline: Duration) {
    if body.is_end_stream() {
        return;
    }
    let reading = async move {
        let mut left = DRAIN_LIMIT;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(read) else { break };
            left = rest;
        }
    };
    tokio::spawn(tokio::time::timeout(deadline, reading));
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok()
}

fn too_large(limit: usize) -> (Failure, String) {
    (Failure::TooLarge, format!("the body is larger than {limit} bytes"))
}
