//! What went wrong with a request, for people: in one line, however much the other side said.

use std::error::Error;

use kube::core::Status;
use kube::runtime::watcher;

/// The most characters of what the API server, or the way to it, said.
const LIMIT: usize = 1000;

/// The most of a page that came instead of an answer: its beginning says whose it is.
const PAGE_LIMIT: usize = 200;

/// The reason of a [`Status`] that the client made of such a page.
const NO_STATUS: &str = "Failed to parse error data";

/// What the API server, or the way to it, said about a request that failed.
pub(crate) fn error_message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status_message(status),
        error => causes_message(error),
    }
}

/// The same about a watch that failed.
pub(crate) fn watch_error_message(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error_message(error),
        watcher::Error::WatchError(status) => status_message(status),
        watcher::Error::NoResourceVersion => causes_message(error),
    }
}

/// An error with its causes, each said once and by its first line: more would be what a file holds.
pub(crate) fn causes_message(error: &dyn Error) -> String {
    let first_line = |error: &dyn Error| error.to_string().lines().next().map(str::to_owned);
    let mut text = first_line(error).unwrap_or_default();
    let mut next = error.source();
    while let Some(error) = next {
        let cause = first_line(error).unwrap_or_default();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        next = error.source();
    }
    one_line(&text, LIMIT)
}

fn status_message(status: &Status) -> String {
    let Status { code, reason, message, .. } = status;
    if reason == NO_STATUS {
        return format!("the API server answered {code}: {}", one_line(message, PAGE_LIMIT));
    }
    match one_line(message, LIMIT) {
        message if message.is_empty() => format!("the API server answered {code} {reason}"),
        message => message,
    }
}

/// The words of `text`, as many as fit.
fn one_line(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn api(code: u16, reason: &str, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, reason).with_code(code).boxed())
    }

    #[test]
    fn a_status_says_what_it_says_and_nothing_of_its_fields() {
        let said = "pods is forbidden: User \"a\" cannot list resource \"pods\"";
        assert_eq!(error_message(&api(403, "Forbidden", said)), said);
        let several =
            api(422, "Invalid", "Pod \"a\" is invalid:\n  core.PodSpec{\n  \ta: 1\n  }\n");
        assert_eq!(error_message(&several), "Pod \"a\" is invalid: core.PodSpec{ a: 1 }");
        let nothing = error_message(&api(429, "TooManyRequests", ""));
        assert_eq!(nothing, "the API server answered 429 TooManyRequests");
    }

    #[test]
    fn a_page_is_one_line_of_its_beginning() {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>";
        let said = "the API server answered 502: <html> <head><title>502 Bad Gateway</title></head> </html>";
        assert_eq!(error_message(&api(502, NO_STATUS, page)), said);
        let many = "[+]ping ok\n".repeat(60);
        let said = error_message(&api(500, NO_STATUS, &many));
        assert!(said.starts_with("the API server answered 500: [+]ping ok [+]ping ok "), "{said}");
        assert_eq!(said.chars().count(), "the API server answered 500: ".len() + PAGE_LIMIT + 1);
        assert!(said.ends_with('…'), "{said}");
    }

    #[test]
    fn causes_are_said_once() {
        let inner = io::Error::other("refused");
        let error = kube::Error::Service(Box::new(kube::Error::ReadEvents(inner)));
        assert_eq!(
            error_message(&error),
            "ServiceError: Error reading events stream: refused",
            "each says its cause itself"
        );
        let snippet =
            kube::Error::ReadEvents(io::Error::other("line 2: no\n  |\n2 | token: secret"));
        assert_eq!(error_message(&snippet), "Error reading events stream: line 2: no");
        let long = kube::Error::ReadEvents(io::Error::other("ä ".repeat(2000)));
        let said = error_message(&long);
        assert!(said.starts_with("Error reading events stream: ä ä ") && said.ends_with('…'));
        assert_eq!(said.chars().count(), LIMIT + 1);
    }

    #[test]
    fn a_watch_says_what_the_request_says() {
        let refused = || api(403, "Forbidden", "not\nfor you");
        for error in [
            watcher::Error::InitialListFailed(refused()),
            watcher::Error::WatchStartFailed(refused()),
            watcher::Error::WatchFailed(refused()),
            watcher::Error::WatchError(
                Status::failure("not\nfor you", "Expired").with_code(410).boxed(),
            ),
        ] {
            assert_eq!(watch_error_message(&error), "not for you");
        }
    }
}
