#!/usr/bin/env bash
# The credential that systemd keeps seals the root key: no other one opens the database.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

node_make KE Kenya
data=$WORK/KE/data
mkdir "$WORK/creds" "$WORK/others"
head -c 32 /dev/urandom >"$WORK/creds/comity-root"

refuses() { # WHAT TEXT WRAPPER...
    local what=$1 text=$2 status=0
    shift 2
    timeout -k 1 10 "$@" "$BIN/comityd" --config "$WORK/KE/comity.conf" >"$WORK/said" 2>&1 ||
        status=$?
    [ "$status" -eq 1 ] || fail "$what: exit status $status: $(cat "$WORK/said")"
    grep -q -- "$text" "$WORK/said" || fail "$what: \"$text\" is not in: $(cat "$WORK/said")"
    grep -q "next: " "$WORK/said" || fail "$what: no next step in: $(cat "$WORK/said")"
}

say "what is no credential is refused before the database is touched"
with_others=(env "CREDENTIALS_DIRECTORY=$WORK/others")
printf 'short' >"$WORK/others/comity-root"
refuses "too short" "has less than 32 bytes" "${with_others[@]}"
head -c 33 /dev/urandom >"$WORK/others/comity-root"
refuses "too long" "has more than 32 bytes" "${with_others[@]}"
head -c 32 /dev/zero >"$WORK/others/comity-root"
refuses "zeros" "one byte repeated" "${with_others[@]}"
rm "$WORK/others/comity-root" && mkdir "$WORK/others/comity-root"
refuses "a directory" "Is a directory" "${with_others[@]}"
rmdir "$WORK/others/comity-root"

say "a directory without it is no credential"
node_start KE "${with_others[@]}"
RECORD=$(excerpt_make KE "Sealed" "Text that only this machine reads.")
node_stop KE
cp "$data/root.slot" "$WORK/open.slot"

say "with it the root is sealed at once, and the record still opens"
with_creds=(env "CREDENTIALS_DIRECTORY=$WORK/creds")
node_start KE "${with_creds[@]}"
operator KE excerpt show "$RECORD" | grep -q "only this machine" || fail "the record is lost"
node_stop KE
if cmp -s "$data/root.slot" "$WORK/open.slot"; then fail "the root was not sealed"; fi

say "without it, or with another one, the node does not start"
refuses "none" "sealed by the credential comity-root, and there is none" env
head -c 32 /dev/urandom >"$WORK/others/comity-root"
refuses "another" "sealed by another credential" "${with_others[@]}"

say "erasing and a backup keep it sealed"
node_start KE "${with_creds[@]}"
operator KE backup create monday.backup >/dev/null || fail "backup"
node_stop KE
refuses "none" "there is none" env

say "a backup is restored with the credential alone"
mkdir "$WORK/saved"
mv "$data/monday.backup" "$WORK/saved/"
cp "$data/keys.bundle" "$WORK/saved/"
rm -rf "${data:?}"/*
cp "$WORK/saved/keys.bundle" "$data/"
if "$BIN/comityd" --config "$WORK/KE/comity.conf" --restore "$WORK/saved/monday.backup" \
    >"$WORK/said" 2>&1; then
    fail "restored without the credential"
fi
env "CREDENTIALS_DIRECTORY=$WORK/creds" "$BIN/comityd" --config "$WORK/KE/comity.conf" \
    --restore "$WORK/saved/monday.backup" >"$WORK/said" 2>&1 || fail "restore: $(cat "$WORK/said")"
node_start KE "${with_creds[@]}"
operator KE excerpt show "$RECORD" | grep -q "only this machine" || fail "the record is lost"
node_stop KE
say "done"
