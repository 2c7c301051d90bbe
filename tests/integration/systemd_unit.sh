#!/usr/bin/env bash
# The unit is well formed and exposes little: systemd-analyze security at 2.0 or better.
set -euo pipefail
bin=${1:?"usage: $0 DIRECTORY-OF-BINARIES"}
command -v systemd-analyze >/dev/null || {
    echo "skipped: systemd-analyze is not here"
    exit 77
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/lib/systemd/system" "$root/usr/bin" "$root/bin"
cp "$bin/comityd" "$root/usr/bin/"
printf '#!/bin/sh\n' >"$root/bin/kill"
chmod +x "$root/bin/kill"
sed 's|@bindir@|/usr/bin|' systemd/comityd.service >"$root/usr/lib/systemd/system/comityd.service"

systemd-analyze security --offline=true --root="$root" --threshold=20 --no-pager comityd.service \
    >"$root/report" 2>&1 || {
    cat "$root/report"
    echo "FAILED: the unit exposes more than 2.0"
    exit 1
}
tail -n 1 "$root/report"
if grep -iE 'unknown|ignoring|failed to parse|invalid' "$root/report"; then
    echo "FAILED: the unit has lines that systemd does not take"
    exit 1
fi

# Both files are taken by the tools that read them.
systemd-sysusers --root="$root" --dry-run "$PWD/systemd/comity.sysusers.conf" >/dev/null 2>"$root/users" || {
    cat "$root/users"
    echo "FAILED: systemd-sysusers refuses comity.sysusers.conf"
    exit 1
}
