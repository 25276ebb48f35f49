#!/usr/bin/env bash
# Looks at the dashboard and the alerts with a real Prometheus, Restraint and API server. `--picture FILE` draws it.
# KUBEBUILDER_ASSETS names a folder with etcd, kube-apiserver and kubectl: docs/e2e.md.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${KUBEBUILDER_ASSETS:?is not set: see docs/e2e.md}"
. charts/tools.sh

environment dashboard charts/dashboard-requirements.txt
server=$(prometheus prometheus)
exec "$python" charts/dashboard.py --prometheus "$server" --restraint "$restraint" --assets "$KUBEBUILDER_ASSETS" "$@"
