//! Why a request is an error.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

/// Why a request is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// An answer whose status is neither 2xx nor 3xx.
    Status(u16),
    /// Nobody listens there.
    Refused,
    /// The connection was reset or closed before the answer was whole.
    Reset,
    /// No whole answer in time.
    TimedOut,
    /// The name leads nowhere, there is no way there, or no pod at hand.
    Unreachable,
    /// The certificate is not trusted, or TLS was not agreed on.
    Tls,
    /// What came is no HTTP.
    NotHttp,
    /// Too many requests still waited for an answer.
    NotSent,
}

impl Failure {
    /// Its kind: what it is counted as.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::TimedOut => "timedOut",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::NotHttp => "notHttp",
            Self::NotSent => "notSent",
        }
    }

    /// What a failure to connect means.
    pub(super) fn of_connection(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            kind if is_reset(kind) => Self::Reset,
            _ => Self::Unreachable,
        }
    }

    /// What a failure to agree on TLS means.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        if is_reset(error.kind()) { Self::Reset } else { Self::Tls }
    }

    /// What a failure within a connection means, or one to connect if that is behind it.
    pub(super) fn of_exchange(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        let mut is_malformed = false;
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                // an error of TLS hides in one of input and output
                let is_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
                return if is_tls { Self::Tls } else { Self::of_connection(error) };
            }
            is_malformed |=
                error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
            next = error.source();
        }
        if is_malformed { Self::NotHttp } else { Self::Reset }
    }
}

/// How many of each, in words, most first.
pub(super) fn told(errors: &BTreeMap<Failure, u64>) -> String {
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by_key(|(_, count)| Reverse(**count));
    let told: Vec<_> = errors.iter().map(|(failure, count)| format!("{count} {failure}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

fn is_reset(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Status(code) => return write!(formatter, "status {code}"),
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::Tls => "no TLS",
            Self::NotHttp => "no HTTP",
            Self::NotSent => "not sent",
        })
    }
}
