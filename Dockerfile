# `docker build .` compiles the program first. Given a folder with programs, ARCHITECTURE/restraint in it, nothing is
# compiled and nothing is pulled: `docker build --build-context program=FOLDER .`, which `just image` does.

# one stage: BuildKit would still look up the image behind another from which a replaced stage copies
FROM rust:1.95-trixie AS program
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools
RUN rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY policies policies
ARG TARGETARCH
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    target="$(uname -m)-unknown-linux-musl" && \
    TARGET_CC=musl-gcc cargo build --profile dist --locked --bin restraint --target "$target" && \
    mkdir "/$TARGETARCH" && cp "target/$target/dist/restraint" "/$TARGETARCH/restraint"

# the program and nothing else: it is static, and trusts the authority of the cluster's ServiceAccount alone
FROM scratch
ARG TARGETARCH
LABEL org.opencontainers.image.title="Restraint" \
      org.opencontainers.image.description="Admission control for restarts and resizes in Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=program --chmod=0755 /$TARGETARCH/restraint /usr/local/bin/restraint
# `kubectl exec POD -- restraint`; and nobody reaches the loopback address of a container
ENV PATH=/usr/local/bin RESTRAINT_LISTEN=[::]:8443 RESTRAINT_ADMIN=[::]:8080 RESTRAINT_LOG_FORMAT=json
EXPOSE 8443 8080
# a number, so that runAsNonRoot can be checked; nothing is ever written, so the file system may be read-only
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/restraint"]
CMD ["serve"]
