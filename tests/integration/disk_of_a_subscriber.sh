#!/usr/bin/env bash
# The disk of a running subscriber becomes full while a delivery comes in, and gets room again; and the
# two small files beside the database, heads and root.slot, that cannot be written: what is said is
# true, nothing is lost or doubled, and it goes on.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

unmount() { umount -l "$WORK/UNODC/data" 2>/dev/null; }
LIB_CLEANUP=unmount
MANY=300

node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
mv "$WORK/UNODC/data" "$WORK/aside"
mkdir -m 0700 "$WORK/UNODC/data"
if ! mount -t tmpfs -o size=6m,mode=0700 none "$WORK/UNODC/data" 2>/dev/null; then
    echo "skipped: file systems cannot be mounted here"
    exit 77
fi
cp -a "$WORK/aside/." "$WORK/UNODC/data/"
node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC "First" "Arrived while there was room."
wait_for 20 "delivery" holds UNODC First
wait_for 20 "receipt" all_receipted KE

rows() { # CODE LISTING: how many entries it shows
    operator "$1" "$2" --json | { grep -o '"entry": *"[0-9a-f]\{32\}"' || true; } | sort | uniq -c |
        awk '$1 > 1 { print "doubled"; exit } END { print NR }'
}

say "$MANY records come, and the disk of the subscriber is full"
python3 - "$WORK/many.csv" "$MANY" <<'PY'
import csv
import random
import sys

random.seed(1)
with open(sys.argv[1], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow("kind instrument article language title text originator date confidentiality".split())
    for n in range(int(sys.argv[2])):
        text = " ".join("%08x" % random.getrandbits(32) for _ in range(800))
        out.writerow(["case-example", "UNTOC", 18, "en", f"Case {n + 1}", text, "Attorney General",
                      "2026-03-01", "internal"])
PY
operator KE excerpt import "$WORK/many.csv" >/dev/null || fail "import"
dd if=/dev/zero of="$WORK/UNODC/data/filler" bs=4k status=none 2>/dev/null || true
ID=$(operator KE consent draft --to UNODC --select kind=case-example --purpose peer-review \
    --until 2027-12-31 --authority "Attorney General" --reference AG/2026/118 --json | json_id consent)
DIGEST=$(operator KE consent preview "$ID" --json | grep -o '[0-9a-f]\{64\}' | head -n 1)
operator KE consent propose "$ID" --digest "$DIGEST" >/dev/null || fail "propose"
approver KE consent approve "$ID" --digest "$DIGEST" >/dev/null || fail "approve"
told() { grep -qiE 'disk is full|full' "$WORK/UNODC.log"; }
wait_for 20 "a word in the log of the subscriber" told
grep -iE 'full' "$WORK/UNODC.log" | head -n 2 | cut -c 1-220 | sed 's/^/   /'
sleep 3
kill -0 "${NODE_PID[UNODC]}" || fail "the subscriber has ended"
operator UNODC status >/dev/null || fail "status on a full disk"
holds UNODC First || fail "what was held is not readable"
[ "$(rows UNODC received)" -lt $((MANY + 1)) ] || fail "all was stored on a full disk"
if all_receipted KE; then fail "receipted, though it could not be stored"; fi

say "there is room again"
rm "$WORK/UNODC/data/filler"
mount -o remount,size=64m "$WORK/UNODC/data"
everything() { [ "$(rows UNODC received)" = $((MANY + 1)) ]; }
wait_for 90 "the rest of the delivery" everything
wait_for 20 "receipts" all_receipted KE
operator UNODC check >/dev/null || fail "check of the subscriber"
operator KE check >/dev/null || fail "check of the publisher"

if ! strace -o /dev/null true 2>/dev/null; then
    say "done (nothing can be traced here)"
    exit 0
fi

say "heads finds no room: what was asked for is stored, and nobody is told to repeat it"
disk_inject KE pwrite64 ENOSPC heads
if excerpt_add KE During --text Text >"$WORK/said" 2>&1; then fail "said to be done, and the head is not saved"; fi
sed 's/^/   /' "$WORK/said"
disk_inject_end
grep -q 'it is stored' "$WORK/said" || fail "not said that it is stored"
grep -q 'before you repeat' "$WORK/said" || fail "not said what to do"
[ "$(excerpts_titled KE During)" -eq 1 ] || fail "it is not there"
excerpt_make KE "After" "Text." >/dev/null || fail "not stored afterwards"
[ "$(excerpts_titled KE After)" -eq 1 ] || fail "not there afterwards"
operator KE check >/dev/null || fail "check"

say "heads gives an I/O error: the node stops, says so, and starts again whole"
disk_inject KE pwrite64 EIO heads
excerpt_make KE "Unsure" "Text." >/dev/null 2>&1 || true
node_ends_for_disk KE
node_start KE
[ "$(excerpts_titled KE Unsure)" -le 1 ] || fail "doubled"
operator KE check >/dev/null || fail "check after the restart"

say "root.slot gives an I/O error in an erasure: the erasure is done after the restart"
wait_for 30 "connection" eval 'operator KE status --json | grep -q "\"connected\": *\"yes\""'
disk_inject UNODC pwrite64 EIO root.slot
operator KE consent revoke "$CONSENT" --reason "no longer needed" >/dev/null || fail "revoke"
node_ends_for_disk UNODC
node_start UNODC
gone() { ! holds UNODC First; }
wait_for 30 "erasure" gone
confirmed() { ! operator KE recalls --json | grep -q '"holder"'; }
wait_for 30 "erasure receipt" confirmed
operator UNODC check >/dev/null || fail "check of the subscriber after the erasure"
say "done"
