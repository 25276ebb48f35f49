//! The commands and their flags.

use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{approvals, approve, certs, completions, explain, revoke};
use crate::operate::{resize, restart};
use crate::{audit, cases, doctor, lint, replay, serve};

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
    /// List approvals on pods, and whether they are usable.
    ///
    /// "usable" means that a stamp is for this pod in its present state and has not expired. Whether
    /// its seal is genuine only the service can tell.
    ///
    /// With --pending: what was denied and waits for an approver. Whoever may write Events can write
    /// one like it, so the requester's name is a claim.
    Approvals(approvals::Options),

    /// Approve a memory decrease.
    ///
    /// Annotates the pod, or each pod of the Deployment, StatefulSet or DaemonSet, with a grant and
    /// checks that the service turned it into a stamp. The pod's next resize uses the approval. With --pending it
    /// grants what was denied last.
    Approve(approve::Options),

    /// Judge what is stored in a cluster: whom the policies would hit.
    ///
    /// Workloads are judged once, with the number of their pods, and pods that nobody made. Besides:
    /// resizes that are not done, limits that differ from the spec, approvals. Reads only, with your
    /// own rights; what they hide is listed as missing.
    ///
    /// With --every it is a service: it audits again and again, and shows the latest report.
    Audit(audit::Options),

    /// Create certificates for local use.
    Certs(certs::Options),

    /// Print what completes commands and flags in a shell.
    ///
    /// For bash: `source <(restraint completions bash)`.
    Completions(completions::Options),

    /// Check a cluster for webhooks that could lock it out and for mistakes in the setup of Restraint.
    ///
    /// Only --probe writes anything. Checks that need what you may not read are reported as not
    /// examined. Exits with 1 if there is a problem.
    Doctor(Box<doctor::Options>),

    /// Explain a rule, or what a change does to running processes.
    Explain(explain::Options),

    /// Check manifests against the policies, as if they were applied.
    ///
    /// Include ConfigMaps and Namespaces: some findings depend on them.
    Lint(lint::Options),

    /// Print the manual page, or write one for each command.
    Man(completions::ManOptions),

    /// Judge yesterday's requests: what policies would have done, by audit logs and recordings.
    ///
    /// Audit logs are those of kube-apiserver (audit.k8s.io/v1); level RequestResponse tells most.
    /// What a log leaves open is unknown, never guessed. Reads files only.
    Replay(Box<replay::Options>),

    /// Resize running pods in place, one at a time, each watched to its end.
    ///
    /// The plan comes first: what happens to which container, what Restraint and the API server would
    /// answer, and whether there is a way back. What fails or takes too long is put back. The exit
    /// code tells what came of it: 0 done, 1 a pod failed, 2 nothing done, 3 denied or refused, 4
    /// stopped between two pods.
    Resize(Box<resize::Options>),

    /// Restart pods, one at a time, with a runbook before each.
    ///
    /// The gentlest way that works: containers in place, a rollout that surges, or evictions. The plan
    /// comes first, with what is red. The exit code tells what came of it: 0 done, 1 a pod failed, 2
    /// nothing done, 3 refused, 4 stopped between two pods.
    Restart(Box<restart::Options>),

    /// Revoke approvals.
    ///
    /// Removes the stamp and every grant from the pod, or from each pod of the Deployment, StatefulSet
    /// or DaemonSet.
    Revoke(revoke::Options),

    /// Serve the admission webhook.
    ///
    /// Without arguments it serves on loopback addresses, with the default policies and a certificate
    /// created at start.
    Serve(Box<serve::Options>),

    /// Test policies: judge cases that you wrote, and compare with what you expect.
    ///
    /// A case is a request and its decision with every finding. Exits with 1 if a case fails, with 2
    /// if one is faulty.
    Test(cases::Options),
}

impl Cli {
    /// Reads the command line. Help and errors exit the process.
    pub fn read() -> Self {
        let name = std::env::args_os().next();
        let is_plugin = name
            .is_some_and(|name| Path::new(&name).file_stem().is_some_and(|stem| stem == PLUGIN));
        let command = Self::command();
        let command = if is_plugin { command.bin_name("kubectl restraint") } else { command };
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}
