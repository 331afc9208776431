#!/usr/bin/env bash
# Install the locked dependencies into the state folder: `local/setup.sh demo` or `local/setup.sh dev` (more).
# Nothing happens when the lock has not changed since the last time. Needs Python 3.11-3.13 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
group=$1
state=${STATE_DIR:-.state}
venv=$state/venv
stamp=$state/installed

find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11, 3.12 or 3.13 is needed and was not found. Install it, or name it: make demo PYTHON=/path/to/python3.11" >&2
    exit 1
}

fingerprint() { cat "requirements.lock" "requirements-dev.lock" requirements-tools.lock | cksum; }

wanted="$group $(fingerprint)"
have=$(cat "$stamp" 2>/dev/null || true)
runs() { "$1" -c '' 2>/dev/null; }  # a Python can go, or lie where this user may not look
# the development set holds everything that the demo needs
if runs "$venv/bin/python" && { [ "$have" = "$wanted" ] || [ "$have" = "dev ${wanted#demo }" ]; }; then
    exit 0
fi

python=$(find_python)
mkdir -p "$state"
if ! "$state/tools/bin/uv" --version >/dev/null 2>&1; then
    echo "Setting up uv"
    rm -rf "$state/tools"
    "$python" -m venv "$state/tools"
    "$state/tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock
fi
uv=$state/tools/bin/uv
if ! runs "$venv/bin/python"; then
    rm -rf "$venv"
    "$uv" venv --quiet --python "$python" "$venv"
fi
lock=requirements.lock
[ "$group" = dev ] && lock=requirements-dev.lock
echo "Installing $lock"
"$uv" pip sync --quiet --require-hashes --python "$venv/bin/python" "$lock"
"$venv/bin/python" - <<'PY'
import pathlib
import sysconfig

place = pathlib.Path(sysconfig.get_paths()["purelib"]) / "account_intelligence.pth"
place.write_text(f"{pathlib.Path.cwd()}\n")
PY
echo "$wanted" >"$stamp"
