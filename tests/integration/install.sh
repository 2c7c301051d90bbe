#!/usr/bin/env bash
# What `cmake --install` puts where; into a directory of its own, no root needed.
set -euo pipefail
BIN=${1:?"usage: $0 DIRECTORY-OF-BINARIES"}
build=$(cd "$BIN/.." && pwd)
root=$(mktemp -d /tmp/comity-install.XXXXXX)
trap 'rm -rf "$root"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

DESTDIR=$root cmake --install "$build" --prefix /usr >"$root/log" 2>&1 || {
    cat "$root/log"
    fail "cmake --install"
}
for file in bin/comityd bin/comityctl share/comity/certs/make-anchor share/comity/certs/issue \
    share/comity/certs/revoke; do
    [ -x "$root/usr/$file" ] || fail "/usr/$file is not there, or cannot be run"
done
for file in share/man/man1/comityctl.1 share/man/man5/comity.conf.5 share/man/man8/comityd.8 \
    share/doc/comity/README.md share/doc/comity/CONFIGURATION.md share/doc/comity/PROTOCOL.md \
    share/comity/certs/openssl.cnf share/comity/data/ORIGIN.md lib/systemd/system/comityd.service \
    lib/sysusers.d/comity.conf lib/tmpfiles.d/comity.conf; do
    [ -s "$root/usr/$file" ] || fail "/usr/$file is not there, or empty"
done

unit=$root/usr/lib/systemd/system/comityd.service
grep -q '^ExecStart=/usr/bin/comityd --config /etc/comity/comity.conf$' "$unit" ||
    fail "the unit starts: $(grep ExecStart= "$unit")"
if grep -q '@' <(grep -v '^#\|^SystemCallFilter' "$unit"); then
    fail "something in the unit was not filled in: $(grep '@' "$unit")"
fi
"$root/usr/bin/comityctl" --help >/dev/null || fail "the installed comityctl does not run"
"$root/usr/bin/comityd" --version >/dev/null || fail "the installed comityd does not run"

# Nothing that is installed may be written by others, or name the place where it was built.
loose=$(find "$root/usr" -perm /022 ! -type l)
[ -z "$loose" ] || fail "may be written by others: $loose"
if grep -rIl -- "$build" "$root/usr"; then fail "the files above name $build"; fi
if command -v man >/dev/null; then
    for page in man1/comityctl.1 man5/comity.conf.5 man8/comityd.8; do
        said=$(MANROFFSEQ='' LC_ALL=C.UTF-8 man --warnings -l -Tutf8 -Z \
            "$root/usr/share/man/$page" 2>&1 >/dev/null || true)
        [ -z "$said" ] || fail "$page: $said"
    done
fi
echo "done"
