//! The commands and their flags.

use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{approvals, approve, certs, revoke};
use crate::{doctor, explain, lint, serve};

/// The name of the binary as a plugin of kubectl.
const PLUGIN: &str = "kubectl-restraint";

/// Admission control for restarts and resizes in Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "restraint", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the approvals that pods carry.
    ///
    /// Whether a stamp has the service's seal only the service can tell: "usable" says that it is
    /// for this pod in this state, and has not ended.
    Approvals(approvals::Options),

    /// Approve a memory decrease.
    ///
    /// Writes the grant on the pod, or on each present pod of the Deployment or StatefulSet, and
    /// sees to it that the service turned it into a stamp. The approval is used by the pod's next
    /// resize.
    Approve(approve::Options),

    /// Make certificates for a laptop.
    Certs(certs::Options),

    /// Examine a cluster for what could lock it out, and for mistakes around Restraint.
    ///
    /// Reads, and writes nothing but for --probe. What it may not read it says it did not examine.
    /// Ends with 1 where there is a problem.
    Doctor(Box<doctor::Options>),

    /// Explain a rule, or what a change does to running processes.
    Explain(explain::Options),

    /// Check manifests against the policies, as if they were applied.
    ///
    /// ConfigMaps and Namespaces among them are evidence: some findings depend on what is known of
    /// them.
    Lint(lint::Options),

    /// Take approvals back.
    ///
    /// Removes the stamp and every grant from the pod, or from each pod of the Deployment or
    /// StatefulSet.
    Revoke(revoke::Options),

    /// Serve the admission webhook.
    ///
    /// Without arguments it runs on a laptop: default policies, a certificate made at start,
    /// loopback addresses.
    Serve(Box<serve::Options>),
}

impl Cli {
    /// Reads the command line. Help and mistakes end the process.
    pub fn read() -> Self {
        let name = std::env::args_os().next();
        let is_plugin = name
            .is_some_and(|name| Path::new(&name).file_stem().is_some_and(|stem| stem == PLUGIN));
        let command = Self::command();
        let command = if is_plugin { command.bin_name("kubectl restraint") } else { command };
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}
