//! Documentation that is made from the code says what the code says.

use std::fmt::Write;
use std::fs;

use restraint::judge::policies::Policies;
use restraint::judge::rule::Ignorable;
use restraint::rules::RULES;

/// `docs/rules.md` is made of the headers of the rules' files. After a change of one:
/// `UPDATE_DOCS=1 cargo test documentation`.
#[test]
fn the_page_of_rules_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
    let page = rules_page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == page,
        "docs/rules.md is older than the rules: UPDATE_DOCS=1 cargo test documentation"
    );
}

fn rules_page() -> String {
    let mut page = "# The rules\n\nThis page is made from the headers of the files in `src/rules`. How a policy uses a rule is described in\n[policies.md](policies.md).\n".to_owned();
    let policies = Policies::embedded();
    for rule in RULES {
        let mode = policies
            .iter()
            .find(|policy| policy.rule.name == rule.name)
            .map_or("off", |policy| policy.mode.as_str());
        let ignore = match rule.ignorable {
            Ignorable::Always => "the owner of a workload may silence it",
            Ignorable::ExceptOnResize => {
                "the owner of a workload may silence it, but not on a resize"
            }
            Ignorable::Never => "cannot be silenced by the owner of a workload",
        };
        let _ = write!(
            page,
            "\n## `{}`\n\nBy default: `{mode}`; {ignore}.\n\n{}\n",
            rule.name,
            rule.documentation()
        );
    }
    page
}
