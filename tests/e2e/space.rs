//! A namespace of its own for each trial.

use serde_json::Value;

use crate::audit::Event;
use crate::deadline::eventually;
use crate::installation::Installation;
use crate::kubectl::{Kubectl, Outcome, Person};

/// A namespace that an installation looks after, as far as its labels say so.
pub(crate) struct Space<'i> {
    installation: &'i Installation<'i>,
    kubectl: Kubectl,
}

impl<'i> Space<'i> {
    pub(crate) fn new(installation: &'i Installation<'_>, name: &str, labels: &Value) -> Self {
        let kubectl = installation.cluster.kubectl();
        let namespace = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        kubectl.feed(&["create", "--filename", "-"], &namespace.to_string()).accepted();
        Self { installation, kubectl: kubectl.within(name) }
    }

    /// The name of the namespace.
    pub(crate) fn name(&self) -> &str {
        &self.kubectl.namespace
    }

    /// kubectl in the namespace, in the hands of an administrator.
    pub(crate) fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// kubectl in the namespace, in the hands of someone else.
    pub(crate) fn by(&self, person: Person) -> Kubectl {
        self.kubectl.by(person)
    }

    /// Creates an object, as an administrator.
    pub(crate) fn create(&self, object: &Value) -> Outcome {
        self.kubectl.feed(&["create", "--filename", "-", "--output", "json"], &object.to_string())
    }

    /// Resizes a pod with a strategic merge patch, as the developer.
    pub(crate) fn resize(&self, pod: &str, patch: &Value) -> Outcome {
        self.resize_with(pod, patch, &[])
    }

    /// The same, with more flags.
    pub(crate) fn resize_with(&self, pod: &str, patch: &Value, flags: &[&str]) -> Outcome {
        let patch = patch.to_string();
        let line = [
            &[
                "patch",
                "pod",
                pod,
                "--subresource",
                "resize",
                "--output",
                "json",
                "--patch",
                &patch,
            ],
            flags,
        ]
        .concat();
        self.by(Person::Developer).run(&line)
    }

    /// The same as a user whom the cluster need not know, and who may do everything. More flags may
    /// put the user into groups.
    pub(crate) fn resize_as(
        &self,
        user: &str,
        pod: &str,
        patch: &Value,
        flags: &[&str],
    ) -> Outcome {
        let patch = patch.to_string();
        let line =
            ["patch", "pod", pod, "--subresource", "resize", "--output", "json", "--patch", &patch];
        let who = ["--as", user, "--as-group", "system:masters"];
        self.kubectl.run(&[&line[..], &who, flags].concat())
    }

    /// Runs kubectl and returns the object it printed.
    #[track_caller]
    pub(crate) fn object(&self, arguments: &[&str]) -> Value {
        self.kubectl.run(&[arguments, &["--output", "json"]].concat()).accepted().object()
    }

    /// A pod as it is stored.
    #[track_caller]
    pub(crate) fn pod(&self, name: &str) -> Value {
        self.object(&["get", "pod", name])
    }

    /// Everything that was judged in this namespace until now.
    pub(crate) fn reviews(&self) -> Vec<Value> {
        self.installation.catch_up();
        self.logged_reviews()
    }

    /// What the log has so far of what was judged in this namespace: for those who wait for more.
    pub(crate) fn logged_reviews(&self) -> Vec<Value> {
        let mut reviews = self.installation.logged_reviews(|line| line.contains(self.name()));
        reviews.retain(|review| review["namespace"] == self.name());
        reviews
    }

    /// The requests about an object in the order in which they came, once there are as many as
    /// expected: the API server answers before it writes them down.
    pub(crate) fn audited(
        &self,
        resource: &str,
        subresource: &str,
        name: &str,
        expected: usize,
    ) -> Vec<Event> {
        let events = eventually(
            &format!("{expected} audit events for {resource} {name} {subresource}"),
            || {
                let mut events =
                    self.installation.cluster.audit_log(|line| line.contains(self.name()));
                events.retain(|event| event.is_about(self.name(), resource, subresource, name));
                events.sort_by(|one, next| one.received().cmp(next.received()));
                (events.len() >= expected).then_some(events)
            },
        );
        assert_eq!(events.len(), expected, "{events:#?}");
        events
    }
}
