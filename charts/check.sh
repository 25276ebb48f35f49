#!/usr/bin/env bash
# Checks the chart with Helm, Prometheus's own tool and Restraint. `--update` writes anew what is made from it.
# Needs Python 3.10 with venv and pip; promtool is taken from Debian's package `prometheus` where none is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
tools=$target/chart
mkdir -p "$tools"

if ! cmp --silent charts/requirements.txt "$tools/requirements.txt"; then
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --requirement charts/requirements.txt
    cp charts/requirements.txt "$tools/requirements.txt"
fi

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
    promtool=$tools/prometheus/usr/bin/promtool
    if ! [ -x "$promtool" ]; then
        # unpacked, not installed: the package starts a server
        package=$(mktemp -d)
        (
            cd "$package"
            $([ "$(id -u)" = 0 ] || echo sudo) apt-get update --quiet --quiet
            apt-get download --quiet --quiet --option APT::Sandbox::User=root prometheus
        )
        dpkg-deb --extract "$package"/prometheus_*.deb "$tools/prometheus"
        rm -rf "$package"
    fi
fi

restraint=$target/debug/restraint
[ -x "$restraint" ] || { echo "\"$restraint\" is not built: cargo build" >&2; exit 1; }

exec "$tools/venv/bin/python" charts/check.py --promtool "$promtool" --restraint "$restraint" "$@"
