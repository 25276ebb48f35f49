//! From the JSON of an object to what the rules look at: with the decoder of the server, but
//! talkative.
//!
//! A server is sent objects that the API server has read already; a file may hold anything. So here
//! every fault comes with the field it is in and with what stands there.

use serde_json::Value;

use crate::json::{self, Fault};
use crate::judge::patch::pointer_token;
use crate::kube::object::Object;

/// Why an object cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The JSON pointer of the field with the fault.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) message: String,
}

/// Reads an object.
///
/// # Errors
///
/// Where a field that any rule looks at has the wrong shape.
pub(super) fn object(text: &str) -> Result<Object<'_>, Malformed> {
    json::read(text).map_err(|error| malformed(text, &error))
}

fn malformed(text: &str, error: &json::Error) -> Malformed {
    let path = error.path(text);
    let pointer = path.iter().map(|name| format!("/{}", pointer_token(name))).collect();
    let reason = match error.fault() {
        Fault::Expected(what) => instead_of(what, error.value(text)),
        Fault::Refused(explain) => explain(error.value(text)),
        Fault::Broken(why) => why.to_owned(),
        Fault::NoJson => error.to_string(),
    };
    Malformed { pointer, message: format!("{}: {reason}", dotted(&path)) }
}

/// That `json` stands where something else is expected, in the words of whoever writes manifests.
fn instead_of(expected: &str, json: &str) -> String {
    let (found, is_word) = match json.as_bytes() {
        [b'{', ..] => ("a mapping", false),
        [b'[', ..] => ("a list", false),
        b"null" => ("nothing", false),
        _ => (json, true),
    };
    let hint = if is_word && expected == "a string" { ": put it in quotes" } else { "" };
    format!("must be {expected}, not {found}{hint}")
}

/// A path as people write it.
pub(crate) fn dotted(tokens: &[String]) -> String {
    let mut text = String::new();
    for token in tokens {
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{token}]"));
        } else if token.contains(['.', '/']) {
            text.push_str(&format!("[{token:?}]"));
        } else {
            let dot = if text.is_empty() { "" } else { "." };
            text.push_str(&format!("{dot}{token}"));
        }
    }
    if text.is_empty() { "the object".to_owned() } else { text }
}

/// An annotation that is no string, in the metadata of one of `holders`: the API server refuses it,
/// and the decoder leaves it undecoded.
pub(super) fn malformed_annotation(object: &Value, holders: &[&str]) -> Option<Malformed> {
    let faulty = |holder: &&str| {
        let pointer = format!("{holder}/metadata/annotations");
        let annotations = object.pointer(&pointer)?.as_object()?;
        let (name, value) =
            annotations.iter().find(|(_, value)| !value.is_string() && !value.is_null())?;
        let path = pointer.replace('/', ".");
        let found = match value {
            Value::Object(_) => "a mapping".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            word => word.to_string(),
        };
        let message = format!(
            "{}[{name:?}]: must be a string, not {found}: put it in quotes",
            path.trim_start_matches('.'),
        );
        Some(Malformed { pointer: format!("{pointer}/{}", pointer_token(name)), message })
    };
    holders.iter().find_map(faulty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> (String, String) {
        let Malformed { pointer, message } = object(json).unwrap_err();
        (pointer, message)
    }

    #[test]
    fn objects_are_read_as_the_server_reads_them() {
        let json = r#"{"metadata":{"name":"a","annotations":{"x":"1","y":null}},
            "spec":{"containers":[{"name":"a\u0062","resources":{"limits":{"memory":"1Gi","cpu":1}}}],"volumes":null}}"#;
        let object = object(json).unwrap();
        assert_eq!(&*object.metadata.name, "a");
        assert_eq!(object.metadata.annotations.text("x").as_deref(), Some("1"));
        let container = object.spec.containers.first().unwrap();
        assert_eq!(
            (&*container.name, container.resources.limits.memory.as_ref().unwrap().text()),
            ("ab", "1Gi")
        );
    }

    #[test]
    fn faults_name_their_field() {
        let cases = [
            (
                r#"{"spec":{"containers":{}}}"#,
                "/spec/containers",
                "spec.containers: must be a list, not a mapping",
            ),
            (
                r#"{"spec":{"template":{"spec":{"containers":[{},{"name":7}]}}}}"#,
                "/spec/template/spec/containers/1/name",
                "spec.template.spec.containers[1].name: must be a string, not 7: put it in quotes",
            ),
            (
                r#"{"metadata":{"labels":{"example.com/a":true}}}"#,
                "/metadata/labels/example.com~1a",
                r#"metadata.labels["example.com/a"]: must be a string, not true: put it in quotes"#,
            ),
            ("[]", "", "the object: must be a mapping, not a list"),
        ];
        for (json, pointer, message) in cases {
            assert_eq!(fault(json), (pointer.to_owned(), message.to_owned()), "{json}");
        }
        let (pointer, message) =
            fault(r#"{"spec":{"containers":[{"resources":{"limits":{"memory":"banana"}}}]}}"#);
        assert_eq!(pointer, "/spec/containers/0/resources/limits/memory");
        assert!(
            message.starts_with(
                "spec.containers[0].resources.limits.memory: \"banana\" is not a quantity"
            ),
            "{message}"
        );
    }

    #[test]
    fn lists_are_not_read_as_fields_by_position() {
        let (pointer, message) =
            fault(r#"{"spec":{"containers":[{"resources":{"limits":["256Mi"]}}]}}"#);
        assert_eq!(pointer, "/spec/containers/0/resources/limits");
        assert!(message.ends_with("limits: must be a mapping, not a list"), "{message}");
        assert_eq!(fault(r#"{"spec":[[]]}"#).0, "/spec");
    }
}
