# syntax=docker/dockerfile:1
# Snowgauge in one image: every role is a command of it. `docker build -t snowgauge .`

ARG PYTHON_VERSION=3.12
ARG NODE_VERSION=22

# ---- the package, in an environment of its own
FROM python:${PYTHON_VERSION}-slim-bookworm AS package
# extras of pyproject.toml: tls adds Traefik (185 MB) to the image, for `serve --domain` without a proxy container
ARG EXTRAS=postgres
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY docs ./docs
RUN python -m venv /opt/snowgauge \
 && /opt/snowgauge/bin/python -m pip install --no-cache-dir --disable-pip-version-check ".[${EXTRAS}]" \
 && /opt/snowgauge/bin/python -m snowgauge docs openapi /build/openapi.json

# ---- the trackers' JavaScript, where it is wanted: --build-arg TRACKER_VERSION=4.6.8
FROM package AS scripts
ARG TRACKER_VERSION=""
RUN mkdir -p /scripts \
 && if [ -n "${TRACKER_VERSION}" ]; then \
      /opt/snowgauge/bin/python -m snowgauge scripts download --version "${TRACKER_VERSION}" --output-dir /scripts; \
    fi

# ---- the console
FROM node:${NODE_VERSION}-bookworm-slim AS console
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY web ./
COPY --from=package /build/openapi.json ./openapi.json
RUN npm run api && npm run check && npm run build

# ---- what is shipped
FROM python:${PYTHON_VERSION}-slim-bookworm
ARG PYTHON_VERSION
LABEL org.opencontainers.image.title="Snowgauge" \
      org.opencontainers.image.description="A self-hosted behavioural-data pipeline that speaks Snowplow" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 snowgauge \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin snowgauge \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=package /opt/snowgauge /opt/snowgauge
COPY --from=console /build/src/snowgauge/console/static \
     /opt/snowgauge/lib/python${PYTHON_VERSION}/site-packages/snowgauge/console/static
COPY --from=scripts /scripts /opt/snowgauge/share/scripts
ENV PATH=/opt/snowgauge/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SNOWPLOW_COMMON__DATA_DIR=/data
# everything that is kept lies in /data; nothing else is written but /tmp, so the root file system can be read-only
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["snowgauge"]
CMD ["serve"]
