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
    let announced = announced(headers);
    // no body is longer than it was announced
    let limit = announced.map_or(UNANNOUNCED_LIMIT, |_| BODY_LIMIT);
    let mut body = Limited::new(body, limit);
    let first = next(&mut body, limit).await?.unwrap_or_default();
    // a small body arrives at once, and is taken as it is
    if announced.is_some_and(|length| first.len() >= length) {
        return Ok(first);
    }
    // Each piece is put in its place and given back before the next one is read, which then lands in
    // the same memory. To keep all of them until the end costs the memory twice.
    let mut whole = Vec::with_capacity(announced.unwrap_or_default().min(limit));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(piece) = next(&mut body, limit).await? {
        whole.extend_from_slice(&piece);
    }
    Ok(Bytes::from(whole))
}

/// The next piece of `body`, until its end.
async fn next<B: Readable>(
    body: &mut Limited<&mut B>,
    limit: usize,
) -> Result<Option<Bytes>, (Failure, String)> {
    while let Some(frame) = body.frame().await {
        match frame {
            // anything else is a trailer
            Ok(frame) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large(limit)),
            Err(_) => return Err((Failure::Malformed, "the body ended early".to_owned())),
        }
    }
    Ok(None)
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream::iter;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(length: Option<&'static str>) -> HeaderMap {
        let announced = length.map(|length| (CONTENT_LENGTH, HeaderValue::from_static(length)));
        announced.into_iter().collect()
    }

    #[tokio::test]
    async fn a_body_that_comes_in_pieces_is_put_together() {
        for (pieces, length) in [
            (&["{\"a\":", "1}"][..], Some("7")),
            (&["{\"a\":", "1}"], None),
            (&["{\"a\":1}"], Some("7")),
            (&["", "{\"a\":1", "", "}"], Some("7")),
        ] {
            let frames =
                pieces.iter().map(|piece| Ok::<_, Infallible>(Frame::data((*piece).into())));
            let whole = read(&headers(length), &mut StreamBody::new(iter(frames))).await;
            assert_eq!(whole.unwrap(), "{\"a\":1}", "{length:?}");
        }
        let nothing = read(&headers(Some("0")), &mut http_body_util::Full::default()).await;
        assert!(nothing.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_ends_at_its_limit() {
        let piece = Bytes::from(vec![b' '; UNANNOUNCED_LIMIT / 4]);
        let pieces = (0..5).map(move |_| Ok::<_, Infallible>(Frame::data(piece.clone())));
        let (failure, reason) =
            read(&headers(None), &mut StreamBody::new(iter(pieces))).await.unwrap_err();
        assert_eq!((failure, reason), too_large(UNANNOUNCED_LIMIT));
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_said_to() {
        let pieces = [Ok(Frame::data(Bytes::from("{"))), Err(std::io::Error::other("reset"))];
        let (failure, reason) =
            read(&headers(Some("7")), &mut StreamBody::new(iter(pieces))).await.unwrap_err();
        assert_eq!((failure, &*reason), (Failure::Malformed, "the body ended early"));
    }
}
