# syntax=docker/dockerfile:1
# Two stages: one with the compiler, one with the program and nothing else. See docs/INSTALL.md.
FROM swift:6.3.1-bookworm AS build
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends \
    libsqlite3-dev pkg-config git ca-certificates binutils strace
WORKDIR /source
COPY . .
# strace needs a capability that a build does not have; the other checks are made.
RUN scripts/release --dir /out --without-trace && install -d -m 700 -o 65532 -g 65532 /out/data

FROM scratch
COPY --from=build /out/tradeledger /usr/bin/tradeledger
# A volume of a local disk, and the same one for all containers of a ledger.
COPY --from=build --chown=65532:65532 --chmod=700 /out/data /data
USER 65532:65532
ENV TRADELEDGER_DB=/data/ledger.db PATH=/usr/bin
VOLUME /data
ENTRYPOINT ["/usr/bin/tradeledger"]
