//! How etcd and the API server are started, for the end-to-end tests and for the benchmarks.

use std::path::Path;
use std::process::Command;

/// It does not wait for its disk, which would drown everything else.
pub(super) fn etcd(assets: &Path, folder: &Path, clients: u16, peers: u16) -> Command {
    let (clients, peers) =
        (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
    let mut command = Command::new(assets.join("etcd"));
    command.arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("default={peers}"), "--unsafe-no-fsync"]);
    command
}

/// Its files lie in `folder`: keys of accounts, and the tokens of people.
pub(super) fn apiserver(
    assets: &Path,
    folder: &Path,
    certificate: &Path,
    key: &Path,
    etcd: u16,
    port: u16,
) -> Command {
    let mut command = Command::new(assets.join("kube-apiserver"));
    command.arg("--service-account-signing-key-file").arg(folder.join("accounts.key"));
    command.arg("--service-account-key-file").arg(folder.join("accounts.pub"));
    command.arg("--tls-cert-file").arg(certificate).arg("--tls-private-key-file").arg(key);
    command
        .arg("--cert-dir")
        .arg(folder.join("certs"))
        .arg("--token-auth-file")
        .arg(folder.join("tokens.csv"));
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .arg(format!("--secure-port={port}"));
    command.args([
        "--bind-address=127.0.0.1",
        // without them it looks for an address that others could reach
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        // it would wait for the default service account, which a controller makes
        "--disable-admission-plugins=ServiceAccount",
    ]);
    command
}
