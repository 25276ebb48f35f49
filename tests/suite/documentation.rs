//! Documentation that is made from the code agrees with it, and links lead somewhere.

mod chart;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

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

/// The example of `/readyz` counts the policies that are built in.
#[test]
fn the_example_of_readiness_counts_the_policies() {
    is_up_to_date("docs/observability.md", |page| {
        let (before, rest) = page.split_once("\npolicies: ").expect("an example");
        let (_, after) = rest.split_once(" in force, cap enforce, ").expect("a count");
        let count = Policies::embedded().iter().count();
        format!("{before}\npolicies: {count} in force, cap enforce, {after}")
    });
}

/// Relative links in all pages lead to files that exist, and their anchors to headings.
#[test]
fn links_lead_somewhere() {
    let mut pages = BTreeMap::new();
    collect(&root(), &mut pages);
    assert!(pages.len() > 20, "{:?}", pages.keys());
    let mut broken = Vec::new();
    for (path, text) in &pages {
        for link in links(text) {
            if !leads_somewhere(path, link, &pages) {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files below `folder`, without what is built or hidden.
fn collect(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            collect(&path, pages);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "md") {
            pages.insert(path.clone(), fs::read_to_string(path).unwrap());
        }
    }
}

/// The lines of a page that are not code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence && !line.starts_with("    ")
    })
}

/// The targets of links to this repository.
fn links(page: &str) -> Vec<&str> {
    let targets = prose(page).flat_map(|line| {
        line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
    });
    targets.filter(|target| !target.contains(':')).collect()
}

fn leads_somewhere(page: &Path, link: &str, pages: &BTreeMap<PathBuf, String>) -> bool {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => page.to_owned(),
        _ => normal(&page.parent().unwrap().join(file)),
    };
    match pages.get(&target) {
        Some(text) => anchor.is_empty() || anchors(text).any(|known| known == anchor),
        None => anchor.is_empty() && target.exists(),
    }
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, component| {
        if component == Component::ParentDir {
            path.pop();
        } else {
            path.push(component);
        }
        path
    })
}

/// The anchors of the headings of a page, as GitHub makes them.
fn anchors(page: &str) -> impl Iterator<Item = String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings.map(|heading| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept =
            words.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}
