#!/usr/bin/env bash
# What comityd tells systemd: ready when it serves, alive while its store thread lives, reloading,
# stopping.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

cat >"$WORK/receive.py" <<'PY'
"""Writes each notification as one line; ends when nobody has the file any more."""
import os, socket, sys
path, out = sys.argv[1:]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(path)
os.chmod(path, 0o666)
with open(out, "w", buffering=1) as lines:
    while True:
        text = receiver.recv(4096).decode()
        if text == "END":
            break
        lines.write(text.replace("\n", " ") + "\n")
PY
python3 "$WORK/receive.py" "$WORK/notify.sock" "$WORK/notes" &
receiver=$!
end_receiver() {
    kill "$receiver" 2>/dev/null || true
    lib_end
}
trap end_receiver EXIT
wait_for 10 "receiver" test -S "$WORK/notify.sock"

told() { # TEXT: how often
    grep -c -- "$1" "$WORK/notes" || true
}
told_at_least() { [ "$(told "$1")" -ge "$2" ]; }
with_systemd=(env "NOTIFY_SOCKET=$WORK/notify.sock" WATCHDOG_USEC=400000)

say "a start that fails is never ready"
node_make KE Kenya
mv "$WORK/KE/data" "$WORK/data"
mkdir -m 0700 "$WORK/KE/data"
"${with_systemd[@]}" timeout 10 "$BIN/comityd" --config "$WORK/KE/comity.conf" \
    >"$WORK/said" 2>&1 && fail "it started without a database"
[ "$(told READY)" -eq 0 ] || fail "ready without a database"
rmdir "$WORK/KE/data"
mv "$WORK/data" "$WORK/KE/data"

say "ready means that it serves"
node_start KE "${with_systemd[@]}"
wait_for 5 "READY=1" told_at_least READY=1 1
operator KE status >/dev/null || fail "ready, and no answer"

say "the watchdog is fed, also while a check is at work"
wait_for 5 "WATCHDOG=1" told_at_least WATCHDOG=1 3
operator KE check >/dev/null || fail "check"
before=$(told WATCHDOG=1)
wait_for 5 "WATCHDOG=1 after a check" told_at_least WATCHDOG=1 "$((before + 2))"

say "a reload says so and is ready again, also when it was refused"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "RELOADING=1" told_at_least RELOADING=1 1
wait_for 5 "READY=1 after the reload" told_at_least READY=1 2
grep -q event=reloaded "$WORK/KE.log" || fail "no reload in the log"
printf 'nonsense\n' >>"$WORK/KE/comity.conf"
kill -HUP "${NODE_PID[KE]}"
wait_for 5 "READY=1 after the refusal" told_at_least READY=1 3
grep -q event=reload_refused "$WORK/KE.log" || fail "a wrong file was taken"
operator KE status >/dev/null || fail "the node suffered from a wrong file"

say "stopping is said before the end"
node_stop KE
[ "$(told STOPPING=1)" -eq 1 ] || fail "STOPPING=1: $(told STOPPING=1) times"
tail -n 1 "$WORK/notes" | grep -q STOPPING=1 || fail "something was said after STOPPING=1"

say "done"
