//! `restraint explain rule`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use crate::judge::policies::Policies;
use crate::judge::rule::{Ignorable, Rule};
use crate::rules::{self, RULES};
use crate::terminal::{self, Output, OutputFormat};

/// How alike names must be for one to be suggested, of 1.
const ALIKE: f64 = 0.75;

/// Which rule to explain.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The rule [default: list all].
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// How results are printed.
    #[command(flatten)]
    pub output: Output,
}

/// Prints the page of a rule, or the list of all.
pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let policies = Policies::embedded();
    match (&options.name, options.output.format) {
        (None, OutputFormat::Json) => terminal::print_json(
            &RULES.iter().map(|rule| entry(rule, &policies)).collect::<Vec<_>>(),
        )?,
        (None, OutputFormat::Text) => terminal::print(&list(&policies))?,
        (Some(name), form) => {
            let Some(rule) = rules::find(name) else { bail!("{}", unknown(name)) };
            match form {
                OutputFormat::Json => {
                    let mut entry = entry(rule, &policies);
                    if let Some(fields) = entry.as_object_mut() {
                        fields.insert("documentation".to_owned(), rule.documentation().into());
                    }
                    terminal::print_json(&entry)?;
                }
                OutputFormat::Text => terminal::print(&page(rule, &policies))?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The mode that the shipped policies give it.
fn mode(rule: &Rule, policies: &Policies) -> &'static str {
    policies
        .iter()
        .find(|policy| policy.rule.name == rule.name)
        .map_or("off", |policy| policy.mode.as_str())
}

fn ignorable(rule: &Rule) -> (&'static str, &'static str) {
    match rule.ignorable {
        Ignorable::Always => ("always", "the owner of a workload may silence it"),
        Ignorable::ExceptOnResize => {
            ("except-on-resize", "the owner of a workload may silence it, but not on a resize")
        }
        Ignorable::Never => ("never", "the owner of a workload cannot silence it"),
    }
}

fn entry(rule: &Rule, policies: &Policies) -> Value {
    json!({
        "name": rule.name,
        "mode": mode(rule, policies),
        "ignorable": ignorable(rule).0,
        "settings": rule.settings().iter().map(|setting| setting.name).collect::<Vec<_>>(),
        "summary": rule.summary(),
    })
}

fn page(rule: &Rule, policies: &Policies) -> String {
    let (mode, ignorable) = (mode(rule, policies), ignorable(rule).1);
    // the page is Markdown; on a terminal the marks for bold type are noise
    let text = rule.documentation().replace("**", "");
    format!("{}\n\nBy default: {mode}; {ignorable}.\n\n{text}\n", rule.name)
}

fn list(policies: &Policies) -> String {
    let row = |rule: &Rule| [rule.name.to_owned(), mode(rule, policies).to_owned(), rule.summary()];
    terminal::table(&RULES.iter().map(row).collect::<Vec<_>>())
}

/// What to say of a name that no rule has.
fn unknown(name: &str) -> String {
    let alike = |rule: &&Rule| strsim::jaro_winkler(name, rule.name);
    let near = RULES.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)));
    let near = near.filter(|rule| name.len() < 100 && alike(rule) > ALIKE);
    let hint = near.map_or_else(
        || "`restraint explain rule` lists them".to_owned(),
        |rule| format!("did you mean {:?}?", rule.name),
    );
    format!("no rule is called {name:?}: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(
            unknown("memory-limit"),
            "no rule is called \"memory-limit\": did you mean \"memory-limit-decrease\"?"
        );
        assert_eq!(
            unknown("heap-abov-limit"),
            "no rule is called \"heap-abov-limit\": did you mean \"heap-above-limit\"?"
        );
        assert_eq!(
            unknown("xyz"),
            "no rule is called \"xyz\": `restraint explain rule` lists them"
        );
    }

    #[test]
    fn every_rule_has_a_page_and_a_line() {
        let policies = Policies::embedded();
        assert_eq!(list(&policies).lines().count(), RULES.len());
        for rule in RULES {
            let page = page(rule, &policies);
            assert!(page.starts_with(rule.name) && page.contains("Why it matters."), "{page}");
            assert!(!rule.summary().is_empty());
        }
    }
}
