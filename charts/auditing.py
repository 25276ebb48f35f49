"""What is true of the part of the chart that audits."""

from faults import expect

# what people install, beside what check.py has
SETS = {
    "audited": {"audit": {"enabled": True}, "monitoring": {"serviceMonitor": {"enabled": True}}},
    "audited without reports in namespaces": {"audit": {"enabled": True, "every": "1h", "policyReports": False}, "networkPolicy": {"enabled": False}, "podSecurityContext": {"runAsUser": None}},
}

# what is refused, and a word of the reason
WRONG = [
    ({"audit": {"enable": True}}, "enable"),
    ({"audit": {"every": "15"}}, "every"),
    ({"audit": {"policyReports": "yes"}}, "policyReports"),
    ({"audit": {"resources": {"limit": {}}}}, "limit"),
]

# by group: what is judged, and namespaces for their labels
JUDGED = {
    "": ["namespaces", "pods", "replicationcontrollers"],
    "apps": ["daemonsets", "deployments", "replicasets", "statefulsets"],
    "autoscaling.k8s.io": ["verticalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
}
REPORTS = {"openreports.io": "reports", "wgpolicyk8s.io": "policyreports"}


def split(all_objects):
    """The objects of the webhook, and those of the audit."""
    audits = [one for one in all_objects if one["metadata"].get("labels", {}).get("app.kubernetes.io/name", "").endswith("-audit")]
    return [one for one in all_objects if one not in audits], audits


def check(merged, webhook, audit, help_text):
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Deployment", "Service"}
    kinds |= {"NetworkPolicy"} if merged["networkPolicy"]["enabled"] else set()
    kinds |= {"ServiceMonitor"} if merged["monitoring"]["serviceMonitor"]["enabled"] else set()
    found = sorted(one["kind"] for one in audit)
    expect(found == (sorted(kinds) if merged["audit"]["enabled"] else []), f"the audit has {found}")
    if not audit:
        return
    of = {one["kind"]: one for one in audit}
    beside = {one["kind"]: one for one in webhook if one["kind"] in ("Deployment", "Service", "NetworkPolicy")}
    check_pod(merged, of, beside, help_text)
    check_selectors(of, beside)
    check_rights(merged, of)
    if "NetworkPolicy" in of:
        ours, theirs = of["NetworkPolicy"]["spec"], beside["NetworkPolicy"]["spec"]
        expect(ours["egress"] == theirs["egress"], "the audit reaches others than the webhook does")
        (ingress,) = ours["ingress"]
        expect([port["port"] for port in ingress["ports"]] == ["admin"] and ingress["from"] == merged["networkPolicy"]["metricsFrom"], "others read the page")
    if "ServiceMonitor" in of:
        (endpoint,) = of["ServiceMonitor"]["spec"]["endpoints"]
        expect(endpoint["honorLabels"] is True, "the namespaces of findings are written over")


def check_pod(merged, of, beside, help_text):
    deployment = of["Deployment"]
    pod, theirs = deployment["spec"]["template"]["spec"], beside["Deployment"]["spec"]["template"]["spec"]
    ((container,), (other,)) = pod["containers"], theirs["containers"]
    expect(deployment["spec"]["replicas"] == 1, "several audits write the same reports")
    expect(pod["serviceAccountName"] == of["ServiceAccount"]["metadata"]["name"] != theirs["serviceAccountName"], "the audit has the rights of another")
    expect(pod["securityContext"] == theirs["securityContext"] and container["securityContext"] == other["securityContext"], "another security context")
    expect(container["image"] == other["image"] and container["resources"] == merged["audit"]["resources"], "another image, or other resources")
    expect(container["args"][0] == "audit", "it does something else")
    flags = dict(argument.removeprefix("--").partition("=")[::2] for argument in container["args"][1:])
    for flag in flags:
        expect(f"--{flag} " in help_text or f"--{flag}\n" in help_text, f'the program knows no flag "--{flag}"')
    expect(flags["every"] == merged["audit"]["every"] and "all-namespaces" in flags, "it audits something else")
    expect(("policy-reports" in flags) == merged["audit"]["policyReports"], "reports are kept, or are not")
    expect({mount["mountPath"] for mount in container["volumeMounts"]} == {flags["policies"]}, "the policies are elsewhere")
    expect(pod["volumes"] == [volume for volume in theirs["volumes"] if volume["name"] == "policies"], "other policies")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    expect(ports == {"admin": merged["ports"]["admin"]} and flags["listen"] == f"[::]:{ports['admin']}", "it listens elsewhere")
    probes = {probe: container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")}
    expect(probes == {"livenessProbe": {"path": "/livez", "port": "admin"}, "readinessProbe": {"path": "/readyz", "port": "admin"}}, "other probes")


def check_selectors(of, beside):
    """Nobody takes the pods of the one for those of the other."""
    labels = {name: group["Deployment"]["spec"]["template"]["metadata"]["labels"] for name, group in (("audit", of), ("webhook", beside))}
    for name, group in (("audit", of), ("webhook", beside)):
        selectors = [group["Deployment"]["spec"]["selector"]["matchLabels"], group["Service"]["spec"]["selector"]]
        selectors += [group["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]] if "NetworkPolicy" in group else []
        for selector in selectors:
            chosen = [other for other in labels if selector.items() <= labels[other].items()]
            expect(chosen == [name], f"a selector of the {name} chooses the pods of {chosen}")
    if "ServiceMonitor" in of:
        selector = of["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
        expect(selector <= of["Service"]["metadata"]["labels"].items(), "the ServiceMonitor misses the Service")
        expect(not selector <= beside["Service"]["metadata"]["labels"].items(), "the ServiceMonitor finds the webhook, too")


def check_rights(merged, of):
    found = {(group, resource, verb, *rule.get("resourceNames", [])) for rule in of["ClusterRole"]["rules"] for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}
    expected = {(group, resource, "list") for group, resources in JUDGED.items() for resource in resources}
    expected |= {("", "configmaps", "get")}
    if merged["audit"]["policyReports"]:
        expected |= {(group, resource, verb) for group, resource in REPORTS.items() for verb in ("list", "create")}
        expected |= {(group, resource, verb, "restraint-audit") for group, resource in REPORTS.items() for verb in ("get", "patch", "delete")}
    expect(found == expected, f"the audit may {sorted(found ^ expected)}, or may not")
    (subject,) = of["ClusterRoleBinding"]["subjects"]
    expect((subject["name"], of["ClusterRoleBinding"]["roleRef"]["name"]) == (of["ServiceAccount"]["metadata"]["name"], of["ClusterRole"]["metadata"]["name"]), "the rights are somebody else's")
