# What the scripts of this folder have in common; sourced. Needs Python 3.10 with venv and pip.

target=${CARGO_TARGET_DIR:-target}
tools=$target/chart
restraint=$target/debug/restraint
mkdir -p "$tools"

# a Python with what a list asks for: `environment NAME LIST`
environment() {
    if ! cmp --silent "$2" "$tools/$1.txt"; then
        rm -rf "${tools:?}/$1"
        python3 -m venv "$tools/$1"
        "$tools/$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
        cp "$2" "$tools/$1.txt"
    fi
    python=$tools/$1/bin/python
}

# where a program of Prometheus is: the one installed, else the one of Debian's package `prometheus`
prometheus() {
    type -P "$1" && return
    if ! [ -x "$tools/prometheus/usr/bin/$1" ]; then
        # unpacked, not installed: the package starts a server
        package=$(mktemp -d)
        (
            cd "$package"
            $([ "$(id -u)" = 0 ] || echo sudo) apt-get update --quiet --quiet
            apt-get download --quiet --quiet --option APT::Sandbox::User=root prometheus
        ) >&2
        dpkg-deb --extract "$package"/prometheus_*.deb "$tools/prometheus"
        rm -rf "$package"
    fi
    echo "$tools/prometheus/usr/bin/$1"
}

[ -x "$restraint" ] || { echo "\"$restraint\" is not built: cargo build" >&2; exit 1; }
