#!/usr/bin/env bash
# Backups and key bundles that do not belong together: each restore is refused with its reason and the
# next step, and nothing is changed or left behind.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

D=$WORK/KE/data

node_make KE Kenya
node_start KE
excerpt_make KE "Monday" "Was there on Monday." >/dev/null
operator KE backup create "$WORK/KE/monday.backup" >/dev/null || fail "backup of Monday"
cp "$D/keys.bundle" "$WORK/monday.bundle"
excerpt_make KE "Tuesday" "Came on Tuesday." >/dev/null
operator KE backup create "$WORK/KE/tuesday.backup" >/dev/null || fail "backup of Tuesday"
node_stop KE
cp "$D/keys.bundle" "$WORK/tuesday.bundle"

node_make GB "United Kingdom"
node_start GB
excerpt_make GB "Of GB" "A record of GB." >/dev/null
operator GB backup create "$WORK/GB/gb.backup" >/dev/null || fail "backup of GB"
node_stop GB

directory() { (cd "$D" && find . -type f -printf '%p %m %s\n' -exec sha256sum {} + | sort); }
refused() { # WHAT BACKUP WORDS...
    local what=$1 file=$2 status=0 before
    shift 2
    before=$(directory)
    "$BIN/comityctl" --config "$WORK/KE/comity.conf" backup restore "$file" >"$WORK/said" 2>&1 || status=$?
    sed 's/^/   /' "$WORK/said"
    [ "$status" -ne 0 ] || fail "$what: exit status 0"
    [ "$status" -lt 126 ] || fail "$what: exit status $status"
    for word in "$@"; do
        grep -qE -- "$word" "$WORK/said" || fail "$what: '$word' is not in: $(cat "$WORK/said")"
    done
    [ "$(directory)" = "$before" ] || fail "$what: something has changed: $(directory)"
}

say "over a database that is there"
refused "a database" "$WORK/KE/monday.backup" 'comity.db' next

say "into an empty directory without a bundle"
mv "$D" "$WORK/KE/aside"
mkdir -m 0700 "$D"
refused "no bundle" "$WORK/KE/monday.backup" 'keys.bundle' next

say "a bundle that is older than the backup"
cp "$WORK/monday.bundle" "$D/keys.bundle"
refused "an old bundle" "$WORK/KE/tuesday.backup" 'older than the backup' next

say "the bundle of another node"
cp "$WORK/GB/data/keys.bundle" "$D/keys.bundle"
refused "a foreign bundle" "$WORK/KE/tuesday.backup" 'keys.bundle' next

say "the backup of another node, with its own bundle and with ours"
refused "a foreign node" "$WORK/GB/gb.backup" 'GB' next
cp "$WORK/tuesday.bundle" "$D/keys.bundle"
refused "a foreign backup" "$WORK/GB/gb.backup" '.' next

say "what is no backup at all"
refused "a text" "$WORK/KE/comity.conf" 'comity.conf is no backup' next
refused "nothing" "$WORK/nothing.backup" 'nothing.backup'
head -c 20000 "$WORK/KE/tuesday.backup" >"$WORK/cut.backup"
refused "a backup that was cut" "$WORK/cut.backup" 'cut.backup .*damaged' next
head -c 5000 "$WORK/tuesday.bundle" >"$D/keys.bundle"
refused "a bundle that was cut" "$WORK/KE/tuesday.backup" 'keys.bundle|bundle' next

say "and what belongs together is restored, with all that it holds"
cp "$WORK/tuesday.bundle" "$D/keys.bundle"
"$BIN/comityctl" --config "$WORK/KE/comity.conf" backup restore "$WORK/KE/tuesday.backup" >"$WORK/said" 2>&1 ||
    fail "restore: $(cat "$WORK/said")"
[ "$(grep -ciE 'restored' "$WORK/said")" -eq 1 ] || fail "said twice: $(cat "$WORK/said")"
grep -q 'had made 0 erasures; .*heads .*next: compare with "Erasures so far"' "$WORK/said" ||
    fail "nothing is said of the age of the bundle: $(cat "$WORK/said")"
node_start KE
operator KE status | grep -qE 'Erasures so far +0' || fail "status: $(operator KE status)"
for title in Monday Tuesday; do
    operator KE excerpt list --json | grep -q "$title" || fail "$title is not there"
done
operator KE check >/dev/null || fail "check after the restore"
node_stop KE

say "and again, where the heads of the node were left to judge the bundle by"
mkdir -m 0700 "$WORK/KE/again"
cp "$D/heads" "$D/keys.bundle" "$WORK/KE/again"
mv "$D" "$WORK/KE/aside-too"
mv "$WORK/KE/again" "$D"
"$BIN/comityctl" --config "$WORK/KE/comity.conf" backup restore "$WORK/KE/tuesday.backup" >"$WORK/said" 2>&1 ||
    fail "restore beside the heads: $(cat "$WORK/said")"
grep -q "heads" "$WORK/said" && fail "the heads were there: $(cat "$WORK/said")"
say "done"
