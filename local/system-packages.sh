#!/usr/bin/env bash
# What the tests need from the system: Chromium and fonts. Installed by apt where we may; else named.
set -euo pipefail
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing Chromium"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
        chromium fonts-dejavu-core fonts-liberation >/dev/null
    exit 0
fi
echo "The browser tests need Chromium: install the package 'chromium' (or google-chrome) and try again." >&2
exit 1
