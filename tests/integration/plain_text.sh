#!/usr/bin/env bash
# All files of two nodes, searched for the plain text of records: while they are held, in backups and
# bundles, after a kill -9, after a withdrawal and after restarts.  The search itself is tested first.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

TITLE="Joint teams at the border of Malaba"
TEXT="The liaison officer was reached on the first call, every time."
FIGURE_SOURCE="Registry of crossings at Malaba, second desk"
FIGURE_NOTE="Two of these persons were handed over on foot."

scan() { # everything that either node ever wrote
    local text texts=("$TITLE" "$TEXT" "liaison officer was reached" "$FIGURE_SOURCE"
        "crossings at Malaba, second" "$FIGURE_NOTE")
    for text in "${texts[@]}"; do
        no_text_in "$text" "$WORK/KE/data" "$WORK/UNODC/data" "$WORK/KE.log" "$WORK/UNODC.log"
    done
    # the same words in UTF-16, as hex, as base64, and squeezed together
    python3 - "$WORK" "${texts[@]}" <<'P' || fail "a text is there in another dress"
import base64, os, sys
work, texts = sys.argv[1], [text.encode() for text in sys.argv[2:]]
dresses = [(text, text.decode().encode("utf-16-le")) for text in texts]
dresses += [(text, dress) for text in texts for dress in (text.hex().encode(), text.hex().upper().encode())]
dresses += [(text, base64.b64encode(text[i:])[4:-4]) for text in texts for i in range(3)]
for node in ("KE", "UNODC"):
    for folder, _, names in os.walk(os.path.join(work, node, "data")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            for text, dress in dresses:
                if dress in data:
                    print(folder, name, text, dress)
                    sys.exit(1)
P
}

say "the search finds a text that was planted"
node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
printf 'x\0%s\0x' "$TEXT" >"$WORK/KE/data/planted"
if (no_text_in "$TEXT" "$WORK/KE/data") >/dev/null 2>&1; then fail "the search is blind"; fi
rm "$WORK/KE/data/planted"

files_are_there() { # what is searched: a scan of nothing finds nothing
    local code name
    for code in KE UNODC; do
        for name in "$@"; do
            [ -s "$WORK/$code/data/$name" ] || fail "$code has no $name to search"
        done
    done
}

say "held by both"
node_start KE
node_start UNODC
befriend KE UNODC
give KE UNODC "$TITLE" "$TEXT"
wait_for 20 "delivery" holds UNODC "$TITLE"
cat >"$WORK/figures.csv" <<CSV
STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE,ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,TIME_PERIOD,OBS_VALUE,COMMENT_OBS,SOURCE_AUTH
dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,KE,GB,IN,EXTR,_Z,_T,_T,NEW,_Z,_T,FLOW,REQ,2019,93,$FIGURE_NOTE,"$FIGURE_SOURCE"
CSV
operator KE stats import "$WORK/figures.csv" >/dev/null || fail "stats import"
FIGURES=$(operator KE stats list --json | grep -o '"id": *"[0-9a-f]\{32\}"' | grep -o '[0-9a-f]\{32\}' | head -n 1)
read -r FIGURES_CONSENT digest <<<"$(consent_make KE UNODC "$FIGURES")"
approver KE consent approve "$FIGURES_CONSENT" --digest "$digest" >/dev/null || fail "approval of the figures"
figures_held() { operator UNODC received --json | grep -q '"kind": *"release"\|International'; }
wait_for 20 "the figures" figures_held
wait_for 20 "receipt" all_receipted KE
for id in $(operator UNODC received --json | grep -o '"record": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{32\}'); do
    operator UNODC received show "$id" --json
done >"$WORK/said"
for text in "$TEXT" "$FIGURE_SOURCE"; do
    grep -qF -- "$text" "$WORK/said" || fail "UNODC cannot read \"$text\""
done
files_are_there comity.db comity.db-wal heads root.slot
scan

say "in backups and key bundles"
for code in KE UNODC; do
    operator "$code" backup create before.backup >/dev/null || fail "backup of $code"
done
files_are_there comity.db heads root.slot keys.bundle before.backup
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
for consent in "$CONSENT" "$FIGURES_CONSENT"; do
    operator KE consent revoke "$consent" --reason "published in error" >/dev/null
done
erased() { [ "$(operator KE given --json | grep -o '"state": *"erased"' | wc -l)" -eq 2 ]; }
wait_for 20 "erasure receipts" erased
files_are_there comity.db heads root.slot keys.bundle before.backup
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
if grep -qF -e "$TITLE" -e International "$WORK/said"; then fail "an old backup and the newest bundle show it again"; fi
scan
node_stop UNODC
say "done"
