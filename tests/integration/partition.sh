#!/usr/bin/env bash
# Two nodes in network namespaces: cut off, half open, lossy.  They find each other again, nothing is
# lost and nothing arrives twice.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"

SPACE_A=comity-a-$$ SPACE_B=comity-b-$$
if ! ip netns add "$SPACE_A" 2>/dev/null; then
    echo "skipped: network namespaces cannot be made here"
    exit 77
fi
spaces_end() {
    ip netns del "$SPACE_A" 2>/dev/null || true
    ip netns del "$SPACE_B" 2>/dev/null || true
}
LIB_CLEANUP=spaces_end
ip netns add "$SPACE_B"
inside() { # SPACE COMMAND...
    local space=$1
    shift
    ip netns exec "$space" "$@"
}
if ! ip link add "ca$$" netns "$SPACE_A" type veth peer name "cb$$" netns "$SPACE_B" 2>/dev/null ||
    ! inside "$SPACE_B" iptables -L >/dev/null 2>&1; then
    echo "skipped: no veth or no iptables here"
    exit 77
fi
inside "$SPACE_A" ip addr add 10.77.0.1/24 dev "ca$$"
inside "$SPACE_B" ip addr add 10.77.0.2/24 dev "cb$$"
for space in "$SPACE_A" "$SPACE_B"; do inside "$space" ip link set lo up; done
inside "$SPACE_A" ip link set "ca$$" up
inside "$SPACE_B" ip link set "cb$$" up

NODE_HOST=10.77.0.1 node_make KE Kenya
NODE_HOST=10.77.0.2 node_make UNODC "United Nations Office on Drugs and Crime"
start() { # CODE SPACE
    : >"$WORK/$1.log"
    ip netns exec "$2" "$BIN/comityd" --config "$WORK/$1/comity.conf" 2>>"$WORK/$1.log" &
    NODE_PID[$1]=$!
    wait_for 10 "start of $1" grep -q event=started "$WORK/$1.log"
}
start KE "$SPACE_A"
start UNODC "$SPACE_B"
befriend KE UNODC
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"

rule() { # -A or -D, RULE...: on what UNODC gets, and what it sends
    local do=$1
    shift
    inside "$SPACE_B" iptables "$do" "$@"
}
once() { # TITLE: there, receipted, and not doubled
    [ "$(operator UNODC received --json | grep -o "\"title\": *\"$1\"" | wc -l)" -eq 1 ] || fail "$1 is not there once"
    [ "$(operator KE given --json | grep -o "\"title\": *\"$1\"" | wc -l)" -eq 1 ] || fail "$1 was not given once"
}
arrives() { # TITLE SECONDS
    wait_for "$2" "delivery of $1" holds UNODC "$1"
    wait_for 20 "receipts" all_receipted KE
    once "$1"
}

give KE UNODC First "Before any of it."
arrives First 20

say "cut off both ways for a moment: TCP sends again"
rule -A INPUT -p tcp -j DROP
rule -A OUTPUT -p tcp -j DROP
give KE UNODC Second "Given while nothing passes."
sleep 2
if holds UNODC Second; then fail "it passed the cut"; fi
rule -D INPUT -p tcp -j DROP
rule -D OUTPUT -p tcp -j DROP
arrives Second 20

say "half open: what UNODC answers is lost, so KE's batch arrives and its receipt does not"
rule -A OUTPUT -p tcp -j DROP
give KE UNODC Third "Arrives, but nobody hears of it."
sleep 3
rule -D OUTPUT -p tcp -j DROP
arrives Third 30

say "half open: UNODC dies, and KE does not hear of it"
rule -A OUTPUT -p tcp -j DROP
node_kill UNODC
give KE UNODC Fourth "Given to a dead connection."
sleep 1
rule -D OUTPUT -p tcp -j DROP
start UNODC "$SPACE_B"
arrives Fourth 45

say "one packet in five is lost"
if rule -A INPUT -p tcp -m statistic --mode random --probability 0.2 -j DROP 2>/dev/null; then
    give KE UNODC Fifth "Through a bad line."
    arrives Fifth 45
    rule -F INPUT
else
    echo "   (no statistic match here)"
fi
[ "$(operator KE given --json | grep -o '"entry"' | wc -l)" -ge 4 ] || fail "given lost something"
operator KE check >/dev/null || fail "check of KE"
operator UNODC check >/dev/null || fail "check of UNODC"
say "done"
