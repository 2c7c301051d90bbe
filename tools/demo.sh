#!/usr/bin/env bash
# tools/demo.sh BIN [--keep]: five nodes on this machine exchange real figures.  Run it as ./dev demo.
#
# Each node is a comityd process of its own, and each decision is a comityctl command, shown as it
# is run.  Everything lies in one temporary directory, traffic stays on 127.0.0.1, and only the
# processes started here are ended.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bin=$(readlink -f "${1:?usage: tools/demo.sh BIN [--keep]}")
keep=${2:-}
desk_uid=64101     # the official who prepares
director_uid=64102 # the official who decides
work=$(mktemp -d "${TMPDIR:-/tmp}/comity-demo.XXXXXX")
chmod 755 "$work"
declare -A pid=()
declare -A port=()
nodes=(UNODC AU GB IE KE)
names=('UN Office on Drugs and Crime' 'Australia' 'United Kingdom' 'Ireland' 'Kenya')

# -- how it speaks ---------------------------------------------------------------------------------

bold='' dim='' plain=''
if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi
step=0
chapter() {
    step=$((step + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
tell() { printf '   %s\n' "$@"; }
indent() { sed 's/^/      /'; }
die() {
    printf '\ndemo: %s\n' "$1" >&2
    local code
    for code in "${!pid[@]}"; do
        printf -- '--- last lines of the log of %s\n' "$code" >&2
        tail -n 5 "$work/$code/log" >&2 || true
    done
    exit 1
}

# -- processes -------------------------------------------------------------------------------------

stop_all() {
    local code
    for code in "${!pid[@]}"; do
        kill "${pid[$code]}" 2>/dev/null || true
    done
    for code in "${!pid[@]}"; do
        wait "${pid[$code]}" 2>/dev/null || true
    done
}
# shellcheck disable=SC2317  # called by the trap
finish() {
    local status=$?
    if [ "$keep" = --keep ] && [ "$status" -eq 0 ]; then
        return
    fi
    stop_all
    rm -rf "$work"
}
trap finish EXIT

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die 'two officials are two users of this system; run this as root, or install sudo'
    as_root=(sudo)
fi

start() { # CODE
    "$work/bin/comityd" --config "$work/$1/comity.conf" >>"$work/$1/log" 2>&1 &
    pid[$1]=$!
}
kill_hard() { # CODE: as a power cut would end it; bash's own word about it is dropped
    {
        kill -KILL "${pid[$1]}"
        wait "${pid[$1]}" || true
    } 2>/dev/null
}
started() { # CODE: it answers
    until_true 100 "$1 does not start" quiet "$1" desk status
}
until_true() { # TENTHS MESSAGE COMMAND...: bounded waiting
    local left=$1 message=$2
    shift 2
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || die "$message"
        sleep 0.1
    done
}

# -- officials -------------------------------------------------------------------------------------

ctl() { # CODE PERSON ARGUMENTS...
    local code=$1 uid=$desk_uid
    [ "$2" = director ] && uid=$director_uid
    shift 2
    "${as_root[@]}" setpriv --reuid="$uid" --regid="$uid" --clear-groups \
        "$work/bin/comityctl" --socket "$work/$code/control.sock" "$@" 2>&1 |
        grep -v '^TRAINING REALM' || return "${PIPESTATUS[0]}"
    return "${PIPESTATUS[0]}"
}
quiet() { ctl "$@" >/dev/null; }
command_line() { # shown so that it can be typed
    local code=$1 person=$2
    shift 2
    printf '   %s%s %s$ comityctl' "$dim" "$code" "$person"
    local word
    for word in "$@"; do
        case "$word" in
        *[!A-Za-z0-9_./:,=@%+-]*) printf " '%s'" "$word" ;;
        "$work"/*) printf ' %s' "${word##*/}" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '%s\n' "$plain"
}
run() { # shows the command and what it prints
    command_line "$@"
    local out
    out=$(ctl "$@") || die "the command failed: $out"
    printf '%s\n' "$out" | indent
}
run_quietly() {
    command_line "$@"
    local out
    out=$(ctl "$@") || die "the command failed: $out"
}
refused() { # the same for a command that must be refused
    command_line "$@"
    local out
    if out=$(ctl "$@"); then
        die "this had to be refused: $*"
    fi
    printf '%s\n' "$out" | indent
}
# value CODE PYTHON ARGUMENTS...: the command's JSON as `d`, one expression of it printed.
value() {
    local code=$1 expression=$2
    shift 2
    ctl "$code" desk --json "$@" | python3 -c "
import json, sys
d = json.load(sys.stdin)
result = $expression
print(*result if isinstance(result, list) else [result], sep='\n')"
}
holds() { # CODE COUNT: it holds that many records of others
    [ "$(value "$1" 'len(d["received"])' received)" -eq "$2" ]
}

# -- the story -------------------------------------------------------------------------------------

make_nodes() {
    local i code
    mkdir "$work/bin"
    cp "$bin/comityd" "$bin/comityctl" "$work/bin/"
    cp data/statistics/*.csv data/excerpts/*.csv "$work/"
    mapfile -t free_ports < <(python3 -c '
import socket
held = [socket.socket() for _ in range(6)]
for s in held:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')
    for i in "${!nodes[@]}"; do
        code=${nodes[$i]}
        port[$code]=${free_ports[$i]}
        local words=(node init --realm training --code "$code" --name "${names[$i]}"
            --directory "$work/$code" --listen "127.0.0.1:${port[$code]}"
            --address "127.0.0.1:${port[$code]}" --operators "$desk_uid" --approvers "$director_uid")
        [ "$code" != KE ] || command_line KE root "${words[@]}"
        "$work/bin/comityctl" "${words[@]}" >"$work/$code.init" 2>&1 || die "$(cat "$work/$code.init")"
        chmod 755 "$work/$code"
        cp "$work/$code/identity/card.pem" "$work/$code.card"
        start "$code"
    done
    for code in "${nodes[@]}"; do
        started "$code"
    done
}
fingerprint() { sed -n 's/^Fingerprint *//p' "$work/$1.init"; }
introduce() { # A B: two officials of A accept B, after comparing B's fingerprint
    quiet "$1" desk peer add "$work/$2.card" || die "$1 cannot add the card of $2"
    quiet "$1" director peer accept "$2" --fingerprint "$(fingerprint "$2")" ||
        die "$1 cannot accept $2"
}

chapter 'Five nodes: four States and a secretariat, each with its own keys and its own database'
make_nodes
tell "${names[*]/%/,} each run comityd now, on 127.0.0.1." \
    'Every node has two officials: the desk prepares, the director decides. One person alone gives nothing.'

chapter 'They get to know each other: a card, and a fingerprint read over the telephone'
run UNODC desk peer add "$work/KE.card"
tell 'A wrong fingerprint is refused:'
refused UNODC director peer accept KE --fingerprint "$(fingerprint AU)"
run UNODC director peer accept KE --fingerprint "$(fingerprint KE)"
introduce KE UNODC
for code in AU GB IE; do
    introduce UNODC "$code"
    introduce "$code" UNODC
done
introduce GB IE
introduce IE GB
linked() { [ "$(value UNODC 'sum(p["connected"] == "yes" for p in d["peers"])' status)" -eq 4 ]; }
until_true 200 'the nodes do not connect' linked
tell 'The other States did the same. Each connection is mutual TLS 1.3; each State vouches for itself alone.'

chapter 'Real figures and training excerpts are entered, and nothing leaves'
run AU desk stats import "$work/au_extradition.csv" "$work/au_mutual_assistance.csv"
run_quietly GB desk stats import "$work/gb_extradition.csv" "$work/gb_surrender_by_state.csv"
run_quietly IE desk stats import "$work/ie_surrender.csv"
for code in AU GB IE KE; do
    run_quietly "$code" desk excerpt import "$work/${code,,}.csv"
done
tell 'A file with mistakes is refused as a whole, with every mistake named:'
sed -e '3s/,GRANT,/,GRANTED,/' -e '5s/,[0-9]*,A,/,many,A,/' "$work/au_extradition.csv" >"$work/mistakes.csv"
refused AU desk stats import "$work/mistakes.csv"
sleep 1
run UNODC desk received
holds UNODC 0 || die 'something left without a consent'
tell 'No consent, so no byte left: that is the default.'

consent_id() { value "$1" 'd["consent"]["id"]' consent draft "${@:2}"; }
# approve CODE ID: preview, propose by the desk, approve by the director; sets `digest`
approve() {
    digest=$(value "$1" 'd["consent"]["digest"]' consent preview "$2")
    quiet "$1" desk consent propose "$2" --digest "$digest" || die "$1 cannot propose $2"
    quiet "$1" director consent approve "$2" --digest "$digest" || die "$1 cannot approve $2"
}
terms=(--attribution named --until 2027-12-31)
no_recalls() { [ "$(value "$1" 'len(d["recalls"])' recalls)" -eq 0 ]; } # CODE

all_receipted() { # CODE: everything that left is receipted, and nothing waits
    [ "$(value "$1" 'sum(g["state"] not in ("receipted", "erased") for g in d["given"])' given)" -eq 0 ]
}

chapter 'Australia decides: a preview, two people, and then delivery with receipts'
draft=(--to UNODC --select kind=release --select kind=excerpt --purpose aggregate "${terms[@]}"
    --authority "Attorney-General" --reference AGD/2026/117)
command_line AU desk consent draft "${draft[@]}"
au_consent=$(consent_id AU "${draft[@]}")
run AU desk consent preview "$au_consent"
digest=$(value AU 'd["consent"]["digest"]' consent preview "$au_consent")
run_quietly AU desk consent propose "$au_consent" --digest "$digest"
tell 'The desk that proposed cannot approve, and a digest of something else is refused:'
refused AU desk consent approve "$au_consent" --digest "$digest"
refused AU director consent approve "$au_consent" --digest "${digest/[0-9]/f}"
run AU director consent approve "$au_consent" --digest "$digest"
until_true 200 'the delivery to UNODC is not receipted' all_receipted AU
command_line AU desk given
tell "$(value AU '"%d records left, all to UNODC, each receipted: UNODC signed that it stored them durably." % len(d["given"])' given)"

chapter 'The other three decide in the same way, each for itself'
for code in GB IE; do
    id=$(consent_id "$code" --to UNODC --select kind=release --select kind=excerpt \
        --purpose aggregate "${terms[@]}" --authority 'Minister of Justice' --reference 'J/2026/9')
    approve "$code" "$id"
done
id=$(consent_id KE --to UNODC --select kind=excerpt --purpose aggregate "${terms[@]}" \
    --authority 'Attorney General' --reference 'AG/2026/12')
approve KE "$id"
for code in GB IE KE; do
    until_true 200 "the delivery of $code is not receipted" all_receipted "$code"
done
tell "$(value UNODC '"UNODC holds %d records: %s." % (len(d["received"]), ", ".join("%d of %s" % (sum(r["from"] == c for r in d["received"]), c) for c in sorted({r["from"] for r in d["received"]})))' received)"

chapter 'The secretariat looks at what three States consented to, side by side'
run UNODC desk report cooperation --direction IN --period 2012
tell 'An Australian request, a British surrender and an Irish warrant are three things: nothing is summed, nobody is ranked.'

chapter 'A proof that needs no node and no network'
entry=$(value AU 'd["given"][0]["entry"]' given)
command_line AU desk evidence export "$entry" --with-content --out "$work/AU/entry.evidence"
chmod 777 "$work/AU"
quiet AU desk evidence export "$entry" --with-content --out "$work/AU/entry.evidence" ||
    die 'the evidence cannot be exported'
chmod 755 "$work/AU"
run AU desk evidence verify "$work/AU/entry.evidence" --card "$work/AU.card" --card "$work/UNODC.card"
tell 'One changed character, and the same command says so:'
sed '/^--- body/{n;s/^./X/}' "$work/AU/entry.evidence" >"$work/forged.evidence"
refused AU desk evidence verify "$work/forged.evidence" --card "$work/AU.card" --card "$work/UNODC.card"

chapter 'Somebody edits a database behind the back of its node'
kill "${pid[IE]}"
wait "${pid[IE]}" || true
cp -r "$work/IE" "$work/IE-copy"
start IE
started IE
run IE desk check
sed -e "s|$work/IE|$work/IE-copy|" -e "s/^listen = .*/listen = 127.0.0.1:${free_ports[5]}/" -e 's/^dial = .*/dial = no/' \
    "$work/IE/comity.conf" >"$work/IE-copy/comity.conf"
python3 - "$work/IE-copy/data/comity.db" <<'PY'
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
rowid, header = db.execute("select rowid, header from entry order by rowid desc limit 1").fetchone()
changed = bytearray(header)
changed[79] ^= 1  # the version of the record that was given
db.execute("update entry set header = ? where rowid = ?", (bytes(changed), rowid))
db.commit()
PY
tell 'In a copy of the database of IE one byte of what it gave was changed. The copy is checked:'
start IE-copy
started IE-copy
refused IE-copy desk check
kill "${pid[IE-copy]}"
wait "${pid[IE-copy]}" || true
unset 'pid[IE-copy]'

chapter 'A node is killed in the middle of a delivery'
many=6000
python3 - "$work/many.csv" "$many" <<'PY'
import csv
import sys

with open(sys.argv[1], "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow("kind instrument article language title text originator date confidentiality".split())
    for n in range(int(sys.argv[2])):
        rows.writerow(["case-example", "UNTOC", 18, "en", f"(training) Case {n + 1}",
                       "Example for training, not a statement of any State. " * 25,
                       "Training authority of GB", "2026-01-15", "internal"])
PY
run_quietly GB desk excerpt import "$work/many.csv"
before=$(value UNODC 'len(d["received"])' received)
id=$(consent_id GB --to UNODC --select 'kind=case-example' --purpose peer-review "${terms[@]}" \
    --authority 'Home Secretary' --reference 'HO/2026/77')
lines=$(grep -c event=ingested "$work/UNODC/log")
digest=$(value GB 'd["consent"]["digest"]' consent preview "$id")
quiet GB desk consent propose "$id" --digest "$digest" || die 'GB cannot propose'
quiet GB director consent approve "$id" --digest "$digest" &
approving=$!
arrives() { [ "$(grep -c event=ingested "$work/UNODC/log")" -gt "$lines" ]; }
until_true 300 'nothing of the large delivery arrives' arrives
kill_hard UNODC
wait "$approving" || die 'GB cannot approve'
start UNODC
started UNODC
tell "kill -9 of UNODC's node while $many records of GB were on their way. Started again, it holds $(($(value UNODC 'len(d["received"])' received) - before)) of them, whole."
until_true 600 'the delivery does not go on' all_receipted GB
arrived=$(value UNODC 'len({r["entry"] for r in d["received"]})' received)
[ "$((arrived - before))" -eq "$many" ] || die "UNODC holds $((arrived - before)) of $many records"
[ "$(value UNODC 'len(d["received"])' received)" -eq "$arrived" ] || die 'records arrived twice'
tell "The nodes went on where the last receipt was: $many of $many arrived, none lost, none twice."

chapter 'A node comes back from the backup of yesterday'
run KE desk backup create yesterday.backup
sed 's/,KE-/,KE-later-/; s/(training)/(training) Later:/' "$work/ke.csv" >"$work/later.csv"
run_quietly KE desk excerpt import "$work/later.csv"
id=$(consent_id KE --to UNODC --select kind=excerpt --purpose peer-review "${terms[@]}" \
    --authority 'Attorney General' --reference 'AG/2026/13')
approve KE "$id"
until_true 200 'the later delivery of KE is not receipted' all_receipted KE
held=$(value UNODC 'sum(r["from"] == "KE" for r in d["received"])' received)
tell "After that backup KE gave more; UNODC holds $held of its records. Then the disk of KE breaks."
kill_hard KE
mv "$work/KE/data/yesterday.backup" "$work/KE/data/keys.bundle" "$work/"
rm -rf "$work/KE/data"
mkdir -m 700 "$work/KE/data"
mv "$work/keys.bundle" "$work/KE/data/"
command_line KE root --config "$work/KE/comity.conf" backup restore "$work/yesterday.backup"
"$work/bin/comityctl" --config "$work/KE/comity.conf" backup restore "$work/yesterday.backup" \
    >"$work/restore.out" 2>&1 || die "the restore failed: $(cat "$work/restore.out")"
indent <"$work/restore.out"
start KE
started KE
restored_known() { grep -q new_epoch <<<"$(ctl UNODC desk --json status)"; }
until_true 200 'UNODC does not learn of the restore' restored_known
tell "$(value KE '"KE found out before it signed anything: " + next(a["text"] for a in d["alarms"] if a["kind"] == "rolled_back") + "."' status)"
tell "$(value UNODC '"UNODC was told, too: KE " + next(a["text"] for a in d["alarms"] if a["kind"] == "new_epoch") + "."' status)"
run_quietly KE desk excerpt import "$work/later.csv"
id=$(consent_id KE --to UNODC --select kind=excerpt --purpose peer-review "${terms[@]}" \
    --authority 'Attorney General' --reference 'AG/2026/14')
approve KE "$id"
until_true 200 'the delivery of KE after the restore is not receipted' all_receipted KE
lost=$(value KE 'next(g["consent"] for g in d["given"] if g["title"] == "-")' given --to UNODC)
tell 'The records that KE gave after the backup show in its list again, under a consent whose papers it lost. It takes those back:'
run KE desk consent revoke "$lost" --reason 'lost in the restore, and given again'
until_true 200 'UNODC does not confirm the erasure of what was lost' no_recalls KE
run KE desk check
tell 'What was lost was entered and decided again; it left in the new epoch, and the old feed is whole again from what UNODC holds of it.'

chapter 'Australia takes its consent back'
run AU desk consent revoke "$au_consent" --reason 'figures are being corrected'
until_true 300 'UNODC does not confirm the erasure' no_recalls AU
run AU desk recalls
tell "$(value AU '"%d recalls, each closed by an erasure receipt that UNODC signed." % len(d["recalls"])' recalls --all)"
left=$(value UNODC 'sum(r["from"] == "AU" for r in d["received"])' received)
[ "$left" -eq 0 ] || die "UNODC still holds $left records of AU"
tell "UNODC holds $left records of AU now: it destroyed their keys. What it was given, and that it erased it, stays provable:"
run_quietly UNODC desk check
run UNODC desk report cooperation --direction IN --period 2012
for code in AU GB IE KE; do
    run_quietly "$code" desk check
done

printf '\n%sDone in %d seconds.%s Five nodes, two people for each decision, nothing left that was not approved.\n' \
    "$bold" "$SECONDS" "$plain"
if [ "$keep" = --keep ]; then
    as_desk="setpriv --reuid=$desk_uid --regid=$desk_uid --clear-groups $work/bin/comityctl"
    printf '\nThe nodes go on running. Talk to them, for example:\n'
    for code in "${nodes[@]}"; do
        printf '  %s%s --socket %s/control.sock status\n' "${as_root[*]:+sudo }" "$as_desk" "$work/$code"
    done
    printf 'The director is uid %s. Their logs are %s/*/log. To end and remove them:\n' "$director_uid" "$work"
    printf '  kill %s; rm -rf %s\n' "${pid[*]}" "$work"
fi
