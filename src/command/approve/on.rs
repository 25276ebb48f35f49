//! What approving and revoking have in common: the pods, and how to go about it.

use clap::Args;

use crate::cluster::Access;
use crate::terminal::Form;

/// Which pods, and how.
#[derive(Clone, Debug, Args)]
pub struct On {
    /// The pod, Deployment or StatefulSet: pod/NAME, deploy/NAME or sts/NAME.
    #[arg(required = true, num_args = 1..=2, value_name = "TARGET")]
    pub target: Vec<String>,

    /// Have the API server and the webhook answer, and store nothing.
    #[arg(long, value_name = "server", hide_possible_values = true)]
    pub dry_run: Option<DryRun>,

    /// Namespace [default: the context's].
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// How results are printed.
    #[arg(
        short,
        long,
        default_value = "text",
        value_name = "text|json",
        hide_possible_values = true
    )]
    pub output: Form,

    /// Which cluster, and as whom.
    #[command(flatten)]
    pub access: Access,
}

/// Where a dry run happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DryRun {
    /// On the API server.
    Server,
}
