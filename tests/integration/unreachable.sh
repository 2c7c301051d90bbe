#!/usr/bin/env bash
# comityctl that does not reach its daemon says what, why and what to do next, and ends with 3; a user
# who is in no list, with 5.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

node_make KE Kenya
SOCKET=$WORK/KE/control.sock

# What comityctl says to a user of that number.
says() { # UID STATUS WHAT WHY NEXT ARGUMENT...
    local uid=$1 wanted=$2 what=$3 why=$4 next=$5 status=0
    shift 5
    setpriv --reuid "$uid" --regid "$uid" --clear-groups "$BIN/comityctl" "$@" status \
        >"$WORK/said" 2>&1 || status=$?
    [ "$status" -eq "$wanted" ] || fail "$what: exit status $status: $(cat "$WORK/said")"
    grep -qE -- "$why" "$WORK/said" || fail "$what: '$why' is not in: $(cat "$WORK/said")"
    grep -qE -- "^next: .*$next" "$WORK/said" || fail "$what: '$next' is not next: $(cat "$WORK/said")"
    printf '   %-32s %s\n' "$what" "$(head -n 1 "$WORK/said" | cut -c 1-150)"
}

say "nobody there"
says "$OPERATOR" 3 "no socket" 'No such file' 'systemctl start comityd' --socket "$SOCKET"
says "$OPERATOR" 3 "no node of that name" 'No such file' '--config' --config /nonexistent.conf
echo "not a socket" >"$WORK/file"
chmod 0666 "$WORK/file"
says "$OPERATOR" 3 "a file" 'that is no socket' 'name the socket' --socket "$WORK/file"
node_start KE
node_kill KE
says "$OPERATOR" 3 "a socket that was left over" 'ended without removing it' 'systemctl start' \
    --socket "$SOCKET"

say "not allowed"
node_start KE
says 4444 5 "a user in no list" 'does not list .you are uid 4444' 'operators' --socket "$SOCKET"
grep -q 'event=control_refused uid=4444' "$WORK/KE.log" || fail "not in the log"
chmod 0700 "$WORK/KE"
says "$OPERATOR" 3 "a directory that is closed" "Permission denied .you are uid $OPERATOR" 'directory' \
    --socket "$SOCKET"
chmod 0755 "$WORK/KE"
chmod 0600 "$WORK/KE/comity.conf"
says "$OPERATOR" 3 "a configuration that is closed" 'comity.conf: cannot be opened: Permission denied' \
    '--socket' --config "$WORK/KE/comity.conf"
chmod 0644 "$WORK/KE/comity.conf"
operator KE status >/dev/null || fail "the node does not serve"
node_stop KE
say "done"
