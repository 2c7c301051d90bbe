#!/usr/bin/env bash
# Bad input to every command: exit status not zero, every problem named with what was wrong and why,
# all problems of a file at once, and nothing half-done.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
F=$WORK/files
mkdir "$F"

node_make KE Kenya
node_start KE
RECORD=$(excerpt_make KE "There already" "A text that stays.")

state_of() { # all that a refused command must leave alone
    local listing
    for listing in "excerpt list --retired" "stats list --retired" "consent list" "peer list" \
        "given" "received --all" "recalls --all" "alarm list"; do
        # shellcheck disable=SC2086  # a listing is words
        operator KE $listing --json || true
    done
}
BEFORE=$(state_of)
LAST="nothing"

# Runs it as an operator; it must fail, and its answer must match every pattern (separated by &).
refused() { # WHAT PATTERNS ARGUMENT...
    local what=$1 patterns=$2 status=0 pattern
    shift 2
    operator KE "$@" >"$WORK/said" 2>&1 </dev/null || status=$?
    [ "$status" -ne 0 ] || fail "$what: exit status 0: $(cat "$WORK/said")"
    [ "$status" -lt 126 ] || fail "$what: exit status $status: $(cat "$WORK/said")"
    while [ -n "$patterns" ]; do
        pattern=${patterns%%&*}
        case $patterns in *'&'*) patterns=${patterns#*&} ;; *) patterns="" ;; esac
        grep -qE -- "$pattern" "$WORK/said" || fail "$what: '$pattern' is not in: $(cat "$WORK/said")"
    done
    LAST=$what
}

unchanged() {
    [ "$(state_of)" = "$BEFORE" ] || fail "something is half-done, after: $LAST"
}

say "the command line"
while IFS='|' read -r what patterns arguments; do
    # shellcheck disable=SC2086  # arguments are words
    refused "$what" "$patterns" $arguments
done <<'T'
no such command|no command|fly
half a command|needs another word|peer
no such sub-command|no command|peer fly
no such option|no such option|status --fast
a near miss is suggested|did you mean --purpose|consent draft --purpos x
a short option|two dashes|excerpt list -x
a word too many|one word too many|status now
an option without its value|needs a value|excerpt list --article
an option twice|once only|excerpt list --article 16 --article 18
text where a number belongs|article&number|excerpt list --article eighteen
a number with a sign|article&number|excerpt list --article -1
a number out of range|article&99|excerpt list --article 100
an article that nobody has|UNTOC has articles 1 to 41|excerpt list --article 42
a very large number|article|excerpt list --article 99999999999999999999
a fraction|article&number|excerpt list --article 1.5
an unknown kind|kind&good-practice|excerpt list --kind gossip
an unknown instrument|instrument&UNTOC|excerpt list --instrument UNCAC
an unknown state|state&pending|peer list --state friendly
a code in small letters|peer&capitals|peer show gb
an unknown code|no peer GB|peer show GB
a code that is too long|capitals|peer show ABCDEFGHIJKLMNOP
an unknown code to hold|no peer GB|hold GB
an unknown code to release|approver|release GB
not an id|0-9 and a-f|excerpt show 018g
an id that nobody has|ffffffff|excerpt show ffffffffffffffffffffffffffffffff
an id too long|6 to 32|excerpt show fffffffffffffffffffffffffffffffffffff
a release that is none|ffffff|stats show ffffff
nothing to retire|ffffff|excerpt retire ffffff
a consent that is not there|ffffff|consent preview ffffff
showing a consent that is not there|ffffff|consent show ffffff
history of a consent that is not there|ffffff|consent history ffffff
revoking a consent that is not there|ffffff|consent revoke ffffff --reason x
revoking without a reason|reason|consent revoke ffffff
proposing a consent that is not there|ffffff|consent propose ffffff
a digest that is none|digest|consent propose ffffff --digest 1234
a received record that is not there|ffffff|received show ffffff
evidence of nothing|entry|evidence export
evidence of an entry that is not there|ffffff|evidence export ffffff
evidence of a feed that is not there|GB|evidence export --given-to GB --index 0
journal limit out of range|limit&10000|journal list --limit 10001
journal limit not a number|limit|journal list --limit all
json and plain at once|does not go together|--json --plain status
an alarm that is not there|alarm|alarm close 77 --reason x
a backup in a folder that is not there|.|backup create /nonexistent/monday.backup
a backup without a name|FILE|backup create
no such file to import|No such file|excerpt import /nonexistent.csv
no such file of figures|No such file|stats import /nonexistent.csv
a folder as a file|.|excerpt import /tmp
T
unchanged

say "every wrong option of one command at once"
refused "excerpt add with everything wrong" \
    'kind&instrument&article&title&originator&date&confidentiality' \
    excerpt add --kind gossip --instrument UNCAC --article forty --language EN --title '' \
    --date 2026-02-30 --confidentiality loud
refused "a missing article of the Convention" 'article' excerpt add --kind good-practice \
    --instrument UNTOC --article 42 --language en --title T --text T --originator O \
    --date 2026-03-01 --confidentiality internal
refused "a day that does not exist" 'date&2026-02-30' excerpt add --kind good-practice \
    --instrument UNTOC --article 18 --language en --title T --text T --originator O \
    --date 2026-02-30 --confidentiality internal
refused "a text that is too long" 'title&500' excerpt add --kind good-practice \
    --instrument UNTOC --article 18 --language en --title "$(printf 'x%.0s' {1..501})" --text T \
    --originator O --date 2026-03-01 --confidentiality internal
refused "not UTF-8" 'UTF-8' excerpt add --kind good-practice --instrument UNTOC --article 18 \
    --language en --title $'caf\xe9' --text T --originator O --date 2026-03-01 \
    --confidentiality internal
refused "a control character" 'control|character' excerpt add --kind good-practice \
    --instrument UNTOC --article 18 --language en --title $'a\x1b[31mb' --text T --originator O \
    --date 2026-03-01 --confidentiality internal
refused "a direction-changing character" 'character|direction' excerpt add --kind good-practice \
    --instrument UNTOC --article 18 --language en --title $'a\xe2\x80\xaeb' --text T \
    --originator O --date 2026-03-01 --confidentiality internal
unchanged

say "consents"
draft() { # WHAT PATTERNS OPTION...
    local what=$1 patterns=$2
    shift 2
    refused "$what" "$patterns" consent draft "$@"
}
draft "nothing given" 'to&purpose&until&authority&reference'
draft "an unknown recipient" 'GB' --to GB --record "$RECORD" --purpose peer-review \
    --until 2027-12-31 --authority A --reference R
draft "ourselves" 'KE' --to KE --record "$RECORD" --purpose peer-review --until 2027-12-31 \
    --authority A --reference R
draft "a record that is not there" 'ffffff' --to UNODC --record ffffff --purpose peer-review \
    --until 2027-12-31 --authority A --reference R
draft "an unknown purpose, form, day and number at once" 'purpose&until&erase-days' --to UNODC \
    --record "$RECORD" --purpose fun --until tomorrow --erase-days 366 --authority A --reference R
draft "an end in the past" 'until' --to UNODC --record "$RECORD" --purpose peer-review \
    --until 2020-01-01 --authority A --reference R
draft "an unknown form" 'form' --to UNODC --record "$RECORD" --purpose peer-review \
    --until 2027-12-31 --form blurred --authority A --reference R
unchanged

say "files: all problems at once, with line, column, value and rule"
HEAD=kind,instrument,article,language,title,text,originator,date,confidentiality
cat >"$F/bad.csv" <<T
$HEAD
good-practice,UNTOC,18,en,Fine,Text,Ministry,2026-03-01,internal
gossip,UNTOC,18,en,Kind,Text,Ministry,2026-03-01,internal
good-practice,UNCAC,18,en,Instrument,Text,Ministry,2026-03-01,internal
good-practice,UNTOC,eighteen,en,Article,Text,Ministry,2026-03-01,internal
good-practice,UNTOC,99,en,Unknown article,Text,Ministry,2026-03-01,internal
good-practice,UNTOC,18,english,Language,Text,Ministry,2026-03-01,internal
good-practice,UNTOC,18,en,,Text,Ministry,2026-03-01,internal
good-practice,UNTOC,18,en,Day,Text,Ministry,2026-13-01,internal
good-practice,UNTOC,18,en,Class,Text,Ministry,2026-03-01,hidden
good-practice,UNTOC,18,en,Too few,Text
T
refused "a file with a problem in nine lines" \
    '3.*gossip&4.*UNCAC&5.*eighteen&6.*99&7.*english&8.*title&9.*2026-13-01&10.*hidden&11' \
    excerpt import "$F/bad.csv"
sed 's/^/   /' "$WORK/said" | cut -c 1-150
printf '%s\ngood-practice,UNTOC,18,en,Caf\xe9,Text,Ministry,2026-03-01,internal\n' "$HEAD" >"$F/latin.csv"
refused "a file in Latin-1" 'UTF-8&2' excerpt import "$F/latin.csv"
printf '%s\ngood-practice,UNTOC,18,en,"Open,Text,Ministry,2026-03-01,internal\n' "$HEAD" >"$F/quote.csv"
refused "an open quote" 'quot&2' excerpt import "$F/quote.csv"
printf 'kind,instrument,colour,kind\n' >"$F/columns.csv"
refused "unknown, doubled and missing columns" 'colour&kind&title' excerpt import "$F/columns.csv"
: >"$F/empty.csv"
refused "an empty file" 'empty|no ' excerpt import "$F/empty.csv"
head -c 4096 /dev/urandom >"$F/noise.csv"
refused "noise" '.' excerpt import "$F/noise.csv"
refused "one file named twice" 'the same as the file' \
    excerpt import "$PWD/data/excerpts/ke.csv" "$PWD/data/excerpts/ke.csv"
refused "one good file and one bad one" 'bad.csv' excerpt import "$PWD/data/excerpts/ke.csv" "$F/bad.csv"
chmod 0600 "$F/empty.csv"
refused "a file that may not be read" 'ermission' excerpt import "$F/empty.csv"
unchanged

COLUMNS=STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,COUNTERPART_AREA,DIRECTION,COOP_TYPE,ASSIST_TYPE,LEGAL_BASIS,OFFENCE,INDICATOR,REASON,PROCEDURE,COHORT,UNIT_MEASURE,TIME_PERIOD,OBS_VALUE,OBS_STATUS,COMMENT_OBS,NATIONAL_TERM,SOURCE_AUTH,TITLE
row() { # AREA COUNTERPART YEAR VALUE STATUS
    echo "dataflow,COMITY:DF_INTCOOP(1.0.0),I,A,$1,$2,IN,SURR,_Z,REG,_T,SURREND,_Z,_T,FLOW,PERS,$3,$4,$5,,Warrant,Ministry,Surrenders"
}
{
    echo "$COLUMNS"
    row KE GB 2008 32 A
    row KE GB 2008 33 A
    row KE XX 2008 32 A
    row KE FR 2O08 32 A
    row KE FR 2009 many A
    row KE FR 2010 99999999999999999999 A
    row KE FR 2011 -5 A
    row KE FR 2012 7 WRONG
} >"$F/figures.csv"
refused "figures with a problem in seven lines" \
    '3.*(twice|already|same|duplicate|again)&4.*XX&5.*2O08&6.*many&7.*99999999999999999999&8.*-5&9.*WRONG' \
    stats import "$F/figures.csv"
sed 's/^/   /' "$WORK/said" | cut -c 1-150
refused "figures that are excerpts" 'seems to be excerpts&excerpt import' stats import "$PWD/data/excerpts/ke.csv"
refused "excerpts that are figures" 'seems to be figures&stats import' excerpt import "$F/figures.csv"
unchanged

say "commands without a daemon"
offline() { # WHAT PATTERN ARGUMENT...
    local what=$1 pattern=$2 status=0
    shift 2
    "$BIN/comityctl" "$@" >"$WORK/said" 2>&1 || status=$?
    case $status in 0 | 12[6-9] | 1[3-9]? | 2??) fail "$what: exit status $status" ;; esac
    grep -qE -- "$pattern" "$WORK/said" || fail "$what: '$pattern' is not in: $(cat "$WORK/said")"
}
offline "a node where one is" 'exists|already' node init --realm training --code KE --name Kenya --directory "$WORK/KE"
offline "a node with everything wrong" 'code' node init --realm TRAINING --code kenya --name '' \
    --listen nowhere --address host:0 --directory "$WORK/none"
for each in realm code name listen address; do
    grep -q -- "--$each" "$WORK/said" || fail "$each is not named with the others: $(cat "$WORK/said")"
done
offline "a realm in capitals" 'realm' node init --realm TRAINING --code KE --name Kenya --directory "$WORK/none"
[ ! -e "$WORK/none" ] || fail "a node is half-made"
offline "no daemon there" 'next' --socket "$WORK/nobody.sock" status
offline "no configuration there" 'nonexistent' --config /nonexistent.conf status
offline "evidence that is none" 'this is no evidence' evidence verify "$F/bad.csv" --card "$WORK/KE.card"
offline "evidence without a card" 'card' evidence verify "$F/bad.csv"
offline "a backup that is none" '.' --config "$WORK/KE/comity.conf" backup restore "$F/bad.csv"

operator KE check >/dev/null || fail "check"
unchanged
node_stop KE
say "done"
