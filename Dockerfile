# A small image that runs `ninjaone` without privileges.
#
#     docker build -t ninjaone .
#     docker run --rm --init --user "$(id -u)" -v "$PWD:/work" ninjaone run JOB.yaml
FROM python:3.13-slim AS build
WORKDIR /source
COPY setup.cfg pyproject.toml README.md ./
COPY actions/ actions/
COPY connector/ connector/
COPY docs/ docs/
COPY examples/ examples/
COPY schemas/ schemas/
RUN python -m venv /opt/ninjaone \
    && /opt/ninjaone/bin/python -m pip install --no-cache-dir --no-compile '.[mcp,serve,sync]'

FROM python:3.13-slim
COPY --from=build /opt/ninjaone /opt/ninjaone
# Connections, records of runs and tokens are in /state: mount a volume there to keep them. Any user can write
# to it, for `docker run --user`; what is written is readable by its user only.
ENV PATH=/opt/ninjaone/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/state/cache \
    XDG_CONFIG_HOME=/state/config \
    XDG_DATA_HOME=/state/data \
    XDG_STATE_HOME=/state/state
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /state --shell /usr/sbin/nologin ninjaone \
    && install --directory --owner ninjaone --group ninjaone --mode 1777 /state \
    && install --directory --owner ninjaone --group ninjaone /work
USER 10001:10001
WORKDIR /work
VOLUME ["/state"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ninjaone"]
CMD ["--help"]
