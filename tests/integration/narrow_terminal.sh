#!/usr/bin/env bash
# On a terminal of 80 columns every listing fits, ids that it shortens are taken by the commands, and
# a pipe gets everything in full.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
COLUMNS_WANTED=80
WHO=$OPERATOR

# What a command prints on a terminal, into $WORK/screen.
on_terminal() { # CODE ARGUMENT...
    local code=$1 command
    shift
    command=$(printf '%q ' setpriv --reuid "$WHO" --regid "$WHO" --clear-groups \
        "$BIN/comityctl" --socket "$WORK/$code/control.sock" "$@")
    LC_ALL=C.UTF-8 script -qec "stty cols $COLUMNS_WANTED rows 24; $command" /dev/null </dev/null |
        sed -e 's/\r*$//' -e 's/.*\r//' >"$WORK/screen" || fail "$*: $(cat "$WORK/screen")"
}

# Only a command that is longer than the screen may be: it is copied whole.
fits() { # CODE ARGUMENT...
    on_terminal "$@"
    [ "$(wc -l <"$WORK/screen")" -gt 3 ] || fail "$*: there is nothing to see: $(cat "$WORK/screen")"
    local wide
    wide=$(grep -v ': comityctl ' "$WORK/screen" | LC_ALL=C.UTF-8 grep -E "^.{$((COLUMNS_WANTED + 1))}" || true)
    [ -z "$wide" ] || fail "$*: wider than the screen: $wide"
    printf '   %-28s %s lines\n' "${*:2}" "$(wc -l <"$WORK/screen")"
}

node_make KE "Republic of Kenya, Office of the Attorney General and Department of Justice"
node_make UNODC "United Nations Office on Drugs and Crime, Organized Crime Branch"
node_start KE
node_start UNODC
befriend KE UNODC
TITLE="Direct contact between central authorities before a request for mutual legal assistance is sent"
give KE UNODC "$TITLE" "Drafts are read by both before anything is signed."
give KE UNODC "Intercambio de información entre autoridades: práctica de tres años" "Texto."
sed 's/,GB,/,KE,/' data/statistics/gb_surrender_by_state.csv >"$WORK/figures.csv"
chmod 0644 "$WORK/figures.csv"
operator KE stats import "$WORK/figures.csv" >/dev/null || fail "stats import"
wait_for 20 "receipts" all_receipted KE
consent_make KE UNODC "$RECORD" >/dev/null
operator KE consent revoke "$CONSENT" --reason "The text is being corrected by the authority that wrote it" \
    >/dev/null
wait_for 20 "erasure" says KE erased given

say "listings"
for what in status 'peer list' 'peer show UNODC' 'excerpt list' 'stats list' 'consent list' \
    "consent show $CONSENT" "consent history $CONSENT" "consent preview $CONSENT" given 'recalls --all' \
    'journal list' check; do
    # shellcheck disable=SC2086  # words of a command
    fits KE $what
done
for what in status received 'received --all' 'peer show KE' 'journal list'; do
    # shellcheck disable=SC2086
    fits UNODC $what
done
WHO=$APPROVER
fits KE inbox
WHO=$OPERATOR
COLUMNS_WANTED=60
fits KE given
fits UNODC received
COLUMNS_WANTED=80

say "an id as it is shown is taken by commands"
on_terminal KE given
short=$(grep -o 'Consent: [0-9a-f]*' "$WORK/screen" | head -n 1 | cut -d ' ' -f 2)
[ "${#short}" -eq 16 ] || fail "no shortened id in: $(cat "$WORK/screen")"
operator KE consent show "$short" >/dev/null || fail "consent show $short"

say "a pipe gets everything"
operator KE given | grep -q "$TITLE" || fail "a title was cut"
operator KE given | grep -q "$CONSENT" || fail "an id was cut"
node_stop KE
node_stop UNODC
say "done"
