#!/usr/bin/env bash
# A daemon that cannot start says why and what to do next, changes nothing, and starts once it is
# put right.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

node_make KE Kenya
CONF=$WORK/KE/comity.conf
DATA=$WORK/KE/data
IDENTITY=$WORK/KE/identity
CERTS=$PWD/certs
AS_USER=(setpriv --reuid "$OPERATOR" --regid "$OPERATOR" --clear-groups)
cp -a "$WORK/KE" "$WORK/good"

restore_good() {
    umount "$DATA" 2>/dev/null || true
    rm -rf "$WORK/KE"
    cp -a "$WORK/good" "$WORK/KE"
}

# What the daemon says when it is started; it must end by itself, and not by a signal.
start() { # [WRAPPER...]
    local status=0
    timeout -k 1 10 "$@" "$BIN/comityd" --config "$CONF" >"$WORK/said" 2>&1 || status=$?
    STATUS=$status
}

refuses() { # WHAT EXIT-STATUS TEXT [WRAPPER...]
    local what=$1 status=$2 text=$3
    shift 3
    start "$@"
    [ "$STATUS" -eq "$status" ] ||
        fail "$what: exit status $STATUS where $status belongs: $(cat "$WORK/said")"
    grep -qE -- "$text" "$WORK/said" || fail "$what: '$text' is not in: $(cat "$WORK/said")"
    grep -q 'next' "$WORK/said" || fail "$what: no next step in: $(cat "$WORK/said")"
    if grep -qE 'event=started|Sanitizer' "$WORK/said"; then
        fail "$what: it started: $(cat "$WORK/said")"
    fi
    printf '   %-32s %s\n' "$what" "$(grep -E -m 1 -- "$text" "$WORK/said" | sed 's/.*reason=//' | cut -c 1-150)"
}

say "databases"
sqlite3 "$DATA/comity.db" 'pragma user_version = 9999' >/dev/null
refuses "written by a newer version" 1 'newer Comity.*schema 9999'
restore_good

head -c 6000 /dev/urandom | dd of="$DATA/comity.db" bs=1 seek=8192 conv=notrunc status=none
refuses "damaged" 1 'damaged|root.slot'
restore_good

head -c 65536 /dev/urandom >"$DATA/comity.db"
refuses "not a database at all" 1 'not a database|no database|damaged'
restore_good

sqlite3 "$WORK/other.db" 'create table t (a); insert into t values (1)'
cp "$WORK/other.db" "$DATA/comity.db"
refuses "another program's database" 1 'no database of Comity'
restore_good

truncate -s 0 "$DATA/comity.db"
refuses "empty" 1 'there is no database'
restore_good

rm "$DATA/comity.db"
refuses "missing" 1 'there is no database'
[ ! -e "$DATA/comity.db" ] || fail "a start made a database"
restore_good

rm "$DATA/root.slot"
refuses "without its root key" 1 'root.slot is missing'
restore_good

head -c 8192 /dev/urandom >"$DATA/root.slot"
refuses "another root key" 1 'root.slot'
restore_good

rm "$DATA/heads"
refuses "without its heads" 1 'heads is missing'
restore_good

rm -rf "$DATA"
refuses "no directory" 1 'there is no database|No such file'
restore_good

node_start KE
refuses "in use by another comityd" 1 'other process|another'
kill -0 "${NODE_PID[KE]}" || fail "the first one did not survive the second"
node_stop KE

say "a disk without room"
if mount -t tmpfs -o size=1m none "$DATA" 2>/dev/null; then
    cp -a "$WORK/good/data/." "$DATA/"
    dd if=/dev/zero of="$DATA/filler" bs=4k status=none 2>/dev/null || true
    start
    case $STATUS in
    124) grep -q event=started "$WORK/said" || fail "full disk: neither started nor refused" ;;
    1) grep -qE '(no space|no room|full).*next' "$WORK/said" || fail "full disk: $(cat "$WORK/said")" ;;
    *) fail "full disk: exit status $STATUS: $(cat "$WORK/said")" ;;
    esac
    printf '   %-32s %s\n' "full file system" "$(sed 's/.*reason=//' "$WORK/said" | head -n 1 | cut -c 1-150)"
else
    echo "   (file systems cannot be mounted here)"
fi
restore_good
if strace -o /dev/null true 2>/dev/null; then
    refuses "I/O errors when reading" 1 'I/O|disk' \
        strace -f -qq -o "$WORK/trace" -P "$DATA/comity.db" -e trace=pread64 -e inject=pread64:error=EIO
fi

say "what it may not write"
chown -R "$OPERATOR" "$WORK/KE"
chmod 0555 "$DATA"
refuses "a directory that is not writable" 1 'readonly database; next: .*chown' "${AS_USER[@]}"
chmod 0755 "$DATA"
chown root "$DATA/comity.db"
refuses "a database of another user" 1 'unable to open.*; next: .*chown' "${AS_USER[@]}"
chown "$OPERATOR" "$DATA/comity.db"
chown root "$WORK/KE"
refuses "a socket where it may not write" 1 'control.sock: permission denied; next: .*chown' "${AS_USER[@]}"
restore_good

say "ports and sockets"
set_key() { sed -i "s#^$1 = .*#$1 = $2#" "$CONF"; }
node_make GB "United Kingdom"
node_start GB
set_key listen "127.0.0.1:${NODE_PORT[GB]}"
refuses "a port in use" 1 'address already in use; next: .*ss -ltnp'
grep -q 'event=stopping reason=' "$WORK/said" || fail "a signal that nobody sent: $(cat "$WORK/said")"
restore_good
set_key listen 192.0.2.1:4000
refuses "an address of another machine" 1 'address not available; next: .*ip address'
restore_good
set_key socket "$WORK/GB/control.sock"
refuses "the socket of another node" 1 'another comityd answers.*; next: stop it'
operator GB status >/dev/null || fail "the other node lost its socket"
restore_good
echo "not a socket" >"$WORK/KE/control.sock"
refuses "a file in the place of the socket" 1 'is no socket; next: move it away'
grep -q "not a socket" "$WORK/KE/control.sock" || fail "it was overwritten"
restore_good
set_key socket "$WORK/none/control.sock"
refuses "no directory for the socket" 1 'no directory for the socket; next: make it'
restore_good
node_start KE
node_kill KE
[ -S "$WORK/KE/control.sock" ] || fail "no socket was left"
node_start KE
operator KE status >/dev/null || fail "a socket that was left over was not replaced"
node_stop KE

say "what is another node's"
set_key directory "$WORK/GB/identity"
sed -i "0,/^directory = .*/s##directory = $DATA#" "$CONF" # the first is that of [storage]
refuses "the identity of another node" 1 "GB's anchor certificate, where one of KE belongs"
restore_good
node_stop GB
sed -i "0,/^directory = .*/s##directory = $WORK/GB/data#" "$CONF"
refuses "the database of another node" 1 'database of GB in training, and the configuration is that of KE'
restore_good

say "keys and certificates"
for role in tls log receipt; do
    chmod 0644 "$IDENTITY/$role.key"
    refuses "$role.key that others can read" 1 "$role.key"
    restore_good
done
"$CERTS/make-requests" --realm training --code KE --directory "$WORK/new" >/dev/null 2>&1
for role in tls log receipt witness; do
    cp "$WORK/new/$role.key" "$IDENTITY/$role.key"
    chmod 0600 "$IDENTITY/$role.key"
    refuses "$role.key of another certificate" 1 "$role.key does not belong to $role.crt"
    restore_good
done
rm "$IDENTITY/log.key"
refuses "a missing key" 1 'log.key'
restore_good
echo "not a key" >"$IDENTITY/tls.key"
refuses "a key that is none" 1 'tls.key'
restore_good
cp "$IDENTITY/log.crt" "$IDENTITY/tls.crt"
refuses "a log certificate as tls.crt" 1 "where a tls certificate belongs"
restore_good
refuses "an identity of another user" 1 'Permission denied; next: .*chown' "${AS_USER[@]}"
rm "$IDENTITY/card.pem"
refuses "a missing card" 1 'card.pem'
restore_good

say "configuration: all problems at once, with file and line"
cat >"$CONF" <<T
[node]
realm = Training
code = kenya
realm = training
[storage]
directory = relative/path
[network]
listen = 127.0.0.1:99999
dial = perhaps
colour = blue
[nowhere]
key = value
[control]
socket = $WORK/KE/control.sock
operators = nobody-of-that-name
[log]
level = loud
T
start
[ "$STATUS" -eq 78 ] || fail "wrong configuration: exit status $STATUS: $(cat "$WORK/said")"
while read -r line word; do
    grep -qE "comity.conf:$line: .*$word" "$WORK/said" ||
        fail "line $line ($word) is not reported in: $(cat "$WORK/said")"
done <<'T'
2 realm
3 code
4 realm
6 directory
8 listen
9 dial
10 colour
11 nowhere
15 operators
17 level
T
grep -q 'name: is missing' "$WORK/said" || fail "the missing name is not reported"
grep -q 'next' "$WORK/said" || fail "no next step in: $(cat "$WORK/said")"
sed 's/^/   /' "$WORK/said"
restore_good
rm "$CONF"
start
[ "$STATUS" -eq 78 ] || fail "missing configuration: exit status $STATUS: $(cat "$WORK/said")"
grep -q 'comity.conf' "$WORK/said" || fail "missing configuration: $(cat "$WORK/said")"
chmod 0600 "$WORK/good/comity.conf"
restore_good
for wrapper in "" "${AS_USER[*]}"; do
    [ -n "$wrapper" ] || { rm "$CONF" && mkdir "$CONF"; }
    # shellcheck disable=SC2086  # words of a command
    start $wrapper
    [ "$STATUS" -eq 78 ] || fail "unreadable configuration: exit status $STATUS: $(cat "$WORK/said")"
    grep -qE '(not a regular file|Permission denied); next: ' "$WORK/said" ||
        fail "unreadable configuration: $(cat "$WORK/said")"
    restore_good
done

say "a reload with a wrong configuration changes nothing"
node_start KE
sed -i 's/^level = info/level = loud/' "$CONF"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "refusal" grep -q 'event=reload_refused' "$WORK/KE.log"
grep -q 'event=config_problem.*comity.conf:[0-9]*: .*loud' "$WORK/KE.log" || fail "no line in the log"
operator KE status >/dev/null || fail "the node does not serve"
sed -i 's/^level = loud/level = info/' "$CONF"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "reload" grep -q 'event=reloaded' "$WORK/KE.log"

say "put right, it starts"
node_stop KE
node_start KE
operator KE check >/dev/null || fail "check"
node_stop KE
say "done"
