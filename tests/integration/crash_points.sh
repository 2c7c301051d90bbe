#!/usr/bin/env bash
# kill -9 at the write points of approve, revoke, ingest and erase: each is wholly done or not at all,
# what was cosigned is there, nothing is doubled, and everything converges after the restart.
# A sample of the points in every run; COMITY_POINTS=all takes each of them.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
strace -o /dev/null true 2>/dev/null || {
    echo "skipped: strace cannot trace here"
    exit 77
}

TITLE="Letters between central authorities"

save() { # NAME: of both data directories, nodes stopped
    mkdir "$WORK/base.$1"
    cp -a "$WORK/KE/data" "$WORK/base.$1/KE"
    cp -a "$WORK/UNODC/data" "$WORK/base.$1/UNODC"
}

load() { # NAME
    local code
    for code in KE UNODC; do
        rm -rf "$WORK/$code/data"
        cp -a "$WORK/base.$1/$code" "$WORK/$code/data"
    done
}

# kill -9 instead of the n-th write of any of its threads.
trace() { # CODE N
    local pid=${NODE_PID[$1]}
    strace -f -qq -p "$pid" -o "$WORK/trace" -e trace=pwrite64,fdatasync \
        -e "inject=pwrite64,fdatasync:signal=KILL:when=$2" 2>/dev/null &
    TRACER=$!
    wait_for 10 "tracing" is_traced "$pid"
}

dead() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/${NODE_PID[$1]}/status" 2>/dev/null; }

# Ends the tracer; true when the node was killed by it.
traced_was_killed() { # CODE
    local killed=1
    if dead "$1"; then
        killed=0
        wait "${NODE_PID[$1]}" 2>/dev/null || true
        unset "NODE_PID[$1]"
    fi
    kill "$TRACER" 2>/dev/null || true
    wait "$TRACER" 2>/dev/null || true
    return $killed
}

consent_state() { operator KE consent list --json | grep -o '"state": *"[a-z]*"' | grep -o '[a-z]*"$' | tr -d '"'; }
count() { # CODE LISTING: entries in it
    operator "$1" "$2" --all --json 2>/dev/null | grep -o '"entry"' | wc -l
}
erased() { operator KE given --json | grep -q '"state": *"erased"'; }
receipted() { operator KE given --json | grep -q '"state": *"receipted"'; }
gone() { holds_not UNODC "$TITLE"; }
checked() { operator "$1" check >"$WORK/said" 2>&1 || fail "check of $1 after $POINT: $(cat "$WORK/said")"; }
ended() { # both nodes, the hard way
    local code
    for code in "${!NODE_PID[@]}"; do node_kill "$code"; done
}

# -- the four sweeps: each runs once with a write that is killed, and says whether there was one -----

sweep_approve() { # N
    local answered=0 state
    load proposed
    node_start KE
    trace KE "$1"
    approver KE consent approve "$CONSENT" --digest "$DIGEST" >/dev/null 2>&1 || answered=$?
    traced_was_killed KE || {
        ended
        return 1
    }
    node_start KE
    state=$(consent_state)
    case "$answered $state" in
    "0 active" | [1-9]*" active" | [1-9]*" proposed") ;;
    *) fail "$POINT: answered $answered, and the consent is $state" ;;
    esac
    checked KE
    [ "$state" = active ] || approver KE consent approve "$CONSENT" --digest "$DIGEST" >/dev/null ||
        fail "$POINT: a second approval"
    node_start UNODC
    wait_for 20 "delivery after $POINT" holds UNODC "$TITLE"
    wait_for 20 "receipt after $POINT" receipted
    [ "$(operator KE given --json | grep -o '"entry"' | wc -l)" -eq 1 ] || fail "$POINT: given twice"
    [ "$(count UNODC received)" -eq 1 ] || fail "$POINT: received twice"
    checked UNODC
    ended
}

sweep_revoke() { # N
    local answered=0 state
    load delivered
    node_start KE
    trace KE "$1"
    operator KE consent revoke "$CONSENT" --reason "no longer needed" >/dev/null 2>&1 || answered=$?
    traced_was_killed KE || {
        ended
        return 1
    }
    node_start KE
    state=$(consent_state)
    case "$answered $state" in
    "0 ended" | "0 revoked" | [1-9]*" ended" | [1-9]*" revoked" | [1-9]*" active") ;;
    *) fail "$POINT: answered $answered, and the consent is $state" ;;
    esac
    checked KE
    [ "$state" != active ] || operator KE consent revoke "$CONSENT" --reason "once more" >/dev/null ||
        fail "$POINT: a second revocation"
    node_start UNODC
    wait_for 20 "erasure receipt after $POINT" erased
    gone || fail "$POINT: UNODC still lists it"
    checked UNODC
    ended
}

sweep_ingest() { # N
    local cosigned=no
    load proposed
    node_start KE
    node_start UNODC
    wait_for 10 "connection" grep -q event=peer_connected "$WORK/KE.log"
    trace UNODC "$1"
    approver KE consent approve "$CONSENT" --digest "$DIGEST" >/dev/null || fail "approve"
    wait_for 10 "death or delivery" eval 'dead UNODC || receipted'
    traced_was_killed UNODC || {
        ended
        return 1
    }
    if receipted; then cosigned=yes; fi
    kill -STOP "${NODE_PID[KE]}" # so that nothing comes again before we have looked
    node_start UNODC
    if [ $cosigned = yes ] && ! holds UNODC "$TITLE"; then fail "$POINT: cosigned, and not there"; fi
    checked UNODC
    kill -CONT "${NODE_PID[KE]}"
    wait_for 20 "delivery after $POINT" holds UNODC "$TITLE"
    wait_for 20 "receipt after $POINT" receipted
    [ "$(count UNODC received)" -eq 1 ] || fail "$POINT: received twice"
    checked KE
    ended
}

sweep_erase() { # N
    load delivered
    node_start KE
    node_start UNODC
    wait_for 10 "connection" grep -q event=peer_connected "$WORK/KE.log"
    trace UNODC "$1"
    operator KE consent revoke "$CONSENT" --reason "no longer needed" >/dev/null || fail "revoke"
    wait_for 10 "death or erasure" eval 'dead UNODC || erased'
    traced_was_killed UNODC || {
        ended
        return 1
    }
    node_start UNODC
    wait_for 20 "erasure receipt after $POINT" erased
    gone || fail "$POINT: UNODC still lists it"
    checked UNODC
    checked KE
    ended
}

# -- two nodes, a proposed consent; and the same, delivered ----------------------------------------

node_make KE Kenya
node_make UNODC "United Nations Office on Drugs and Crime"
node_start KE
node_start UNODC
befriend KE UNODC
wait_for 20 "connection" grep -q event=peer_connected "$WORK/KE.log"
record=$(excerpt_make KE "$TITLE" "They need no diplomatic channel.")
read -r CONSENT DIGEST <<<"$(consent_make KE UNODC "$record")"
node_stop KE
node_stop UNODC
save proposed
node_start KE
node_start UNODC
approver KE consent approve "$CONSENT" --digest "$DIGEST" >/dev/null
wait_for 20 "receipt" receipted
node_stop KE
node_stop UNODC
save delivered

for what in ${COMITY_SWEEPS:-approve revoke ingest erase}; do
    say "kill -9 at the writes of $what"
    points=${COMITY_POINTS:-"2 6 13"}
    [ "$points" != all ] || points=$(seq 1 1000)
    tried=0
    for n in $points; do
        POINT="$what, write $n"
        "sweep_$what" "$n" || break
        tried=$((tried + 1))
    done
    [ "$tried" -gt 0 ] || fail "$what: no write was hit"
    printf '   %s points\n' "$tried"
done
say "done"
