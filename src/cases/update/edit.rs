//! From an expectation to what is replaced in the text of its case.

use crate::manifest::layout::block::{column, element, entry, insertion};
use crate::manifest::layout::flow::{self, word};
use crate::manifest::layout::lines::line_start;
use crate::manifest::layout::splice::Splice;
use crate::yaml::{Node, Value};

use super::written::{Expectation, braces};

/// How far what is added stands right of what holds it.
const STEP: usize = 2;

/// What to replace in `text`, where `case` is written; `None` where it is not known how.
pub(super) fn splices(text: &str, case: &Node, new: &Expectation) -> Option<Vec<Splice>> {
    let is_inline =
        |node: &Node| text.get(node.offset..).is_some_and(|rest| rest.starts_with(['{', '[']));
    match case.entry("expect") {
        Some((_, value)) if is_inline(case) => {
            let is_json = text.get(case.entries().first()?.0.offset..)?.starts_with('"');
            let end = flow::end(text, value.offset)?.checked_add(1)?;
            Some(vec![Splice { start: value.offset, end, text: new.in_braces(is_json) }])
        }
        None if is_inline(case) => {
            let (first, _) = case.entries().first()?;
            let is_json = text.get(first.offset..)?.starts_with('"');
            let key = if is_json { "\"expect\"" } else { "expect" };
            let field = format!("{key}: {}, ", new.in_braces(is_json));
            Some(vec![Splice::insert(first.offset, field)])
        }
        Some((key, value)) if is_inline(value) => whole(text, key, value, new),
        Some((key, value)) => parts(text, key, value, new),
        None => added(text, case, new),
    }
}

/// Everything below `column`, line by line.
fn lines(new: &Expectation, column: usize) -> Vec<String> {
    let margin = " ".repeat(column.saturating_add(STEP));
    let mut lines = vec![format!("{margin}decision: {}", new.decision)];
    lines.extend(
        new.allowance.iter().map(|name| format!("{margin}allowance: {}", word(name, false))),
    );
    let findings = new.findings();
    if !findings.is_empty() {
        lines.push(format!("{margin}findings:"));
        lines.extend(findings.iter().map(|finding| format!("{margin}  - {finding}")));
    }
    lines
}

/// A new field after the last one of the case.
fn added(text: &str, case: &Node, new: &Expectation) -> Option<Vec<Splice>> {
    let (first, _) = case.entries().first()?;
    let column = column(text, first.offset)?;
    let ends: Option<Vec<usize>> =
        case.entries().iter().map(|(key, value)| Some(entry(text, key, value)?.end)).collect();
    let mut all = vec![format!("{}expect:", " ".repeat(column))];
    all.extend(lines(new, column));
    Some(vec![insertion(text, ends?.into_iter().max()?, &all)?])
}

/// The value in braces gives way to lines, but for a comment behind it.
fn whole(text: &str, key: &Node, value: &Node, new: &Expectation) -> Option<Vec<Splice>> {
    let column = column(text, key.offset)?;
    let start = text.get(..value.offset)?.trim_end().len();
    let end = flow::end(text, value.offset)?.checked_add(1)?;
    let after = entry(text, key, value)?.end;
    Some(vec![
        Splice { start, end, text: String::new() },
        insertion(text, after, &lines(new, column))?,
    ])
}

/// Each field by itself, so that comments stay.
fn parts(text: &str, key: &Node, value: &Node, new: &Expectation) -> Option<Vec<Splice>> {
    let (decision_key, decision) = value.entry("decision")?;
    let margin = " ".repeat(column(text, decision_key.offset)?);
    let mut splices = scalar(text, decision, new.decision.as_str())?;
    let after_decision = entry(text, decision_key, decision)?.end;
    match (value.entry("allowance"), &new.allowance) {
        (Some((_, old)), Some(name)) => splices.extend(scalar(text, old, name)?),
        (Some((key, old)), None) => splices.push(without(text, key, old)?),
        (None, Some(name)) => {
            let line = format!("{margin}allowance: {}", word(name, false));
            splices.push(insertion(text, after_decision, &[line])?);
        }
        (None, None) => {}
    }
    let listed = |findings: &[String]| {
        let lines = findings.iter().map(|finding| format!("{margin}  - {finding}"));
        [format!("{margin}findings:")].into_iter().chain(lines).collect::<Vec<_>>()
    };
    let all = new.findings();
    match value.entry("findings") {
        None if all.is_empty() => {}
        None => {
            let end = entry(text, key, value)?.end;
            splices.push(insertion(text, end, &listed(&all))?);
        }
        Some((key, old)) if all.is_empty() => splices.push(without(text, key, old)?),
        Some((_, old)) if is_list_of_lines(text, old) => splices.extend(elements(text, old, new)?),
        Some((key, old)) => {
            splices.push(without(text, key, old)?);
            splices.push(insertion(text, entry(text, key, old)?.end, &listed(&all))?);
        }
    }
    Some(splices)
}

fn is_list_of_lines(text: &str, list: &Node) -> bool {
    matches!(&list.value, Value::List(elements) if !elements.is_empty())
        && text.get(list.offset..).is_some_and(|rest| !rest.starts_with('['))
}

/// Takes out the elements that do not stay, and adds others after the last.
fn elements(text: &str, list: &Node, new: &Expectation) -> Option<Vec<Splice>> {
    let mut splices = Vec::new();
    let (mut end, mut margin) = (0, String::new());
    for (number, old) in list.elements().iter().enumerate() {
        let (range, column) = element(text, old)?;
        if !new.kept.contains(&number) {
            splices.push(Splice::delete(line_start(text, range.start), range.end));
        }
        (end, margin) = (range.end, " ".repeat(column));
    }
    let added: Vec<String> =
        new.added.iter().map(|fields| format!("{margin}- {}", braces(fields, false))).collect();
    if !added.is_empty() {
        splices.push(insertion(text, end, &added)?);
    }
    Some(splices)
}

/// Without the lines of an entry.
fn without(text: &str, key: &Node, value: &Node) -> Option<Splice> {
    let range = entry(text, key, value)?;
    Some(Splice::delete(line_start(text, range.start), range.end))
}

/// Another word in the place of `old`.
fn scalar(text: &str, old: &Node, new: &str) -> Option<Vec<Splice>> {
    let written = old.as_text()?;
    if written == new {
        return Some(Vec::new());
    }
    let rest = text.get(old.offset..)?;
    let quotes = usize::from(rest.starts_with(['"', '\''])).saturating_mul(2);
    let end = old.offset.checked_add(written.len())?.checked_add(quotes)?;
    Some(vec![Splice { start: old.offset, end, text: word(new, false) }])
}
