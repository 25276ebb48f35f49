//! The API server's audit log.

use serde_json::Value;

/// One request, when it was answered.
#[derive(Debug)]
pub(crate) struct Event(Value);

impl Event {
    /// The events in the lines of a log that are `wanted`: there are many. A line that is still
    /// being written is left for the next time.
    pub(crate) fn those(log: &str, wanted: impl Fn(&str) -> bool) -> Vec<Self> {
        log.lines()
            .filter(|line| wanted(line))
            .filter_map(|line| serde_json::from_str(line).ok())
            .map(Self)
            .collect()
    }

    /// The API server's name for the request in a line of the log.
    pub(crate) fn id_in(line: &str) -> Option<&str> {
        line.split_once("\"auditID\":\"")?.1.split_once('"').map(|(id, _)| id)
    }

    /// The API server's name for the request, which its answer carries too.
    pub(crate) fn id(&self) -> &str {
        self.0["auditID"].as_str().unwrap_or_default()
    }

    /// When the request came in, as text that sorts by time: events are written when requests end,
    /// and by many hands.
    pub(crate) fn received(&self) -> &str {
        self.0["requestReceivedTimestamp"].as_str().unwrap_or_default()
    }

    /// Whether it is about this object; of `subresource` if that is not empty.
    pub(crate) fn is_about(
        &self,
        namespace: &str,
        resource: &str,
        subresource: &str,
        name: &str,
    ) -> bool {
        let reference = &self.0["objectRef"];
        let is = |field: &str, value: &str| reference[field].as_str().unwrap_or_default() == value;
        is("namespace", namespace)
            && is("resource", resource)
            && is("subresource", subresource)
            && is("name", name)
    }

    /// Whether it is about something in this namespace.
    pub(crate) fn is_within(&self, namespace: &str) -> bool {
        self.0["objectRef"]["namespace"] == namespace
    }

    /// The HTTP status of the answer.
    pub(crate) fn code(&self) -> u64 {
        self.0["responseStatus"]["code"].as_u64().unwrap_or_default()
    }

    /// Who asked.
    pub(crate) fn user(&self) -> &str {
        self.0["user"]["username"].as_str().unwrap_or_default()
    }

    /// An annotation; empty where there is none.
    pub(crate) fn annotation(&self, key: &str) -> &str {
        self.0["annotations"][key].as_str().unwrap_or_default()
    }

    /// The keys of all annotations.
    pub(crate) fn annotation_keys(&self) -> impl Iterator<Item = &str> {
        self.0["annotations"]
            .as_object()
            .into_iter()
            .flat_map(|annotations| annotations.keys().map(String::as_str))
    }
}
