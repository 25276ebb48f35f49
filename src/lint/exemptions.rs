//! `restraint lint --exemptions`: who is exempted from what, until when and why.

use jiff::Timestamp;
use serde::Serialize;

use crate::judge::exemption::{self, End, Unreadable};
use crate::judge::policies::Policies;
use crate::kube::object::Metadata;
use crate::manifest::objects::Manifest;
use crate::manifest::pointer::line;
use crate::rules;
use crate::terminal::{plain, table};

use super::read::File;
use super::workload::Workload;

/// An exemption as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// The file, or the name of an exemption of the policies.
    source: String,
    /// The line, from 1; none for one of the policies.
    line: Option<u64>,
    /// What is exempted: an object, or the scope of the policies.
    subject: String,
    rule: String,
    until: Option<String>,
    reason: String,
    state: State,
}

/// Whether an exemption holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    InForce,
    Ended,
    UnreadableEnd,
    UnknownRule,
}

impl State {
    fn of(rule: &str, until: Option<Result<&End, Unreadable<'_>>>, now: Timestamp) -> Self {
        match until {
            _ if rules::find(rule).is_none() => Self::UnknownRule,
            None => Self::InForce,
            Some(Ok(end)) if end.is_ahead(Some(now)) => Self::InForce,
            Some(Ok(_)) => Self::Ended,
            Some(Err(_)) => Self::UnreadableEnd,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Ended => "ended",
            Self::UnreadableEnd => "no date: exempts nothing",
            Self::UnknownRule => "no rule of this name",
        }
    }
}

/// Every exemption in `policies` and `files`, in this order.
pub(super) fn all(policies: &Policies, files: &[File], now: Timestamp) -> Vec<Listed> {
    let mut listed = of_policies(policies, now);
    for file in files {
        for (document, manifest, class) in file.manifests() {
            for workload in Workload::all(&manifest, class) {
                let Ok(object) = workload.object.decode() else { continue };
                let place = workload.resource.template();
                let template = place.and_then(|place| object.pod(place));
                let metadata = template.map_or(&object.metadata, |(metadata, _)| metadata);
                let base = place.map_or("", |place| place.pointer());
                let pointer = format!("{base}/metadata/annotations/restraint.dev~1ignore");
                let at = document.lines_before + line(manifest.node, &workload.written(&pointer));
                listed.extend(of_object(&file.name, at, &manifest, metadata, now));
            }
        }
    }
    listed
}

fn of_policies(policies: &Policies, now: Timestamp) -> Vec<Listed> {
    let of_rules = policies.exemptions().iter().flat_map(|exemption| {
        exemption.rules.iter().map(move |rule| Listed {
            source: exemption.name.clone(),
            line: None,
            subject: "scope of the policies".to_owned(),
            rule: (*rule).to_owned(),
            until: exemption.until.as_ref().map(ToString::to_string),
            reason: exemption.reason.clone(),
            state: State::of(rule, exemption.until.as_ref().map(Ok), now),
        })
    });
    of_rules.collect()
}

fn of_object(
    file: &str,
    line: u64,
    manifest: &Manifest<'_>,
    metadata: &Metadata<'_>,
    now: Timestamp,
) -> Vec<Listed> {
    let Some(text) = exemption::written(metadata) else { return Vec::new() };
    let name = manifest.metadata("name").unwrap_or_default();
    let of_entry = |entry: exemption::OwnExemption<'_>| Listed {
        source: file.to_owned(),
        line: Some(line),
        subject: format!("{} {name}", manifest.kind),
        rule: entry.rule.to_owned(),
        until: entry.until.as_ref().map(|until| match until {
            Ok(end) => end.to_string(),
            Err(Unreadable(text)) => (*text).to_owned(),
        }),
        reason: entry.reason.to_owned(),
        state: State::of(
            entry.rule,
            entry.until.as_ref().map(|end| end.as_ref().map_err(|e| *e)),
            now,
        ),
    };
    exemption::parse(&text).map(of_entry).collect()
}

/// A table for people.
pub(super) fn render(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "no exemptions\n".to_owned();
    }
    let heading = ["WHERE", "WHAT", "RULE", "UNTIL", "STATE", "REASON"].map(str::to_owned);
    let row = |each: &Listed| {
        let place = match each.line {
            Some(line) => format!("{}:{line}", each.source),
            None => format!("exemption {}", each.source),
        };
        let until = each.until.as_deref().unwrap_or("-");
        let cells =
            [&*place, &*each.subject, &*each.rule, until, each.state.as_str(), &*each.reason];
        cells.map(|cell| plain(cell).to_string())
    };
    let rows: Vec<_> = std::iter::once(heading).chain(listed.iter().map(row)).collect();
    table(&rows)
}
