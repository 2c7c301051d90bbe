# Shared by the scripts of this folder: checks, words, and the calls of openssl.  POSIX sh.
# shellcheck shell=sh
umask 077
unset OPENSSL_CONF
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
config=$here/openssl.cnf
# openssl reads every variable that its configuration names, used or not
COMITY_AUTHORITY=${COMITY_AUTHORITY-}
COMITY_URI=${COMITY_URI-}
export COMITY_AUTHORITY COMITY_URI

die() { # SENTENCE...
    echo "${0##*/}: $*" >&2
    exit 1
}

usage_error() { # SENTENCE
    echo "${0##*/}: $1" >&2
    echo "next: ${0##*/} --help" >&2
    exit 2
}

need_value() { # OPTION NUMBER-OF-ARGUMENTS-LEFT
    [ "$2" -ge 2 ] || usage_error "$1 needs a value"
}

need_options() { # OPTION VALUE...: all that are missing, in one message
    missing=''
    while [ $# -ge 2 ]; do
        [ -n "$2" ] || missing="$missing${missing:+, }$1"
        shift 2
    done
    [ -z "$missing" ] || usage_error "missing: $missing"
}

need_openssl() {
    command -v openssl >/dev/null 2>&1 || die "openssl is not installed here"
    case $(openssl version) in
    'OpenSSL 3'*) ;;
    *) die "OpenSSL 3 is needed; this is $(openssl version)" ;;
    esac
}

check_realm() {
    case $1 in
    '' | *[!a-z0-9-]* | [!a-z]*)
        die "'$1' is not a realm: 1 to 16 of a-z, 0-9 and -, beginning with a letter (live, training)"
        ;;
    esac
    [ ${#1} -le 16 ] || die "'$1' is not a realm: it has more than 16 characters"
}

check_code() {
    case $1 in
    '' | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZ]*)
        die "'$1' is not a node's code: two capitals for a State (KE), EU, or 3 to 12 capitals"
        ;;
    esac
    if [ ${#1} -ge 2 ] && [ ${#1} -le 12 ]; then return; fi
    die "'$1' is not a node's code: it has not 2 to 12 capitals"
}

check_role() {
    case $1 in
    tls | log | receipt | witness) ;;
    *) die "'$1' is not a role: tls, log, receipt or witness" ;;
    esac
}

check_number() { # OPTION VALUE LEAST MOST
    case $2 in
    '' | *[!0-9]* | ??????*) die "$1 '$2' is not a number from $3 to $4" ;;
    esac
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then return; fi
    die "$1 $2 is not from $3 to $4"
}

refuse_existing() { # FILE...
    for file in "$@"; do
        [ ! -e "$file" ] || die "$file is there already, and nothing is ever overwritten"
    done
}

need_file() {
    if [ -r "$1" ] && [ -f "$1" ]; then return; fi
    die "$1 is not a file that can be read"
}

need_folder_of() { # FILE that is to be written
    folder=$(dirname -- "$1")
    if [ -d "$folder" ] && [ -w "$folder" ]; then return; fi
    die "$1 cannot be written: $folder is not a folder in which files can be made"
}

check_passphrase_file() { # FILE, or nothing when it is asked for
    [ -n "$1" ] || return 0
    need_file "$1"
    [ -n "$(head -n 1 -- "$1")" ] || die "the first line of $1, which is the passphrase, is empty"
}

check_reason() {
    case $1 in
    keyCompromise | superseded | cessationOfOperation | unspecified) ;;
    *) die "'$1' is not a reason: keyCompromise, superseded, cessationOfOperation, unspecified" ;;
    esac
}

identity() { # REALM CODE ROLE
    printf 'urn:comity:%s:%s:%s' "$1" \
        "$(printf %s "$2" | tr ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz)" "$3"
}

subject() { # REALM CODE ROLE: C= is for States alone
    case $2 in
    EU) ;;
    ??) printf '/C=%s' "$2" ;;
    esac
    printf '/O=Comity/CN=comity %s %s %s' "$1" "$2" "$3"
}

# Sets realm and code to those of an authority's folder.
open_authority() { # FOLDER
    [ -f "$1/authority" ] || die "$1 is not an authority's folder; next: make-anchor makes one"
    COMITY_AUTHORITY=$(CDPATH='' cd -- "$1" && pwd)
    realm=$(sed -n 's/^realm //p' "$1/authority")
    code=$(sed -n 's/^code //p' "$1/authority")
    check_realm "$realm"
    check_code "$code"
}

uris_of() { # what openssl prints of subject alternative names: URI:...
    sed -n 's/^ *URI:/URI:/p'
}

need_certificate() { # FILE URI: a file that somebody gave to the script
    need_file "$1"
    found=$(openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null) || die "$1 is not a certificate in PEM"
    found=$(echo "$found" | uris_of)
    [ "$found" = "URI:$2" ] || die "$1 is the certificate of '${found#URI:}'; one of '$2' belongs here"
}

# Sets serial to that of a certificate of the authority that is open.
find_issued() { # CERTIFICATE
    serial=$(openssl x509 -in "$1" -noout -serial 2>/dev/null) || die "$1 is not a certificate in PEM"
    serial=${serial#serial=}
    [ "$(openssl x509 -in "$1")" = "$(openssl x509 -in "$COMITY_AUTHORITY/issued/$serial.pem" 2>/dev/null)" ] ||
        die "$1 was not issued by this authority"
}

check_not_revoked() { # SERIAL
    ! grep -q "^R	[^	]*	[^	]*	$1	" "$COMITY_AUTHORITY/index.txt" ||
        die "the certificate with serial $1 is revoked already; next: renew-list publishes a list anew"
}

# A certificate never outlives what vouches for it.
check_anchor_lives() { # ANCHOR DAYS
    if openssl x509 -in "$1" -noout -checkend "$(($2 * 86400))" >/dev/null; then return; fi
    ends=$(openssl x509 -in "$1" -noout -enddate | sed 's/notAfter=//')
    openssl x509 -in "$1" -noout -checkend 0 >/dev/null ||
        die "the anchor ended on $ends, and nobody takes what it signs; next: a new anchor (README, section 9)"
    die "the anchor ends on $ends, before $2 days have passed; next: fewer --days, or a new anchor (README, section 9)"
}

# What was really written, whatever the configuration meant (the '#' trap).
check_written() { # CERTIFICATE URI
    found=$(openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | uris_of)
    [ "$found" = "URI:$2" ] || die "$1 was written with '$found' where 'URI:$2' belongs: do not use it"
}

# Where the key of an authority lies in a hardware module (the file `hsm` in its folder has the address),
# the options by which openssl ca reaches it, one word each; nothing otherwise.
hsm_options() {
    [ -f "$COMITY_AUTHORITY/hsm" ] || return 0
    printf '%s\n' -engine pkcs11 -keyform engine -keyfile "$(cat "$COMITY_AUTHORITY/hsm")"
}

check_hsm() { # URI: it is used as one word of a command line
    case $1 in
    pkcs11:*) ;;
    *) die "'$1' is not the address of a key: pkcs11:token=...;object=..." ;;
    esac
    case $1 in *[[:space:]*\[]*) die "'$1' has a blank, * or [ in it; next: write it as %20 and the like" ;; esac
}

openssl_refused() { # WHAT-IT-SAID: in plain words where they are known
    case $1 in
    *'maybe wrong password'* | *'bad decrypt'* | *'Error getting password'* | *'unable to get passphrase'*)
        die "the passphrase does not open the anchor's key; nothing was made"
        ;;
    *'certificate has expired'*) die "a certificate has ended: $(echo "$1" | sed -n 's/^error \(.*\): verif.*/\1/p')" ;;
    esac
    echo "$1" >&2
    die "openssl refused; see above"
}

# Runs openssl and shows what it said only when it fails.
quietly() {
    said=$("$@" 2>&1) || openssl_refused "$said"
}

# `openssl ca`, which leaves its database as it was when it does not end well.
authority_signs() { # OPTION...
    log=$COMITY_AUTHORITY/ca.log
    if openssl ca -batch -config "$config" "$@" 2>"$log"; then
        rm -f "$log"
        return
    fi
    said=$(cat "$log")
    rm -f "$log" "$COMITY_AUTHORITY"/index.txt.new "$COMITY_AUTHORITY"/index.txt.attr.new
    openssl_refused "$said"
}

today() { date -u +%Y%m%d000000Z; } # clocks differ: valid since midnight

# Sets next to the number of the list that comes; an old copy of the folder has published it already.
check_newest() {
    next=$(cat "$COMITY_AUTHORITY/crlnumber") || die "the folder has no crlnumber"
    [ ! -e "$COMITY_AUTHORITY/lists/$next.pem" ] ||
        die "list $next was published already: this folder is an old copy; next: use the newest one"
}

# Publishes the next revocation list as crl.pem; keeps each one as lists/NUMBER.pem.
publish_list() { # DAYS, then options of openssl ca
    days=$1
    shift
    check_anchor_lives "$COMITY_AUTHORITY/anchor.crt" 0
    check_newest
    quietly openssl ca -batch -config "$config" -gencrl -crldays "$days" "$@" \
        -out "$COMITY_AUTHORITY/lists/$next.pem"
    cp "$COMITY_AUTHORITY/lists/$next.pem" "$COMITY_AUTHORITY/crl.pem.new"
    mv "$COMITY_AUTHORITY/crl.pem.new" "$COMITY_AUTHORITY/crl.pem"
    echo "revocation list 0x$next, for $days days: $COMITY_AUTHORITY/crl.pem"
}
