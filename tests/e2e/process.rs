//! A program that runs beside the tests.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::deadline::eventually;

/// A program that runs until it is told to end, at the latest when this is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    guard: Child,
    log: PathBuf,
}

/// Kills the program once nobody holds the other end of its standard input any more: after Ctrl-C,
/// say, when an API server without its etcd would not end, and nobody is left to drop it.
const GUARD: &str = "trap '' HUP INT TERM; read -r line; kill -KILL \"$1\"";

impl Process {
    /// Starts `command` with everything it writes going to the file `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        // a proxy that serves the machine must not get between programs on it
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut guard = Command::new("sh");
        guard
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { name: name.to_owned(), child, guard: guard.spawn().unwrap(), log }
    }

    /// Everything it has written so far. What it answered to may not be in it yet.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// What `look` finds in its log, as soon as it finds something.
    pub(crate) fn eventually<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> T {
        eventually(what, || {
            let ended = self.child.try_wait().unwrap();
            let log = self.log();
            look(&log).or_else(|| match ended {
                Some(status) => panic!("{} ended with {status}:\n{log}", self.name),
                None => None,
            })
        })
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let line = [&format!("-{name}"), &*self.child.id().to_string()];
        let sent = Command::new("kill").args(line).status().unwrap();
        assert!(sent.success(), "{} cannot be sent SIG{name}", self.name);
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually(&format!("{} ends", self.name), || self.child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // the guard first: once the program is gone its number may be another's
        for child in [&mut self.guard, &mut self.child] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
