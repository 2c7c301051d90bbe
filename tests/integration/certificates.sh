#!/usr/bin/env bash
# The listener of a real comityd against every wrong certificate: each is refused with its reason in
# the log, the daemon lives on, and the right certificate still opens a session.  KE's identity is
# made with certs/, as a national authority makes it.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
CERTS=$PWD/certs
TLS=$WORK/tls
mkdir "$TLS"

quiet() { "$@" >"$WORK/out" 2>&1 || {
    cat "$WORK/out"
    fail "$*"
}; }

# -- KE by the scripts of a national authority ------------------------------------------------------

authority_make() { # CODE REALM
    quiet "$CERTS/make-anchor" --realm "$2" --code "$1" --authority "$WORK/vault.$1" --no-passphrase
}

issue_tls() { # CODE NAME REALM: a tls certificate and its key in $TLS/NAME.*
    quiet "$CERTS/make-requests" --realm "$3" --code "$1" --role tls --directory "$TLS/$2.new"
    quiet "$CERTS/issue" --authority "$WORK/vault.$1" --role tls --request "$TLS/$2.new/tls.csr" \
        --out "$TLS/$2.crt"
    mv "$TLS/$2.new/tls.key" "$TLS/$2.key"
}

identity_make() { # CODE: in place of what node init made
    local role directory=$WORK/$1/identity
    rm -rf "$directory"
    quiet "$CERTS/make-requests" --realm training --code "$1" --directory "$directory"
    for role in tls log receipt witness; do
        quiet "$CERTS/issue" --authority "$WORK/vault.$1" --role "$role" \
            --request "$directory/$role.csr" --out "$directory/$role.crt"
    done
    cp "$WORK/vault.$1/anchor.crt" "$WORK/vault.$1/crl.pem" "$directory/"
    quiet "$CERTS/make-card" --realm training --code "$1" --name Kenya \
        --address "127.0.0.1:${NODE_PORT[$1]}" --directory "$directory" --out "$directory/card.pem"
    cp "$directory/card.pem" "$WORK/$1.card"
    chmod 0644 "$WORK/$1.card"
    printf 'Fingerprint %s\n' "$("$CERTS/fingerprint" --realm training --code "$1" \
        --anchor "$directory/anchor.crt" | grep -o '\([0-9]\{5\} \)\{11\}[0-9]\{5\}')" >"$WORK/$1.init"
}

# A certificate that KE's scripts would never issue: KE's anchor signs what it is given.
forge() { # NAME CURVE SUBJECT [EXTENSION...]
    local name=$1 curve=$2 subject=$3 extension options=()
    shift 3
    for extension in "$@"; do options+=(-addext "$extension"); done
    [ "${ANCHOR:-$WORK/vault.KE/anchor}" = self ] ||
        options+=(-CA "${ANCHOR:-$WORK/vault.KE/anchor}.crt" -CAkey "${ANCHOR:-$WORK/vault.KE/anchor}.key")
    cp "$TLS/$curve.key" "$TLS/$name.key"
    quiet ${AT:+faketime "$AT"} openssl req -x509 -new -config "$TLS/openssl.cnf" \
        -key "$TLS/$name.key" -subj "$subject" -sha256 -days 30 "${options[@]}" -out "$TLS/$name.crt"
}

printf '[req]\ndistinguished_name = subject\nprompt = no\n[subject]\nCN = x\n' >"$TLS/openssl.cnf"
for curve in P-256 P-384; do
    quiet openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$curve" -out "$TLS/$curve.key"
done
SUBJECT="/C=KE/O=Comity/CN=forged"
LEAF="basicConstraints=critical,CA:FALSE"
SIGN="keyUsage=critical,digitalSignature"
BOTH="extendedKeyUsage=critical,serverAuth,clientAuth"
URI="subjectAltName=URI:urn:comity:training:ke:tls"

say "KE with an identity from certs/, UNODC with one from node init"
node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
authority_make KE training
authority_make GB training
issue_tls KE good training
issue_tls KE revoked training
quiet "$CERTS/revoke" --authority "$WORK/vault.KE" --certificate "$TLS/revoked.crt" \
    --reason keyCompromise
identity_make KE
issue_tls GB stranger training

forge two_uris P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI,URI:urn:comity:training:gb:tls"
forge no_uri P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "subjectAltName=DNS:comity.example"
forge no_role P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "subjectAltName=URI:urn:comity:training:ke"
forge other_realm P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "subjectAltName=URI:urn:comity:live:ke:tls"
forge other_country P-256 "/C=GB/CN=forged" "$LEAF" "$SIGN" "$BOTH" "$URI"
forge other_code P-256 "/C=GB/CN=forged" "$LEAF" "$SIGN" "$BOTH" \
    "subjectAltName=URI:urn:comity:training:gb:tls"
forge log_use P-256 "$SUBJECT" "$LEAF" "$SIGN" \
    "extendedKeyUsage=critical,2.25.11617564862036963304998923620682681986.1" "$URI"
forge client_only P-256 "$SUBJECT" "$LEAF" "$SIGN" "extendedKeyUsage=critical,clientAuth" "$URI"
forge no_use P-256 "$SUBJECT" "$LEAF" "$SIGN" "$URI"
forge is_ca P-256 "$SUBJECT" "basicConstraints=critical,CA:TRUE" "$SIGN" "$BOTH" "$URI"
forge other_curve P-384 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI"
ANCHOR=self forge self_made P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI"
ANCHOR=$WORK/vault.GB/anchor forge of_other_anchor P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI"
AT="2020-01-01 00:00:00" forge expired P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI"
AT="+400 days" forge not_yet P-256 "$SUBJECT" "$LEAF" "$SIGN" "$BOTH" "$URI"
cp "$WORK/KE/identity/log.crt" "$TLS/log_role.crt"
cp "$WORK/KE/identity/log.key" "$TLS/log_role.key"
cp "$WORK/UNODC/identity/tls.crt" "$TLS/own.crt"
cp "$WORK/UNODC/identity/tls.key" "$TLS/own.key"

node_start UNODC
UNODC_PID=${NODE_PID[UNODC]}
peer_accept UNODC KE

# -- the matrix -------------------------------------------------------------------------------------

mkfifo "$WORK/typed"
exec 9<>"$WORK/typed" # nothing is ever typed, and the client does not see an end

# A client that would stay: it must be shown out, and the log says why.
call() { # NAME-OF-CERTIFICATE (or -) [OPTION...]
    local name=$1 certificate=()
    shift
    [ "$name" = - ] || certificate=(-cert "$TLS/$name.crt" -key "$TLS/$name.key")
    [ $# -gt 0 ] || set -- -tls1_3 -alpn comity/1
    timeout 15 openssl s_client -connect "127.0.0.1:${NODE_PORT[UNODC]}" \
        "${certificate[@]}" "$@" -brief -sigalgs ECDSA+SHA256:ECDSA+SHA384:ed25519 \
        <&9 >"$WORK/client" 2>&1 &
    CALLER=$!
}

refused() { # WHAT VERDICT REASON NAME-OF-CERTIFICATE [OPTION...]
    local what=$1 verdict=$2 reason=$3 lines
    shift 3
    lines=$(wc -l <"$WORK/UNODC.log")
    call "$@"
    seen() { tail -n "+$((lines + 1))" "$WORK/UNODC.log" | grep -E "event=handshake_failed.*verdict=$verdict .*$reason"; }
    wait_for 10 "refusal of $what (verdict=$verdict, $reason; $(cat "$WORK/client"))" seen
    kill "$CALLER" 2>/dev/null || true
    wait "$CALLER" 2>/dev/null || true
    kill -0 "$UNODC_PID" || fail "UNODC did not survive $what"
    if tail -n "+$((lines + 1))" "$WORK/UNODC.log" | grep -q event=peer_connected; then
        fail "$what opened a session"
    fi
    printf '   %-32s %s\n' "$what" "$(seen | head -n 1 | sed 's/.*reason=//' | cut -c 1-110)"
}

say "each is refused, and the log says why"
while IFS='|' read -r what verdict reason certificate; do
    refused "$what" "$verdict" "$reason" "$certificate"
done <<'T'
no certificate|no-certificate|certificate|-
of an unknown State|unknown-node|GB is not an accepted peer|stranger
KE's, from another State's anchor|wrong-anchor|not issued by the anchor|of_other_anchor
another State's, from KE's anchor|unknown-node|GB is not an accepted peer|other_code
KE's log certificate|wrong-role|log certificate.*tls certificate|log_role
our own|own-code|claims to be UNODC|own
two URIs|many-identities|has 2 urn:comity URIs|two_uris
no URI|no-identity|names no node|no_uri
a URI without its role|malformed|is not urn:comity:|no_role
another realm|wrong-realm|realms never connect|other_realm
another country in the subject|wrong-country|says country 'GB'|other_country
expired|expired|was valid until|expired
not valid yet|not-yet-valid|is valid from|not_yet
revoked|revoked|was revoked at|revoked
with the extended use of a log|wrong-use|extended key usage|log_use
with the use of a client alone|wrong-use|extended key usage|client_only
without extended use|wrong-use|extended key usage|no_use
that could issue others|wrong-use|CA:FALSE|is_ca
with a P-384 key|no-certificate|showed no certificate|other_curve
self-made|wrong-anchor|not issued by the anchor|self_made
T
refused "TLS 1.2" wrong-protocol 'does not speak TLS 1.3' good -tls1_2 -alpn comity/1
refused "another ALPN" wrong-protocol 'comity/1' good -tls1_3 -alpn h2
refused "no ALPN" wrong-protocol 'comity/1' good -tls1_3

say "the unknown node shows as pending, and nobody else does"
operator UNODC peer list --state pending --json >"$WORK/pending"
grep -q '"code": *"GB"' "$WORK/pending" || fail "GB is not pending: $(cat "$WORK/pending")"
[ "$(grep -o '"code": *"[A-Z]*"' "$WORK/pending" | sort -u | wc -l)" -eq 1 ] ||
    fail "more than GB is pending: $(cat "$WORK/pending")"

say "KE's second certificate, which is in order, passes TLS"
call good
passed() { grep -q 'Verification\|CONNECTION ESTABLISHED' "$WORK/client"; }
wait_for 5 "handshake" passed
kill "$CALLER" 2>/dev/null || true
wait "$CALLER" 2>/dev/null || true

say "and KE itself has a session"
node_start KE
peer_accept KE UNODC
wait_for 20 "session" grep -q 'event=peer_connected peer=KE' "$WORK/UNODC.log"

say "its tls certificate is revoked in mid-session: cut as soon as its newer card is taken"
quiet "$CERTS/revoke" --authority "$WORK/vault.KE" --certificate "$WORK/KE/identity/tls.crt" \
    --reason keyCompromise
cp "$WORK/KE.card" "$WORK/older.card"
mkdir "$WORK/next"
cp "$WORK/KE/identity/"*.crt "$WORK/KE/identity/"*.key "$WORK/vault.KE/crl.pem" "$WORK/next/"
rm "$WORK/next/tls.crt" "$WORK/next/tls.key"
issue_tls KE renewed training
cp "$TLS/renewed.crt" "$WORK/next/tls.crt"
cp "$TLS/renewed.key" "$WORK/next/tls.key"
quiet "$CERTS/make-card" --realm training --code KE --name Kenya \
    --address "127.0.0.1:${NODE_PORT[KE]}" --directory "$WORK/next" --out "$WORK/newer.card"
chmod 0644 "$WORK/newer.card" "$WORK/older.card"
operator UNODC peer add "$WORK/newer.card" >"$WORK/said" 2>&1 || fail "newer card: $(cat "$WORK/said")"
lines=$(wc -l <"$WORK/UNODC.log")
approver UNODC peer accept KE --fingerprint "$(fingerprint KE)" >"$WORK/said" 2>&1 ||
    fail "newer card: $(cat "$WORK/said")"
cut_off() { tail -n "+$((lines + 1))" "$WORK/UNODC.log" | grep -q 'event=peer_disconnected peer=KE'; }
wait_for 5 "end of the session" cut_off
grep -q 'event=certificate_refused.*peer=KE.*was revoked at' "$WORK/UNODC.log" ||
    fail "no reason in the log"
older() {
    operator UNODC peer add "$WORK/older.card" &&
        approver UNODC peer accept KE --fingerprint "$(fingerprint KE)"
}
if older >"$WORK/said" 2>&1; then fail "an older list was taken"; fi
printf '   %s\n' "$(grep '^comityctl' "$WORK/said" | tail -n 1 | cut -c 1-150)"

say "with the renewed certificate it is back"
node_stop KE
lines=$(wc -l <"$WORK/UNODC.log")
cp "$WORK/next/tls.crt" "$WORK/next/tls.key" "$WORK/next/crl.pem" "$WORK/KE/identity/"
cp "$WORK/newer.card" "$WORK/KE/identity/card.pem"
chmod 0600 "$WORK/KE/identity/tls.key"
node_start KE
back() { tail -n "+$((lines + 1))" "$WORK/UNODC.log" | grep -q 'event=peer_connected peer=KE'; }
wait_for 20 "session with the renewed certificate" back

say "blocked: cut at once, and refused from then on"
lines=$(wc -l <"$WORK/UNODC.log")
operator UNODC peer block KE --reason "key reported stolen" >/dev/null
wait_for 5 "end of the session" cut_off
refused "blocked" blocked "blocked here by an operator" good
say "done"
