# syntax=docker/dockerfile:1

FROM rust:1.95-trixie AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY policies policies
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --profile dist --locked --bin restraint && cp target/dist/restraint /restraint

# the libraries of C and nothing else: no shell, no package manager; of the same Debian as the builder's
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /restraint /usr/local/bin/restraint
# nobody reaches the loopback address of a container
ENV RESTRAINT_LISTEN=[::]:8443 RESTRAINT_ADMIN=[::]:8080 RESTRAINT_LOG_FORMAT=json
EXPOSE 8443 8080
# a number, so that runAsNonRoot can be checked; nothing is ever written, so the file system may be read-only
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/restraint"]
CMD ["serve"]
