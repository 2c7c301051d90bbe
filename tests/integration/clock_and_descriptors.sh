#!/usr/bin/env bash
# Clocks that jump: what has expired is locked at once, and a jump to 2099 erases nothing.  And a
# process without descriptors: it says so, keeps its sessions, and takes new ones when it can.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
FAKE=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
state() { operator UNODC received --all --json | grep -o '"state": *"[a-z]*"' | sed 's/.*"\(.*\)"/\1/' | sort -u; }
at() { # CODE TIME: starts it there
    node_start "$1" env LD_PRELOAD="$FAKE" FAKETIME="$2" FAKETIME_DONT_FAKE_MONOTONIC=1
}

node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC First "Kept until the end of 2027."
wait_for 20 "delivery" holds UNODC First
wait_for 20 "receipt" all_receipted KE

if [ -n "$FAKE" ]; then
    say "the holder's clock jumps behind the end of the consent: locked by itself, without its publisher"
    node_stop KE
    node_stop UNODC
    at UNODC "+500d"
    locked() { [ "$(state)" = locked ]; }
    wait_for 10 "lock" locked
    if operator UNODC received show "$(operator UNODC received --all --json |
        grep -o '"record": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{32\}')" >"$WORK/said" 2>&1; then
        fail "an expired record was shown"
    fi
    node_stop UNODC

    say "a jump to 2099 under a running node: locked, and nothing is erased"
    echo "+0d" >"$WORK/time"
    node_start UNODC env LD_PRELOAD="$FAKE" FAKETIME_TIMESTAMP_FILE="$WORK/time" FAKETIME_NO_CACHE=1 \
        FAKETIME_DONT_FAKE_MONOTONIC=1
    echo "@2099-01-01 00:00:00" >"$WORK/time"
    for _ in 1 2 3 4; do
        operator UNODC status >"$WORK/said"
        sleep 0.5
    done
    [ "$(state)" = locked ] || fail "it is $(state)"
    operator UNODC check >/dev/null || fail "check"
    node_stop UNODC
    if timeout 10 env LD_PRELOAD="$FAKE" FAKETIME="@2099-01-01 00:00:00" \
        "$BIN/comityd" --config "$WORK/UNODC/comity.conf" >"$WORK/said" 2>&1; then
        fail "it started in 2099, when its anchor has ended"
    fi
    grep -q 'was valid until.*next' "$WORK/said" || fail "not said why: $(cat "$WORK/said")"
    printf '   %s\n' "$(sed 's/.*reason=//' "$WORK/said" | head -n 1 | cut -c 1-150)"

    say "a publisher whose clock is 500 days ahead withdraws nothing, and says what to do"
    at KE "+500d"
    asked() { operator KE alarm list | grep -q clock_ahead; }
    wait_for 10 "alarm" asked
    operator KE alarm list >"$WORK/said"
    tr -s ' \n' ' ' <"$WORK/said" | grep -q 'look at the clock' || fail "not said what to do: $(cat "$WORK/said")"
    operator KE consent list | grep -q active || fail "the consent has ended: $(operator KE consent list)"
    node_stop KE
    node_start KE
    node_start UNODC
    wait_for 20 "delivery" holds UNODC First
    operator KE consent list | grep -q active || fail "the consent has ended when the clock was right"
    node_stop KE
    node_stop UNODC

    say "in 2001: the node's own certificates are not valid yet, and it says so"
    if timeout 10 env LD_PRELOAD="$FAKE" FAKETIME="@2001-01-01 00:00:00" \
        "$BIN/comityd" --config "$WORK/UNODC/comity.conf" >"$WORK/said" 2>&1; then
        fail "it started in 2001"
    fi
    grep -q 'valid from.*next' "$WORK/said" || fail "not said why: $(cat "$WORK/said")"
    printf '   %s\n' "$(sed 's/.*reason=//' "$WORK/said" | head -n 1 | cut -c 1-150)"

    say "the right time again: nothing was lost, and a withdrawal still erases"
    node_start KE
    node_start UNODC
    wait_for 20 "connection" grep -q event=peer_connected "$WORK/UNODC.log"
    held() { [ "$(state)" = held ]; }
    wait_for 10 "the lock of the wrong clock to lift" held
    operator KE consent revoke "$CONSENT" --reason "no longer needed" >/dev/null || fail "revoke"
    erased() { operator KE given --json | grep -q '"state": *"erased"'; }
    wait_for 20 "erasure receipt" erased
    operator UNODC check >/dev/null || fail "check"
else
    echo "   (libfaketime is not here)"
fi

say "no descriptors left"
node_stop UNODC
node_start UNODC prlimit --nofile=96
wait_for 30 "connection" grep -q event=peer_connected "$WORK/UNODC.log"
HOLDERS=""
for _ in 1 2 3; do
    (
        for _ in $(seq 30); do
            # shellcheck disable=SC2034  # it is only held
            exec {fd}<>"/dev/tcp/127.0.0.1/${NODE_PORT[UNODC]}" || true
        done
        sleep 20
    ) 2>/dev/null &
    HOLDERS="$HOLDERS $!"
done
paused() { grep -qE 'event=(accept_paused|refused|accept_failed)' "$WORK/UNODC.log"; }
wait_for 10 "refusal of its own" paused
operator UNODC status >/dev/null || fail "no status without descriptors"
give KE UNODC Second "Through the session that is there."
wait_for 10 "delivery without descriptors" holds UNODC Second
# shellcheck disable=SC2086  # process ids
kill $HOLDERS 2>/dev/null || true
node_stop KE
lines=$(wc -l <"$WORK/UNODC.log")
node_start KE
again() { tail -n "+$((lines + 1))" "$WORK/UNODC.log" | grep -q 'event=peer_connected'; }
wait_for 20 "a new connection" again
grep -oE 'event=(accept_paused|refused|accept_failed).*' "$WORK/UNODC.log" | head -n 1 | sed 's/^/   /'
node_stop UNODC
say "done"
