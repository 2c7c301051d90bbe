#!/usr/bin/env bash
# Yesterday's backup, a clone, and a subscriber that was itself rolled back: each is found out before
# anything is signed, shown at both ends, and healed from what the peer holds.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

active_origin() { # CODE OTHER PUBLISHER: of that publisher's feed, as CODE sees it
    operator "$1" peer show "$2" | sed -n "s/.* active .* \(comity.v1[^ ]*feed\/$3\/[^ ]*\)$/\1/p"
}
alarms() { operator "$1" status --json | sed 's/.*"alarms"//'; }
restore() { # CODE FILE
    mkdir -p "$WORK/$1/lost"
    rm -rf "$WORK/$1/lost"
    mv "$WORK/$1/data" "$WORK/$1/lost"
    mkdir -m 0700 "$WORK/$1/data"
    cp -a "$WORK/$1/lost/keys.bundle" "$WORK/$1/data/"
    "$BIN/comityctl" --config "$WORK/$1/comity.conf" backup restore "$2" >"$WORK/said" 2>&1 ||
        fail "restore of $1: $(cat "$WORK/said")"
}

node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC "First" "Was there when the backup was made."
FIRST_CONSENT=$CONSENT
wait_for 20 "delivery" holds UNODC First
wait_for 20 "receipt" all_receipted KE

say "a node that runs is not restored over"
operator KE backup create "$WORK/KE/monday.backup" >/dev/null || fail "backup"
if "$BIN/comityctl" --config "$WORK/KE/comity.conf" backup restore "$WORK/KE/monday.backup" \
    >"$WORK/said" 2>&1; then fail "a restore over a running node"; fi
grep -q next "$WORK/said" || fail "no next step: $(cat "$WORK/said")"

say "the publisher goes back to yesterday: new epoch, RESTORED, and the old feed is healed"
give KE UNODC "Second" "Came after the backup."
wait_for 20 "delivery" holds UNODC Second
wait_for 20 "receipt" all_receipted KE
before=$(active_origin UNODC KE KE)
[ -n "$before" ] || fail "peer show names no feed"
node_stop KE
restore KE "$WORK/KE/monday.backup"
node_start KE
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"
wait_for 20 "healing" grep -q event=healed "$WORK/KE.log"
new_epoch() {
    local now
    now=$(active_origin UNODC KE KE)
    [ -n "$now" ] && [ "$now" != "$before" ] && [ "$(active_origin KE UNODC KE)" = "$now" ]
}
wait_for 20 "new epoch" new_epoch
wait_for 10 "alarm at KE" eval 'alarms KE | grep -qiE "restored|rolled back|backup"'
wait_for 10 "alarm at UNODC" eval 'alarms UNODC | grep -qiE "restored|rolled back|backup"'
for title in First Second; do holds UNODC "$title" || fail "UNODC lost $title"; done
operator KE check >/dev/null || fail "check of KE"
operator UNODC check >/dev/null || fail "check of UNODC"

say "it goes on: a third record, and the first is recalled across the epochs"
give KE UNODC "Third" "Came after the restore."
wait_for 20 "delivery" holds UNODC Third
operator KE consent revoke "$FIRST_CONSENT" --reason "no longer needed" >/dev/null || fail "revoke"
gone() { holds_not UNODC First; }
wait_for 20 "erasure" gone
confirmed() { says_not KE '"holder"' recalls; }
wait_for 20 "erasure receipt" confirmed
operator KE check >/dev/null || fail "check of KE after the recall"
operator UNODC check >/dev/null || fail "check of UNODC after the recall"

say "the subscriber goes back: locks, catches up, repeats its erasures"
give KE UNODC "Fourth" "Is recalled after the subscriber's backup."
FOURTH_CONSENT=$CONSENT
wait_for 20 "delivery" holds UNODC Fourth
wait_for 20 "receipt" all_receipted KE
operator UNODC backup create "$WORK/UNODC/monday.backup" >/dev/null || fail "backup"
cp -a "$WORK/UNODC/data/keys.bundle" "$WORK/UNODC/monday.bundle"
operator KE consent revoke "$FOURTH_CONSENT" --reason "no longer needed" >/dev/null || fail "revoke"
gone_fourth() { holds_not UNODC Fourth; }
wait_for 20 "erasure" gone_fourth
wait_for 20 "erasure receipt" confirmed
give KE UNODC "Fifth" "Came after the subscriber's backup."
wait_for 20 "delivery" holds UNODC Fifth
wait_for 20 "receipt" all_receipted KE
node_stop UNODC
node_stop KE
restore UNODC "$WORK/UNODC/monday.backup"
node_start UNODC
state_of() { operator UNODC received --all --json | grep -o '"state": *"[a-z]*"' | sort -u; }
locked() { [ "$(state_of | grep -c locked)" -eq 1 ] && [ "$(state_of | grep -c held)" -eq 0 ]; }
wait_for 10 "lock of what it holds" locked
node_start KE
wait_for 30 "catching up" holds UNODC Fifth
unlocked() { [ "$(state_of | grep -c locked)" -eq 0 ]; }
wait_for 20 "unlocking" unlocked
if holds UNODC Fourth; then fail "what was erased is back"; fi
wait_for 10 "alarm at UNODC" eval 'alarms UNODC | grep -qiE "restored|rolled back|backup"'
operator KE check >/dev/null || fail "check of KE after the subscriber's restore"
operator UNODC check >/dev/null || fail "check of UNODC after its restore"

say "a clone: both run, both ends raise the alarm"
node_make EU "a clone of Kenya" >/dev/null # only its port and socket are used
cp -a "$WORK/KE/identity/." "$WORK/EU/identity/"
node_stop KE
rm -rf "$WORK/EU/data"
cp -a "$WORK/KE/data" "$WORK/EU/data"
sed -e "s|$WORK/KE/|$WORK/EU/|" -e "s|127.0.0.1:${NODE_PORT[KE]}|127.0.0.1:${NODE_PORT[EU]}|" \
    "$WORK/KE/comity.conf" >"$WORK/EU/comity.conf"
node_start KE
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"
node_start EU
wait_for 40 "alarm of the clone at UNODC" eval 'alarms UNODC | grep -qiE "clone|two|boot"'
wait_for 20 "alarm of the clone at one of the two" \
    eval 'alarms KE | grep -qiE "clone|two|boot" || alarms EU | grep -qiE "clone|two|boot"'
say "done"
