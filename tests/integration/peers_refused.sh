#!/usr/bin/env bash
# Whom a node refuses as a peer, and why: every refusal through comityctl, nothing kept of it.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

state_of() { # what a refused command must not change
    operator KE peer list --json
    operator KE consent list --json
}

refused() { # WHAT TEXT UID ARGUMENT...
    local what=$1 text=$2 uid=$3 before status=0
    shift 3
    before=$(state_of)
    as "$uid" KE "$@" >"$WORK/said" 2>&1 || status=$?
    [ "$status" -ne 0 ] || fail "$what: was not refused: $(cat "$WORK/said")"
    grep -qE -- "$text" "$WORK/said" || fail "$what: '$text' is not in: $(cat "$WORK/said")"
    [ "$(state_of)" = "$before" ] || fail "$what: it changed the list of peers"
    printf '   %-36s %s\n' "$what" "$(grep -E -m 1 -- "$text" "$WORK/said" | cut -c 1-150)"
}

card_of() { # CODE NAME [REALM]: a node of that code elsewhere; its card is $WORK/NAME.card
    "$BIN/comityctl" node init --realm "${3:-training}" --code "$1" --name "Name of $1" \
        --directory "$WORK/$2" --address 127.0.0.1:1 --operators "$OPERATOR" \
        --approvers "$APPROVER" >"$WORK/$2.init" 2>&1 || fail "node init of $2"
    cp "$WORK/$2/identity/card.pem" "$WORK/$2.card"
    chmod 0644 "$WORK/$2.card"
}

# The n-th certificate of a card (anchor first) in place of that of another card.
swap() { # CARD OTHER-CARD N OUT
    awk -v n="$3" -v other="$2" '
        BEGIN { while ((getline line < other) > 0) {
                    if (line ~ /BEGIN CERTIFICATE/) j++
                    if (j == n) part = part line "\n"
                    if (line ~ /END CERTIFICATE/ && j == n) j = 1000 } }
        /BEGIN CERTIFICATE/ { i++; if (i == n) { printf "%s", part; skip = 1 } }
        !skip { print }
        /END CERTIFICATE/ { skip = 0 }' "$1" >"$4"
    chmod 0644 "$4"
}

node_make KE Kenya
card_of GB GB
card_of GB GB2
card_of IE IE live
card_of KE KE2
node_start KE

say "cards that are refused"
refused "our own card" "own|is this node" $OPERATOR peer add "$WORK/KE.card"
refused "our own code, another anchor" "own|is this node" $OPERATOR peer add "$WORK/KE2.card"
refused "another realm" "realm" $OPERATOR peer add "$WORK/IE.card"
certificates=$(grep -c 'BEGIN CERTIFICATE' "$WORK/GB.card")
[ "$certificates" -ge 5 ] || fail "a card with $certificates certificates"
for n in 2 3 4 5; do
    swap "$WORK/GB.card" "$WORK/GB2.card" "$n" "$WORK/broken$n.card"
    if cmp -s "$WORK/GB.card" "$WORK/broken$n.card"; then fail "the card was not changed"; fi
    refused "a broken chain, certificate $n" "anchor" $OPERATOR peer add "$WORK/broken$n.card"
done
swap "$WORK/GB.card" "$WORK/KE.card" 2 "$WORK/foreign.card"
refused "another State's certificate in it" "KE" $OPERATOR peer add "$WORK/foreign.card"
awk '/BEGIN CERTIFICATE/ { i++ } i != 3 { print }' "$WORK/GB.card" >"$WORK/short.card"
refused "a certificate is missing" "missing|no |certificate" $OPERATOR peer add "$WORK/short.card"
head -c 900 "$WORK/GB.card" >"$WORK/cut.card"
refused "cut short" "." $OPERATOR peer add "$WORK/cut.card"
head -c 5000 /dev/urandom >"$WORK/noise.card"
refused "noise" "this is no card.*no text" $OPERATOR peer add "$WORK/noise.card"
{ echo 'Comity-Card: 1' && head -c 70000 /dev/zero | tr '\0' 'A'; } >"$WORK/long.card"
refused "too long" "65536|bytes" $OPERATOR peer add "$WORK/long.card"
: >"$WORK/empty.card"
refused "empty" "." $OPERATOR peer add "$WORK/empty.card"
refused "no such file" "No such file" $OPERATOR peer add "$WORK/none.card"

say "acceptance that is refused"
refused "nobody added its card" "no peer GB" $APPROVER peer accept GB --fingerprint "$(fingerprint GB)"
operator KE peer add "$WORK/GB.card" >/dev/null || fail "the right card"
refused "another anchor for a known code" "anchor" $OPERATOR peer add "$WORK/GB2.card"
refused "a wrong fingerprint" "not the fingerprint.*groups" $APPROVER \
    peer accept GB --fingerprint "$(fingerprint GB2)"
one_off=$(fingerprint GB | sed 's/^\(....\)\(.\)/\1'"$(($(fingerprint GB | cut -c 5) ^ 1))"'/')
refused "one digit wrong" "of the 12 groups, 1 differs" $APPROVER peer accept GB --fingerprint "$one_off"
refused "too short a fingerprint" "60|digits|groups" $APPROVER peer accept GB --fingerprint "12345 67890"
refused "letters in a fingerprint" "digit" $APPROVER peer accept GB --fingerprint \
    "abcde $(fingerprint GB | cut -c 7-)"
refused "by an operator" "may not|approver|permi" $OPERATOR peer accept GB --fingerprint "$(fingerprint GB)"
refused "by an auditor" "may not|approver|permi" $AUDITOR peer accept GB --fingerprint "$(fingerprint GB)"
refused "adding by an auditor" "may not|operator|permi" $AUDITOR peer add "$WORK/GB.card"
status=0
as 2999 KE status >"$WORK/said" 2>&1 || status=$?
[ "$status" -ne 0 ] || fail "a user without a role was answered"
wait_for 5 "refusal of uid 2999 in the log" grep -q 'event=control_refused uid=2999' "$WORK/KE.log"
printf '   %-36s %s\n' "a user without any role" "$(head -n 1 "$WORK/said")"

say "and what is right is accepted, once"
approver KE peer accept GB --fingerprint "$(fingerprint GB)" >/dev/null || fail "accept"
refused "accepted twice" "already" $APPROVER peer accept GB --fingerprint "$(fingerprint GB)"
refused "another anchor once accepted" "anchor" $OPERATOR peer add "$WORK/GB2.card"
refused "a peer that is not there" "no peer" $OPERATOR peer block FR --reason x
operator KE peer block GB --reason "key reported stolen" >/dev/null
refused "blocked twice" "already" $OPERATOR peer block GB --reason x
operator KE peer forget GB >/dev/null
refused "accepted after being forgotten" "no card" $APPROVER peer accept GB --fingerprint "$(fingerprint GB)"
node_stop KE
say "done"
