"""A cluster without nodes: etcd, an API server, a chart that Helm installs in it, and replicas of what it describes.

A replica gets the flags that its Deployment has and a token of its ServiceAccount, as its pod would.
"""

import contextlib
import json
import pathlib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import helm_python as helm
import yaml

CHART = pathlib.Path(__file__).resolve().parent / "restraint"
NAMESPACE = "restraint"
UNVERIFIED = ssl._create_unverified_context()
ADMINISTRATOR = "administrator-token"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def open_url(request, timeout=30):
    """Nothing but this machine is asked, whatever proxy there is."""
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=UNVERIFIED)]
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(what, look, seconds=60):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, KeyError):
            if found := look():
                return found
        time.sleep(0.1)
    raise TimeoutError(f"waited {seconds} s for this: {what}")


class Programs(contextlib.ExitStack):
    """Programs that run until this is closed, the last one first, and their logs."""

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def start(self, name, command, log=None):
        with open(self.folder / f"{log or name}.log", "ab") as file:
            program = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self.callback(end, program)
        return program


def end(program):
    if program.poll() is None:
        program.kill()
        program.wait()


class Cluster:
    """A running API server."""

    def __init__(self, programs, assets, restraint):
        self.programs, self.restraint = programs, restraint
        folder, assets = programs.folder, pathlib.Path(assets)
        # any certificate and any key will do
        subprocess.run([restraint, "certs", "issue", "--out", folder / "pair"], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        clients, peers, secure = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
        self.url = f"https://127.0.0.1:{secure.rsplit(':', 1)[1]}"
        etcd = ["--data-dir", folder / "etcd", "--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers]
        etcd += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}", "--unsafe-no-fsync"]
        programs.start("etcd", [assets / "etcd", *etcd])
        (folder / "tokens.csv").write_text(f'{ADMINISTRATOR},administrator,administrator,"system:masters"\n')
        key, certificate = folder / "pair/tls.key", folder / "pair/tls.crt"
        server = {
            "etcd-servers": clients, "secure-port": self.url.rsplit(":", 1)[1], "bind-address": "127.0.0.1", "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none", "service-cluster-ip-range": "10.0.0.0/24", "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc", "service-account-signing-key-file": key, "service-account-key-file": certificate,
            "tls-cert-file": certificate, "tls-private-key-file": key, "cert-dir": folder / "certs", "token-auth-file": folder / "tokens.csv",
            # it would wait for the default service account, which a controller makes
            "disable-admission-plugins": "ServiceAccount",
        }  # fmt: skip
        programs.start("kube-apiserver", [assets / "kube-apiserver", *(f"--{flag}={value}" for flag, value in server.items())])
        eventually("the API server is ready", lambda: self.ask("GET", "/readyz", parse=False))
        eventually("there are namespaces", lambda: self.ask("GET", "/api/v1/namespaces/kube-system"))
        self.kubeconfig = self.kubeconfig_of("administrator", ADMINISTRATOR)

    def ask(self, method, path, body=None, kind="application/json", person=None, parse=True):
        """The API server's answer; an HTTPError where it refuses. A person is a name and groups."""
        headers = {"Authorization": f"Bearer {ADMINISTRATOR}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), headers, method=method)
        if person:
            name, groups = person
            request.add_header("Impersonate-User", name)
            request.add_header("Impersonate-Group", groups)
        with open_url(request) as answer:
            text = answer.read().decode()
            return json.loads(text) if parse else text

    def refused(self, *arguments, **named):
        """What is said where it is refused."""
        try:
            self.ask(*arguments, **named)
        except urllib.error.HTTPError as error:
            return json.load(error)["message"]
        return None

    def kubeconfig_of(self, name, token):
        file = self.programs.folder / f"{name}.kubeconfig"
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        named = {"clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "c", "user": {"token": token}}]}
        contexts = {"contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}], "current-context": "c"}
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **named, **contexts}))
        return file

    def helm(self):
        return helm.Config(kubeconfig_path=self.kubeconfig, namespace=NAMESPACE)


class Release:
    """The chart, installed by Helm as `restraint` in the namespace `restraint`."""

    def __init__(self, cluster, values):
        self.cluster = cluster
        self.port = free_port()
        # where the Service leads is where the replicas listen
        self.values = {**values, "service": {"port": self.port}}
        with cluster.helm() as config:
            config.install(CHART, NAMESPACE, self.values, namespace=NAMESPACE, create_namespace=True)
        self.lead_to("127.0.0.1")

    def upgrade(self, values):
        self.values = {**self.values, **values}
        with self.cluster.helm() as config:
            config.upgrade(CHART, NAMESPACE, self.values, namespace=NAMESPACE)

    def lead_to(self, address):
        """Nobody carries traffic to a Service here; an address of this machine passes for a name."""
        spec = {"type": "ExternalName", "externalName": address, "clusterIP": None, "clusterIPs": None}
        self.cluster.ask("PATCH", f"/api/v1/namespaces/{NAMESPACE}/services/restraint", {"spec": spec}, MERGE)

    def start(self, name, address, admin=None):
        """A replica: the program, and where its metrics are."""
        admin = admin or f"127.0.0.1:{free_port()}"
        return self.run("restraint", name, {"--listen": f"{address}:{self.port}", "--admin": admin}, admin), admin

    def start_audit(self, name):
        """What audits, once a second: where its metrics are."""
        admin = f"127.0.0.1:{free_port()}"
        self.run("restraint-audit", name, {"--listen": admin, "--every": "1s"}, admin)
        return admin

    def run(self, deployment, name, here, admin):
        """The program of a Deployment with its flags, but for those that depend on where it runs, and a token of its account."""
        cluster, folder = self.cluster, self.cluster.programs.folder
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{deployment}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = cluster.ask("POST", account, request)["status"]["token"]
        found = cluster.ask("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{deployment}")
        (container,) = found["spec"]["template"]["spec"]["containers"]
        policies = folder / f"{name}-policies"
        policies.mkdir(exist_ok=True)
        for file, text in cluster.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/restraint-policies")["data"].items():
            (policies / file).write_text(text)
        here = {**here, "--policies": policies, "--kubeconfig": cluster.kubeconfig_of(name, token)}
        command, *flags = container["args"]
        flags = [flag for flag in flags if flag.split("=")[0] not in here]
        program = cluster.programs.start("restraint", [cluster.restraint, command, *flags, *(f"{flag}={value}" for flag, value in here.items())], name)
        eventually(f'"{name}" is ready', lambda: open_url(f"http://{admin}/readyz").status == 200)
        return program

    def hooks(self):
        kinds = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
        read = [self.cluster.ask("GET", f"/apis/admissionregistration.k8s.io/v1/{kind}/restraint") for kind in kinds]
        return [hook for configuration in read for hook in configuration["webhooks"]]

    def bundles(self):
        return [hook["clientConfig"].get("caBundle") for hook in self.hooks()]
