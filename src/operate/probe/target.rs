//! Where the requests of a probe go, as it is written on the command line.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::PathAndQuery;

use crate::kube::name::is_dns_label;

/// Where the requests of a probe go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) route: Route,
    pub(super) path: PathAndQuery,
}

/// How requests get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Straight to the host of a URL.
    Host(Host),
    /// Straight to the IP of the pod at hand.
    PodIp(u16),
    /// Through the API server, to the pod at hand.
    Pod(Proxied),
    /// Through the API server, to a Service.
    Service { name: String, proxied: Proxied },
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) is_tls: bool,
    /// A name or an address, without brackets.
    pub(super) name: String,
    pub(super) port: u16,
    /// As requests name it.
    pub(super) authority: String,
}

/// What the API server is told besides a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Proxied {
    /// `http` or `https`, where it is said.
    pub(super) scheme: Option<String>,
    /// A number or a name, where it is said.
    pub(super) port: Option<String>,
}

/// Text that is no target of a probe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// Another form.
    #[error(
        "{0:?} is none of http://HOST/PATH, https://HOST/PATH, service:NAME:PORT/PATH, \
         pod:PORT/PATH, pod-ip:PORT/PATH"
    )]
    UnknownForm(String),
    /// No URL.
    #[error("{0:?} is no URL: {1}")]
    NoUrl(String, String),
    /// A password or a token before the host; it is not repeated.
    #[error("a probe's URL has no user and no password: they would be in every report")]
    Credentials,
    /// No port.
    #[error("{0:?} is no port: say a number from 1 to 65535")]
    NoPort(String),
    /// No port of a Service or pod.
    #[error("{0:?} is no port: say its number, or its name")]
    NoNamedPort(String),
    /// No name of a Service.
    #[error("{0:?} is no name of a Service")]
    NoName(String),
    /// No scheme that the API server knows.
    #[error("{0:?} is no scheme: say http or https, or leave it out")]
    NoScheme(String),
    /// No path.
    #[error("{0:?} is no path of a URL")]
    NoPath(String),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return url(text);
        }
        let (form, rest) =
            text.split_once(':').ok_or_else(|| TargetError::UnknownForm(text.to_owned()))?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (place, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let words: Vec<&str> = place.split(':').collect();
        let route = match (form, words.as_slice()) {
            ("pod-ip", [number]) => Route::PodIp(port(number)?),
            ("pod-ip", _) => return Err(TargetError::NoPort(place.to_owned())),
            ("pod", [port]) => Route::Pod(proxied(None, Some(port))?),
            ("pod", [scheme, port]) => Route::Pod(proxied(Some(scheme), Some(port))?),
            ("pod", _) => return Err(TargetError::NoNamedPort(place.to_owned())),
            ("service", words) => service(words, place)?,
            _ => return Err(TargetError::UnknownForm(text.to_owned())),
        };
        Ok(Self { route, path: path_of(path)? })
    }
}

fn url(text: &str) -> Result<Target, TargetError> {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
        return Err(TargetError::Credentials);
    }
    let wrong = |why: &str| TargetError::NoUrl(text.to_owned(), why.to_owned());
    let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
    let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() {
        return Err(wrong("it has no host"));
    }
    let is_tls = uri.scheme_str() == Some("https");
    let said = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let port = match said.strip_prefix(':') {
        Some(number) => port(number)?,
        None => {
            if is_tls {
                443
            } else {
                80
            }
        }
    };
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let host =
        Host { is_tls, name: name.to_owned(), port, authority: authority.as_str().to_owned() };
    Ok(Target { route: Route::Host(host), path: path_of(path)? })
}

/// As the API server has it: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
fn service(words: &[&str], place: &str) -> Result<Route, TargetError> {
    let (scheme, name, port) = match *words {
        [name] => (None, name, None),
        [name, port] => (None, name, Some(port)),
        [scheme, name, port] => (Some(scheme), name, Some(port)),
        _ => return Err(TargetError::NoName(place.to_owned())),
    };
    if !is_dns_label(name) {
        return Err(TargetError::NoName(name.to_owned()));
    }
    Ok(Route::Service { name: name.to_owned(), proxied: proxied(scheme, port)? })
}

fn proxied(scheme: Option<&str>, port: Option<&str>) -> Result<Proxied, TargetError> {
    if let Some(scheme) = scheme.filter(|scheme| !matches!(*scheme, "http" | "https")) {
        return Err(TargetError::NoScheme(scheme.to_owned()));
    }
    if let Some(text) = port {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_port = if is_number { self::port(text).is_ok() } else { is_dns_label(text) };
        if !is_port {
            return Err(TargetError::NoNamedPort(text.to_owned()));
        }
    }
    Ok(Proxied { scheme: scheme.map(str::to_owned), port: port.map(str::to_owned) })
}

fn port(text: &str) -> Result<u16, TargetError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_number { text.parse().unwrap_or(0) } else { 0 };
    if port == 0 { Err(TargetError::NoPort(text.to_owned())) } else { Ok(port) }
}

/// A path with its query; none is `/`, and what comes after `#` is the reader's.
fn path_of(text: &str) -> Result<PathAndQuery, TargetError> {
    let text = text.split('#').next().unwrap_or_default();
    let text = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let is_safe = !text.bytes().any(|byte| byte.is_ascii_whitespace());
    text.parse().ok().filter(|_| is_safe).ok_or(TargetError::NoPath(text))
}

impl Proxied {
    /// `NAME` with what the API server is told besides.
    pub(super) fn around(&self, name: &str) -> String {
        let scheme = self.scheme.as_ref().map(|scheme| format!("{scheme}:")).unwrap_or_default();
        let port = self.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}{name}{port}")
    }
}

/// Without what follows a `?`: there may be tokens in it, and reports are passed on.
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Route::Host(host) => {
                let scheme = if host.is_tls { "https" } else { "http" };
                write!(formatter, "{scheme}://{}", host.authority)?;
            }
            Route::PodIp(port) => write!(formatter, "pod-ip:{port}")?,
            Route::Pod(proxied) => {
                let place = proxied.around("");
                // the name of the pod stands between two colons, or after nothing
                write!(formatter, "pod:{}", place.replacen("::", ":", 1).trim_start_matches(':'))?;
            }
            Route::Service { name, proxied } => {
                write!(formatter, "service:{}", proxied.around(name))?;
            }
        }
        let query = if self.path.query().is_some() { "?..." } else { "" };
        write!(formatter, "{}{query}", self.path.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Target {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn targets_are_told_as_they_are_written_without_their_query() {
        for (text, told) in [
            ("http://web.shop/healthz", "http://web.shop/healthz"),
            ("http://web", "http://web/"),
            ("https://web:8443/a?token=secret", "https://web:8443/a?..."),
            ("https://[::1]:8443/", "https://[::1]:8443/"),
            ("http://web?a=b", "http://web/?..."),
            ("http://web/a#part", "http://web/a"),
            ("pod-ip:8080/healthz", "pod-ip:8080/healthz"),
            ("pod-ip:8080", "pod-ip:8080/"),
            ("pod:8080/x", "pod:8080/x"),
            ("pod:http", "pod:http/"),
            ("pod:https:web/x?y", "pod:https:web/x?..."),
            ("service:web", "service:web/"),
            ("service:web:http/healthz", "service:web:http/healthz"),
            ("service:https:web:443/", "service:https:web:443/"),
            ("service:web?a", "service:web/?..."),
        ] {
            assert_eq!(parsed(text).to_string(), told);
        }
    }

    #[test]
    fn hosts_have_a_port_whether_it_is_said_or_not() {
        let host = |text: &str| match parsed(text).route {
            Route::Host(host) => (host.is_tls, host.name, host.port, host.authority),
            route => panic!("{route:?}"),
        };
        let expected = |tls, name: &str, port, authority: &str| {
            (tls, name.to_owned(), port, authority.to_owned())
        };
        assert_eq!(host("http://web/"), expected(false, "web", 80, "web"));
        assert_eq!(host("https://10.0.0.1/"), expected(true, "10.0.0.1", 443, "10.0.0.1"));
        assert_eq!(host("https://[::1]:1/"), expected(true, "::1", 1, "[::1]:1"));
    }

    #[test]
    fn what_is_no_target_says_why() {
        for (text, why) in [
            ("localhost:8080", "is none of http://HOST/PATH"),
            ("web", "is none of"),
            ("", "is none of"),
            ("HTTP://web", "is none of"),
            ("ftp://web", "is none of"),
            ("http://", "is no URL"),
            ("http:///path", "is no URL"),
            ("http://web:port/", "is no"),
            ("http://web:0/", "\"0\" is no port"),
            ("http://web:99999/", "is no"),
            ("http://web/a b", "is no"),
            ("http://user:secret@web/", "no user and no password"),
            ("pod-ip:", "\"\" is no port"),
            ("pod-ip:http/x", "\"http\" is no port"),
            ("pod-ip:0", "\"0\" is no port"),
            ("pod-ip:+1", "\"+1\" is no port"),
            ("pod-ip:65536", "is no port"),
            ("pod-ip:https:1", "is no port"),
            ("pod:/x", "\"\" is no port: say its number, or its name"),
            ("pod:ftp:21", "\"ftp\" is no scheme"),
            ("pod:http:web:1", "is no port"),
            ("service:", "\"\" is no name of a Service"),
            ("service:Web", "\"Web\" is no name of a Service"),
            ("service:web:", "\"\" is no port"),
            ("service:web:0", "\"0\" is no port"),
            ("service:web:80:http", "\"web\" is no scheme"),
            ("service:a:b:c:d", "is no name of a Service"),
            ("service:web/a b", "is no path"),
        ] {
            let said = text.parse::<Target>().unwrap_err().to_string();
            assert!(said.contains(why) && !said.contains("secret"), "{text}: {said}");
        }
    }
}
