#!/usr/bin/env bash
# Checks the chart with Helm, Prometheus's own tool and Restraint. `--update` writes anew what is made from it.
# Needs Python 3.10 with venv and pip; promtool is taken from Debian's package `prometheus` where none is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
. charts/tools.sh

environment venv charts/requirements.txt
promtool=$(prometheus promtool)
exec "$python" charts/check.py --promtool "$promtool" --restraint "$restraint" "$@"
