#!/usr/bin/env bash
# All files of two nodes, searched for the plain text of records: while they are held, in backups and
# bundles, after a kill -9, after a withdrawal and after restarts.  The search itself is tested first.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

TITLE="Joint teams at the border of Malaba"
TEXT="The liaison officer was reached on the first call, every time."

scan() { # everything that either node ever wrote
    local text
    for text in "$TITLE" "$TEXT" "liaison officer was reached"; do
        no_text_in "$text" "$WORK/KE/data" "$WORK/UNODC/data" "$WORK/KE.log" "$WORK/UNODC.log"
        # the same words in UTF-16, as hex, as base64, and squeezed together
        python3 - "$text" "$WORK" <<'P' || fail "\"$text\" is there in another dress"
import base64, os, sys
text, work = sys.argv[1].encode(), sys.argv[2]
dresses = [text.decode().encode("utf-16-le"), text.hex().encode(), text.hex().upper().encode()]
dresses += [base64.b64encode(text[i:])[4:-4] for i in range(3)]
for node in ("KE", "UNODC"):
    for folder, _, names in os.walk(os.path.join(work, node, "data")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            for dress in dresses:
                if dress in data:
                    print(folder, name, dress)
                    sys.exit(1)
P
    done
}

say "the search finds a text that was planted"
node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
printf 'x\0%s\0x' "$TEXT" >"$WORK/KE/data/planted"
if (no_text_in "$TEXT" "$WORK/KE/data") >/dev/null 2>&1; then fail "the search is blind"; fi
rm "$WORK/KE/data/planted"

say "held by both"
node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC "$TITLE" "$TEXT"
wait_for 20 "delivery" holds UNODC "$TITLE"
wait_for 20 "receipt" all_receipted KE
operator UNODC received show "$(operator UNODC received --json | grep -o '"record": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{32\}')" --json |
    grep -q "liaison officer was reached" || fail "UNODC cannot read it"
scan

say "in backups and key bundles"
for code in KE UNODC; do
    operator "$code" backup create before.backup >/dev/null || fail "backup of $code"
    [ -s "$WORK/$code/data/keys.bundle" ] || fail "$code has no bundle"
done
scan

say "after kill -9, in the write-ahead log that it leaves"
node_kill KE
node_kill UNODC
[ -s "$WORK/UNODC/data/comity.db-wal" ] || fail "there is no write-ahead log"
scan
node_start KE
node_start UNODC
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"
holds UNODC "$TITLE" || fail "it is gone after a restart"

say "after the withdrawal"
operator KE consent revoke "$CONSENT" --reason "published in error" >/dev/null
erased() { operator KE given --json | grep -q '"state": *"erased"'; }
wait_for 20 "erasure receipt" erased
scan
if holds UNODC "$TITLE"; then fail "UNODC still lists it"; fi

say "the holder cannot read it any more, with all that it has left"
# An old copy of the database opens with no key that is left: the newest bundle has none for it.
node_stop UNODC
mkdir "$WORK/again"
cp -a "$WORK/UNODC/data/keys.bundle" "$WORK/again/"
mv "$WORK/UNODC/data" "$WORK/kept"
mv "$WORK/again" "$WORK/UNODC/data"
chmod 0700 "$WORK/UNODC/data"
"$BIN/comityctl" --config "$WORK/UNODC/comity.conf" backup restore "$WORK/kept/before.backup" \
    >"$WORK/said" 2>&1 || fail "restore: $(cat "$WORK/said")"
node_stop KE
node_start UNODC
operator UNODC received --all --json >"$WORK/said" 2>&1 || true
if grep -qF "$TITLE" "$WORK/said"; then fail "an old backup and the newest bundle show it again"; fi
scan
node_stop UNODC
say "done"
