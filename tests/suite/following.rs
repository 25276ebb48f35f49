//! What is followed while the server runs: the policies folder and the key material.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{Authority, Server, eventually};
use crate::subjects::resize;

#[tokio::test]
async fn a_swapped_folder_brings_its_policies_into_force() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "warn")]);
    let server = Server::start(&["--policies", folder.path()]);
    let mut client = server.client().await;
    assert_eq!(decrease(&mut client).await, Answer { allowed: true, warned: true });

    folder.swap(&[policy("memory-limit-decrease", "enforce")]);
    until(&server, Answer { allowed: false, warned: false }).await;
    assert!(!decrease(&mut client).await.allowed, "on connections that are open as well");

    // a second time, because a watch that sits on what was swapped away would be dead by now
    folder.swap(&[policy("memory-limit-decrease", "audit")]);
    until(&server, Answer { allowed: true, warned: false }).await;
    eventually("two sets accepted", async || {
        (reloads(&server, "accepted").await == 2.0).then_some(())
    })
    .await;
    assert_eq!(reloads(&server, "refused").await, 0.0);
}

#[tokio::test]
async fn policies_come_and_go_with_their_files() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "enforce")]);
    let server = Server::start(&["--policies", folder.path()]);
    let in_force = async || server.metrics().await.sum("restraint_policies", &[]);
    assert_eq!(in_force().await, 1.0);
    folder.swap(&[policy("memory-limit-decrease", "enforce"), policy("file-watch", "warn")]);
    eventually("two policies", async || (in_force().await == 2.0).then_some(())).await;
    folder.swap(&[policy("file-watch", "warn")]);
    eventually("one policy", async || (in_force().await == 1.0).then_some(())).await;
    until(&server, Answer { allowed: true, warned: false }).await;
}

#[tokio::test]
async fn replicas_with_the_same_policies_have_the_same_digest() {
    let sets = ["enforce", "warn"].map(|mode| [policy("memory-limit-decrease", mode)]);
    let folder = VolumeFolder::new(&sets[0]);
    let server = Server::start(&["--policies", folder.path()]);
    let first = server.digest().await;
    let changed = async |old: &str| {
        eventually("another digest", async || {
            Some(server.digest().await).filter(|digest| digest != old)
        })
        .await
    };
    folder.swap(&sets[1]);
    let second = changed(&first).await;
    assert_eq!(server.line("policies swapped")["digest"], *second);
    let readiness = server.admin("/readyz").await.1;
    assert!(readiness.contains(&format!(", digest {second}\n")), "{readiness}");

    let copy = VolumeFolder::new(&sets[1]);
    let other = Server::start(&["--policies", copy.path()]);
    assert_eq!(other.digest().await, second);
    let capped = Server::start(&["--policies", copy.path(), "--cap", "audit"]);
    assert_ne!(capped.digest().await, second, "the cap is part of what is in force");
    folder.swap(&sets[0]);
    assert_eq!(changed(&second).await, first);
}

#[tokio::test]
async fn a_bad_set_is_refused_told_and_cured() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "enforce")]);
    let server = Server::start(&["--policies", folder.path()]);
    let loud = "name: memory-limit-decrease\nrule: memory-limit-decrease\nmode: loud\n".to_owned();
    let misspelled = "name: other\nrule: file-wacth\nmode: warn\n".to_owned();
    folder.swap(&[
        ("memory-limit-decrease.yaml".to_owned(), loud),
        ("other.yaml".to_owned(), misspelled),
    ]);

    // every error at once, each with its place; the first look may come between the kubelet's steps
    let told = async || {
        let (status, text) = server.admin("/readyz").await;
        assert_eq!(status, StatusCode::OK, "the old policies still serve");
        text.contains(
            "\n  other.yaml:2:7: unknown rule \"file-wacth\", did you mean \"file-watch\"?",
        )
        .then_some(text)
    };
    let text = eventually("a refusal", told).await;
    let lines: Vec<&str> = text.lines().collect();
    let digest = server.digest().await;
    let in_force = format!("policies: 1 in force, cap enforce, digest {digest}");
    assert_eq!(lines[..3], ["ok", &in_force, "policies: a newer one is refused:"]);
    assert!(
        lines[3].starts_with("  memory-limit-decrease.yaml:3:7: unknown mode \"loud\""),
        "{text}"
    );
    let metrics = server.metrics().await;
    assert_eq!(metrics.sum("restraint_policies_refused", &[]), 1.0);
    assert!(metrics.sum("restraint_policy_reloads_total", &[("result", "refused")]) >= 1.0);
    assert_eq!(metrics.sum("restraint_policy_reloads_total", &[("result", "accepted")]), 0.0);
    assert!(!decrease(&mut server.client().await).await.allowed, "the old policies still count");
    assert_eq!(server.line("policies refused, the old ones stay in force")["level"], "WARN");

    folder.swap(&[policy("memory-limit-decrease", "warn")]);
    until(&server, Answer { allowed: true, warned: true }).await;
    let cured = async || {
        (server.metrics().await.sum("restraint_policies_refused", &[]) == 0.0).then_some(())
    };
    eventually("a cure", cured).await;
    let (_, text) = eventually("a cure", async || {
        Some(server.admin("/readyz").await).filter(|(_, text)| !text.contains("refused"))
    })
    .await;
    let in_force =
        format!("ok\npolicies: 1 in force, cap enforce, digest {}\n", server.digest().await);
    assert!(text.starts_with(&format!("{in_force}certificate: ")), "{text}");
}

#[tokio::test]
async fn an_emptied_folder_is_refused() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "enforce")]);
    let server = Server::start(&["--policies", folder.path()]);
    folder.swap(&[("readme.txt".to_owned(), "nothing here".to_owned())]);
    let told = async || {
        server
            .admin("/readyz")
            .await
            .1
            .contains("has no files that end in .yaml or .yml")
            .then_some(())
    };
    eventually("a refusal", told).await;
    assert!(reloads(&server, "refused").await >= 1.0);
    assert!(!decrease(&mut server.client().await).await.allowed);
}

#[tokio::test]
async fn the_cap_outlives_a_swap() {
    let folder = VolumeFolder::new(&[policy("memory-limit-decrease", "audit")]);
    let server = Server::start(&["--policies", folder.path(), "--cap", "warn"]);
    folder.swap(&[policy("memory-limit-decrease", "enforce")]);
    until(&server, Answer { allowed: true, warned: true }).await;
    assert!(server.admin("/readyz").await.1.contains("1 in force, cap warn"));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections() {
    let server = Server::start(&[]);
    let mut old = server.client().await;
    assert_eq!(old.try_post("/validate", unapproved()).await.unwrap().0, StatusCode::OK);

    let renewed = Authority::new();
    let (certificate, key) = renewed.issue_until(2100, &["localhost", "renewed.example"]);
    replace(&server.file("tls.crt"), &certificate);
    replace(&server.file("tls.key"), &key);
    let connected = async || Client::try_over_tls(server.reviews, &renewed.pem()).await.ok();
    let mut new = eventually("the new certificate", connected).await;
    assert_eq!(new.post("/validate", unapproved()).await.0, StatusCode::OK);
    assert!(
        Client::try_over_tls(server.reviews, &server.authority().pem()).await.is_err(),
        "the old one is gone"
    );
    assert_eq!(
        old.try_post("/validate", unapproved()).await.unwrap().0,
        StatusCode::OK,
        "what is open goes on"
    );

    let accepted = async || (certificate_reloads(&server, "accepted").await == 1.0).then_some(());
    eventually("a reload", accepted).await;
    let news = "certificate: for localhost, renewed.example, expires 2100-01-01T00:00:00Z\n";
    eventually("the new names", async || {
        server.admin("/readyz").await.1.contains(news).then_some(())
    })
    .await;
    assert_eq!(
        server.metrics().await.sum("restraint_certificate_expiry_timestamp", &[]),
        4_102_444_800.0
    );
}

#[tokio::test]
async fn half_a_pair_is_refused_until_the_other_half_comes() {
    let server = Server::start(&[]);
    let renewed = Authority::new();
    let (certificate, key) = renewed.issue();
    replace(&server.file("tls.crt"), &certificate);
    let line = server.line("key material refused, the old stays in force: ");
    assert_eq!(line["level"], "WARN");
    assert!(
        line["message"].as_str().unwrap().contains("does not belong to the first certificate"),
        "{line}"
    );
    eventually("a refusal", async || {
        (certificate_reloads(&server, "refused").await >= 1.0).then_some(())
    })
    .await;
    assert_eq!(
        server.client().await.post("/validate", unapproved()).await.0,
        StatusCode::OK,
        "the old pair still serves"
    );
    let (status, text) = eventually("a refusal", async || {
        Some(server.admin("/readyz").await).filter(|(_, text)| text.contains("refused"))
    })
    .await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("certificate: a newer one is refused:\n  key "), "{text}");

    replace(&server.file("tls.key"), &key);
    eventually("the new pair", async || {
        Client::try_over_tls(server.reviews, &renewed.pem()).await.ok()
    })
    .await;
    eventually("a reload", async || {
        (certificate_reloads(&server, "accepted").await == 1.0).then_some(())
    })
    .await;
    eventually("a cure", async || {
        (!server.admin("/readyz").await.1.contains("refused")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_without_its_content() {
    let server = Server::start(&[]);
    let key = fs::read_to_string(server.file("tls.key")).unwrap();
    let middle = key.lines().nth(1).unwrap();
    replace(&server.file("tls.key"), &key.replace(middle, &middle[..middle.len() - 3]));
    let line = server.line("key material refused, the old stays in force: ").to_string();
    assert!(line.contains("tls.key") && !line.contains(&middle[..20]), "{line}");
    assert_eq!(server.client().await.post("/validate", unapproved()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn with_a_client_authority_only_its_clients_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let (callers, strangers) = (Authority::new(), Authority::new());
    let file = folder.path().join("clients.crt");
    fs::write(&file, callers.pem()).unwrap();
    let server =
        Server::start(&["--client-ca", file.to_str().unwrap(), "--client-name", "kube-apiserver"]);
    let served = async |shown: Option<&Authority>, name: &str| {
        let trusted = server.authority().pem();
        let client = match shown {
            Some(authority) => {
                Client::with_certificate(server.reviews, &trusted, &authority.issue_for(&[name]))
                    .await
            }
            None => Client::try_over_tls(server.reviews, &trusted).await,
        };
        // in TLS 1.3 a client learns of its refusal as late as when it reads
        match client {
            Ok(mut client) => client
                .try_post("/validate", unapproved())
                .await
                .is_ok_and(|(status, _)| status == StatusCode::OK),
            Err(_) => false,
        }
    };
    assert!(served(Some(&callers), "kube-apiserver").await);
    assert!(!served(None, "").await, "no certificate");
    assert!(!served(Some(&strangers), "kube-apiserver").await, "of another authority");
    assert!(!served(Some(&callers), "somebody-else").await, "of another name");
    assert_eq!(server.admin("/livez").await.0, StatusCode::OK, "probes show no certificate");
    let failed = async || {
        (server.metrics().await.sum("restraint_handshakes_failed_total", &[]) == 3.0).then_some(())
    };
    eventually("three failed handshakes", failed).await;

    fs::write(&file, strangers.pem()).unwrap();
    eventually("the new authority", async || {
        served(Some(&strangers), "kube-apiserver").await.then_some(())
    })
    .await;
    assert!(!served(Some(&callers), "kube-apiserver").await, "the old authority counts no longer");
}

/// A policy file: its name and text.
pub(crate) fn policy(rule: &str, mode: &str) -> (String, String) {
    (format!("{rule}.yaml"), format!("name: {rule}\nrule: {rule}\nmode: {mode}\n"))
}

/// A folder laid out as the kubelet lays out a ConfigMap volume: each file is a symlink into
/// `..data`, itself a symlink to a directory that is replaced as a whole.
pub(crate) struct VolumeFolder(TempDir);

impl VolumeFolder {
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.swap(files);
        folder
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// Replaces all files in the kubelet's steps (`AtomicWriter.Write`).
    pub(crate) fn swap(&self, files: &[(String, String)]) {
        let root = self.0.path();
        let old = fs::read_link(root.join("..data")).ok();
        let new = tempfile::Builder::new().prefix("..2026_").tempdir_in(root).unwrap().keep();
        for (name, text) in files {
            fs::write(new.join(name), text).unwrap();
        }
        symlink(new.file_name().unwrap(), root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        for (name, _) in files {
            if fs::symlink_metadata(root.join(name)).is_err() {
                symlink(Path::new("..data").join(name), root.join(name)).unwrap();
            }
        }
        for entry in fs::read_dir(root).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().into_string().unwrap();
            if !name.starts_with("..") && !files.iter().any(|(kept, _)| *kept == name) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        if let Some(old) = old {
            fs::remove_dir_all(root.join(old)).unwrap();
        }
    }
}

/// What came of a decrease that nobody approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    allowed: bool,
    warned: bool,
}

async fn decrease(client: &mut Client) -> Answer {
    let (status, body) = client.post("/validate", unapproved()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let response = &answer["response"];
    Answer { allowed: response["allowed"] == true, warned: response.get("warnings").is_some() }
}

/// Waits until a decrease that nobody approved is answered so.
async fn until(server: &Server, wanted: Answer) {
    let mut client = server.client().await;
    eventually(&format!("{wanted:?}"), async || {
        (decrease(&mut client).await == wanted).then_some(())
    })
    .await;
}

/// A decrease that nobody approved.
fn unapproved() -> Vec<u8> {
    let pod = |memory: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "shop"},
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}}}]},
        })
    };
    resize(&pod("512Mi"), &pod("256Mi"))
}

async fn reloads(server: &Server, result: &str) -> f64 {
    server.metrics().await.sum("restraint_policy_reloads_total", &[("result", result)])
}

async fn certificate_reloads(server: &Server, result: &str) -> f64 {
    server.metrics().await.sum("restraint_certificate_reloads_total", &[("result", result)])
}

fn replace(path: &PathBuf, text: &str) {
    let temporary = path.with_extension("new");
    fs::write(&temporary, text).unwrap();
    fs::rename(temporary, path).unwrap();
}
