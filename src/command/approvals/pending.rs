//! `restraint approvals --pending`: what waits for an approver.

use std::fmt::Write;

use jiff::Timestamp;

use crate::cluster::Cluster;
use crate::command::pending::{self, PendingRequest};
use crate::terminal::{self, OutputFormat, table};

/// Prints what was denied and not granted since.
pub(super) async fn print(
    cluster: &Cluster,
    everywhere: bool,
    format: OutputFormat,
) -> anyhow::Result<()> {
    let requests = pending::list(cluster, everywhere, Timestamp::now()).await?;
    if requests.is_empty() {
        terminal::remark("no pending requests");
    }
    match format {
        OutputFormat::Json => terminal::print_json(&requests),
        OutputFormat::Text if requests.is_empty() => Ok(()),
        OutputFormat::Text => terminal::print(&text(&requests)),
    }
}

/// `requests` in columns, and below them the commands, with nothing else in their lines.
fn text(requests: &[PendingRequest]) -> String {
    let header = ["NAMESPACE", "POD", "CLAIMED BY", "DECREASE", "DENIED"].map(str::to_owned);
    let row = |request: &PendingRequest| {
        [
            request.namespace.clone(),
            request.pod.clone(),
            request.ask.claimed_by(),
            request.ask.to_string(),
            request.times(),
        ]
    };
    let mut text =
        table(&std::iter::once(header).chain(requests.iter().map(row)).collect::<Vec<_>>());
    let mut commands = requests.iter().filter_map(PendingRequest::command).peekable();
    if commands.peek().is_some() {
        text.push_str("\nto grant:\n");
    }
    for command in commands {
        let _ = writeln!(text, "  {command}"); // writing to memory cannot fail
    }
    text
}
