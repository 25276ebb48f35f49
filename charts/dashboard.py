"""Looks at the dashboard and the alerts as Grafana and Prometheus would, on a cluster that is asked for things.

An API server without nodes, the chart installed in it by Helm, two replicas, and a Prometheus that scrapes all three and
loads the alerts. People and programs then do what the dashboard is about. Every query of every panel has to be answered,
and where its metrics exist here, with something; every alert is evaluated. With `--picture` the panels are drawn.

`dashboard.sh` calls it.
"""

import argparse
import contextlib
import datetime
import itertools
import json
import math
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import cluster
import yaml

DASHBOARD = cluster.CHART / "files/dashboard.json"
ALERTS = cluster.CHART / "files/alerts.yaml"
REVIEWS = cluster.CHART.parent.parent / "tests/reviews"
# what Grafana puts for a scrape every second and so short a time
RATE = "20s"
# no kubelet runs
ABSENT = re.compile(r"\bkubelet_\w+")
# made with the first fault that they count, and nothing is at fault with the chart's expressions
ONLY_WITH_FAULTS = {"apiserver_admission_match_condition_evaluation_errors_total"}
# what the traffic below is reason for; `pending` is waiting for its `for`
EXPECTED = {
    "RestraintFailsOpen", "RestraintFailsClosed", "RestraintReviewsFail", "RestraintResizesDenied", "RestraintApprovalUsed", "RestraintStampForged",
    # recorded creations come to /validate without the fix
    "RestraintFixMissed",
}  # fmt: skip
WAITING = {"status": {"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"}]}}
SRE = ("alice@example.com", "sre")
DEVELOPER = ("dev@example.com", "developers")
# namespaces, and the cap that their label says
SPACES = {"shop": None, "legacy": "audit"}

RIGHTS = """
apiVersion: v1
kind: List
items:
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: people}
    rules:
      - {apiGroups: ["", apps], resources: [pods, pods/resize, deployments], verbs: [get, list, create, update, patch, delete]}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: people}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: people}
    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: sre}, {apiGroup: rbac.authorization.k8s.io, kind: Group, name: developers}]
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: approvers}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: restraint-approver}
    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: sre}]
"""


class Fault(Exception):
    """Something that the dashboard or the alerts do not do."""


class Traffic:
    """What people and programs do to the cluster."""

    def __init__(self, api, release):
        self.api, self.release = api, release
        self.names = (f"pod-{number}" for number in itertools.count())
        for item in yaml.safe_load(RIGHTS)["items"]:
            self.api.ask("POST", f"/apis/rbac.authorization.k8s.io/v1/{item['kind'].lower()}s", item)
        room = {"cpu": "64", "memory": "256Gi", "pods": "5000"}
        conditions = [{"type": "Ready", "status": "True"}]
        self.api.ask("POST", "/api/v1/nodes", {"metadata": {"name": "node-1"}, "status": {"allocatable": room, "capacity": room, "conditions": conditions}})
        for name, cap in SPACES.items():
            labels = {"restraint.dev/cap": cap} if cap else {}
            self.api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})

    def pod(self, space, person=DEVELOPER, **container):
        name = next(self.names)
        resources = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}}
        containers = [{"name": "app", "image": "registry.k8s.io/pause:3.10", "resources": resources, **container}]
        self.api.ask("POST", f"/api/v1/namespaces/{space}/pods", {"metadata": {"name": name}, "spec": {"containers": containers, "nodeName": "node-1"}}, person=person)
        return f"/api/v1/namespaces/{space}/pods/{name}"

    def resize(self, pod, memory, requests=None):
        """What is said where it is refused."""
        patch = {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": memory}, "requests": requests or {}}}]}}
        return self.api.refused("PATCH", f"{pod}/resize", patch, cluster.STRATEGIC, DEVELOPER)

    def annotate(self, pod, key, value, person=SRE):
        return self.api.refused("PATCH", pod, {"metadata": {"annotations": {key: value}}}, cluster.MERGE, person)

    def creations(self):
        for space in SPACES:
            self.pod(space)
            self.pod(space, command=["sh", "-c", "while inotifywait -e modify /etc/app/app.conf; do kill -HUP 1; done"])
            self.pod(space, env=[{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx2g"}])

    def decreases(self):
        for space in SPACES:
            pod = self.pod(space)
            # more is asked of the node
            self.resize(pod, "1Gi", {"memory": "280Mi"})
            said = self.resize(pod, "300Mi")
            expect(("memory-limit-decrease" in (said or "")) == (space == "shop"), f'a decrease in "{space}" is judged otherwise: {said}')

    def approvals(self):
        pod = self.pod("shop")
        # what a kubelet would say: one resize waits
        self.api.ask("PATCH", f"{self.pod('shop')}/status", WAITING, cluster.STRATEGIC)
        self.annotate(pod, "restraint.dev/approve", "app=300Mi; reason=INC-4711")
        expect(not self.resize(pod, "300Mi"), "an approved decrease is refused")
        self.annotate(pod, "restraint.dev/approve", "app=290Mi")
        stamps = self.api.ask("GET", pod)["metadata"]["annotations"]
        for key in [key for key in stamps if key.startswith("restraint.dev/")]:
            self.annotate(pod, key, None)
        below = self.pod("shop")
        self.annotate(below, "restraint.dev/approve", "app=400Mi")
        self.resize(below, "300Mi")

    def refusals(self):
        pod = self.pod("shop")
        self.annotate(pod, "restraint.dev/approve", "true", DEVELOPER)
        self.annotate(pod, "restraint.dev/approve", "app=lots")
        self.annotate(pod, "restraint.dev/approval", json.dumps({"approver": "me"}), DEVELOPER)

    def workloads(self):
        for space in SPACES:
            template = {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.29", "envFrom": [{"configMapRef": {"name": "web"}}]}]},
            }
            spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
            self.api.ask("POST", f"/apis/apps/v1/namespaces/{space}/deployments", {"metadata": {"generateName": "web-"}, "spec": spec}, person=DEVELOPER)

    def recorded(self, address):
        """Reviews that an API server once sent, and what is none."""
        for path in ("mutate", "validate"):
            for file in sorted(REVIEWS.glob(f"*.{path}.json")):
                self.review(address, path, file.read_bytes())
        self.review(address, "validate", b"{}")
        with contextlib.suppress(OSError), socket.create_connection((address, self.release.port), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(1)

    def review(self, address, path, body):
        request = urllib.request.Request(f"https://{address}:{self.release.port}/{path}", body, {"Content-Type": "application/json"})
        with contextlib.suppress(urllib.error.HTTPError):
            cluster.open_url(request).close()

    def round(self):
        for act in (self.creations, self.decreases, self.workloads, self.approvals, self.refusals):
            act()


def expect(condition, message):
    if not condition:
        raise Fault(message)


class Prometheus:
    """A Prometheus that scrapes the API server and the replicas."""

    def __init__(self, programs, program, api, replicas):
        folder = programs.folder
        secure = {"scheme": "https", "authorization": {"credentials": cluster.ADMINISTRATOR}, "tls_config": {"insecure_skip_verify": True}}
        jobs = [
            {"job_name": "apiserver", **secure, "static_configs": [{"targets": [urllib.parse.urlsplit(api.url).netloc]}]},
            # as the ServiceMonitors have it: `namespace` and `pod` of a finding are its own
            {"job_name": "restraint", "honor_labels": True, "static_configs": [{"targets": [admin], "labels": {"pod": name}} for name, admin in replicas.items()]},
        ]
        settings = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({"global": settings, "rule_files": [str(ALERTS)], "scrape_configs": jobs}))
        port = cluster.free_port()
        self.url = f"http://127.0.0.1:{port}/api/v1/"
        flags = {"config.file": folder / "prometheus.yaml", "storage.tsdb.path": folder / "tsdb", "web.listen-address": f"127.0.0.1:{port}"}
        programs.start("prometheus", [program, *(f"--{flag}={value}" for flag, value in flags.items())])
        cluster.eventually("prometheus is ready", lambda: cluster.open_url(f"http://127.0.0.1:{port}/-/ready").status == 200)
        cluster.eventually("everything is scraped", lambda: all(one["health"] == "up" for one in self.ask("targets")["activeTargets"]))

    def ask(self, path, **parameters):
        address = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with cluster.open_url(address) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Fault(json.load(error)["error"]) from error

    def series(self, expression, first, last):
        """Labels, times and numbers of each series."""
        step = max(1, round((last - first) / 240))
        found = self.ask("query_range", query=expression, start=first, end=last, step=step)["result"]
        return [(one["metric"], [float(at) for at, _ in one["values"]], [float(value) for _, value in one["values"]]) for one in found]

    def names(self):
        return set(self.ask("label/__name__/values"))


def substituted(expression):
    expression = expression.replace("$__rate_interval", RATE)
    expect("$" not in expression, f"an unknown variable: {expression}")
    return expression


def check_panels(dashboard, prometheus, first, last):
    """What each panel shows, by its number; and what is wrong."""
    shown, faults = {}, []
    for panel in dashboard["panels"]:
        shown[panel["id"]] = []
        for target in panel.get("targets", []):
            try:
                found = prometheus.series(substituted(target["expr"]), first, last)
            except Fault as fault:
                faults.append(f'"{panel["title"]}": {target["expr"]}: {fault}')
                continue
            numbers = [number for _, _, values in found for number in values if not math.isnan(number)]
            if not numbers and not ABSENT.search(target["expr"]):
                faults.append(f'"{panel["title"]}" shows nothing: {target["expr"]}')
            words = re.findall(r"{{(\w+)}}", target["legendFormat"])
            faults += [f'"{panel["title"]}": no label "{word}"' for word in words if any(word not in labels for labels, _, _ in found)]
            for labels, times, values in found:
                legend = re.sub(r"{{(\w+)}}", lambda word, labels=labels: labels.get(word[1], ""), target["legendFormat"])
                shown[panel["id"]].append((legend, times, values))
    return shown, faults


def check_alerts(prometheus):
    """What is wrong with the alerts; their states are printed."""
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    faults = [] if rules else ["no alerts are loaded"]
    there = prometheus.names()
    for rule in rules:
        if rule["health"] != "ok":
            faults.append(f'{rule["name"]} is {rule["health"]}: {rule.get("lastError")}')
        for name in set(re.findall(r"\b(?:restraint|apiserver)_\w+", re.sub(r'"[^"]*"', "", rule["query"]))) - ONLY_WITH_FAULTS:
            if name not in there:
                faults.append(f'{rule["name"]} asks for "{name}", which nobody has')
    states = {rule["name"]: rule["state"] for rule in rules}
    print("alerts:", ", ".join(f"{name} {state}" for name, state in states.items() if state != "inactive"))
    active = {name for name, state in states.items() if state != "inactive"}
    if active != EXPECTED:
        faults.append(f"alerts differ from what there is reason for: {sorted(active ^ EXPECTED)}")
    return faults


def run(traffic, release, programs, seconds):
    """Traffic with ups and downs; in the middle the replica that is asked is away for a while."""
    first, address = release
    started = time.time()
    away = (started + seconds * 0.45, started + seconds * 0.55)
    rounds = 0
    while (now := time.time()) < started + seconds:
        if away[0] <= now < away[1]:
            cluster.end(first)
            # new pods pass unjudged, decreases do not
            pod = traffic.pod("shop")
            expect("failed calling webhook" in (traffic.resize(pod, "300Mi") or ""), "a decrease passes while nobody answers")
        else:
            if first.poll() is not None:
                first = programs()
            traffic.round()
            rounds += 1
            # busy and quiet times
            time.sleep(1.5 + 1.2 * math.sin(now / seconds * 6 * math.pi))
        if rounds % 3 == 0:
            traffic.recorded(address)
    print(f"{rounds} rounds in {time.time() - started:.0f} s")
    return started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--restraint", required=True)
    parser.add_argument("--assets", required=True)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--picture")
    arguments = parser.parse_args()
    dashboard = json.loads(DASHBOARD.read_text())
    with tempfile.TemporaryDirectory(prefix="restraint-dashboard-") as folder, cluster.Programs(folder) as programs:
        try:
            api = cluster.Cluster(programs, arguments.assets, arguments.restraint)
            modes = {"memory-above-usage": "warn", "resize-beyond-node": "warn"}
            release = cluster.Release(api, {"cap": "enforce", "policies": {"modes": modes}, "audit": {"enabled": True}})
            # the API server asks the first, recorded reviews go to the second
            first, admin = release.start("restraint-a", "127.0.0.1")
            _, other = release.start("restraint-b", "127.0.0.2")
            traffic = Traffic(api, release)
            cluster.eventually("the API server asks", lambda: "memory-limit-decrease" in (traffic.resize(traffic.pod("shop"), "300Mi") or ""))
            prometheus = Prometheus(programs, arguments.prometheus, api, {"restraint-a": admin, "restraint-b": other, "restraint-audit": release.start_audit("restraint-audit")})
            again = lambda: release.start("restraint-a", "127.0.0.1", admin)[0]  # noqa: E731
            started = run(traffic, (first, "127.0.0.2"), again, arguments.seconds)
            shown, faults = check_panels(dashboard, prometheus, started, time.time())
            faults += check_alerts(prometheus)
            if arguments.picture:
                import picture

                version = yaml.safe_load((cluster.CHART / "Chart.yaml").read_text())["version"]
                picture.draw(dashboard, shown, arguments.picture, f"Restraint {version}, {arguments.seconds} s of traffic on a cluster for trials")
        except (TimeoutError, urllib.error.URLError, subprocess.SubprocessError):
            for log in sorted(pathlib.Path(folder).glob("*.log")):
                print(f"== {log.name}\n{log.read_text()[-1500:]}", file=sys.stderr)
            raise
    for fault in faults:
        print(f"FAILED {fault}", file=sys.stderr)
    queries = sum(len(panel.get("targets", [])) for panel in dashboard["panels"])
    print(f"{queries} queries of {len(shown)} panels, {len(faults)} faults, {datetime.datetime.now(datetime.UTC):%F}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
