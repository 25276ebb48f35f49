"""What is true of the chart, whatever its values: rendered by Helm's own code, judged by Restraint and promtool.

`check.sh` calls it. With `--update` the files that are made from the chart are written anew.
"""

import argparse
import base64
import copy
import functools
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request

import helm_python as helm
import yaml

import auditing
import kinds
from faults import Fault, expect
from serving import serving

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHART = ROOT / "charts/restraint"
CA = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
SECRET = {"mode": "secret", "secretName": "serving", "caBundle": CA}
LISTED = "name: approval-authority\nrule: approval-authority\nmode: enforce\nsettings: {approvers: {users: [\"it's me\"], groups: [sre]}}\n"
APPROVER = "name: approval-authority\nrule: approval-authority\nmode: enforce\nsettings: {approvalAnnotation: example.com/agreed}\n"
DECREASE = "name: memory-limit-decrease\nrule: memory-limit-decrease\nmode: enforce\n"
ALLOWANCES = DECREASE + """settings:
  allowances:
    - name: autoscaler-above-usage
      requesters: {users: ["system:serviceaccount:vpa-system:*updater*"]}
      atLeast: 256Mi
      aboveUsage: 30%
    - {name: platform-team, requesters: {groups: [developers]}, atLeast: 256Mi}
    - {name: after-a-restart, requesters: {users: [agent@example.com]}, atLeast: 64Mi, onlyWithRestart: true}
    - {name: step-by-step, requesters: {users: ["*:step@example.com"]}, atLeast: 1048576, step: 25%}
    - {name: not-placed-yet, requesters: {users: [scheduler@example.com]}, onlyUnscheduled: true}
"""
AUTOMATION = DECREASE + 'settings: {automation: {users: ["it\'s me"], groups: [robots]}}\n'

# what people install
SETS = {
    "as it comes": {},
    "warning": {"cap": "warn"},
    "one namespace": {"cap": "enforce", "enforceNamespaces": ["shop", "pay"]},
    "enforcing, with a certificate of one's own": {"cap": "enforce", "tls": SECRET},
    "failing open": {"cap": "enforce", "webhooks": {"failurePolicy": {"resize": "Ignore", "approval": "Ignore"}}},
    "requests that need an answer as limits do": {"cap": "enforce", "policies": {"modes": {"memory-request-decrease": "enforce"}}},
    "failing closed in a dry run": {"webhooks": {"failurePolicy": {"resize": "Fail"}}},
    "a certificate by cert-manager": {"cap": "enforce", "tls": {"mode": "certManager"}},
    "an issuer that is there": {"tls": {"mode": "certManager", "certManager": {"issuerRef": {"kind": "ClusterIssuer", "name": "house"}}}},
    "a certificate that does not hold long": {"tls": {"secretName": "pair", "self": {"leafLifetime": "36h", "caLifetime": "30d"}}},
    "policies of one's own": {
        "cap": "enforce",
        "policies": {"modes": {"file-watch": "off", "vpa-memory-floor": "enforce"}, "overrides": {"approval-authority": APPROVER, "memory-limit-decrease": AUTOMATION}},
    },
    "fallback policies that record": {"fallback": {"enabled": True}},
    "fallback policies in one namespace": {"cap": "enforce", "enforceNamespaces": ["shop", "pay"], "fallback": {"enabled": True}},
    "fallback policies everywhere": {"cap": "enforce", "fallback": {"enabled": True, "resizePolicy": False, "restore": True}, "policies": {"overrides": {"approval-authority": LISTED}}},
    "fallback policies under weaker policies": {
        "cap": "enforce",
        "fallback": {"enabled": True},
        "policies": {"modes": {"memory-limit-decrease": "warn", "memory-resize-policy": "warn", "approval-authority": "off"}},
    },
    "little": {
        "replicas": 1,
        "roles": {"create": False},
        "networkPolicy": {"enabled": False},
        "policies": {"watch": False, "modes": {"memory-limit-decrease": "off"}},
    },
    "everything": {
        "cap": "enforce",
        "policies": {"modes": {"memory-above-usage": "warn", "resize-beyond-node": "warn", "memory-request-decrease": "enforce"}},
        "tls": {"clients": {"configMap": "clients", "names": ["kube-apiserver"]}},
        "webhooks": {
            "timeoutSeconds": 5,
            "excludeNamespaces": ["kube-system", "kube-node-lease"],
            "namespaceSelector": {
                "matchLabels": {"tier": "gold"},
                "matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["dev"]}],
            },
        },
        "configuration": {"enabled": True, "secrets": True, "events": True},
        "record": {"enabled": True, "limit": 100},
        "drainDelay": 20,
        "image": {"repository": "registry.example/restraint", "digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "pull"}],
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [{"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
        "podLabels": {"team": "platform"},
        "podAnnotations": {"example.com/note": "yes"},
        "serviceAccount": {"annotations": {"example.com/identity": "none"}},
        "roles": {"aggregateToAdmin": True},
        "networkPolicy": {"reviewsFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "apiServerCidrs": ["192.0.2.1/32"]},
        "monitoring": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}},
    },
    "changes of ConfigMaps": {"configuration": {"enabled": True}},
    "changes of ConfigMaps, with hooks of every namespace": {
        "configuration": {"enabled": True, "events": True},
        "webhooks": {"timeoutSeconds": 4, "excludeNamespaces": []},
    },
    "Secrets without ConfigMaps, which is nothing": {"configuration": {"secrets": True, "events": True}},
    "hooks with metadata that the chart has, too": {
        "tls": {"mode": "certManager"},
        "record": {"enabled": True, "claim": "recordings"},
        "webhooks": {"annotations": {"admissions.enforcer/disabled": "true", "cert-manager.io/inject-ca-from": "elsewhere/other"}, "labels": {"app.kubernetes.io/name": "other"}},
    },
    **kinds.SETS,
    **auditing.SETS,
}

# what is refused, and a word of the reason
WRONG = [
    ({"capp": "audit"}, "capp"),
    ({"cap": "fix"}, "cap"),
    ({"cap": "off"}, "cap"),
    ({"enforceNamespaces": ["team-*"]}, "enforceNamespaces"),
    ({"policies": {"modes": {"file-watch": False}}}, "file-watch"),
    ({"policies": {"modes": {"file-watch": "strict"}}}, "file-watch"),
    ({"policies": {"modes": {"file-wach": "warn"}}}, "no policy of this name"),
    ({"policies": {"overrides": {"file-watch": "name: other\nrule: file-watch\nmode: warn\n"}}}, 'its name is "other"'),
    ({"policies": {"overrides": {"file-watch": "name: [\n"}}}, "is no YAML"),
    ({"policies": {"overrides": {"file-watch": "name: file-watch\nmode: warn\n"}}}, "has no rule"),
    ({"policies": {"overrides": {"file-watch": APPROVER}, "modes": {"file-watch": "warn"}}}, "set its mode there"),
    (
        {
            "cap": "enforce",
            "enforceNamespaces": ["shop"],
            "policies": {"overrides": {"mine": "name: mine\nrule: file-watch\nmode: enforce\nscope: {operations: [CREATE]}\n"}},
        },
        "has a scope of its own",
    ),
    ({"tls": {"mode": "files"}}, "mode"),
    ({"tls": {"self": {"leafLifetime": "90"}}}, "leafLifetime"),
    ({"tls": {"secretName": "restraint-seal"}}, "seal keys"),
    (
        {"cap": "enforce", "fallback": {"enabled": True}, "policies": {"overrides": {"approval-authority": APPROVER + "scope: {namespaces: {names: [shop]}}\n"}}},
        "which the fallback policies cannot have",
    ),
    ({"tls": {"mode": "secret"}}, "secretName"),
    ({"tls": {"mode": "secret", "secretName": "serving"}}, "caBundle"),
    ({"tls": {"caBundle": "aGVsbG8="}}, "caBundle"),
    ({"webhooks": {"failurePolicy": {"advice": "Fail"}}}, "advice"),
    ({"webhooks": {"failurePolicy": {"pods": "Fail"}}}, "pods"),
    ({"webhooks": {"failurePolicy": {"resize": "fail"}}}, "resize"),
    ({"webhooks": {"timeoutSeconds": 30}}, "timeoutSeconds"),
    ({"webhooks": {"annotations": {"admissions.enforcer/disabled": True}}}, "admissions.enforcer"),
    ({"deadlines": {"request": 3000}}, "deadlines.request"),
    ({"deadlines": {"authority": 3000}}, "deadlines.authority"),
    ({"replicas": 0}, "replicas"),
    ({"record": {"limit": "256MiB"}}, "limit"),
    ({"configuration": {"enabled": "yes"}}, "enabled"),
    ({"configuration": {"configmaps": True}}, "configmaps"),
    ({"hostNetwork": "yes"}, "hostNetwork"),
    ({"dnsPolicy": "None"}, "dnsPolicy"),
    ({"ports": {"reviews": 443}}, "reviews"),
    ({"ports": {"admin": 8443}}, "have to differ"),
    ({"podSecurityContext": {"runAsuser": 1}}, "runAsuser"),
    ({"securityContext": {"fsGroup": 1}}, "fsGroup"),
    ({"image": {"digest": "latest"}}, "digest"),
    ({"networkPolicy": {"apiServerPorts": []}}, "apiServerPorts"),
    *auditing.WRONG,
]


@functools.cache
def chart(folder=CHART):
    return helm.Chart.load(folder)


def render(values, namespace="restraint", folder=CHART):
    """The files of a release `restraint`, as Helm prints them, where their values are sound."""
    chart(folder).validate_schema(chart(folder).merge_values(values))
    files = chart(folder).render(values, name="restraint", namespace=namespace)
    return {path.removeprefix("restraint/templates/"): text.strip("\n") + "\n" for path, text in files.items() if text.strip()}


def objects(files):
    documents = (document for path, text in files.items() if path.endswith(".yaml") for document in yaml.safe_load_all(text))
    return [document for document in documents if document]


def of_kind(all_objects, *kinds):
    return [one for one in all_objects if one["kind"] in kinds]


def only(all_objects, kind):
    found = of_kind(all_objects, kind)
    expect(len(found) == 1, f"{len(found)} objects of kind {kind}")
    return found[0]


def modes(policies):
    """Rule and mode of each policy. `off` is a boolean to YAML."""
    parsed = {name: yaml.safe_load(text) for name, text in policies.items()}
    return {name: (policy["rule"], policy["mode"] or "off", policy.get("scope")) for name, policy in parsed.items()}


def hooks(all_objects):
    configurations = of_kind(all_objects, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    return [(configuration, hook) for configuration in configurations for hook in configuration["webhooks"]]


def flags_of(all_objects):
    """The flags of the service, with their values."""
    (container,) = only(all_objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(argument.removeprefix("--").partition("=")[::2] for argument in container["args"][1:])


def writes_bundles(all_objects):
    """Whether the service writes `caBundle`, and into all that there is."""
    name = flags_of(all_objects).get("webhook-configuration")
    return name is not None and {name} == {configuration["metadata"]["name"] for configuration, _ in hooks(all_objects)}


def check_certificate(merged, all_objects, help_text):
    """Where the certificate comes from, and that nobody but whoever that is has a hand in it."""
    mode = merged["tls"]["mode"]
    secret = merged["tls"]["secretName"] or "restraint-tls"
    flags = flags_of(all_objects)
    volumes = {volume["name"]: volume for volume in only(all_objects, "Deployment")["spec"]["template"]["spec"]["volumes"]}
    expect(flags["tls"] == ("self" if mode == "self" else "files"), f'the certificate is from "{flags["tls"]}"')
    expect(f"<{'|'.join(['files', 'self'])}>" in help_text, "the program takes certificates from elsewhere")
    certificates = {one["metadata"]["name"]: one["spec"] for one in of_kind(all_objects, "Certificate")}
    expect(bool(certificates) == (mode == "certManager"), f"cert-manager is asked for {sorted(certificates)}")
    if mode == "self":
        expect(flags["tls-secret"] == f"restraint/{secret}", "the certificate is in another Secret")
        expect(flags["tls-service"] == only(all_objects, "Service")["metadata"]["name"], "the certificate is for another Service")
        expect({hook["clientConfig"]["service"]["name"] for _, hook in hooks(all_objects)} == {flags["tls-service"]}, "hooks call another Service")
        expect(not {"tls-cert", "tls-key"} & set(flags) and "tls" not in volumes, "the certificate is mounted, too")
    else:
        expect(not {"tls-secret", "tls-service", "webhook-configuration"} & set(flags), "the service would keep a certificate, too")
        expect(volumes["tls"]["secret"]["secretName"] == secret, "another Secret is mounted")
    if mode == "certManager":
        expect((certificates["restraint"]["secretName"], certificates["restraint"]["dnsNames"]) == (secret, ["restraint.restraint.svc"]), "the certificate is of another name")
    # it is in the API server's hands whether there is a certificate
    for policy in of_kind(all_objects, "NetworkPolicy"):
        ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        expect(set(merged["networkPolicy"]["apiServerPorts"]) <= ports, "the API server is out of reach")


def check_hooks(values, merged, all_objects, in_force):
    kinds.check_metadata(merged, only(all_objects, "Service"), [configuration for configuration, _ in hooks(all_objects)])
    names = set()
    for configuration, hook in hooks(all_objects):
        name = hook["name"].removesuffix(".restraint.dev")
        expect((configuration["kind"], name) not in names, f'"{name}" twice')
        names.add((configuration["kind"], name))
        narrow = name in ("resize", "approval")
        expect(hook["matchConditions"], f'"{name}" has no match condition')
        expect(all(one["expression"] for one in hook["matchConditions"]), f'"{name}" has an empty match condition')
        expect(hook["matchPolicy"] == "Equivalent", f'"{name}" misses other versions')
        expect(hook["sideEffects"] in ("None", "NoneOnDryRun"), f'"{name}" has side effects')
        expect(hook["admissionReviewVersions"] == ["v1"], f'"{name}" speaks other versions')
        longest = 2 if name == "configuration" else merged["webhooks"]["timeoutSeconds"]
        expect(hook["timeoutSeconds"] == min(longest, merged["webhooks"]["timeoutSeconds"]), f'"{name}" has another timeout')
        expect(not any("*" in word for rule in hook["rules"] for words in rule.values() for word in words), f'"{name}" has a wildcard')
        expect(all(rule["scope"] == "Namespaced" for rule in hook["rules"]), f'"{name}" is asked about cluster objects')
        chosen = merged["webhooks"]["failurePolicy"].get(name, "") or ("Fail" if merged["cap"] == "enforce" else "Ignore")
        expect(hook["failurePolicy"] == (chosen if narrow else "Ignore"), f'"{name}" fails the other way')
        selectors = hook["namespaceSelector"]["matchExpressions"]
        left_out = next(one["values"] for one in selectors if one["operator"] == "NotIn")
        expect({"restraint", *merged["webhooks"]["excludeNamespaces"]} == set(left_out), f'"{name}" leaves out {left_out}')
        path = "/mutate" if configuration["kind"].startswith("Mutating") else "/validate"
        expect(hook["clientConfig"]["service"]["path"] == path, f'"{name}" has the wrong path')
        # whoever writes it later must not find it written by Helm, which would put its own back
        injected = "cert-manager.io/inject-ca-from" in configuration["metadata"].get("annotations", {})
        writers = {"self": "the service", "certManager": "cert-manager", "secret": "the chart"}
        by = {"cert-manager": injected, "the chart": "caBundle" in hook["clientConfig"], "the service": writes_bundles(all_objects)}
        expect([writer for writer, writes in by.items() if writes] == [writers[merged["tls"]["mode"]]], f'the authority of "{name}" is written by {by}')
    rules = {rule for rule, mode, _ in in_force.values() if mode != "off"}
    expected = {("Mutating", "approval"), ("Mutating", "pods"), *(("Validating", name) for name in ("resize", "resize-advice", "approval", "advice"))}
    expected |= {("Mutating", "restore")} if "memory-limit-decrease" in rules else set()
    expected |= {("Validating", "configuration")} if merged["configuration"]["enabled"] else set()
    expected |= {("Validating", "resize-elsewhere")} if merged["cap"] == "enforce" and merged["enforceNamespaces"] else set()
    found = {(kind.removesuffix("WebhookConfiguration"), name) for kind, name in names}
    expect(found == expected, f"hooks are {sorted(found)}, not {sorted(expected)}")


def conditions(all_objects, name):
    """The match conditions of the hook `name`, by their names; none where there is no such hook."""
    found = [hook for _, hook in hooks(all_objects) if hook["name"] == f"{name}.restraint.dev"]
    return {one["name"]: one["expression"] for hook in found for one in hook["matchConditions"]}


def check_configuration(merged, all_objects):
    """ConfigMaps are asked about where that is wanted, and Secrets where that is; who uses them is followed then, and not else."""
    wanted = merged["configuration"]
    flags = flags_of(all_objects)
    expect(("configuration" in flags) == wanted["enabled"], "users of configuration are followed, or are not")
    expect(("configuration-events" in flags) == (wanted["enabled"] and wanted["events"]), "workloads are told, or are not")
    for _, hook in hooks(all_objects):
        resources = {resource for rule in hook["rules"] for resource in rule["resources"]}
        asked = {"configmaps", *(["secrets"] if wanted["secrets"] else [])} if hook["name"] == "configuration.restraint.dev" else set()
        expect(resources & {"configmaps", "secrets"} == asked, f'"{hook["name"]}" is asked about {sorted(resources)}')
        if asked:
            left_out = {name for one in hook["namespaceSelector"]["matchExpressions"] if one["operator"] == "NotIn" for name in one["values"]}
            expect("kube-system" in left_out, "what the control plane writes for itself is asked about")
            names = {one["name"] for one in hook["matchConditions"]}
            expect(("no-token-or-release" in names) == wanted["secrets"], "tokens are asked about, or Secrets are not")


def check_resizes(all_objects, in_force):
    """What may take memory needs an answer, and nothing else. Whatever else rules look at is asked about as well."""
    rules = {rule for rule, mode, _ in in_force.values() if mode != "off"}
    takes = conditions(all_objects, "resize")["may-take-memory"]
    advice = conditions(all_objects, "resize-advice")
    expect(takes == f'!({advice["takes-no-memory"]})', "a resize is asked about by two hooks, or by none")
    elsewhere = conditions(all_objects, "resize-elsewhere")
    expect(elsewhere in ({}, {"may-take-memory": takes}), "other resizes are warned about elsewhere")
    requests = any((rule, mode) == ("memory-request-decrease", "enforce") for rule, mode, _ in in_force.values())
    expect(("requests" in takes) == requests, "requests that fall need an answer, or need none")
    restored = conditions(all_objects, "restore").get("may-take-memory", takes)
    expect(restored == takes if not requests else "requests" not in restored, "requests that fall are put back")
    differs = advice["resources-differ"]
    expect(all(word in differs for word in ("limits", "requests", "initContainers")), "growth is not asked about")
    looks = {"resize-beyond-node", "resize-restarts-container"} & rules
    expect(("cpu" in differs) == bool(looks), "cpu is asked about, or is not")
    expect(("RestartContainer" in differs) == (looks == {"resize-restarts-container"}), "all of cpu is asked about, or is not")


def who_is_meant(expression):
    """Whether a user or a member of a group is meant by a condition that the chart made of lists of them."""
    lists = {"user": r"request\.userInfo\.username", "group": r"\bg"}
    exact = {who: [json.loads(found) for found in re.findall(rf"{name} in (\[.*?\])", expression)] for who, name in lists.items()}
    literal = r"""\.matches\(("(?:[^"\\]|\\.)*")\)"""
    # the end of a text is another sign to Python
    patterns = {who: [re.compile(json.loads(found).removesuffix("$") + r"\Z") for found in re.findall(name + literal, expression)] for who, name in lists.items()}
    return lambda who, name: any(name in names for names in exact[who]) or any(pattern.search(name) for pattern in patterns[who])


# settings of memory-limit-decrease, whose decreases are put back, and whose are not
AUTOMATED = [
    (
        "{}",
        [("user", f"system:serviceaccount:{one}") for one in ("kube-system:vpa-updater", "platform:goldilocks-vpa-updater", "a:vertical-pod-autoscaler-2-updater")],
        [("user", "system:serviceaccount:kube-system:vpa-recommender"), ("user", "x-system:serviceaccount:a:vpa-updater"), ("group", "vpa-updater")],
    ),
    ("{automation: {}}", [], []),
    ("{automation: {users: [], groups: [robots]}}", [("group", "robots")], [("group", "robot"), ("user", "robots")]),
    (
        '{automation: {users: ["it\'s me", "a.b*(c|d)\\\\*", "*@x.example", "\\"<&>\\"*"], groups: ["team-*", sre]}}',
        [("user", "it's me"), ("user", "a.b(c|d)\\"), ("user", "a.b\n1(c|d)\\2"), ("user", "me@x.example"), ("user", '"<&>"!'), ("group", "team-"), ("group", "sre")],
        [("user", "a-b(c|d)\\"), ("user", "a.bc\\"), ("user", "it's me "), ("user", "me@x-example"), ("user", "me@x.example\n"), ("group", "a-team-b")],
    ),
    ("{automation: {users: [robot]}, unapproved: restore}", [("user", "robot")], [("user", "system:serviceaccount:kube-system:vpa-updater")]),
    ("{automation: {users: [robot]}, unapproved: deny}", [], []),
    ("{unapproved: deny}", [], []),
]


def check_automation(settings, included, excluded):
    """Whose decreases the service is asked to put back."""
    overrides = {"memory-limit-decrease": DECREASE + f"settings: {settings}\n"}
    asked = conditions(objects(render({"cap": "enforce", "policies": {"overrides": overrides}})), "restore")
    expect(bool(asked) == bool(included), f"there is a hook for nobody, or none: {asked}")
    if asked:
        is_meant = who_is_meant(asked["automation"])
        expect(all(is_meant(*one) for one in included), f'{asked["automation"]} leaves out {[one for one in included if not is_meant(*one)]}')
        expect(not any(is_meant(*one) for one in excluded), f'{asked["automation"]} includes {[one for one in excluded if is_meant(*one)]}')


def shipped_fallback():
    """Every document of policies/cel by its name and kind, and the policy that each follows."""
    documents, follows = {}, {}
    for path in sorted((ROOT / "policies/cel").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            name = document["metadata"]["name"].removesuffix(".fallback.restraint.dev")
            documents[name, document["kind"]] = document
            follows[name] = path.stem
    return documents, follows


def check_fallback(merged, all_objects, in_force, settings):
    """What the API server does by itself goes no further than what the service does."""
    found = {}
    documents, follows = shipped_fallback()
    for one in all_objects:
        if "AdmissionPolicy" not in one["kind"]:
            continue
        name = one["metadata"]["name"].removesuffix(".fallback.restraint.dev")
        if not one["kind"].endswith("Binding"):
            check_fallback_policy(name, one, documents[name, one["kind"]], settings.get(follows[name], {}))
            continue
        expect(any(other["kind"] + "Binding" == one["kind"] and other["metadata"]["name"] == one["spec"]["policyName"] for other in all_objects), f'the fallback policy "{name}" binds nothing')
        selectors = one["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        values = {(each["key"], each["operator"]): set(each["values"]) for each in selectors}
        expect(values[("restraint.dev/cap", "NotIn")] == {"audit", "warn"}, f'the fallback policy "{name}" goes above a cap')
        expect(values[("kubernetes.io/metadata.name", "NotIn")] == {"restraint", *merged["webhooks"]["excludeNamespaces"]}, f'the fallback policy "{name}" leaves out other namespaces')
        narrowed = values.get(("kubernetes.io/metadata.name", "In"))
        everywhere = name == "approval-authority" or not merged["enforceNamespaces"]
        expect(narrowed == (None if everywhere else set(merged["enforceNamespaces"])), f'the fallback policy "{name}" is in force in {narrowed}')
        found[name] = one["spec"].get("validationActions", ["change"])
    expected = {}
    for name, policy in follows.items() if merged["fallback"]["enabled"] else ():
        _, mode, _ = in_force[policy]
        acts = merged["cap"] == "enforce" and mode in ("enforce", "fix")
        if (name, "MutatingAdmissionPolicy") not in documents:
            # a policy that fixes never denies
            expected |= {name: ["Deny" if acts and mode == "enforce" else "Audit"]} if mode != "off" else {}
        elif acts and merged["fallback"]["restore" if name == "memory-limit-restore" else "resizePolicy"]:
            expected[name] = ["change"]
    expect(found == expected, f"the fallback policies are {found}, not {expected}")


def check_fallback_policy(name, one, kept, settings):
    """It is as shipped but for people and allowances."""
    approvers, allowances = settings.get("approvers", {}), settings.get("allowances", [])
    spec, kept = copy.deepcopy(one["spec"]), copy.deepcopy(kept["spec"])
    if name == "approval-authority":
        asked = spec["validations"][0]["expression"]
        expect(("authorizer" in asked) == (not approvers), "who is listed approves, or who RBAC names")
        if approvers:
            is_meant = who_is_meant(asked)
            expect(all(is_meant(who, one) for who in ("user", "group") for one in approvers.get(f"{who}s", [])), "other people approve")
            kept["validations"][0]["expression"] = asked
    for variable in kept.get("variables", []):
        if variable["name"] == "allowance" and allowances:
            variable["expression"] = next(other["expression"] for other in spec["variables"] if other["name"] == "allowance")
    for condition in kept["matchConditions"]:
        if condition["name"] == "automation" and "automation" in settings:
            condition["expression"] = next(other["expression"] for other in spec["matchConditions"] if other["name"] == "automation")
    expect(spec == kept, f'the fallback policy "{name}" is not as shipped')


def check_looks():
    """What a policy looks at, the service is asked about, and may look up."""

    def rendered(name, text):
        found = objects(render({"cap": "enforce", "policies": {"overrides": {name: text}}}))
        data = next(one["data"] for one in of_kind(found, "ConfigMap") if one["metadata"]["name"] == "restraint-policies")
        return found, modes({path.removesuffix(".yaml"): content for path, content in data.items()})

    for mode in ("warn", '"off"'):
        check_resizes(*rendered("resize-restarts-container", f"name: resize-restarts-container\nrule: resize-restarts-container\nmode: {mode}\n"))
    for allowance, asks in (("{name: a, aboveUsage: 30%}", True), ("{name: a, atLeast: 1Gi}", False)):
        found, _ = rendered("memory-limit-decrease", DECREASE + f"settings: {{allowances: [{allowance}]}}\n")
        (role,) = [one for one in of_kind(found, "ClusterRole") if one["metadata"]["name"] == "restraint"]
        expect(any(rule["apiGroups"] == ["metrics.k8s.io"] for rule in role["rules"]) == asks, f"{allowance} reads metrics, or may not")


def check_allowances():
    """What the policy allows the fallback policies leave alone, as far as CEL can tell."""

    def allowance(settings, **fallback):
        overrides = {"memory-limit-decrease": DECREASE + f"settings: {json.dumps(settings)}\n"}
        files = render({"cap": "enforce", "fallback": {"enabled": True, **fallback}, "policies": {"overrides": overrides}})
        variables = {one["metadata"]["name"].split(".")[0]: one["spec"].get("variables", []) for one in objects(files) if one["kind"].endswith("AdmissionPolicy")}
        return {name: one["expression"] for name, found in variables.items() for one in found if one["name"] == "allowance"}

    expect(allowance({}, restore=True) == {"memory-limit-decrease": "''", "memory-limit-restore": "''"}, "something is allowed without a setting")
    listed = yaml.safe_load(ALLOWANCES)["settings"]["allowances"]
    for one in listed:
        found = allowance({"allowances": [one]}, restore=True)
        denies, restores = found["memory-limit-decrease"], found["memory-limit-restore"]
        expect(denies.endswith(f"? {json.dumps(one['name'])}\n: ''"), f'"{one["name"]}" allows nothing: {denies}')
        # what cannot be told is not denied, and not left alone either
        expect(restores == ("''" if "aboveUsage" in one else denies), f'"{one["name"]}" is another to what puts back: {restores}')
        is_meant = who_is_meant(denies)
        people = [(who, name.replace("*", "any")) for who in ("user", "group") for name in one["requesters"].get(f"{who}s", [])]
        expect(all(is_meant(*each) for each in people) and not is_meant("user", "any") and not is_meant("group", "any"), f'"{one["name"]}" is for others')
        for word, field in (("restarting", "onlyWithRestart"), ("nodeName", "onlyUnscheduled"), ("* 75", "step"), (f'"{one.get("atLeast")}"', "atLeast")):
            expect((word in denies) == (field in one), f'"{one["name"]}": {field}')
    order = re.findall(r"\? (\"[-a-z]+\")", allowance({"allowances": listed})["memory-limit-decrease"])
    expect(order == [json.dumps(one["name"]) for one in listed], f"allowances are {order}")
    anybody = allowance({"allowances": [{"name": "anybody", "atLeast": "1Gi"}]})["memory-limit-decrease"]
    expect("userInfo" not in anybody, "an allowance for anybody asks who it is")
    nobody = allowance({"allowances": [{"name": "nobody", "requesters": {"users": []}, "atLeast": "1Gi"}]})["memory-limit-decrease"]
    expect(nobody.startswith("(false)"), "an allowance for nobody is for somebody")


def check_shared_fallback():
    """What falls, and what an allowance covers, is the same to the policy that denies and to the one that puts back."""
    documents, _ = shipped_fallback()
    denies = documents["memory-limit-decrease", "ValidatingAdmissionPolicy"]["spec"]["variables"]
    restores = documents["memory-limit-restore", "MutatingAdmissionPolicy"]["spec"]["variables"]
    shared = [variable["name"] for variable in denies].index("allowance") + 1
    expect(denies[:shared] == restores[:shared], "the two have other variables")


def check_deployment(merged, all_objects, help_text):
    deployment = only(all_objects, "Deployment")
    template = deployment["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    security = {**pod["securityContext"], **container["securityContext"]}
    expect((pod["securityContext"], container["securityContext"]) == (merged["podSecurityContext"], merged["securityContext"]), "another security context")
    expect(security["runAsNonRoot"] and security.get("runAsUser") != 0, "the pod may run as root")
    expect(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], "the container may write or escalate")
    expect(security["capabilities"] == {"drop": ["ALL"]}, "the container has capabilities")
    expect(security["seccompProfile"] == {"type": "RuntimeDefault"}, "no seccomp profile")
    kinds.check_network(merged, deployment)
    expect(pod["terminationGracePeriodSeconds"] >= merged["drainDelay"] + 20 + 5, "the grace period ends before the drain")
    expect({one["resourceName"]: one["restartPolicy"] for one in container["resizePolicy"]} == {"cpu": "NotRequired", "memory": "RestartContainer"}, "another resizePolicy")
    expect(container["livenessProbe"]["httpGet"]["path"] == "/livez" and container["readinessProbe"]["httpGet"]["path"] == "/readyz", "other probes")
    flags = flags_of(all_objects)
    for flag, value in flags.items():
        known = f"--{flag} <" if value else f"--{flag}\n"
        expect(known in help_text, f'the program knows no flag "--{flag}"')
    expect(max(int(flags["request-deadline"]), int(flags["authority-deadline"])) < merged["webhooks"]["timeoutSeconds"] * 1000, "a deadline is after the timeout")
    expect(flags["cap"] == merged["cap"], "another cap")
    (policies,) = (volume["configMap"]["name"] for volume in pod["volumes"] if volume["name"] == "policies")
    expect(flags.get("policies-config-map") == (f"restraint/{policies}" if merged["policies"]["watch"] else None), "another ConfigMap is watched")
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for value in flags.values():
        if value.startswith("/"):
            expect(any(value == mount or value.startswith(mount + "/") for mount in mounts), f'nothing is mounted at "{value}"')
    expect({mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}, "volumes and mounts differ")
    expect(not any("subPath" in mount for mount in container["volumeMounts"]), "what is mounted by subPath never changes")

    recordings = [volume for volume in pod["volumes"] if volume["name"] == "recordings"]
    expect(bool(recordings) == ("record" in flags) == merged["record"]["enabled"], "recordings lie elsewhere")
    for volume in recordings:
        if merged["record"]["claim"]:
            expect(volume["persistentVolumeClaim"]["claimName"] == merged["record"]["claim"], "another claim")
        else:
            most = int(volume["emptyDir"]["sizeLimit"].removesuffix("Mi"))
            expect(most > int(flags["record-limit"].removesuffix("MiB")), "the pod is evicted for its recordings")

    labels = template["metadata"]["labels"]
    selectors = [deployment["spec"]["selector"]["matchLabels"], only(all_objects, "Service")["spec"]["selector"]]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in of_kind(all_objects, "PodDisruptionBudget")]
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in of_kind(all_objects, "NetworkPolicy")]
    expect(all(selector.items() <= labels.items() for selector in selectors), "a selector misses the pods")
    for monitor in of_kind(all_objects, "ServiceMonitor"):
        expect(monitor["spec"]["selector"]["matchLabels"].items() <= only(all_objects, "Service")["metadata"]["labels"].items(), "the ServiceMonitor misses the Service")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    expect(ports == merged["ports"], f"the pod has the ports {ports}")
    expect({flags[flag] for flag in ("listen", "admin")} == {f"[::]:{port}" for port in ports.values()}, "the service listens elsewhere")
    expect({container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {"admin"}, "probes miss the port")
    expect({port["targetPort"] for port in only(all_objects, "Service")["spec"]["ports"]} == set(ports), "the Service misses a port")
    open_to = {port["port"] for one in of_kind(all_objects, "NetworkPolicy") for rule in one["spec"]["ingress"] for port in rule["ports"]}
    expect(open_to == (set(ports) if merged["networkPolicy"]["enabled"] else set()), "the NetworkPolicy closes a port")
    expect(len(of_kind(all_objects, "PodDisruptionBudget")) == (merged["replicas"] > 1), "a single replica has a budget that stops every drain")
    for one in all_objects:
        namespaced = one["metadata"].get("namespace")
        expect(namespaced in (None, "restraint"), f'{one["kind"]} in namespace "{namespaced}"')


def check_rights(merged, all_objects, in_force):
    expect(not of_kind(all_objects, "Secret"), "keys are not made by templates, and what Helm made it may empty")
    keeps = merged["tls"]["mode"] == "self"
    rules = {rule for rule, mode, _ in in_force.values() if mode != "off"}
    granted = {}
    for role in of_kind(all_objects, "ClusterRole", "Role"):
        for rule in role["rules"]:
            expect(not any("*" in word for words in rule.values() for word in words), f'{role["metadata"]["name"]} has a wildcard')
            for resource in rule["resources"]:
                granted.setdefault((role["kind"], role["metadata"]["name"]), set()).update((rule["apiGroups"][0], resource, verb) for verb in rule["verbs"])
    expected = {("", "namespaces", "list"), ("", "namespaces", "watch"), ("authorization.k8s.io", "subjectaccessreviews", "create")}
    expected |= {("events.k8s.io", "events", "create"), ("events.k8s.io", "events", "patch")}
    expected |= {("metrics.k8s.io", "pods", "get")} if "memory-above-usage" in rules else set()
    expected |= {("", "nodes", "get"), ("", "pods", "list")} if "resize-beyond-node" in rules else set()
    users = {("apps", one) for one in ("deployments", "statefulsets", "daemonsets")} | {("batch", "cronjobs"), ("batch", "jobs"), ("", "pods")}
    expected |= {(*user, verb) for user in users for verb in ("list", "watch")} if merged["configuration"]["enabled"] else set()
    configurations = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
    expected |= {("admissionregistration.k8s.io", one, verb) for one in configurations for verb in ("get", "list", "watch", "patch")} if keeps else set()
    found = granted[("ClusterRole", "restraint")]
    expect(found == expected, f"the service may {sorted(found ^ expected)}, or may not")
    for role in of_kind(all_objects, "ClusterRole"):
        for rule in role["rules"]:
            expect(rule["apiGroups"] != ["admissionregistration.k8s.io"] or rule.get("resourceNames") == ["restraint"], "hooks of others")
    secrets = ["restraint-seal"] + ([merged["tls"]["secretName"] or "restraint-tls"] if keeps else [])
    rights = [(rule["resources"], rule.get("resourceNames"), rule["verbs"]) for role in of_kind(all_objects, "Role") for rule in role["rules"]]
    expected = [(["secrets"], None, ["create"]), (["secrets"], secrets, ["get", "list", "watch", "update"])]
    expected += [(["configmaps"], ["restraint-policies"], ["get", "list", "watch"])] if merged["policies"]["watch"] else []
    expect(rights == expected, f"in its namespace it may {rights}")
    bound = sorted(one["roleRef"]["name"] for one in of_kind(all_objects, "RoleBinding"))
    expect(bound == sorted(role["metadata"]["name"] for role in of_kind(all_objects, "Role")), f"bound are {bound}")
    of_cluster = [right for (kind, _), rights in granted.items() if kind == "ClusterRole" for right in rights]
    expect(not any(resource == "secrets" for _, resource, _ in of_cluster), "Secrets of the whole cluster")


def check_policies(values, merged, all_objects, in_force, policies):
    shipped = {path.stem: path.read_text() for path in (ROOT / "policies").glob("*.yaml")}
    expect(shipped, "no policies are shipped")
    changed = set(values.get("policies", {}).get("modes", {})) | set(values.get("policies", {}).get("overrides", {}))
    if merged["cap"] == "enforce" and merged["enforceNamespaces"]:
        for name, (rule, mode, scope) in modes(shipped).items():
            acts = mode in ("enforce", "fix") and rule != "approval-authority"
            namespaces = merged["enforceNamespaces"]
            expect(in_force[name] == (rule, mode, {"namespaces": {"names": namespaces}} if acts else scope), f'"{name}" is {in_force[name]}')
            expect(in_force.get(f"{name}-elsewhere") == ((rule, "audit" if mode == "fix" else "warn", {"namespaces": {"except": namespaces}}) if acts else None), f'"{name}" elsewhere')
    else:
        expect(set(policies) == set(shipped) | changed, "policies are lost or added")
        for name in set(shipped) - changed:
            expect(policies[name] == shipped[name], f'policy "{name}" is not as shipped')
    for name, mode in values.get("policies", {}).get("modes", {}).items():
        expect(in_force[name][1] == mode, f'"{name}" has another mode')
    expressions = [one["expression"] for _, hook in hooks(all_objects) for one in hook["matchConditions"] if one["name"] == "approval-differs"]
    for text in policies.values():
        settings = yaml.safe_load(text).get("settings", {})
        if "approvalAnnotation" in settings:
            expect(all(json.dumps(settings["approvalAnnotation"]) in one for one in expressions), "nobody asks about an annotation that approves")


def check_set(name, values, programs):
    files = render(values)
    all_objects, audit_objects = auditing.split(objects(files))
    merged = chart().merge_values(values)
    report = helm.lint(CHART, values, strict=True, namespace="restraint")
    # the only thing to say is that there is no icon
    expect(not report["errors"] and all(message["severity"] <= 1 for message in report["messages"]), f"lint: {report}")
    expect("NOTES.txt" in files and merged["cap"] in files["NOTES.txt"], "the notes do not say the cap")
    expect("--set" not in files["NOTES.txt"] or merged["cap"] != "enforce" or merged["enforceNamespaces"], "the notes promise another stage")
    data = next(one["data"] for one in of_kind(all_objects, "ConfigMap") if one["metadata"]["name"] == "restraint-policies")
    policies = {path.removesuffix(".yaml"): text for path, text in data.items()}
    in_force = modes(policies)
    check_hooks(values, merged, all_objects, in_force)
    check_configuration(merged, all_objects)
    check_resizes(all_objects, in_force)
    check_fallback(merged, all_objects, in_force, {name: yaml.safe_load(text).get("settings") or {} for name, text in policies.items()})
    check_deployment(merged, all_objects, programs["help"])
    check_certificate(merged, all_objects, programs["help"])
    check_rights(merged, all_objects, in_force)
    auditing.check(merged, all_objects, audit_objects, programs["help of audit"])
    check_policies(values, merged, all_objects, in_force, policies)
    with tempfile.TemporaryDirectory() as folder:
        for path, text in data.items():
            pathlib.Path(folder, path).write_text(text)
        run([programs["restraint"], "serve", "--check", "--policies", folder])
        # Restraint finds nothing in its own workload, not even by the rules that only record
        workload = pathlib.Path(folder, "workload.yaml")
        workload.write_text("---\n".join(files[name] for name in ("deployment.yaml", "audit.yaml") if name in files))
        run([programs["restraint"], "lint", "--fail-on", "audit", str(workload)])


def check_wrong(values, word):
    try:
        render(values)
    except helm.HelmError as error:
        expect(word in str(error), f'{values} is refused, but not for "{word}": {error}')
        return
    raise Fault(f"{values} is not refused")


def check_values():
    """Every value has a line in the schema, and the other way round, as far as its keys are given."""

    def walk(schema, values, path):
        known = schema.get("properties")
        if known is None or not isinstance(values, dict):
            return
        expect(schema["additionalProperties"] is False, f'"{path}" takes anything')
        missing = set(known) - set(values) - {"global"}
        # resources and issuerRef are given as a whole
        if path not in (".resources", ".audit.resources"):
            expect(not missing, f'"{path}" has no default for {sorted(missing)}')
        for key, value in values.items():
            expect(key in known, f'the schema does not know "{path}.{key}"')
            walk(known[key], value, f"{path}.{key}")

    walk(chart().schema, chart().values, "")
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    expect((chart().version, chart().metadata["appVersion"]) == (version, version), f"the program is of version {version}")


def check_package():
    with tempfile.TemporaryDirectory() as folder:
        packed = helm.Chart.load(helm.package(CHART, destination=folder))
        names = {file["name"] for file in packed.files}
    policies = [path for path in (ROOT / "policies").rglob("*.yaml") if path.parent != ROOT / "policies/tests"]
    expect({f"policies/{path.relative_to(ROOT / 'policies')}" for path in policies} <= names, "the package lacks policies")
    expect({"files/alerts.yaml", "files/dashboard.json", "README.md"} <= names, "the package lacks files")
    expect(not any(name.startswith("tests/") for name in names), "the package has tests")


def check_copy():
    """A copy of the folder that leaves links out renders as well: Flux, helm-git and Windows take no link along."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "restraint")
        shutil.copytree(CHART, copy, symlinks=True)
        for path in [path for path in copy.rglob("*") if path.is_symlink()]:
            path.unlink()
        for values in ({}, SETS["everything"], SETS["fallback policies everywhere"]):
            expect(render(values, folder=copy) == render(values), "a copy without links renders something else")


def check_monitoring(promtool):
    alerts = CHART / "files/alerts.yaml"
    run([promtool, "check", "rules", str(alerts)])
    run([promtool, "test", "rules", str(CHART / "tests/alerts.yaml")])
    rules = [rule for group in yaml.safe_load(alerts.read_text())["groups"] for rule in group["rules"]]
    tests = yaml.safe_load((CHART / "tests/alerts.yaml").read_text())["tests"]
    silent = {one["alertname"] for test in tests for one in test.get("alert_rule_test", []) if not one.get("exp_alerts")}
    expected = [one for test in tests for one in test.get("promql_expr_test", []) if one["exp_samples"]]
    firing = {name for one in expected for name in re.findall(r'alertname="(\w+)"', one["expr"])}
    firing |= {one["alertname"] for test in tests for one in test.get("alert_rule_test", []) if one.get("exp_alerts")}
    for rule in rules:
        expect(rule["alert"] in silent & firing, f'"{rule["alert"]}" is not tested both ways')

    dashboard = json.loads((CHART / "files/dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        recorded = [{"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")} for number, query in enumerate(queries)]
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}, file)
        file.flush()
        run([promtool, "check", "rules", "--lint=none", file.name])
    documented = (ROOT / "docs/observability.md").read_text()
    for name in sorted(set(re.findall(r"\brestraint_\w+", " ".join(queries + [rule["expr"] for rule in rules])))):
        expect(f"`{re.sub(r'_(bucket|count|sum)$', '', name)}`" in documented, f'docs/observability.md has no "{name}"')

    operations = (ROOT / "docs/operations.md").read_text()
    for rule in rules:
        for section in re.findall(r'docs/operations.md, "(.+?)"', rule["annotations"]["description"]):
            expect(f"\n## {section}\n" in operations, f'docs/operations.md has no section "{section}"')


def combined(values, more):
    """Both, where `more` wins."""
    inner = {key: combined(values[key], more[key]) for key in values.keys() & more.keys() if isinstance(values[key], dict)}
    return {**values, **more, **inner}


def recipes():
    """The policy with every recipe for allowances that the documentation has."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/policies.md").read_text(), flags=re.S)
    settings = [yaml.safe_load(block)["settings"] for block in blocks if "\n  allowances:" in block]
    expect(len(settings) == 3, f"docs/policies.md has {len(settings)} recipes for allowances")
    return DECREASE + yaml.safe_dump({"settings": {"allowances": [allowance for one in settings for allowance in one["allowances"]]}})


def made_files():
    """What is made from the chart, by path."""
    head = "# Made from the chart: `just chart --update`. {}\n"
    installation = {
        "cap": "enforce",
        "fullnameOverride": "restraint",
        "service": {"port": 61443},
        "tls": {**SECRET, "caBundle": CA},
        "webhooks": {"namespaceSelector": {"matchLabels": {"e2e.example/installation": "installation"}}},
    }
    # with a name of its own, so that it can stand beside others
    everything = {**installation, "fullnameOverride": "restraint-installation", "tls": {}, "policies": SETS["everything"]["policies"], "audit": {"enabled": True}, "configuration": SETS["everything"]["configuration"]}

    def words(text):
        text = text.replace("restraint-installation", "restraint-${INSTALLATION}").replace("61443", "${PORT}")
        text = text.replace(base64.b64encode(CA.encode()).decode(), "${CA_BUNDLE}")
        text = text.replace("e2e.example/installation: installation", 'e2e.example/installation: "${INSTALLATION}"')
        # a cluster has one of each name
        return re.sub(r"(kind: \w+WebhookConfiguration\nmetadata:\n  name: restraint)\n", r"\1-${INSTALLATION}\n", text)

    def core(values):
        """What the API server knows by itself; policies are the business of others."""
        files = render(values, "restraint-installation")
        return [text for path, text in sorted(files.items()) if path.endswith(".yaml") and path not in ("policies.yaml", "certificate.yaml")]

    webhooks = render(installation, "restraint-installation")["webhooks.yaml"]
    # beside the others: what is not there is not asked about in trials of something else
    _, asking = render(combined(installation, {"configuration": SETS["everything"]["configuration"]}), "restraint-installation")["webhooks.yaml"].split("\n---\n")
    before, hook = asking.split("  # changes of configuration", 1)
    before = before[:before.index("webhooks:\n") + len("webhooks:\n")]
    configuration = f"{before}  # changes of configuration{hook}".replace("\n  name: restraint\n", "\n  name: restraint-configuration-installation\n")
    by_default = core(everything)
    in_kinds = [[f"# kind of cluster: {name}\n", *(text for text in core(combined(everything, values)) if text not in by_default)] for name, values in kinds.SETS.items()]
    fallback = render({**installation, "fallback": {"enabled": True}, "webhooks": {"namespaceSelector": {"matchLabels": {"e2e.example/fallback": "yes"}}}})["fallback.yaml"]
    # beside those without allowances, so under names of their own
    allowing = {"policies": {"overrides": {"memory-limit-decrease": ALLOWANCES}}, "webhooks": {"namespaceSelector": {"matchLabels": {"e2e.example/fallback": "allowances"}}}}
    allowances = render({**installation, "fallback": {"enabled": True, "restore": True, "resizePolicy": False}, **allowing})["fallback.yaml"]
    # what the documentation recommends, of which the fallback policies can say two
    recommending = {"policies": {"overrides": {"memory-limit-decrease": recipes()}}, "webhooks": {"namespaceSelector": {"matchLabels": {"e2e.example/fallback": "recipes"}}}}
    recommended = render({**installation, "fallback": {"enabled": True, "resizePolicy": False}, **recommending})["fallback.yaml"]
    decreases = "".join(f"---\n{text.strip()}\n" for text in re.split(r"^---$", recommended, flags=re.M) if "\n  name: memory-limit-decrease." in text)
    certificate = re.sub(r"\n  labels:\n(    .*\n)+", "\n", render({"tls": {"mode": "certManager"}})["certificate.yaml"])
    return {
        "tests/e2e/webhooks.yaml": head.format("`${...}` is filled in by the tests, which also keep their\n# installations apart by `e2e.example/installation`. The rest is what a cluster would have.") + words(webhooks),
        "tests/e2e/configuration.yaml": head.format("The hook on changes of configuration, with Secrets.") + words(configuration).replace("configuration-installation", "configuration-${INSTALLATION}"),
        "tests/e2e/chart.yaml": head.format("All that it renders with live look-ups on, but policies and\n# what needs a definition of its own.") + words("---\n".join(by_default)),
        "tests/e2e/chart-kinds.yaml": head.format("What differs from chart.yaml in each kind of cluster that\n# needs values of its own.") + words("\n".join("---\n".join(texts) for texts in in_kinds)),
        "tests/e2e/fallback.yaml": head.format("For the namespaces with the label `e2e.example/fallback`.") + fallback,
        "tests/e2e/fallback-with-allowances.yaml": head.format("For the namespaces with the label\n# `e2e.example/fallback: allowances`.") + allowances.replace(".fallback.restraint.dev", ".allowances.fallback.restraint.dev"),
        "tests/e2e/fallback-with-recipes.yaml": head.format("The recipes of `docs/policies.md`, for the namespaces with the\n# label `e2e.example/fallback: recipes`.") + decreases.replace(".fallback.restraint.dev", ".recipes.fallback.restraint.dev"),
        "certs/cert-manager/certificate.yaml": head.format("For a service `restraint` in a namespace `restraint`, where\n# no Helm is used; the webhook configurations want `cert-manager.io/inject-ca-from: restraint/restraint`.") + certificate,
    }


def check_one_namespace(restraint):
    """With enforceNamespaces a decrease is denied there, and warned about elsewhere."""
    data = next(one["data"] for one in of_kind(objects(render(SETS["one namespace"])), "ConfigMap"))
    recorded = (ROOT / "tests/reviews/resize-limit-down-unapproved.pods-resize.validate.json").read_text()
    with tempfile.TemporaryDirectory() as folder:
        for path, text in data.items():
            pathlib.Path(folder, path).write_text(text)
        with serving(restraint, ["--listen=127.0.0.1:0", "--admin=127.0.0.1:0", f"--policies={folder}"]) as lines:
            answers = {namespace: ask(lines[-1]["address"], recorded, namespace) for namespace in ("shop", "elsewhere")}
    expect(not answers["shop"]["allowed"], f'a decrease in "shop" is not denied: {answers["shop"]}')
    expect(answers["elsewhere"]["allowed"], f'a decrease elsewhere is denied: {answers["elsewhere"]}')
    expect("memory-limit-decrease" in str(answers["elsewhere"]["warnings"]), "nobody is warned elsewhere")


def ask(address, review, namespace):
    review = json.loads(review)
    review["request"]["namespace"] = namespace
    for key in ("object", "oldObject"):
        review["request"][key]["metadata"]["namespace"] = namespace
    request = urllib.request.Request(f"https://{address}/validate", json.dumps(review).encode(), {"Content-Type": "application/json"})
    # the certificate was made at start; nothing but this machine is asked
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
    with direct.open(request, timeout=60) as answer:
        return json.load(answer)["response"]


def check_trial_rights():
    """The end-to-end tests give the service what the chart gives it, so that they would notice what it lacks."""

    def rights(roles):
        rules = [rule for role in roles for rule in role["rules"]]
        return {(group, resource, verb, *rule.get("resourceNames", [])) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}

    people = list(yaml.safe_load_all((ROOT / "tests/e2e/people.yaml").read_text()))
    given = rights([one for one in people if one["kind"] == "ClusterRole" and one["metadata"]["name"] == "restraint"])
    roles = of_kind(objects(render({**SETS["everything"], "tls": SECRET})), "ClusterRole", "Role")
    rendered = rights([one for one in roles if one["metadata"]["name"] in ("restraint", "restraint-secrets", "restraint-policies")])
    expect(given == rendered, f"tests/e2e/people.yaml and the chart differ in {sorted(given ^ rendered)}")
    given = rights([one for one in people if one["kind"] == "ClusterRole" and one["metadata"]["name"] == "restraint-audit"])
    rendered = rights(of_kind(auditing.split(objects(render({"audit": {"enabled": True}})))[1], "ClusterRole"))
    expect(given == rendered, f"tests/e2e/people.yaml and the chart differ in what audits: {sorted(given ^ rendered)}")


def copy_policies():
    """Writes the policies anew into the chart, which must hold all that it renders."""
    shutil.rmtree(CHART / "policies")
    # their cases are no policies
    shutil.copytree(ROOT / "policies", CHART / "policies", ignore=shutil.ignore_patterns("tests"))


def check_policy_files():
    def files(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    ours, copied = files(ROOT / "policies"), files(CHART / "policies")
    ours = {path: text for path, text in ours.items() if path.parts[0] != "tests"}
    differing = sorted(str(path) for path in ours.keys() | copied.keys() if ours.get(path) != copied.get(path))
    expect(not differing, f"the chart has other policies, {differing}: just chart --update")


def check_made(update):
    for path, text in made_files().items():
        file = ROOT / path
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        expect(file.exists() and file.read_text() == text, f'"{path}" is older than the chart: just chart --update')


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--promtool", required=True)
    parser.add_argument("--restraint", required=True)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    programs = {"restraint": arguments.restraint, "help": run([arguments.restraint, "serve", "--help"]), "help of audit": run([arguments.restraint, "audit", "--help"])}

    if arguments.update:
        copy_policies()

    checks = {"policies of the chart": check_policy_files, "a copy without links": check_copy, "made files": lambda: check_made(arguments.update), "rights in the trials": check_trial_rights, "fallback policies": check_shared_fallback, "allowances": check_allowances, "what is looked at": check_looks, "values": check_values, "package": check_package}
    checks["alerts and dashboard"] = lambda: check_monitoring(arguments.promtool)
    checks["one namespace enforced"] = lambda: check_one_namespace(arguments.restraint)
    checks["ids of OpenShift"] = lambda: kinds.check_ids(*(only(objects(render(values)), "Deployment") for values in (kinds.SETS["OpenShift"], {})))
    checks["IPv6 and IPv4"] = lambda: kinds.check_families(arguments.restraint, flags_of(objects(render({}))))
    for name, values in SETS.items():
        checks[f"rendered: {name}"] = functools.partial(check_set, name, values, programs)
    for settings, included, excluded in AUTOMATED:
        checks[f"automation: {settings}"] = functools.partial(check_automation, settings, included, excluded)
    for values, word in WRONG:
        checks[f"refused: {json.dumps(values)}"] = functools.partial(check_wrong, values, word)

    failed = 0
    for name, check in checks.items():
        try:
            check()
        except (Fault, helm.HelmError, KeyError, StopIteration, ValueError, OSError) as fault:
            failed += 1
            print(f"FAILED {name}\n    {type(fault).__name__}: {fault}", file=sys.stderr)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
