//! Marks of templates, which something fills in before a program reads the file.

/// What begins a placeholder: of Go and Jinja, of Jinja's statements, of shells, of Kubernetes and
/// make, of ERB and its like, of ytt.
const MARKS: [&str; 6] = ["{{", "{%", "${", "$(", "<%", "(@"];

/// Whether there is such a mark in `text`, or a name between `@`.
pub(super) fn may_be(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark)) || has_name_between_at(text)
}

/// Whether it has something like `@VERSION@`.
fn has_name_between_at(text: &str) -> bool {
    let mut parts = text.split('@');
    parts.next();
    // what comes after the last one is closed by none
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() && is_name(part) {
            return true;
        }
    }
    false
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_templates_are_known() {
        for (text, expected) in [
            ("a: {{ .Values.a }}", true),
            ("{% if a %}", true),
            ("a=${HOME}", true),
            ("a=$(POD_IP)", true),
            ("<% a %>", true),
            ("a: (@= data.values.a @)", true),
            ("v=@VERSION@", true),
            ("v=@project.version@", true),
            ("mail: a@example.com", false),
            ("a@example.com, b@example.com", false),
            ("@@ -1,2 +1,2 @@", false),
            ("$HOME", false),
            ("", false),
        ] {
            assert_eq!(may_be(text), expected, "{text}");
        }
    }
}
