#!/usr/bin/env bash
# Strangers and an accepted peer that misbehave: slow ones, noise before and behind TLS, frames that
# nobody asked for.  Each is shown out with its reason in the log, memory stays flat, and another
# peer is served meanwhile.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

attacked_nodes
PID=${NODE_PID[UNODC]}
PORT=${NODE_PORT[UNODC]}

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$PID/status"; }
alive() { kill -0 "$PID" || fail "UNODC did not survive $1"; }
served() { # WHAT: a record of KE arrives all the same
    give KE UNODC "Meanwhile: $1" "Another peer is served."
    wait_for 10 "delivery while $1" holds UNODC "Meanwhile: $1"
}
MARK=0
mark() { MARK=$(wc -l <"$WORK/UNODC.log"); }
logged() { tail -n "+$((MARK + 1))" "$WORK/UNODC.log" | grep -qE -- "$1"; }

served "nothing happens"
BEFORE=$(resident)

say "noise where TLS belongs"
for bytes in 1 5 100 20000; do
    mark
    head -c "$bytes" /dev/urandom | timeout 8 openssl s_client -connect "127.0.0.1:$PORT" >/dev/null 2>&1 || true
    (
        exec 3<>"/dev/tcp/127.0.0.1/$PORT"
        head -c "$bytes" /dev/urandom >&3 2>/dev/null || true
        printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&3 2>/dev/null || true
        timeout 7 cat <&3 >/dev/null || true
    ) 2>/dev/null || true
    wait_for 10 "refusal of $bytes bytes of noise" logged 'event=handshake_failed'
    alive "noise"
done

say "strangers that say nothing, or a byte now and then: cut after 5 s, and others are served meanwhile"
mark
for _ in $(seq 30); do
    (
        exec 3<>"/dev/tcp/127.0.0.1/$PORT"
        for _ in $(seq 45); do # longer than anybody waits below: only the node ends it
            printf '\x16' >&3 || exit 0
            sleep 2 # the fifth byte would show that it is no TLS
        done
    ) 2>/dev/null &
    SLOW="${SLOW:-} $!"
done
served "thirty slow strangers wait"
connections() { ss -tnH state established "( sport = :$PORT )" | wc -l; }
few() { [ "$(connections)" -le 2 ]; }
wait_for 12 "end of the slow strangers" few
logged 'event=handshake_failed.*took too long' || fail "not said why they were cut"
# shellcheck disable=SC2086  # process ids
kill $SLOW 2>/dev/null || true
alive "slow strangers"

say "a peer with a good certificate that does not keep to the protocol"
misbehaves() { # MODE REASON
    local status=0
    mark
    "$BIN/hostile_peer" "$WORK/GB/identity" training GB UNODC "$WORK/UNODC/identity/anchor.crt" \
        "$PORT" "$1" >"$WORK/said" 2>&1 || status=$?
    [ "$status" -eq 0 ] || fail "$1: status $status: $(cat "$WORK/said")"
    wait_for 5 "reason for $1" logged "event=session_closed peer=GB.*$2"
    printf '   %-18s %-22s %s\n' "$1" "$(cat "$WORK/said")" "$(tail -n "+$((MARK + 1))" "$WORK/UNODC.log" |
        grep -m 1 'event=session_closed peer=GB' | sed 's/.*status=/status=/' | cut -c 1-120)"
    alive "$1"
}
for early in early- ""; do
    misbehaves "${early}noise" 'status=invalid'
    misbehaves "${early}huge" 'status=limit'
    misbehaves "${early}empty" 'status=invalid'
    misbehaves "${early}query" 'status=(invalid|unsupported)'
    misbehaves "${early}nested" 'status=(invalid|limit)'
done
misbehaves hello 'status='
misbehaves flood 'status='
misbehaves early-silence 'no Hello within'
misbehaves early-unfinished 'no Hello within'
served "and after all of that"

say "memory is flat"
AFTER=$(resident)
printf '   %s KiB before, %s KiB after\n' "$BEFORE" "$AFTER"
[ "$AFTER" -lt $((BEFORE + 6144)) ] || fail "it grew from $BEFORE to $AFTER KiB"
operator UNODC check >/dev/null || fail "check"
ke_was_never_cut
node_stop UNODC
say "done"
