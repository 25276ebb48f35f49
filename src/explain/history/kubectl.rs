//! Commands that work as they are printed: pod, container and namespace are in them.

use serde_json::Value;

use crate::kube::name::{is_dns_label, is_dns_subdomain};

/// Commands about one pod. Names that no object can have are not for a shell: then there are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kubectl<'p> {
    pod: &'p str,
    namespace: &'p str,
    is_plain: bool,
}

impl<'p> Kubectl<'p> {
    pub(super) fn of(pod: &'p str, namespace: &'p str) -> Self {
        Self { pod, namespace, is_plain: is_dns_subdomain(pod) && is_dns_label(namespace) }
    }

    fn command(self, verb: &str, rest: &str) -> Option<String> {
        let Self { pod, namespace, is_plain } = self;
        is_plain.then(|| format!("`kubectl {verb} {pod} -n {namespace}{rest}`"))
    }

    /// Shows all that the API tells of the pod.
    pub(super) fn describe(self) -> Option<String> {
        self.command("describe pod", "")
    }

    /// The log of a container, or of its life before this one.
    pub(super) fn logs(self, container: &str, is_previous: bool) -> Option<String> {
        let previous = if is_previous { " --previous" } else { "" };
        is_dns_label(container).then_some(())?;
        self.command("logs", &format!(" -c {container}{previous}"))
    }

    /// Resizes the pod.
    pub(super) fn resize(self, patch: &Value) -> Option<String> {
        let patch = patch.to_string();
        // what could end the quotes is no quantity
        (!patch.contains('\'')).then_some(())?;
        self.command("patch pod", &format!(" --subresource resize --patch '{patch}'"))
    }

    /// Gives a container of the pod an image.
    pub(super) fn set_image(self, container: &str, image: &str) -> Option<String> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"./:@_-".contains(&byte);
        let is_plain = is_dns_label(container) && !image.is_empty() && image.bytes().all(inner);
        let (Self { pod, namespace, .. }, true) = (self, is_plain && self.is_plain) else {
            return None;
        };
        Some(format!("`kubectl set image pod/{pod} -n {namespace} {container}={image}`"))
    }

    /// Deletes the pod, without the wish of its process where it must.
    pub(super) fn delete(self, rest: &str) -> Option<String> {
        self.command("delete pod", rest)
    }

    /// A command about another object of the namespace.
    pub(super) fn about(self, verb: &str, kind: &str, name: &str) -> Option<String> {
        let namespace = self.namespace;
        (is_dns_subdomain(name) && is_dns_label(namespace))
            .then(|| format!("`kubectl {verb} {kind}/{name} -n {namespace}`"))
    }
}

/// A sentence with a command, or without where there is none.
pub(super) fn with(sentence: &str, command: Option<String>) -> String {
    match command {
        Some(command) if sentence.is_empty() => command,
        Some(command) => format!("{sentence}: {command}"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_name_pod_container_and_namespace() {
        let kubectl = Kubectl::of("db-0", "shop");
        assert_eq!(
            kubectl.logs("app", true).unwrap(),
            "`kubectl logs db-0 -n shop -c app --previous`"
        );
        assert_eq!(
            kubectl.set_image("app", "registry.example:5000/a/b@sha256:0f").unwrap(),
            "`kubectl set image pod/db-0 -n shop app=registry.example:5000/a/b@sha256:0f`"
        );
        assert_eq!(
            kubectl.resize(&json!({"spec": {}})).unwrap(),
            "`kubectl patch pod db-0 -n shop --subresource resize --patch '{\"spec\":{}}'`"
        );
    }

    #[test]
    fn what_is_no_name_gets_no_command() {
        for (pod, namespace) in [("db 0", "shop"), ("db-0", "$(sh)"), ("", "shop"), ("db-0", "")] {
            let kubectl = Kubectl::of(pod, namespace);
            assert_eq!((kubectl.describe(), kubectl.set_image("app", "a:1")), (None, None));
        }
        let kubectl = Kubectl::of("db-0", "shop");
        assert_eq!(kubectl.logs("a;b", false), None);
        assert_eq!(kubectl.set_image("app", "a'; rm"), None);
        assert_eq!(kubectl.resize(&json!("'")), None);
    }
}
