"""What is true of the chart in every kind of cluster, and the values that a kind needs."""

import socket
import urllib.request

from faults import expect
from serving import can_take_ipv6_away, serving, take_ipv6_away


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
