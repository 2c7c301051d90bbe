#!/usr/bin/env bash
# Two real nodes: what is consented arrives and is receipted, what is not never leaves; a withdrawal
# erases it at the holder, and the erasure receipt comes back.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

TEXT="Letters between central authorities need no diplomatic channel."
PRIVATE="This one is covered by no consent at all."

say "two nodes, each accepted by two people of the other"
node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
node_start KE
node_start UNODC
befriend KE UNODC
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"

say "nothing leaves without a consent"
record=$(excerpt_make KE "Direct contact" "$TEXT")
[ -n "$record" ] || fail "excerpt add gave no id"
other=$(excerpt_make KE "Not to leave" "$PRIVATE")
[ -n "$other" ] || fail "excerpt add gave no id"
sleep 1
says_not UNODC '"from"' received || fail "something left without a consent"

say "a consent that one person proposed and another approved"
consent=$(operator KE consent draft --to UNODC --record "$record" --purpose peer-review \
    --until 2027-12-31 --authority "Attorney General" --reference AG/2026/117 --json |
    json_id consent)
[ -n "$consent" ] || fail "consent draft gave no id"
digest=$(operator KE consent preview "$consent" --json | grep -o '[0-9a-f]\{64\}' | head -n 1)
operator KE consent propose "$consent" --digest "$digest" >/dev/null
if operator KE consent approve "$consent" --digest "$digest" >"$WORK/own" 2>&1; then
    fail "the proposer could approve"
fi
approver KE consent approve "$consent" --digest "$digest" >/dev/null
has_it() { operator UNODC received --json | grep -q "Direct contact"; }
receipted() { operator KE given --json | grep -q receipted; }
wait_for 20 "delivery" has_it
wait_for 20 "receipt" receipted
holds_not UNODC "Not to leave" || fail "it left unconsented"

say "no plain text in any file of either node"
no_text_in "$TEXT" "$WORK/KE/data" "$WORK/UNODC/data"
no_text_in "Direct contact" "$WORK/KE/data" "$WORK/UNODC/data"
no_text_in "$TEXT" "$WORK/KE.log" "$WORK/UNODC.log"

say "evidence of the entry verifies offline"
entry=$(operator UNODC received --json | grep -o '"entry": *"[0-9a-f]\{32\}"' | head -n 1 |
    grep -o '[0-9a-f]\{32\}')
chmod 0777 "$WORK"
operator UNODC evidence export "$entry" --out "$WORK/evidence" >/dev/null || fail "evidence export"
"$BIN/comityctl" evidence verify "$WORK/evidence" --card "$WORK/KE.card" \
    --card "$WORK/UNODC.card" >/dev/null ||
    fail "evidence verify"

say "both databases are what their feeds say"
operator KE check >/dev/null || fail "check of KE"
operator UNODC check >/dev/null || fail "check of UNODC"

say "withdrawn: erased at the holder, and its receipt comes back"
operator KE consent revoke "$consent" --reason "no longer needed" >/dev/null || fail "revoke"
erased() { operator KE given --json | grep -q "\"erased\": *\"20" && says_not KE '"consent"' recalls; }
gone() { holds_not UNODC "Direct contact"; }
wait_for 20 "erasure receipt" erased
wait_for 20 "erasure" gone
operator KE check >/dev/null || fail "check of KE after the erasure"
operator UNODC check >/dev/null || fail "check of UNODC after the erasure"

say "a clean stop, and a second node on the same database is refused"
if timeout 10 "$BIN/comityd" --config "$WORK/KE/comity.conf" 2>"$WORK/second"; then
    fail "a second comityd started"
fi
grep -q 'next' "$WORK/second" || fail "the refusal has no next step: $(cat "$WORK/second")"
node_stop KE
node_stop UNODC
say "done"
