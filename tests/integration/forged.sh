#!/usr/bin/env bash
# An accepted peer, with right keys, that forges: batches with a wrong root, signature, place,
# commitment or feed, and receipts of what it was not sent.  Each is named in the log with its status
# and a penalty, the connection is closed, nothing is stored, and others are served.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

attacked_nodes

MARK=0
mark() { MARK=$(wc -l <"$WORK/UNODC.log"); }
logged() { tail -n "+$((MARK + 1))" "$WORK/UNODC.log" | grep -qE -- "$1"; }
# What the forger may not change.
stored() {
    operator UNODC received --all --json
    operator UNODC given --json | tr ',' '\n' | { grep -o '"receipted": *"[^"]*"' || true; }
}
served() { # WHAT
    give KE UNODC "Meanwhile: $1" "Another peer is served."
    wait_for 10 "delivery while $1" holds UNODC "Meanwhile: $1"
}
once() { # MODE: runs it; after a penalty the address has to wait, so it is tried again
    local tries
    mark
    for tries in $(seq 30); do
        if "$BIN/forging_peer" "$WORK/GB/identity" training GB UNODC "$WORK/UNODC/identity/anchor.crt" \
            "${NODE_PORT[UNODC]}" "$1" >"$WORK/said" 2>&1; then return; fi
        [ "$tries" -lt 30 ] || fail "$1: $(cat "$WORK/said")"
        sleep 1
    done
}
forges() { # MODE STATUS WORDS
    local before
    before=$(stored)
    once "$1"
    [ "$(cat "$WORK/said")" = closed ] || fail "$1: $(cat "$WORK/said")"
    wait_for 5 "the reason for $1" logged "event=session_closed peer=GB status=$2 penalty=yes .*$3"
    [ "$(stored)" = "$before" ] || fail "$1 left something: $(diff <(echo "$before") <(stored))"
    printf '   %-20s %s\n' "$1" "$(tail -n "+$((MARK + 1))" "$WORK/UNODC.log" |
        grep -m 1 'event=session_closed peer=GB' | sed 's/.*status=/status=/' | cut -c 1-130)"
}

say "batches"
forges batch-root mismatch "root"
forges batch-signature 'signature' "."
forges batch-index '(invalid|mismatch)' "."
forges batch-commitment '(mismatch|invalid)' "commitment"
forges batch-other-feed '(invalid|mismatch|denied)' "."
served "batches were forged"

say "receipts"
give UNODC GB "For the forger" "Something that has to be receipted."
once receipt-none # it is sent, and stands in given
forges receipt-signature 'signature' "."
forges receipt-root '(signature|mismatch)' "."
forges receipt-size '(signature|mismatch|invalid)' "."
forges receipt-other-feed '(signature|mismatch|invalid)' "."
operator UNODC given --to GB --json | grep -q '"state": *"receipted"' && fail "a forged receipt counts"
once receipt-late
receipted() { operator UNODC given --to GB --json | grep -q '"state": *"receipted"'; }
wait_for 5 "the right receipt" receipted
give UNODC GB "For the forger again" "Receipted a day before the first one."
once receipt-none
forges receipt-back '(signature|mismatch|invalid)' "time"
served "receipts were forged"

say "the same without a lie is taken: the tests above can fail"
once batch-honest
[ "$(cat "$WORK/said")" = receipt ] || fail "an honest batch: $(cat "$WORK/said")"
operator UNODC check >/dev/null || fail "check"
ke_was_never_cut
node_stop UNODC
say "done"
