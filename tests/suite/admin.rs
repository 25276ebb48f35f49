//! The admin port: whether the server lives, whether it is ready, and what it counts.

use std::collections::{BTreeMap, BTreeSet};

use hyper::{Method, StatusCode};

use restraint::rules::RULES;

use crate::following::{VolumeFolder, policy};
use crate::server::{Server, eventually};
use crate::subjects::recorded;

#[tokio::test]
async fn it_tells_that_it_lives_and_what_it_is_ready_with() {
    let server = Server::start(&["--cap", "warn"]);
    assert_eq!(server.admin("/livez").await, (StatusCode::OK, "ok\n".to_owned()));
    let (status, text) = server.admin("/readyz").await;
    assert_eq!(status, StatusCode::OK);
    let lines: Vec<&str> = text.lines().collect();
    let [word, policies, certificate] = lines[..] else { panic!("{text}") };
    assert_eq!(word, "ok");
    let digest = server.digest().await;
    let expected = format!("policies: {} in force, cap warn, digest {digest}", RULES.len());
    assert_eq!(policies, expected);
    assert!(
        certificate.starts_with("certificate: for 127.0.0.1, localhost, expires "),
        "{certificate}"
    );
}

#[tokio::test]
async fn it_hints_at_what_there_is() {
    let server = Server::start(&[]);
    for path in ["/", "/healthz", "/validate", "/metrics/"] {
        let hint = "this port has /livez, /readyz and /metrics\n";
        assert_eq!(server.admin(path).await, (StatusCode::NOT_FOUND, hint.to_owned()), "{path}");
    }
    let mut client = server.admin_client().await;
    assert_eq!(client.ask(Method::POST, "/livez").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(client.ask(Method::HEAD, "/livez").await.0, StatusCode::OK);
}

#[tokio::test]
async fn every_family_appears_and_has_a_sample() {
    let (file, text) = policy("memory-limit-decrease", "enforce");
    let allowances = "settings: {allowances: [{name: a, requesters: {users: [dev@example.com]}, atLeast: 512Mi}]}\n";
    let folder = VolumeFolder::new(&[(file, text + allowances)]);
    let server = Server::start(&["--policies", folder.path()]);
    send(&server, "resize-limit-down-unapproved.pods-resize.validate").await;
    send(&server, "resize-limit-down-approved.pods-resize.validate").await;
    send(&server, "resize-by-vpa-updater.pods-resize.mutate").await;
    folder.swap(&[policy("memory-limit-decrease", "warn")]);
    let (certificate, key) = server.authority().issue();
    std::fs::write(server.file("tls.crt"), certificate).unwrap();
    std::fs::write(server.file("tls.key"), key).unwrap();

    let expected = [
        ("accept_errors", "counter"),
        ("allowed", "counter"),
        ("approvals_granted", "counter"),
        ("approvals_invalid", "counter"),
        ("approvals_refused", "counter"),
        ("approvals_revoked", "counter"),
        ("approvals_used", "counter"),
        ("build", "info"),
        ("certificate_expiry_timestamp", "gauge"),
        ("certificate_reloads", "counter"),
        ("connections_accepted", "counter"),
        ("connections_evicted", "counter"),
        ("connections_open", "gauge"),
        ("connections_rejected", "counter"),
        ("events_dropped", "counter"),
        ("events_failed", "counter"),
        ("exemptions", "gauge"),
        ("findings", "counter"),
        ("fix_missed", "counter"),
        ("handshakes_evicted", "counter"),
        ("handshakes_failed", "counter"),
        ("handshakes_timed_out", "counter"),
        ("log_lines_lost", "counter"),
        ("look_ups", "counter"),
        ("panics", "counter"),
        ("policies", "gauge"),
        ("policies_info", "gauge"),
        ("policies_refused", "gauge"),
        ("policy_reloads", "counter"),
        ("recordings", "counter"),
        ("restored", "counter"),
        ("review_duration_seconds", "histogram"),
        ("reviews", "counter"),
        ("seal_keys", "gauge"),
    ];
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, kind)| (format!("restraint_{name}"), (*kind).to_owned()))
        .collect();
    let complete = async || {
        let metrics = server.metrics().await;
        (metrics.kinds() == expected && metrics.empty().is_empty()).then_some(())
    };
    eventually(&format!("a sample of each of these and no others: {expected:#?}"), complete).await;
}

#[tokio::test]
async fn reviews_findings_and_approvals_are_counted() {
    let server = Server::start(&[]);
    for name in [
        "resize-limit-down-unapproved.pods-resize.validate",
        "resize-limit-down-unapproved.pods-resize.validate",
        "resize-limit-down-approved.pods-resize.validate",
        "create-bare.pods.mutate",
        "create-explicit-policy.pods.validate",
    ] {
        send(&server, name).await;
    }
    let (status, _) = server.client().await.post("/mutate", "{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let metrics = server.metrics().await;
    let reviews = |labels: &[(&str, &str)]| metrics.sum("restraint_reviews_total", labels);
    assert_eq!(
        reviews(&[
            ("path", "validate"),
            ("operation", "UPDATE"),
            ("resource", "pods"),
            ("subresource", "resize")
        ]),
        3.0
    );
    assert_eq!(reviews(&[("subresource", "resize"), ("outcome", "denied")]), 3.0);
    assert_eq!(
        reviews(&[
            ("path", "mutate"),
            ("operation", "CREATE"),
            ("resource", "pods"),
            ("outcome", "amended")
        ]),
        1.0
    );
    assert_eq!(
        reviews(&[("path", "validate"), ("operation", "CREATE"), ("outcome", "allowed")]),
        1.0
    );
    assert_eq!(reviews(&[("path", "mutate"), ("outcome", "malformed")]), 1.0);
    assert_eq!(reviews(&[]), 6.0);
    let findings = |labels: &[(&str, &str)]| metrics.sum("restraint_findings_total", labels);
    assert_eq!(
        findings(&[("rule", "memory-limit-decrease"), ("mode", "enforce"), ("outcome", "denied")]),
        3.0
    );
    assert_eq!(
        findings(&[
            ("path", "mutate"),
            ("rule", "memory-resize-policy"),
            ("mode", "fix"),
            ("outcome", "amended")
        ]),
        1.0
    );
    assert_eq!(metrics.sum("restraint_policies", &[]), RULES.len() as f64);
    assert_eq!(metrics.sum("restraint_policies_refused", &[]), 0.0);
    assert_eq!(metrics.sum("restraint_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
}

#[tokio::test]
async fn durations_are_a_histogram() {
    let server = Server::start(&[]);
    for _ in 0..3 {
        send(&server, "resize-cpu-only.pods-resize.validate").await;
    }
    let metrics = server.metrics().await;
    let labels = [("path", "validate")];
    assert_eq!(metrics.sum("restraint_review_duration_seconds_count", &labels), 3.0);
    assert!(metrics.sum("restraint_review_duration_seconds_sum", &labels) > 0.0);
    let buckets = metrics.samples("restraint_review_duration_seconds_bucket", &labels);
    assert!(buckets.is_sorted_by(|one, next| one.value <= next.value));
    assert_eq!(buckets.last().unwrap().labels["le"], "+Inf");
    assert_eq!(buckets.last().unwrap().value, 3.0);
}

#[tokio::test]
async fn connections_are_counted() {
    let server = Server::start(&[]);
    let client = server.client().await;
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("restraint_connections_accepted_total", &[]), 1.0);
    assert_eq!(metrics.sum("restraint_connections_open", &[]), 1.0);
    drop(client);
    eventually("no open connection", async || {
        (server.metrics().await.sum("restraint_connections_open", &[]) == 0.0).then_some(())
    })
    .await;

    // plain HTTP to the port that speaks TLS
    let plain = tokio::net::TcpStream::connect(server.reviews).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut { plain }, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let failed = async || {
        (server.metrics().await.sum("restraint_handshakes_failed_total", &[]) == 1.0).then_some(())
    };
    eventually("a failed handshake", failed).await;
}

/// A recorded review.
fn find(name: &str) -> (String, Vec<u8>) {
    recorded()
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap_or_else(|| panic!("no review {name}"))
}

/// Sends a recorded review the way its name says.
async fn send(server: &Server, name: &str) {
    let (name, body) = find(name);
    let path = if name.ends_with(".mutate") { "/mutate" } else { "/validate" };
    let (status, _) = server.client().await.post(path, body).await;
    assert_eq!(status, StatusCode::OK, "{name}");
}

/// A scrape, read as strictly as OpenMetrics text is defined.
#[derive(Debug)]
pub(crate) struct Exposition(BTreeMap<String, Family>);

#[derive(Debug)]
struct Family {
    kind: String,
    samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug)]
pub(crate) struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Exposition {
    /// Reads the text of `/metrics`.
    pub(crate) fn parse(text: &str) -> Self {
        let body =
            text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("does not end in # EOF: {text}"));
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let (mut helped, mut current) = (BTreeSet::new(), String::new());
        for line in body.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(help.len() > 1 && helped.insert(name), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(helped.contains(name), "{line}: no help");
                let family = Family { kind: kind.to_owned(), samples: Vec::new() };
                assert!(families.insert(name.to_owned(), family).is_none(), "{line}: twice");
                current = name.to_owned();
            } else if let Some(unit) = line.strip_prefix("# UNIT ") {
                let (name, unit) = unit.split_once(' ').unwrap();
                assert!(name == current && name.ends_with(unit), "{line}");
            } else {
                let sample = Sample::parse(line);
                let family =
                    families.get_mut(&current).unwrap_or_else(|| panic!("{line}: no type"));
                let suffix = sample
                    .name
                    .strip_prefix(&current)
                    .unwrap_or_else(|| panic!("{line}: of another family"));
                let suffixes: &[&str] = match &*family.kind {
                    "counter" => &["_total"],
                    "gauge" => &[""],
                    "histogram" => &["_bucket", "_sum", "_count"],
                    "info" => &["_info"],
                    kind => panic!("{kind}"),
                };
                assert!(suffixes.contains(&suffix), "{line}");
                assert!(
                    sample.value.is_finite() && (sample.value >= 0.0 || family.kind == "gauge"),
                    "{line}"
                );
                let same =
                    |known: &Sample| known.name == sample.name && known.labels == sample.labels;
                assert!(!family.samples.iter().any(same), "{line}: twice");
                family.samples.push(sample);
            }
        }
        Self(families)
    }

    /// The sum of the samples of this name that have all of these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels).iter().map(|sample| sample.value).sum()
    }

    /// The value that the only sample of this name has for a label, unless there is none.
    pub(crate) fn label(&self, name: &str, label: &str) -> Option<String> {
        match self.samples(name, &[])[..] {
            [] => None,
            [sample] => Some(sample.labels[label].clone()),
            ref more => panic!("more than one: {more:?}"),
        }
    }

    /// The families and their types.
    fn kinds(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, family)| (name.clone(), family.kind.clone())).collect()
    }

    /// The families without a sample.
    fn empty(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(_, family)| family.samples.is_empty())
            .map(|(name, _)| &**name)
            .collect()
    }

    fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let wanted = |sample: &&Sample| {
            let has = |(key, value): &(&str, &str)| {
                sample.labels.get(*key).is_some_and(|known| known == value)
            };
            sample.name == name && labels.iter().all(has)
        };
        self.0.values().flat_map(|family| &family.samples).filter(wanted).collect()
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            None => (series, ""),
            Some((name, labels)) => {
                (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))
            }
        };
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{line}");
        let label = |label: &str| {
            let (key, value) = label.split_once('=').unwrap_or_else(|| panic!("{line}"));
            let value = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
                .unwrap_or_else(|| panic!("{line}"));
            assert!(!value.contains(['"', '\\']), "{line}");
            (key.to_owned(), value.to_owned())
        };
        let labels = labels.split(',').filter(|labels| !labels.is_empty()).map(label).collect();
        Self {
            name: name.to_owned(),
            labels,
            value: value.parse().unwrap_or_else(|_| panic!("{line}")),
        }
    }
}
