//! Documentation that is made from the code says what the code says.

use std::fmt::Write;
use std::fs;

use restraint::judge::policies::Policies;
use restraint::judge::rule::{Ignorable, Rule};
use restraint::rules::RULES;

/// `docs/rules.md` is made of the headers of the rules' files.
#[test]
fn the_page_of_rules_is_up_to_date() {
    is_up_to_date("docs/rules.md", |_| rules_page());
}

/// The table of policies in `docs/policies.md` is made of the policies that are built in.
#[test]
fn the_table_of_policies_is_up_to_date() {
    is_up_to_date("docs/policies.md", |page| {
        let heading = "| policy | mode |\n|---|---|\n";
        let (before, rest) = page.split_once(heading).expect("a table of policies");
        let (_, after) = rest.split_once("\n\n").expect("text after the table");
        let rows: String = Policies::embedded()
            .iter()
            .map(|policy| format!("| `{}` | {} |\n", policy.name, policy.mode))
            .collect();
        format!("{before}{heading}{rows}\n{after}")
    });
}

#[test]
fn the_changelog_counts_the_rules() {
    let changelog = read("CHANGELOG.md");
    assert!(changelog.contains(&format!("{} rules", RULES.len())), "not {} rules", RULES.len());
}

/// Whether the page at `path` is what `make` makes of it; with `UPDATE_DOCS` it is written.
fn is_up_to_date(path: &str, make: impl Fn(&str) -> String) {
    let old = read(path);
    let new = make(&old);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(absolute(path), &new).unwrap();
    } else {
        assert!(
            old == new,
            "{path} is older than the code: UPDATE_DOCS=1 cargo test --test suite documentation"
        );
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(absolute(path)).unwrap()
}

fn absolute(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn rules_page() -> String {
    let mut page = "# The rules\n\n\
        This page is made from the headers of the files in `src/rules`. [policies.md](policies.md) \
        explains how a policy\nuses a rule.\n\n\
        | rule | by default | finds |\n|---|---|---|\n"
        .to_owned();
    let policies = Policies::embedded();
    let mut family = "";
    for rule in RULES {
        if rule.family != family {
            family = rule.family;
            let _ = writeln!(page, "| **{family}** | | |");
        }
        let (name, mode) = (rule.name, mode(rule, &policies));
        let _ = writeln!(page, "| [`{name}`](#{name}) | {mode} | {} |", rule.summary());
    }
    for rule in RULES {
        let ignore = match rule.ignorable {
            Ignorable::Always => "the owner of a workload may silence it",
            Ignorable::ExceptOnResize => {
                "the owner of a workload may silence it, but not on a resize"
            }
            Ignorable::Never => "cannot be silenced by the owner of a workload",
        };
        let (name, mode) = (rule.name, mode(rule, &policies));
        let page_of_rule = rule.documentation();
        let _ =
            write!(page, "\n## `{name}`\n\nBy default: `{mode}`; {ignore}.\n\n{page_of_rule}\n");
    }
    page
}

fn mode(rule: &Rule, policies: &Policies) -> &'static str {
    let policy = policies.iter().find(|policy| policy.rule.name == rule.name);
    policy.map_or("off", |policy| policy.mode.as_str())
}
