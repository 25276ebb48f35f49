//! Reading policies: from YAML files to the policies in force together.

#[cfg(feature = "shell")]
pub(crate) mod config_map;
pub(crate) mod error;
mod exemptions;
pub(crate) mod fields;
mod file;
#[cfg(feature = "shell")]
pub(crate) mod folder;
mod scope;
#[cfg(feature = "shell")]
pub(crate) mod set;
mod settings;
pub(crate) mod tree;

pub use error::{PolicyError, PolicyErrors};

use std::collections::BTreeMap;

use crate::judge::policies::Policies;
use crate::rules::RULES;

use error::Flaws;
use file::Content;

/// The policy files that are built in: name and text of each, one for each rule.
pub fn embedded_files() -> impl Iterator<Item = (String, &'static str)> {
    RULES.iter().map(|rule| (format!("{}.yaml", rule.name), rule.default_policy))
}

impl Policies {
    /// Reads policy files: the name and the text of each. No file at all is no policy, and no
    /// error.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in any of the files, at once.
    pub fn read<Name, Text>(
        files: impl IntoIterator<Item = (Name, Text)>,
    ) -> Result<Self, PolicyErrors>
    where
        Name: AsRef<str>,
        Text: AsRef<str>,
    {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
        let (mut list, mut exemptions) = (Vec::new(), Vec::new());
        let (mut errors, mut taken) = (Vec::new(), BTreeMap::new());
        for (name, text) in &files {
            let mut flaws = Flaws::default();
            match file::read(name.as_ref(), text.as_ref(), &mut taken, &mut flaws) {
                Some(Content::Policy(policy)) => list.push(*policy),
                Some(Content::Exemptions(more)) => exemptions.extend(more),
                None => {}
            }
            errors.extend(flaws.of(name.as_ref()));
        }
        if errors.is_empty() {
            Ok(Self::of(list).with_exemptions(exemptions))
        } else {
            Err(PolicyErrors::sorted(errors))
        }
    }

    /// The policies that are compiled in.
    ///
    /// # Panics
    ///
    /// Where this program was built with faulty ones, which a test prevents: it must not run
    /// without policies unseen.
    #[expect(clippy::expect_used, reason = "what is read is compiled in")]
    pub fn embedded() -> Self {
        Self::read(embedded_files()).expect("the embedded policies are sound")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::approval::{DEFAULT_ANNOTATION, RESERVED_ANNOTATIONS};
    use crate::judge::mode::Cap;

    /// What is said of a file `p.yaml` with this text: one line each, without the name of the file.
    pub(super) fn flaws_of(text: &str) -> Vec<String> {
        let errors = Policies::read([("p.yaml", text)]).expect_err(text);
        errors
            .to_string()
            .lines()
            .map(|line| line.strip_prefix("p.yaml:").expect(line).to_owned())
            .collect()
    }

    fn read(files: &[(&str, &str)]) -> Policies {
        Policies::read(files.iter().copied()).unwrap()
    }

    #[test]
    fn embedded_policies_are_the_folder() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")).unwrap();
        // folders hold what is not Restraint's own to read
        let files =
            folder.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
        let found: BTreeSet<String> =
            files.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert_eq!(embedded_files().map(|(name, _)| name).collect::<BTreeSet<_>>(), found);
    }

    #[test]
    fn embedded_policies_have_the_name_of_their_rule_and_everything_in_scope() {
        let policies = Policies::embedded();
        for policy in policies.iter() {
            assert_eq!(
                (policy.name.as_str(), &policy.scope),
                (policy.rule.name, &Default::default())
            );
        }
        assert_eq!(policies.iter().count(), RULES.len());
        // a rule without a policy would be dead code for whoever runs the service as it comes
        let silent: Vec<_> = RULES
            .iter()
            .filter(|rule| !policies.iter().any(|policy| policy.rule.name == rule.name))
            .collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    #[test]
    fn policies_come_in_order_of_name_and_under_no_cap() {
        let policies = read(&[
            ("b.yaml", "{name: b, rule: file-watch, mode: warn}"),
            ("folder/a.yml", "{name: a, rule: file-watch, mode: warn}"),
        ]);
        assert_eq!(
            policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(policies.cap(), Cap::Enforce);
        assert_eq!(policies.under(Cap::Audit).cap(), Cap::Audit);
        assert_eq!(read(&[]).iter().count(), 0);
    }

    #[test]
    fn the_errors_of_all_files_come_at_once_and_in_order() {
        let files = [
            ("c.yaml", "name: a\nrule: file-watch\nmode: loud\n"),
            ("a.yaml", "name: a\nrule: file-wach\nmode: warn\nscop: {}\n"),
            ("b.yaml", "name: b\nrule: file-watch\nmode: warn\n"),
            ("b.yaml", "name: b\nrule: file-watch\nmode: warn\n"),
            ("d.yaml", "name: [\n"),
            ("e.txt", "name: e\nrule: file-watch\nmode: warn\n"),
            ("f.yaml", ""),
        ];
        let errors = Policies::read(files).unwrap_err();
        let expected = [
            r#"a.yaml:2:7: unknown rule "file-wach", did you mean "file-watch"?"#,
            r#"a.yaml:4:1: unknown field "scop", did you mean "scope"?"#,
            r#"b.yaml:1:7: name "b" is taken by b.yaml"#,
            r#"c.yaml:1:7: name "a" differs from the file's, "c""#,
            r#"c.yaml:1:7: name "a" is taken by a.yaml"#,
            r#"c.yaml:3:7: unknown mode "loud", known are "off", "audit", "warn", "enforce", "fix""#,
            r"d.yaml:1:7: invalid YAML: unclosed bracket '['",
            r#"e.txt:1:1: the name of a policy file must end in ".yaml""#,
            r"f.yaml:1:1: the file holds no policy",
        ];
        assert_eq!(errors.to_string(), expected.join("\n"));
        assert_eq!(
            errors.iter().map(|error| error.line).collect::<Vec<_>>(),
            [2, 4, 1, 1, 1, 3, 1, 1, 1]
        );
    }

    #[test]
    fn annotations_that_approve_are_known_whatever_the_mode_of_their_policy() {
        let annotations =
            |files: &[(&str, &str)]| read(files).context().approval_annotations.clone();
        let reserved = |more: &[&'static str]| [&RESERVED_ANNOTATIONS, more].concat();
        let off = "{name: off, rule: approval-authority, mode: off, settings: {approvalAnnotation: example.com/agreed}}";
        let again = "{name: again, rule: approval-authority, mode: enforce, settings: {approvalAnnotation: example.com/agreed}}";
        let plain = "{name: plain, rule: approval-authority, mode: warn}";
        let other = "{name: other, rule: file-watch, mode: warn}";

        assert_eq!(annotations(&[("off.yaml", off)]), reserved(&["example.com/agreed"]));
        assert_eq!(
            annotations(&[("off.yaml", off), ("again.yaml", again)]),
            reserved(&["example.com/agreed"])
        );
        assert_eq!(
            annotations(&[("off.yaml", off), ("plain.yaml", plain)]),
            reserved(&["example.com/agreed", DEFAULT_ANNOTATION])
        );
        // nobody names one: what most people call it must not come along with a pod either
        assert_eq!(annotations(&[("other.yaml", other)]), reserved(&[DEFAULT_ANNOTATION]));
        assert_eq!(annotations(&[]), reserved(&[DEFAULT_ANNOTATION]));
        assert_eq!(
            Policies::default().context().approval_annotations,
            reserved(&[DEFAULT_ANNOTATION])
        );
    }

    #[test]
    fn rules_that_mend_every_pod_are_known() {
        let always_fixed = |mode: &str, scope: &str, cap: Cap| {
            let text =
                format!("{{name: p, rule: memory-resize-policy, mode: {mode}, scope: {scope}}}");
            read(&[("p.yaml", &text)]).under(cap).context().always_fixed.clone()
        };
        assert_eq!(always_fixed("fix", "{}", Cap::Enforce), ["memory-resize-policy"]);
        assert_eq!(always_fixed("enforce", "{}", Cap::Enforce), [""; 0]);
        assert_eq!(
            always_fixed("fix", "{namespaces: {except: [sandbox]}}", Cap::Enforce),
            [""; 0],
            "not everywhere"
        );
        assert_eq!(always_fixed("fix", "{}", Cap::Warn), [""; 0], "nothing is changed under a cap");
    }

    #[test]
    fn policies_that_ask_for_labels_of_namespaces_are_told() {
        let policy = |name: &str, mode: &str, namespaces: &str| {
            (
                format!("{name}.yaml"),
                format!(
                    "{{name: {name}, rule: file-watch, mode: {mode}, scope: {{namespaces: {namespaces}}}}}"
                ),
            )
        };
        let policies = Policies::read([
            policy("names", "warn", "{names: [shop], except: [kube-system]}"),
            policy(
                "name-label",
                "warn",
                "{selector: {matchLabels: {kubernetes.io/metadata.name: shop}}}",
            ),
            policy("switched-off", "off", "{selector: {matchLabels: {tier: gold}}}"),
            policy(
                "labels",
                "audit",
                "{selector: {matchExpressions: [{key: tier, operator: Exists}]}}",
            ),
        ]);
        let policies = policies.unwrap();
        assert_eq!(
            policies.unresolvable().map(|policy| policy.name.as_str()).collect::<Vec<_>>(),
            ["labels"]
        );
    }

    #[test]
    fn the_examples_of_the_documentation_are_real() {
        let documentation = include_str!("../docs/policies.md");
        let blocks = |opening: &str| {
            let after = documentation
                .split(opening)
                .skip(1)
                .map(|rest| rest.split("\n```").next().unwrap().trim_start().to_owned());
            after.collect::<Vec<_>>()
        };
        let (yaml, text) = (blocks("\n```yaml\n"), blocks("\n```text\n"));
        let [good, recipes @ .., bad] = yaml.as_slice() else { panic!("{yaml:?}") };
        read(&[("memory-limit-decrease-shop.yaml", good)]);
        let [recipes @ .., exemptions] = recipes else { panic!("{recipes:?}") };
        assert_eq!(recipes.len(), 3);
        read(&[("exemptions.yaml", exemptions)]);
        for recipe in recipes {
            let policy = format!("name: p\nrule: memory-limit-decrease\nmode: enforce\n{recipe}\n");
            read(&[("p.yaml", &policy)]);
        }
        let errors = Policies::read([("policies/memory-limit-decrease.yaml", bad)]).unwrap_err();
        assert_eq!(text, [errors.to_string()]);
    }

    proptest! {
        /// What is not refused is in force, and what is refused says where, whatever the text.
        #[test]
        fn no_text_is_passed_over(cut in 0..200_usize, end in 0..200_usize, insert in "[a-zA-Z0-9:{}?,&*!|>#'\"~<%@ \\n\\[\\]-]{0,12}") {
            let good = "name: p\nrule: approval-authority\nmode: warn\nscope:\n  namespaces: {names: [shop]}\n  operations:\n  - UPDATE\n\
                        settings:\n  approvalAnnotation: ok\n";
            let (cut, end) = (cut.min(good.len()), end.min(good.len()));
            let text = format!("{}{insert}{}", &good[..cut], &good[end..]);
            match Policies::read([("p.yaml", &text)]) {
                Ok(policies) => prop_assert_eq!(policies.iter().count(), 1),
                Err(errors) => {
                    prop_assert!(errors.iter().count() > 0);
                    prop_assert_eq!(errors.to_string().lines().count(), errors.iter().count());
                    let lines = u64::try_from(text.lines().count()).unwrap();
                    prop_assert!(errors.iter().all(|error| (1..=lines + 1).contains(&error.line) && error.column > 0));
                }
            }
        }
    }
}
