"""What is true of the chart in every kind of cluster, and the values that a kind needs."""

import socket
import urllib.request

from faults import expect
from serving import can_take_ipv6_away, serving, take_ipv6_away


# what people install in them, beside what check.py has
SETS = {
    "OpenShift": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "an API server that reaches no pods": {"hostNetwork": True, "ports": {"reviews": 10260, "admin": 10261}},
    "one replica on a node's network": {"cap": "enforce", "hostNetwork": True, "dnsPolicy": "Default", "replicas": 1},
    "AKS": {"webhooks": {"annotations": {"admissions.enforcer/disabled": "true"}, "labels": {"example.com/team": "platform"}}},
    "a firewall that lets one port through": {"ports": {"reviews": 10250}},
}


def check_ids(without, with_ids):
    """OpenShift's `restricted-v2` refuses no pod that has no ids, and one that has them for the ids alone."""
    refused = refused_by_restricted(without["spec"]["template"]["spec"])
    expect(not refused, f"OpenShift refuses {refused}")
    refused = refused_by_restricted(with_ids["spec"]["template"]["spec"])
    expect(refused == ["runAsUser", "fsGroup"], f"OpenShift refuses {refused}")


def refused_by_restricted(pod):
    """What the security context constraint `restricted-v2` refuses of a pod."""
    of_pod, refused = pod["securityContext"], []
    for container in pod["containers"]:
        own = container["securityContext"]
        both = {**of_pod, **own}
        capabilities = own.get("capabilities", {})
        refused += [field for field in ("runAsUser", "seLinuxOptions") if field in both]
        refused += ["allowPrivilegeEscalation"] if own.get("allowPrivilegeEscalation", True) else []
        refused += ["privileged"] if own.get("privileged") else []
        refused += ["capabilities"] if capabilities.get("drop") != ["ALL"] or not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"} else []
        refused += ["seccompProfile"] if both.get("seccompProfile") != {"type": "RuntimeDefault"} else []
        refused += ["hostPort"] if any("hostPort" in port for port in container["ports"]) else []
    refused += [field for field in ("fsGroup", "sysctls") if field in of_pod]
    refused += [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    known = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    return refused + sorted(kinds - known)


def check_network(merged, deployment):
    """On a node's network a pod finds Services by name all the same, and no two need the ports of one node."""
    pod = deployment["spec"]["template"]["spec"]
    is_shared = merged["hostNetwork"]
    expect(pod.get("hostNetwork", False) == is_shared, "the pod is on the other network")
    expect(not any(pod.get(one) for one in ("hostPID", "hostIPC")), "the pod shares the node's namespaces")
    policy = merged["dnsPolicy"] or ("ClusterFirstWithHostNet" if is_shared else "")
    expect(pod.get("dnsPolicy", "") == policy, f'the pod finds names by "{pod.get("dnsPolicy")}"')
    update = deployment["spec"]["strategy"]["rollingUpdate"]
    # where each node has a replica, one more would wait for a port for ever
    expect(update == ({"maxSurge": 0, "maxUnavailable": 1} if is_shared else {"maxSurge": 1, "maxUnavailable": 0}), f"an update is {update}")
    if not merged["affinity"]:
        apart = pod["affinity"]["podAntiAffinity"]
        (term,) = apart.get("requiredDuringSchedulingIgnoredDuringExecution", [None])
        expect((term is not None) == is_shared, "replicas have to be apart, or need not be")
        term = term or apart["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        expect(term["topologyKey"] == "kubernetes.io/hostname" and term["labelSelector"]["matchLabels"].items() <= labels.items(), "replicas are not kept apart")


def check_metadata(merged, service, configurations):
    """Webhook configurations have the labels of every object and those of the values, and so with annotations."""
    injected = {"cert-manager.io/inject-ca-from": "restraint/restraint"} if merged["tls"]["mode"] == "certManager" else {}
    for configuration in configurations:
        labels, annotations = (configuration["metadata"].get(field, {}) for field in ("labels", "annotations"))
        expect(labels == {**merged["webhooks"]["labels"], **service["metadata"]["labels"]}, f"the labels of hooks are {labels}")
        expect(annotations == {**merged["webhooks"]["annotations"], **injected}, f"the annotations of hooks are {annotations}")


def check_families(restraint, flags):
    """The ports that the chart opens are open to IPv6 and IPv4, and to IPv4 where there is no IPv6. No value says which it is."""
    ports = [f"--{flag}={flags[flag].rpartition(':')[0]}:0" for flag in ("listen", "admin")]
    with serving(restraint, ports) as lines:
        expect(answers("127.0.0.1", lines), "IPv4 is not served")
        # this machine may have none; the next is what it would see then
        expect(not has_ipv6() or answers("[::1]", lines), "IPv6 is not served")
    if can_take_ipv6_away():
        with serving(restraint, ports, take_ipv6_away) as lines:
            expect(answers("127.0.0.1", lines), "where there is no IPv6, nothing is served")
            expect(any("no IPv6 here" in line["message"] for line in lines), f"nobody is told that there is no IPv6: {lines}")


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def answers(host, lines):
    """Whether the admin port, which the last line names, answers at this address of the machine."""
    port = lines[-1]["admin"].rpartition(":")[2]
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{host}:{port}/livez", timeout=60) as answer:
            return answer.status == 200
    except OSError:
        return False
