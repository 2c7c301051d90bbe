#!/usr/bin/env bash
# Keys and certificates of a running node are replaced, one after the other; its peer learns of it
# through the feed, exchange goes on, a revoked certificate is cut, and what was signed before still
# verifies.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
CERTS=$(cd "$(dirname "$0")/../../certs" && pwd)
AUTHORITY=$WORK/authority
printf 'a passphrase of the test\n' >"$WORK/pass"

certs() { # SCRIPT ARGUMENT...
    local script=$1
    shift
    "$CERTS/$script" "$@" >"$WORK/certs.out" 2>&1 || {
        cat "$WORK/certs.out"
        fail "certs/$script"
    }
}

make_card() {
    rm -f "$WORK/KE/identity/card.pem"
    certs make-card --realm training --code KE --name Kenya \
        --address "127.0.0.1:${NODE_PORT[KE]}" --directory "$WORK/KE/identity" \
        --out "$WORK/KE/identity/card.pem"
}

reload() {
    local before
    before=$(grep -c event=reloaded "$WORK/KE.log" || true)
    kill -HUP "${NODE_PID[KE]}"
    reloaded() { [ "$(grep -c event=reloaded "$WORK/KE.log")" -gt "$before" ]; }
    wait_for 10 "reload" reloaded
}

excerpt_to_unodc() { # TITLE: a record is added, consented and arrives
    give KE UNODC "$1" "Text of $1."
    wait_for 20 "delivery of $1" holds UNODC "$1"
    wait_for 20 "receipt of $1" all_receipted KE
}

evidence_of() { # TITLE FILE
    local entry
    entry=$(operator UNODC received --json | tr '{' '\n' | grep "$1" |
        grep -o '"entry": *"[0-9a-f]\{32\}"' | head -n 1 | grep -o '[0-9a-f]\{32\}')
    operator UNODC evidence export "$entry" --out "$2" >/dev/null || fail "evidence export of $1"
}

# The key of a role is replaced as certs/README.md says; the former one of log and receipt stays.
replace_key() { # ROLE [REVOKE-OPTION...]
    local role=$1 identity=$WORK/KE/identity
    shift
    rm -rf "$WORK/next"
    certs make-requests --realm training --code KE --role "$role" --directory "$WORK/next"
    certs rotate --authority "$AUTHORITY" --role "$role" --old "$identity/$role.crt" \
        --request "$WORK/next/$role.csr" --out "$WORK/next/$role.crt" \
        --passphrase-file "$WORK/pass" "$@"
    [ "$role" = tls ] || mv "$identity/$role.key" "$identity/$role.old.key"
    mv -f "$WORK/next/$role.key" "$WORK/next/$role.crt" "$identity/"
    cp "$AUTHORITY/crl.pem" "$identity/crl.pem"
    make_card
}

say "a node whose certificates come from an authority"
node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
chmod 0777 "$WORK"
identity=$WORK/KE/identity
rm -f "$identity"/*
certs make-anchor --realm training --code KE --authority "$AUTHORITY" --passphrase-file "$WORK/pass"
certs make-requests --realm training --code KE --directory "$identity"
for role in tls log receipt witness; do
    certs issue --authority "$AUTHORITY" --role "$role" --request "$identity/$role.csr" \
        --out "$identity/$role.crt" --passphrase-file "$WORK/pass"
done
cp "$AUTHORITY/anchor.crt" "$AUTHORITY/crl.pem" "$identity/"
make_card
"$CERTS/fingerprint" --realm training --code KE --anchor "$identity/anchor.crt" |
    sed -n 's/.*\(\([0-9]\{5\}[ -]*\)\{12\}\).*/Fingerprint \1/p' >"$WORK/KE.init"
cp "$identity/card.pem" "$WORK/KE.card"
chmod 0644 "$WORK/KE.card"
node_start KE
node_start UNODC
befriend KE UNODC
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"
excerpt_to_unodc "Before"
evidence_of "Before" "$WORK/evidence.before"

say "another log key: announced in the feed, both sign until the peer has it"
replace_key log
reload
has_card() { operator KE inbox --json | grep -q 'every peer has the new card'; }
wait_for 20 "the card at UNODC" has_card
excerpt_to_unodc "With two log keys"
rm "$identity/log.old.key"
reload
excerpt_to_unodc "With the new log key"

say "another receipt key"
replace_key receipt
reload
wait_for 20 "the card at UNODC" has_card
rm "$identity/receipt.old.key"
reload
excerpt_to_unodc "With the new receipt key"

say "another tls key; the old certificate is revoked, and connections with it are cut"
lost=$(grep -c event=peer_disconnected "$WORK/UNODC.log" || true)
replace_key tls --revoke superseded
reload
cut() { [ "$(grep -c event=peer_disconnected "$WORK/UNODC.log")" -gt "$lost" ]; }
wait_for 60 "the cut" cut
excerpt_to_unodc "With the new tls key"

say "both start again, and go on"
node_stop KE
node_stop UNODC
node_start UNODC
node_start KE
excerpt_to_unodc "After a restart"
operator KE check >/dev/null || fail "check of KE"
operator UNODC check >/dev/null || fail "check of UNODC"
if grep -q event=alarm "$WORK/KE.log" "$WORK/UNODC.log"; then fail "an alarm was raised"; fi

say "what the former key signed verifies with the former card, not with the new one"
cp "$identity/card.pem" "$WORK/KE.new.card"
chmod 0644 "$WORK/KE.new.card"
"$BIN/comityctl" evidence verify "$WORK/evidence.before" --card "$WORK/KE.card" \
    --card "$WORK/UNODC.card" >/dev/null || fail "evidence of before"
"$BIN/comityctl" evidence verify "$WORK/evidence.before" --card "$WORK/KE.new.card" \
    --card "$WORK/KE.card" --card "$WORK/UNODC.card" >/dev/null || fail "evidence, both cards"
if "$BIN/comityctl" evidence verify "$WORK/evidence.before" --card "$WORK/KE.new.card" \
    --card "$WORK/UNODC.card" >/dev/null 2>&1; then fail "the new key did not sign that"; fi

say "a key that was replaced without announcement: refused until two people take the card"
replace_key log
rm "$identity/log.old.key"
node_stop KE
node_start KE
wait_for 20 "refusal" grep -q 'no key of the cards known here' "$WORK/UNODC.log"
cp "$identity/card.pem" "$WORK/KE.card"
chmod 0644 "$WORK/KE.card"
operator UNODC peer add "$WORK/KE.card" >/dev/null || fail "peer add of the new card"
approver UNODC peer accept KE --fingerprint "$(fingerprint KE)" >/dev/null || fail "peer accept"
excerpt_to_unodc "With a card from hand to hand"
node_stop KE
node_stop UNODC
say "done"
