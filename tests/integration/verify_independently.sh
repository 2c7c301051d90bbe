#!/usr/bin/env bash
# What real nodes wrote, checked by the verifier that was written from the specification: evidence of
# every entry of both feeds, with and without content, and the feeds as wholes; then spoiled.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
VERIFY=$PWD/tests/vectors/verify.py

node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC First "The first of three."
give KE UNODC Second "The second of three, which is withdrawn."
SECOND=$CONSENT
give KE UNODC Third "The third of three."
for title in First Second Third; do wait_for 20 "delivery of $title" holds UNODC $title; done
operator KE consent revoke "$SECOND" --reason "no longer needed" >/dev/null
erased() { operator KE given --json | grep -q '"state": *"erased"'; }
wait_for 20 "erasure receipt" erased

mkdir -m 0777 "$WORK/out"
entries() { # CODE DIRECTION OTHER: how many stand in that feed, by asking for one after the other
    local code=$1 option=$2 other=$3 n=0 name
    while :; do
        name=$WORK/out/$code$option-$n.evidence
        operator "$code" evidence export "$option" "$other" --index "$n" --out "$name" \
            >"$WORK/said" 2>&1 || break
        n=$((n + 1))
    done
    echo "$n"
}
say "evidence of every entry, from both ends"
out=$(entries KE --given-to UNODC)
[ "$out" -ge 6 ] || fail "only $out entries in KE's feed: $(cat "$WORK/said")"
back=$(entries UNODC --given-to KE)
[ "$back" -ge 1 ] || fail "only $back entries in UNODC's feed: $(cat "$WORK/said")"
[ "$(entries UNODC --received-from KE)" -eq "$out" ] || fail "the ends do not agree"
n=0
while [ "$n" -lt "$out" ]; do # what was erased can be proved, not shown
    operator KE evidence export --given-to UNODC --index "$n" --with-content \
        --out "$WORK/out/shown-$n.evidence" >/dev/null 2>&1 || true
    n=$((n + 1))
done
[ "$(find "$WORK/out" -name 'shown-*' | wc -l)" -ge 2 ] || fail "no content could be shown"
python3 "$VERIFY" "$WORK"/KE.card "$WORK"/UNODC.card "$WORK"/out/*.evidence >"$WORK/said" ||
    fail "$(cat "$WORK/said")"
grep -c '^ok' "$WORK/said" | sed 's/$/ checked/; s/^/   /'
[ "$(grep -c 'all [0-9]* entries lead to the root' "$WORK/said")" -ge 2 ] ||
    fail "no whole feed: $(cat "$WORK/said")"
grep 'lead to the root' "$WORK/said" | sed 's/^/   /'

say "spoiled in every line, it is refused"
shown=$(find "$WORK/out" -name 'shown-*' | head -n 1)
python3 "$VERIFY" --self-test "$WORK"/KE.card "$WORK"/UNODC.card "$shown" >"$WORK/said" ||
    fail "$(cat "$WORK/said")"
sed 's/^/   /' "$WORK/said" | tail -n 1
if python3 "$VERIFY" "$WORK"/KE.card "$shown" >"$WORK/said"; then fail "verified without a key"; fi
say "done"
