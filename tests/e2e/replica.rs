//! One running process of Restraint.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitStatus;

use serde_json::Value;

use crate::process::Process;

/// A process that serves.
pub(crate) struct Replica {
    process: Process,
    /// Where it tells what it counts.
    admin: String,
}

impl Replica {
    /// `process`, once it serves.
    pub(crate) fn serving(mut process: Process) -> Self {
        let admin = process.eventually("restraint serves", |log| {
            let line = lines(log, |_| true).find(|line| line["message"] == "serving")?;
            line["admin"].as_str().map(str::to_owned)
        });
        Self { process, admin }
    }

    /// The reviews that it has logged so far, from the lines that are `wanted`: there are many.
    pub(crate) fn reviews(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        lines(&self.process.log(), wanted).filter(|line| line["message"] == "review").collect()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        lines(&self.process.log(), |_| true).collect()
    }

    /// The sum of the counters of this name that have `label`, as in `cause="other-webhook"`; all
    /// have the empty one.
    pub(crate) fn counted(&self, counter: &str, label: &str) -> u64 {
        let (_, answer) = fetch(&self.admin, "/metrics");
        let amount = |line: &str| {
            let labels = line.strip_prefix(counter)?;
            let (labels, amount) = labels.rsplit_once(' ')?;
            let is_same = labels.is_empty() || labels.starts_with('{');
            (is_same && labels.contains(label)).then(|| amount.parse::<u64>().unwrap())
        };
        answer.lines().filter_map(amount).sum()
    }

    /// What readiness says, with its status.
    pub(crate) fn readiness(&self) -> (u16, String) {
        fetch(&self.admin, "/readyz")
    }

    /// All that it counts.
    pub(crate) fn metrics(&self) -> String {
        fetch(&self.admin, "/metrics").1
    }

    /// Stops it where it stands: it accepts connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.process.signal("STOP");
    }

    /// Ends that.
    pub(crate) fn thaw(&self) {
        self.process.signal("CONT");
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.process.signal("TERM");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}

/// Status and body of what is served there in the clear.
pub(crate) fn fetch(address: &str, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap(), body.to_owned())
}

fn lines(log: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Value> {
    log.lines().filter(move |line| wanted(line)).filter_map(|line| serde_json::from_str(line).ok())
}
