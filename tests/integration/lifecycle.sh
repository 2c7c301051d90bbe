#!/usr/bin/env bash
# Start, reload and stop of one node; every refusal says why and what to do next.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

# The node does not start, and its last words contain TEXT and a next step.
refuses() { # WHAT STATUS TEXT
    local status=0
    timeout 20 "$BIN/comityd" --config "$WORK/KE/comity.conf" >"$WORK/out" 2>&1 || status=$?
    [ "$status" -eq "$2" ] || fail "$1: exit status $status, not $2: $(cat "$WORK/out")"
    grep -q -- "$3" "$WORK/out" || fail "$1: \"$3\" is not in: $(cat "$WORK/out")"
}

say "wrong usage"
for wrong in --nonsense "--create --check-config" stray --config --create=yes; do
    status=0
    # shellcheck disable=SC2086  # two options in one word
    "$BIN/comityd" $wrong >"$WORK/out" 2>&1 || status=$?
    [ "$status" -eq 2 ] || fail "comityd $wrong ended with $status"
    grep -q '^next: comityd --help' "$WORK/out" || fail "comityd $wrong: no next step: $(cat "$WORK/out")"
    grep -q '^comityd: ' "$WORK/out" || fail "comityd $wrong: $(cat "$WORK/out")"
done
"$BIN/comityd" --version | grep -q '^comityd [0-9]' || fail "--version"
"$BIN/comityd" --help | grep -q -- --restore || fail "--help"
# The page and --help name the same options and exit statuses.
"$BIN/comityd" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >"$WORK/told"
sed -n '/^.SH OPTIONS/,/^.SH SIGNALS/p' docs/man/comityd.8 | sed 's/\\-/-/g' | grep '^\.B' |
    grep -o -- '--[a-z-]*' | sort >"$WORK/paged"
diff "$WORK/told" "$WORK/paged" || fail "comityd --help and comityd.8 name different options"
"$BIN/comityd" --help | sed -n 's/^Exit status: //p' | grep -o '[0-9]\+' >"$WORK/told"
sed -n '/^.SH EXIT STATUS/,/^.SH FILES/s/^\.B \([0-9]*\)$/\1/p' docs/man/comityd.8 >"$WORK/paged"
diff "$WORK/told" "$WORK/paged" || fail "comityd --help and comityd.8 name different exit statuses"

node_make KE Kenya
data=$WORK/KE/data identity=$WORK/KE/identity conf=$WORK/KE/comity.conf

say "a wrong configuration: all problems at once, with their lines"
cp "$conf" "$WORK/good"
printf 'speed = 9\n[nonsense]\n' >>"$conf"
status=0
"$BIN/comityd" --config "$conf" --check-config >"$WORK/out" 2>&1 || status=$?
[ "$status" -eq 78 ] || fail "check-config ended with $status"
[ "$(grep -c 'comity.conf:[0-9]' "$WORK/out")" -eq 2 ] || fail "problems: $(cat "$WORK/out")"
cp "$WORK/good" "$conf"
"$BIN/comityd" --config "$conf" --check-config >/dev/null || fail "the good file was refused"

say "keys that are missing, readable by others, or of another certificate"
mv "$identity/log.key" "$WORK/log.key"
refuses "missing key" 1 log.key
cp "$WORK/log.key" "$identity/log.key"
chmod 0644 "$identity/log.key"
refuses "readable key" 1 log.key
cp "$identity/receipt.key" "$identity/log.key"
chmod 0600 "$identity/log.key"
refuses "another key" 1 "log.key does not belong to log.crt"
cp "$WORK/log.key" "$identity/log.key"
chmod 0600 "$identity/log.key"

say "a database that is missing, no database, or damaged"
mv "$data" "$WORK/data"
mkdir -m 0700 "$data"
refuses "missing database" 1 next
head -c 65536 /dev/urandom >"$data/comity.db"
refuses "no database" 1 next
rm -r "$data"
cp -a "$WORK/data" "$data"
: >"$data/root.slot"
refuses "empty root slot" 1 root
rm -r "$data"
mv "$WORK/data" "$data"

say "a second node on the same database"
node_start KE
refuses "second node" 1 next
as "$AUDITOR" KE status >/dev/null || fail "the first node suffered from it"

say "who is in no list is cut off, and the log says so"
if as 2099 KE status >/dev/null 2>&1; then fail "a stranger was answered"; fi
wait_for 5 "log line" grep -q 'control_refused.*uid=2099' "$WORK/KE.log"
if as 0 KE status >/dev/null 2>&1; then fail "root is in no list, and was answered"; fi
if as "$AUDITOR" KE peer block UNODC >/dev/null 2>&1; then fail "an auditor changed something"; fi

say "the log names operations; what was read well is not worth a line"
operator KE excerpt retire 0123456789 >/dev/null 2>&1 || true
wait_for 5 "log line" grep -q \
    'event=control operation=excerpt.retire uid=2001 .*status=not-found' "$WORK/KE.log"
grep -q 'event=control operation=peer.block uid=2003 .*status=denied' "$WORK/KE.log" ||
    fail "the auditor's attempt is not in the log"
if grep -q 'operation=status' "$WORK/KE.log"; then fail "a line for each look at the status"; fi

say "a backup goes on when nobody waits for it, and a check when others work"
setpriv --reuid 2001 --clear-groups timeout 0.05 "$BIN/comityctl" \
    --socket "$WORK/KE/control.sock" backup create left.backup >/dev/null 2>&1 || true
operator KE backup create second.backup >/dev/null 2>&1 || true
wait_for 10 "backup" test -s "$data/keys.bundle"
operator KE check >/dev/null || fail "check"

say "reload: takes what it may, refuses what it may not, and goes on"
sed -i "s/^auditors = .*/auditors = 2099/" "$conf"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "reload" grep -q event=reloaded "$WORK/KE.log"
as 2099 KE status >/dev/null || fail "the new auditor was refused"
if as "$AUDITOR" KE status >/dev/null 2>&1; then fail "the old auditor was answered"; fi
sed -i "s/^realm = .*/realm = live/" "$conf"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "refusal" grep -q 'reload_refused.*realm cannot change' "$WORK/KE.log"
printf 'nonsense\n' >>"$conf"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "refusal" grep -q 'config_problem.*nonsense' "$WORK/KE.log"
as 2099 KE status >/dev/null || fail "the node suffered from a wrong file"
cp "$WORK/good" "$conf"
"$BIN/comityctl" node init --realm training --code KE --name Kenya --directory "$WORK/another" >/dev/null
mv "$WORK/KE/identity" "$WORK/identity"
cp -a "$WORK/another/identity" "$WORK/KE/identity"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "refusal" grep -q 'reload_refused.*anchor cannot change.*next' "$WORK/KE.log"
rm "$WORK/KE/identity/tls.key"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "refusal" grep -q 'reload_refused.*tls.key' "$WORK/KE.log"
rm -r "$WORK/KE/identity"
mv "$WORK/identity" "$WORK/KE/identity"
as "$OPERATOR" KE status >/dev/null || fail "the node suffered from keys that are not its own"

say "garbage on both sockets"
head -c 100000 /dev/urandom >"$WORK/noise"
(cat "$WORK/noise" >"/dev/tcp/127.0.0.1/${NODE_PORT[KE]}") 2>/dev/null || true
wait_for 10 "refusal" grep -q handshake_failed "$WORK/KE.log"
setpriv --reuid 2099 --clear-groups /usr/bin/python3 - "$WORK/KE/control.sock" <<'PY'
import socket, sys
for bytes_ in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\4\xff\xff\xff\xff"):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.sendall(bytes_)
    s.recv(4096)
    s.close()
PY
as 2099 KE status >/dev/null || fail "the node suffered from garbage"

say "an idle node is small"
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/${NODE_PID[KE]}/status")
echo "   $rss KiB resident"
[ "$rss" -le 16384 ] || fail "an idle node takes $rss KiB"

say "kill -9, start, clean stop"
node_kill KE
node_start KE
node_stop KE
[ ! -e "$WORK/KE/control.sock" ] || fail "the socket was left behind"
grep -q event=stopped "$WORK/KE.log" || fail "no last line"
say "done"
