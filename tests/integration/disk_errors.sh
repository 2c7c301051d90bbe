#!/usr/bin/env bash
# A full disk and a failing one under a running node: new data are refused with the reason and what to
# do, reading goes on, nothing is half-done, and afterwards it works again.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

unmount() { umount -l "$WORK/KE/data" "$WORK/small" 2>/dev/null; }
LIB_CLEANUP=unmount

full_file_system() {
    say "a file system without room"
    local before
    mkdir -p "$WORK/KE/data"
    node_make KE Kenya
    mv "$WORK/KE/data" "$WORK/aside"
    mkdir -m 0700 "$WORK/KE/data"
    if ! mount -t tmpfs -o size=2m,mode=0700 none "$WORK/KE/data" 2>/dev/null; then
        echo "   (file systems cannot be mounted here)"
        rmdir "$WORK/KE/data"
        mv "$WORK/aside" "$WORK/KE/data"
        node_start KE
        return 0
    fi
    cp -a "$WORK/aside/." "$WORK/KE/data/"
    node_start KE
    excerpt_make KE "Before" "There was room." >/dev/null
    dd if=/dev/zero of="$WORK/KE/data/filler" bs=4k status=none 2>/dev/null || true
    before=$(operator KE excerpt list --json)
    head -c 150000 /dev/zero | tr '\0' 'a' >"$WORK/long.txt"
    chmod 0644 "$WORK/long.txt"
    if excerpt_add KE "No room" --text-file "$WORK/long.txt" >"$WORK/said" 2>&1; then
        fail "it was stored on a full disk"
    fi
    grep -qiE 'full|space|room' "$WORK/said" || fail "not said that the disk is full: $(cat "$WORK/said")"
    grep -q next "$WORK/said" || fail "no next step: $(cat "$WORK/said")"
    sed 's/^/   /' "$WORK/said"
    [ "$(operator KE excerpt list --json)" = "$before" ] || fail "something was half-done"
    operator KE status >/dev/null || fail "status on a full disk"
    rm "$WORK/KE/data/filler"
    excerpt_make KE "After" "There is room again." >/dev/null
    operator KE excerpt list --json | grep -q After || fail "not stored though there is room"
    operator KE check >/dev/null || fail "check"
}

try() { excerpt_make KE "$1" "Text of it." >"$WORK/said" 2>&1 || true; }

writes_fail() { # ERROR WORDS
    say "every write gives $1"
    disk_inject KE pwrite64 "$1"
    if excerpt_add KE "During $1" --text x >"$WORK/said" 2>&1; then fail "$1: it was stored"; fi
    sed 's/^/   /' "$WORK/said"
    grep -qiE "$2" "$WORK/said" || fail "$1: not said why: $(cat "$WORK/said")"
    operator KE excerpt list >/dev/null || fail "$1: reading does not go on"
    disk_inject_end
    [ "$(excerpts_titled KE "During $1")" -eq 0 ] || fail "$1: it is there all the same"
    try "After $1"
    [ "$(excerpts_titled KE "After $1")" -eq 1 ] || fail "$1: not stored afterwards: $(cat "$WORK/said")"
    operator KE check >/dev/null || fail "$1: check"
}

sync_fails() {
    say "a failed fsync is final: the node stops at once, says so, and starts again whole"
    disk_inject KE fdatasync,fsync EIO
    try "Unsure"
    node_ends_for_disk KE
    node_start KE
    [ "$(excerpts_titled KE Unsure)" -le 1 ] || fail "half there"
    operator KE check >/dev/null || fail "check after the restart"
}

backup_fails() {
    say "a backup that finds no room leaves nothing behind"
    mkdir -m 0777 "$WORK/small"
    if ! mount -t tmpfs -o size=64k,mode=0777 none "$WORK/small" 2>/dev/null; then return 0; fi
    if operator KE backup create "$WORK/small/monday.backup" >"$WORK/said" 2>&1; then
        umount "$WORK/small"
        fail "a backup of a database larger than its disk"
    fi
    sed 's/^/   /' "$WORK/said"
    [ -z "$(ls "$WORK/small")" ] || fail "left behind: $(ls "$WORK/small")"
    umount "$WORK/small"
    operator KE status >/dev/null || fail "status after the backup"
}

full_file_system
if strace -o /dev/null true 2>/dev/null; then
    writes_fail ENOSPC 'full|space|room'
    writes_fail EIO 'I/O|disk'
    sync_fails
fi
backup_fails
node_stop KE
say "done"
