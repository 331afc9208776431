# One file, three images: `faces` (API and pages), `pipeline` (orchestrator, loads, migrations, backups) and `web` (Caddy
# with the built shell). The base images are arguments, so that a mirror or a pinned digest needs no edit here.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NODE_IMAGE=node:24-trixie-slim
ARG CADDY_IMAGE=caddy:2.11.7

# --- the locked libraries, once for both Python images
FROM ${PYTHON_IMAGE} AS libraries
WORKDIR /srv
COPY requirements.lock requirements-tools.lock ./
# the tools stay in this stage; the lock's hashes decide what is installed
RUN python -m venv /srv/tools \
    && /srv/tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-tools.lock \
    && /srv/tools/bin/uv venv --python "$(command -v python)" /srv/venv \
    && /srv/tools/bin/uv pip sync --no-cache --require-hashes --compile-bytecode --python /srv/venv/bin/python requirements.lock

# --- what both Python images share: libraries, an account without rights, folders for what is written
FROM ${PYTHON_IMAGE} AS base
RUN groupadd --gid 10001 product \
    && useradd --uid 10001 --gid product --no-create-home --home-dir /tmp --shell /usr/sbin/nologin product \
    && install -d -o product -g product -m 0700 /srv/state /srv/backups /srv/documentation /srv/columnar
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONPATH=/srv/product \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TZ=UTC \
    DO_NOT_TRACK=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    DAGSTER_DISABLE_TELEMETRY=1 \
    STREAMLIT_BROWSER_GATHER_USAGE_STATS=false
COPY --from=libraries /srv/venv /srv/venv
WORKDIR /srv/product
COPY app app
COPY deploy deploy
RUN python -m compileall -q app deploy
USER 10001:10001
ENTRYPOINT ["python", "-m", "deploy"]

# --- the API and the pages: no loads, no dbt, no orchestrator in reach of what faces the browser
FROM base AS faces
COPY .streamlit .streamlit
COPY api api
COPY pages pages
EXPOSE 8000 8501

# --- everything that moves or changes data
FROM base AS pipeline
COPY local/__init__.py local/postgres.py local/processes.py local/warehouse.py local/
COPY extract extract
COPY learning learning
COPY dbt dbt
COPY orchestration orchestration
COPY recount recount
EXPOSE 3000 4266

# --- the shell, built
FROM ${NODE_IMAGE} AS shell
WORKDIR /srv/shell
COPY shell/package.json shell/package-lock.json ./
# no install script of a dependency runs
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY shell ./
# the font and the icon are the pages' own: shell/public/static leads there
COPY app/static /srv/app/static
RUN npx ng build --progress=false --output-path /srv/built && node tools/bundle-size.mjs /srv/built/browser

# --- the one door
FROM ${CADDY_IMAGE} AS web
COPY Caddyfile /etc/caddy/Caddyfile
COPY --from=shell /srv/built/browser /srv/shell
RUN mkdir -p /data/caddy /config/caddy /srv/docs && chown -R 10001:10001 /data /config /srv/docs
USER 10001:10001
EXPOSE 80 443
