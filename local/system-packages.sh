#!/usr/bin/env bash
# What the tests need from the system: Chromium and fonts, and LibreOffice. Installed by apt where we may; else named.
set -euo pipefail
has() { for name in "$@"; do command -v "$name" >/dev/null && return 0; done; return 1; }
missing=()
has chromium chromium-browser google-chrome || missing+=(chromium fonts-dejavu-core fonts-liberation)
has soffice || missing+=(libreoffice-calc-nogui)
[ ${#missing[@]} = 0 ] && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing ${missing[*]}"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    exit 0
fi
echo "The tests need Chromium (or google-chrome) and LibreOffice Calc (soffice): install ${missing[*]} and try again." >&2
exit 1
