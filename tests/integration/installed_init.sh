#!/usr/bin/env bash
# `comityctl node init` without --directory, as an administrator (root) types it on an installed
# system: /etc/comity and /var/lib/comity, given to the user comity, as whom the daemon then starts.
# In a mount namespace of its own, with copies: the system that this runs on is not touched.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
if [ "${1:-}" != --inside ]; then
    lib_begin "$@"
    unshare --mount true 2>/dev/null || {
        echo "skipped: there are no mount namespaces here"
        exit 77
    }
    unshare --mount --propagation private "$0" --inside "$BIN"
    exit
fi
shift
lib_begin "$@"
DAEMON=2077
mkdir "$WORK/etc" "$WORK/lib" "$WORK/run"
cp -a /etc/. "$WORK/etc/"
rm -rf "$WORK/etc/comity"
sed -i '/^comity:/d' "$WORK/etc/passwd"
echo "comity:x:$DAEMON:$DAEMON:Comity:/var/lib/comity:/usr/sbin/nologin" >>"$WORK/etc/passwd"
mount --bind "$WORK/etc" /etc
mount --bind "$WORK/lib" /var/lib
mount --bind "$WORK/run" /run
PATH=$BIN:$PATH

init() { comityctl node init --realm training --code KE --name Kenya --operators "$OPERATOR" \
    --approvers "$APPROVER" "$@"; }

say "a new node where the package has it, and nothing of it is root's that the daemon must read"
init --listen 127.0.0.1:7700 >"$WORK/said" 2>&1 || fail "node init: $(cat "$WORK/said")"
grep -q 'systemctl enable --now comityd' "$WORK/said" || fail "no next step: $(cat "$WORK/said")"
for file in /etc/comity/identity /etc/comity/identity/log.key /etc/comity/identity/tls.crt \
    /var/lib/comity /var/lib/comity/comity.db /var/lib/comity/root.slot /var/lib/comity/heads; do
    [ "$(stat -c %u "$file")" = "$DAEMON" ] || fail "$file belongs to uid $(stat -c %u "$file")"
done
for file in /etc/comity/identity/*.key /var/lib/comity/root.slot; do
    [ "$(stat -c %a "$file")" = 600 ] || fail "$file has mode $(stat -c %a "$file")"
done
[ "$(stat -c %u /etc/comity/comity.conf)" = 0 ] || fail "the daemon could change its own configuration"

say "the daemon starts as that user and serves"
mkdir -m 0755 /run/comity
chown "$DAEMON" /run/comity
setpriv --reuid "$DAEMON" --regid "$DAEMON" --clear-groups comityd --config /etc/comity/comity.conf \
    2>"$WORK/KE.log" &
NODE_PID[KE]=$!
NODE_PORT[KE]=7700
wait_for 10 "start" grep -q event=started "$WORK/KE.log"
setpriv --reuid "$OPERATOR" --regid "$OPERATOR" --clear-groups comityctl status >"$WORK/said" 2>&1 ||
    fail "status, with neither --socket nor --config: $(cat "$WORK/said")"
node_stop KE

say "a second time it is refused, and the first stays as it is"
before=$(find /etc/comity /var/lib/comity -type f -exec sha256sum {} + | sort)
if init >"$WORK/said" 2>&1; then fail "it was overwritten"; fi
grep -q 'is there already' "$WORK/said" || fail "not said why: $(cat "$WORK/said")"
[ "$(find /etc/comity /var/lib/comity -type f -exec sha256sum {} + | sort)" = "$before" ] || fail "changed"
say "done"
