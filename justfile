# The commands of this project. CI runs the same.

# what is there
_default:
    @just --list --unsorted

# everything CI checks: format, lints, the core alone, documentation, tests, dependencies
check: && deny
    bash .ci/run

# every Rust file, formatted; `just fmt --check` only shows what would change
fmt *arguments:
    bash .ci/format {{ arguments }}

# licences, banned crates and sources, where cargo-deny is installed
deny:
    @if command -v cargo-deny > /dev/null; then \
        cargo deny check --hide-inclusion-graph bans licenses sources; \
    else \
        echo "cargo-deny is not installed: dependencies are not checked"; \
    fi

# the tests; the end-to-end tests only where KUBEBUILDER_ASSETS names their programs
test *arguments:
    cargo test --locked {{ arguments }}

# the server on this machine: `just serve --cap audit`
serve *flags:
    cargo run --release --locked -- serve {{ flags }}

# the end-to-end tests alone: KUBEBUILDER_ASSETS must name a folder with etcd, kube-apiserver and kubectl
e2e *arguments:
    @test -n "${KUBEBUILDER_ASSETS:-}" || { echo "KUBEBUILDER_ASSETS is not set: see docs/e2e.md" >&2; exit 1; }
    cargo test --locked --test e2e -- {{ arguments }}

# the Helm chart and its alerts, with Helm's own code; `just chart --update` writes anew what is made from the chart
chart *arguments:
    cargo build --locked --quiet
    bash charts/check.sh {{ arguments }}

# the dashboard and the alerts, with a real Prometheus: needs KUBEBUILDER_ASSETS; `--picture FILE` draws it
dashboard *arguments:
    cargo build --locked --quiet
    bash charts/dashboard.sh {{ arguments }}

# fuzzes one target for so many seconds: see docs/fuzzing.md
fuzz target seconds="180":
    bash fuzz/seed {{ target }}
    cargo +nightly fuzz run --sanitizer none {{ target }} fuzz/corpus/{{ target }} -- -max_total_time={{ seconds }} -max_len=16384 -timeout=10

# breaks one file in every way that cargo-mutants knows, and says what no test notices: see docs/mutants.md
mutants file *arguments:
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0 cargo mutants --no-shuffle --timeout 300 --output target --file {{ file }} {{ arguments }} -- --lib --test suite

# the benchmarks, with a table and, given `--write`, a plot for docs/performance.md; `just bench peers` puts other admission servers beside Restraint, `just bench cluster` and `just bench audit` ask a real API server, `just bench replay` reads an audit log
bench *arguments:
    bash .ci/layout
    cargo build --release --bins --manifest-path benches/Cargo.toml
    cargo run --release --manifest-path benches/Cargo.toml -- {{ arguments }}

# what it bears: overload, hostile peers, a full disk; see docs/reliability.md
faults *arguments:
    cargo build --profile dist --locked --bin restraint
    cargo run --release --manifest-path benches/Cargo.toml --bin faults -- {{ arguments }}

musl := arch() + "-unknown-linux-musl"
architecture := if arch() == "aarch64" { "arm64" } else { "amd64" }

# the program for any Linux of this machine's architecture, static: needs musl-tools, lld, valgrind, and a target that rustup adds
static:
    rustup target add {{ musl }}
    TARGET_CC=musl-gcc bash .ci/layout {{ musl }}

# a container image of that program, which pulls nothing; `engine` may be podman or buildah as well
image tag="restraint:dev" engine="docker": static
    mkdir -p target/image/{{ architecture }}
    cp target/{{ musl }}/dist/restraint target/image/{{ architecture }}/
    {{ engine }} build --build-context program=target/image --tag {{ tag }} .
