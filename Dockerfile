# The program alone, on nothing: docs/container.md says how it is run, `scripts/check-image` proves that it is so.
# The toolchain's version is also in rust-toolchain.toml.
FROM rust:1.95.0-slim-bookworm AS dependencies
WORKDIR /build
# RUSTUP_TOOLCHAIN: the image has this toolchain; the file would make rustup look for components that a build does not need.
# crt-static: no library is loaded, so the image needs none; it is for the image alone (docs/releasing.md). What runs during
# the build (macros, build scripts) cannot be linked so; with a target that is named, also where it is this machine's own, the
# flags are not for it.
# STRIP: names of functions are for profilers, and a quarter of the image.
ENV RUSTUP_TOOLCHAIN=1.95.0 \
    RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_BUILD_TARGET=host-tuple \
    CARGO_PROFILE_RELEASE_STRIP=symbols

# Dependencies are a layer of their own: they are built again only when the manifest or the lock file changes. cargo looks
# for every target that the manifest names, also for those that it does not build.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN mkdir -p src tests/it tests/crash benches/load benches/logins \
    && touch src/lib.rs \
    && for main in src tests/it tests/crash benches/load benches/logins; do echo 'fn main() {}' > "$main/main.rs"; done \
    && cargo build --release --locked --bin leadgate \
    && rm -r src

FROM dependencies AS build
COPY src src
COPY migrations migrations
COPY templates templates
COPY static static
COPY docs docs
# The documentation has these, too.
COPY README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE ./
# Whatever their age: they are newer than what stood in for them.
RUN touch src/lib.rs src/main.rs && cargo build --release --locked --bin leadgate

# What the image holds beside the program: the certificates for a PostgreSQL or a webhook that is reached by TLS, a name for the
# user, a place for the data that belongs to it, and where names are looked up: what else there is would be a library to load.
RUN mkdir -p /image/data /image/etc/ssl/certs /image/usr/local/bin \
    && cp target/*/release/leadgate /image/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'hosts: files dns' > /image/etc/nsswitch.conf \
    && echo 'leadgate:x:65532:65532::/data:/nonexistent' > /image/etc/passwd \
    && echo 'leadgate:x:65532:' > /image/etc/group \
    && chown 65532:65532 /image/data

FROM scratch
COPY --from=build /image /
COPY LICENSE /usr/share/doc/leadgate/LICENSE
USER 65532:65532
# The only place that is written to: the root file system may be read-only.
VOLUME /data
WORKDIR /data
ENV LEADGATE_LISTEN=0.0.0.0:8080 \
    LEADGATE_DATABASE_URL=sqlite:///data/leadgate.db
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
    CMD ["/usr/local/bin/leadgate", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/leadgate"]
CMD ["serve"]

# Last, because they differ from build to build.
ARG VERSION=unreleased
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Leadgate" \
      org.opencontainers.image.description="An OAuth 2.0 authorization server that emulates LeadExec's app-partner sign-in" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
