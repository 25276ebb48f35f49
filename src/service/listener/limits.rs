//! What a listener bears, and how it ends.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

/// The longest an API server keeps an idle connection before it closes it itself (`IdleConnTimeout`
/// of client-go's transport). Whoever closes earlier makes it race: a review sent into a closing
/// connection is a failed admission.
pub(super) const CALLER_IDLE: Duration = Duration::from_secs(90);

/// What a listener bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections, handshakes included. The one beyond takes the place of one that has
    /// nothing to do, so that nobody can keep others out by opening many. Where there is none such
    /// it is closed at once: its caller then fails fast and may reach another replica, where a
    /// place in the kernel's queue would cost it the review's whole timeout.
    pub connections: usize,
    /// Unfinished TLS handshakes. The one beyond evicts one that makes no progress.
    pub handshakes: usize,
    /// How long a connection is left alone that does nothing; a tenth of it where the peer said
    /// nothing yet.
    pub grace: Duration,
    /// The longest a TLS handshake may take.
    pub handshake: Duration,
    /// The longest a connection may take over the headers of its next request, the idle time before
    /// it included, and the longest it may be idle or busy with an answer; must be above
    /// what API servers keep (90 s).
    pub idle: Duration,
    /// The longest a peer may take nothing of what it is sent. Who waits for an answer takes it at
    /// once.
    pub write_timeout: Duration,
    /// How long the headers of a request may be, in bytes, at least 8192. For HTTP/1 it is the size
    /// of the buffer, which one read may overrun. Headers without an end hold that much for as long
    /// as [`Limits::idle`]: times the number of connections it has to fit into memory. An API
    /// server sends some 300 bytes.
    pub header_bytes: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    /// 2,048 connections: three API servers, each with its 200 mutating requests in flight and
    /// three hooks called for each, stay below it; all of them idle cost some 70 MB, and with
    /// headers that do not end another 35.
    fn default() -> Self {
        Self {
            connections: 2_048,
            handshakes: 512,
            grace: Duration::from_secs(1),
            handshake: Duration::from_secs(5),
            idle: CALLER_IDLE.saturating_add(Duration::from_secs(60)),
            write_timeout: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            streams: 256,
        }
    }
}

/// How a listener ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drain {
    /// How long to keep serving after the signal, while load balancers learn that this replica
    /// leaves.
    pub(crate) delay: Duration,
    /// The longest to wait for requests in flight after that.
    pub(crate) limit: Duration,
}

impl Default for Drain {
    /// 5 s and 20 s: within the 30 s that a pod has by default.
    fn default() -> Self {
        Self { delay: Duration::from_secs(5), limit: Duration::from_secs(20) }
    }
}

/// What speaks HTTP, one for each version.
///
/// The version is agreed on in the handshake (ALPN), never guessed from the first bytes:
/// hyper-util's guess waits for them without any limit, so a peer that is mute after its handshake
/// would stay for ever.
#[derive(Debug)]
pub(super) struct HttpBuilders {
    pub(super) http1: Builder<TokioExecutor>,
    pub(super) http2: Builder<TokioExecutor>,
}

impl HttpBuilders {
    pub(super) fn new(limits: &Limits) -> Self {
        let mut http1 = Builder::new(TokioExecutor::new()).http1_only();
        // No `max_headers`: the default of 100 is kept on the stack, any other number allocates for
        // each request.
        http1
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            .max_buf_size(limits.header_bytes.max(8_192));
        let mut http2 = Builder::new(TokioExecutor::new()).http2_only();
        http2
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(20))
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
        Self { http1, http2 }
    }
}
