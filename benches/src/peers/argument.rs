//! Which peers there are: named by argument, so that anybody can repeat a run with theirs.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::Uri;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::account::Memory;
use crate::load::{connect, trusting_connector};
use crate::measure::show;

/// The configurations that docs/performance.md tells of.
const KNOWN: [&str; 5] =
    ["kyverno-cel", "kyverno-classic", "gatekeeper-rego", "gatekeeper-cel", "policy-server"];

/// Names that are taken, because the bench has its own.
const OWN: [&str; 4] = ["floor", "restraint", "none", "cel"];

/// How long a peer may take to let somebody in.
const PATIENCE: Duration = Duration::from_secs(5);

/// The peers.
#[derive(Debug, clap::Args)]
pub(crate) struct PeerOptions {
    /// A peer that is running, as
    /// name=NAME,validate=URL,mutate=URL,pid=PID[,ready=SECONDS][,ca=FILE]. A URL may be `-`.
    /// Repeatable. `ready` is how long it took to start; `ca` is who signed its certificate, which
    /// only an API server asks.
    #[arg(long, value_name = "FIELDS")]
    peer: Vec<Peer>,

    /// A file that names peers in the same way, one a line.
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
}

/// An admission server that somebody else started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Peer {
    pub(crate) name: String,
    /// Where resizes are judged.
    pub(crate) validate: Option<Url>,
    /// Where creations are amended.
    pub(crate) mutate: Option<Url>,
    pub(crate) process: u32,
    /// Seconds from its start until it answered, as told.
    pub(crate) ready: Option<f64>,
    /// PEM file with what signed its certificate.
    pub(crate) authority: Option<PathBuf>,
}

/// An address of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) text: String,
    pub(crate) address: SocketAddr,
    /// With the query.
    pub(crate) path: String,
}

/// Who was asked for, and who is there.
#[derive(Debug, Default)]
pub(crate) struct Present {
    pub(crate) peers: Vec<Peer>,
    /// Names of those that are not there.
    pub(crate) absent: Vec<String>,
}

impl PeerOptions {
    /// Every peer that was named.
    fn named(&self) -> anyhow::Result<Vec<Peer>> {
        let mut peers = self.peer.clone();
        if let Some(path) = &self.peers {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            peers.extend(read(&text).with_context(|| path.display().to_string())?);
        }
        for (index, peer) in peers.iter().enumerate() {
            let before = peers.get(..index).unwrap_or_default();
            let twice = before.iter().any(|other| other.name == peer.name);
            ensure!(!twice, "two peers are called {}", peer.name);
        }
        Ok(peers)
    }

    /// Finds out which of them are there. One line on standard error tells of each that is not, and
    /// one of those that were not asked for.
    pub(crate) async fn look(&self) -> anyhow::Result<Present> {
        let (mut present, tls) = (Present::default(), trusting_connector()?);
        show("");
        for peer in self.named()? {
            match peer.is_there(&tls).await {
                Ok(()) => present.peers.push(peer),
                Err(why) => {
                    eprintln!("{} is not there: {why:#}", peer.name);
                    present.absent.push(peer.name);
                }
            }
        }
        let is_named = |name: &str| {
            let given = present.peers.iter().map(|peer| &peer.name).chain(&present.absent);
            given.into_iter().any(|other| other == name)
        };
        let rest: Vec<String> =
            KNOWN.iter().filter(|name| !is_named(name)).map(ToString::to_string).collect();
        if !rest.is_empty() {
            eprintln!("not there, because no --peer names them: {}", rest.join(", "));
        }
        present.absent.extend(rest);
        Ok(present)
    }
}

impl Peer {
    async fn is_there(&self, tls: &TlsConnector) -> anyhow::Result<()> {
        ensure!(Memory::of(self.process).is_ok(), "there is no process {}", self.process);
        for url in self.validate.iter().chain(&self.mutate) {
            let connected = timeout(PATIENCE, connect(url.address, tls)).await;
            connected.context("it lets nobody in").flatten().with_context(|| url.text.clone())?;
        }
        Ok(())
    }
}

/// Peers, one a line; what begins with `#` is a comment.
fn read(text: &str) -> anyhow::Result<Vec<Peer>> {
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| line.parse().with_context(|| format!("line {}", index + 1)))
        .collect()
}

impl FromStr for Peer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (mut name, mut process, mut ready, mut authority) = (None, None, None, None);
        let (mut validate, mut mutate) = (None, None);
        let fields = text.split([',', ' ', '\t']).filter(|field| !field.is_empty());
        for field in fields {
            let (key, value) =
                field.split_once('=').with_context(|| format!("\"{field}\" is no KEY=VALUE"))?;
            let invalid = || format!("{key}={value}");
            match key {
                "name" => name = Some(name_of(value)?),
                "validate" if value != "-" => {
                    validate = Some(value.parse().with_context(invalid)?);
                }
                "mutate" if value != "-" => mutate = Some(value.parse().with_context(invalid)?),
                "validate" | "mutate" => {}
                "pid" => process = Some(value.parse().with_context(invalid)?),
                "ready" => ready = Some(value.parse().with_context(invalid)?),
                "ca" => authority = Some(Path::new(value).to_owned()),
                _ => bail!("\"{key}\" is none of name, validate, mutate, pid, ready, ca"),
            }
        }
        ensure!(validate.is_some() || mutate.is_some(), "neither validate nor mutate has a URL");
        let (name, process) =
            (name.context("name is missing")?, process.context("pid is missing")?);
        Ok(Self { name, validate, mutate, process, ready, authority })
    }
}

/// A name that can be a namespace's, too.
fn name_of(text: &str) -> anyhow::Result<String> {
    let usual = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_name = text.starts_with(usual)
        && text.ends_with(usual)
        && text.len() <= 40
        && text.chars().all(|letter| usual(letter) || letter == '-');
    ensure!(is_name, "name={text}: letters from a to z, digits and dashes make a name");
    ensure!(!OWN.contains(&text), "name={text}: the bench has its own");
    Ok(text.to_owned())
}

impl FromStr for Url {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let uri: Uri = text.parse()?;
        ensure!(uri.scheme_str() == Some("https"), "a URL begins with https://");
        let (host, port) = (uri.host().context("no host")?, uri.port_u16().unwrap_or(443));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = (host, port).to_socket_addrs()?.next().context("the host has no address")?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { text: text.to_owned(), address, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_make_a_peer() {
        let peer: Peer = "name=kyverno-cel,validate=https://127.0.0.1:9443/vpol/x?timeout=5s,mutate=https://127.0.0.1:9443/mpol/y,pid=17,ready=12.5,ca=/tmp/ca.crt"
            .parse()
            .unwrap();
        let url = |text: &str, path: &str| {
            let address = SocketAddr::from(([127, 0, 0, 1], 9443));
            Some(Url { text: text.to_owned(), address, path: path.to_owned() })
        };
        let expected = Peer {
            name: "kyverno-cel".to_owned(),
            validate: url("https://127.0.0.1:9443/vpol/x?timeout=5s", "/vpol/x?timeout=5s"),
            mutate: url("https://127.0.0.1:9443/mpol/y", "/mpol/y"),
            process: 17,
            ready: Some(12.5),
            authority: Some(PathBuf::from("/tmp/ca.crt")),
        };
        assert_eq!(peer, expected);
    }

    #[test]
    fn what_a_peer_does_not_do_has_a_dash() {
        let peer: Peer = "name=a validate=https://127.0.0.1/ mutate=- pid=1".parse().unwrap();
        assert_eq!((peer.mutate, peer.ready, peer.authority), (None, None, None));
        assert_eq!(peer.validate.unwrap().address.port(), 443);
    }

    #[test]
    fn faults_are_told() {
        let told = |text: &str| format!("{:#}", text.parse::<Peer>().unwrap_err());
        for (text, fault) in [
            ("name=a,pid=1", "neither validate nor mutate has a URL"),
            ("validate=https://127.0.0.1/,pid=1", "name is missing"),
            ("name=a,validate=https://127.0.0.1/", "pid is missing"),
            ("name=a,pid=x,validate=https://127.0.0.1/", "pid=x: invalid digit"),
            ("name=a,pid=1,validate=http://127.0.0.1/", "begins with https://"),
            ("name=a,pid=1,address=x", "\"address\" is none of"),
            ("a", "\"a\" is no KEY=VALUE"),
            ("name=A", "letters from a to z"),
            ("name=floor", "the bench has its own"),
        ] {
            assert!(told(text).contains(fault), "{text}: {}", told(text));
        }
    }

    #[test]
    fn a_file_names_one_a_line() {
        let text = "# peers\n\nname=a validate=https://127.0.0.1/ pid=1\n  name=b,mutate=https://127.0.0.1/,pid=2\n";
        let names: Vec<String> = read(text).unwrap().into_iter().map(|peer| peer.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(format!("{:#}", read("\nname=a").unwrap_err()).starts_with("line 2: neither"));
    }

    #[test]
    fn a_name_stands_for_one_peer() {
        let peer: Peer = "name=a,mutate=https://127.0.0.1/,pid=2".parse().unwrap();
        let options = PeerOptions { peer: vec![peer.clone(), peer], peers: None };
        assert_eq!(options.named().unwrap_err().to_string(), "two peers are called a");
    }
}
