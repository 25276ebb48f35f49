//! kubectl: how people talk to the cluster, and so do the tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::deadline::eventually;
use crate::process::Process;

/// The people the cluster knows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Person {
    /// May do everything.
    Admin,
    /// Runs and resizes pods: `dev@example.com`.
    Developer,
    /// Approves decreases: `alice@example.com` of the group `sre`.
    Sre,
    /// Writes the status of pods, as an agent on a node would.
    Agent,
    /// The updater of the vertical pod autoscaler.
    Autoscaler,
    /// Restraint itself, with the rights of its service account.
    Restraint,
    /// What audits, with the rights of its own.
    Auditor,
}

impl Person {
    pub(crate) const ALL: [Self; 7] = [
        Self::Admin,
        Self::Developer,
        Self::Sre,
        Self::Agent,
        Self::Autoscaler,
        Self::Restraint,
        Self::Auditor,
    ];

    /// What they show to be let in.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Admin => "admin-token",
            Self::Developer => "developer-token",
            Self::Sre => "sre-token",
            Self::Agent => "agent-token",
            Self::Autoscaler => "autoscaler-token",
            Self::Restraint => "restraint-token",
            Self::Auditor => "auditor-token",
        }
    }

    /// The file that says so.
    pub(crate) fn kubeconfig(self) -> &'static str {
        match self {
            Self::Admin => "admin.kubeconfig",
            Self::Developer => "developer.kubeconfig",
            Self::Sre => "sre.kubeconfig",
            Self::Agent => "agent.kubeconfig",
            Self::Autoscaler => "autoscaler.kubeconfig",
            Self::Restraint => "restraint.kubeconfig",
            Self::Auditor => "auditor.kubeconfig",
        }
    }

    /// The name the API server knows them by.
    pub(crate) fn username(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Developer => "dev@example.com",
            Self::Sre => "alice@example.com",
            Self::Agent => "agent@example.com",
            Self::Autoscaler => "system:serviceaccount:kube-system:vpa-updater",
            Self::Restraint => "system:serviceaccount:restraint:restraint",
            Self::Auditor => "system:serviceaccount:restraint:restraint-audit",
        }
    }

    /// The group the API server knows them by.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::Developer => "developers",
            Self::Sre => "sre",
            Self::Agent => "agents",
            Self::Autoscaler | Self::Restraint | Self::Auditor => "system:serviceaccounts",
        }
    }
}

/// kubectl as one person in one namespace.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    /// Where `kubectl` lies.
    pub(crate) assets: PathBuf,
    /// Where the kubeconfigs lie, and where kubectl may keep what it likes.
    pub(crate) folder: PathBuf,
    pub(crate) person: Person,
    pub(crate) namespace: String,
}

/// How kubectl says that it waited for an API server in vain, which a machine that stands still for
/// a while brings about.
const LOST: [&str; 2] = ["net/http: TLS handshake timeout", "http2: client connection lost"];

/// How it says so before it has asked for any change.
const UNHEARD: [&str; 2] = ["Unable to connect to the server: ", "error: Get \"https://"];

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    command: String,
    succeeded: bool,
    code: Option<i32>,
    out: String,
    err: String,
}

impl Kubectl {
    pub(crate) fn by(&self, person: Person) -> Self {
        Self { person, ..self.clone() }
    }

    pub(crate) fn within(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self.clone() }
    }

    /// Runs kubectl.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.feed(arguments, "")
    }

    /// Runs kubectl with `input` on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = Command::new(self.assets.join("kubectl"));
        command.args(["--namespace", &self.namespace]).args(arguments);
        self.outcome(command, arguments.join(" "), input)
    }

    /// Runs a line as a person would who pasted it into a shell.
    pub(crate) fn paste(&self, line: &str) -> Outcome {
        let mut command = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(["-c", line]).env("PATH", format!("{}:{path}", self.assets.display()));
        self.outcome(command, line.to_owned(), "")
    }

    /// Runs Restraint's own command with this person's kubeconfig.
    pub(crate) fn restraint(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(arguments).args(["--namespace", &self.namespace]);
        self.outcome(command, format!("restraint {}", arguments.join(" ")), "")
    }

    /// Starts Restraint's own command, which may be sent signals; its log has all that it prints.
    pub(crate) fn start_restraint(&self, name: &str, arguments: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_restraint"));
        command.args(arguments).args(["--namespace", &self.namespace]);
        command
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.folder.join(self.person.kubeconfig()));
        let log = self.folder.join(format!("{}-{name}.log", self.namespace));
        Process::start(name, &mut command, log)
    }

    /// What comes of a command once the API server has heard it.
    fn outcome(&self, mut command: Command, line: String, input: &str) -> Outcome {
        command
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.folder.join(self.person.kubeconfig()));
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        // it ends before it has garbage to collect: a quarter less processor time for each of thousands
        command.env("GOGC", "off").env("GOMAXPROCS", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        eventually("the API server hears", || {
            let outcome = Outcome::of(&mut command, &line, input);
            outcome.was_heard().then_some(outcome)
        })
    }
}

impl Outcome {
    /// Runs a command.
    fn of(command: &mut Command, line: &str, input: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // it need not read all of it
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            command: line.to_owned(),
            succeeded: output.status.success(),
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Whether the API server was asked for anything: if not, it is harmless to ask again.
    fn was_heard(&self) -> bool {
        let says = |parts: &[&str]| parts.iter().any(|part| self.err.contains(part));
        !(says(&UNHEARD) && says(&LOST))
    }

    /// The same, once it is sure that the command succeeded.
    #[track_caller]
    pub(crate) fn accepted(self) -> Self {
        assert!(self.succeeded, "refused: kubectl {}\n{}", self.command, self.err);
        self
    }

    /// What kubectl said, once it is sure that the command failed.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.succeeded, "accepted: kubectl {}\n{}{}", self.command, self.out, self.err);
        self.err
    }

    /// What it printed, once it is sure that it succeeded.
    #[track_caller]
    pub(crate) fn printed(self) -> String {
        self.accepted().out
    }

    /// Its exit code.
    pub(crate) fn code(&self) -> Option<i32> {
        self.code
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// The object that `-o json` printed.
    #[track_caller]
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| {
            panic!("no JSON ({error}): kubectl {}\n{}", self.command, self.out)
        })
    }

    /// Whether a warning of the API server begins with these words.
    pub(crate) fn warns(&self, warning: &str) -> bool {
        let mut warnings = self.err.lines().filter_map(|line| line.strip_prefix("Warning: "));
        warnings.any(|text| text.starts_with(warning))
    }

    /// That the API server warned about this and nothing else: the beginning of each warning, as
    /// people see it.
    #[track_caller]
    pub(crate) fn assert_warnings(&self, beginnings: &[&str]) {
        let warnings: Vec<_> =
            self.err.lines().filter_map(|line| line.strip_prefix("Warning: ")).collect();
        let same = warnings.len() == beginnings.len()
            && warnings.iter().zip(beginnings).all(|(one, beginning)| one.starts_with(beginning));
        assert!(same, "expected {beginnings:?}, kubectl said {warnings:?}");
    }
}
