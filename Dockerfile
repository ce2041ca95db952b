# The toolchain's version is also in rust-toolchain.toml.
FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The image has this toolchain; the file would make rustup look for components that a build does not need.
ENV RUSTUP_TOOLCHAIN=1.95.0

# Dependencies are a layer of their own: they are built again only when the manifest or the lock file changes. cargo looks
# for every target that the manifest names, also for those that it does not build.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN mkdir -p src tests/it benches/load \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs tests/it/main.rs benches/load/main.rs \
    && cargo build --release --locked --bin leadgate \
    && rm -rf src target/release/leadgate target/release/deps/leadgate* target/release/deps/libleadgate* \
              target/release/.fingerprint/leadgate-*

COPY src src
COPY migrations migrations
COPY templates templates
COPY static static
RUN cargo build --release --locked --bin leadgate

# The final image holds the program, the few shared libraries that it loads, and the certificates for a PostgreSQL that
# is reached by TLS: no shell, no package manager.
RUN mkdir -p /image/data /image/etc/ssl/certs /image/usr/local/bin \
    && cp target/release/leadgate /image/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && ldd target/release/leadgate | grep -o '/[^ ]*' | while read -r library; do \
         install -D "$library" "/image$library"; \
       done \
    && echo 'leadgate:x:65532:65532::/data:/nonexistent' > /image/etc/passwd \
    && chown 65532:65532 /image/data

FROM scratch
LABEL org.opencontainers.image.title="Leadgate" \
      org.opencontainers.image.description="An OAuth 2.0 authorization server that emulates LeadExec's app-partner sign-in" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
COPY LICENSE /usr/share/doc/leadgate/LICENSE
USER 65532:65532
# The only place that is written to: the root file system may be read-only.
VOLUME /data
WORKDIR /data
ENV LEADGATE_LISTEN=0.0.0.0:8080 \
    LEADGATE_DATABASE_URL=sqlite:///data/leadgate.db
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["/usr/local/bin/leadgate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/leadgate"]
CMD ["serve"]
