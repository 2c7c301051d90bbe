# shellcheck shell=bash
# Real nodes in a temporary directory, for the scripts beside this file.
#
#   . tests/integration/lib.sh; lib_begin "$@"
#
# Everything lives under $WORK and ends with the script.  A node is named by its code; its operator
# has uid 2001, its approver uid 2002, so that two people can be asked.  Every wait is bounded.

OPERATOR=2001
APPROVER=2002
AUDITOR=2003

lib_begin() { # BIN_DIRECTORY
    BIN=${1:?"usage: $0 DIRECTORY-OF-BINARIES"}
    BIN=$(cd "$BIN" && pwd)
    if [ "$(id -u)" -ne 0 ]; then
        echo "skipped: this test speaks as two users and must be run by root"
        exit 77
    fi
    WORK=$(mktemp -d /tmp/comity-test.XXXXXX)
    chmod 0755 "$WORK"
    declare -gA NODE_PID=() NODE_PORT=()
    trap lib_end EXIT
    trap 'exit 130' INT TERM
}

end_or_kill() { # PID: it has 5 s to end by itself (which also lets it write what coverage counts)
    local tries
    for ((tries = 50; tries > 0; tries--)); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

lib_end() {
    local status=$? code
    for code in "${!NODE_PID[@]}"; do
        kill -TERM "${NODE_PID[$code]}" 2>/dev/null || true
    done
    for code in "${!NODE_PID[@]}"; do
        end_or_kill "${NODE_PID[$code]}"
    done
    if [ "$status" -ne 0 ]; then
        for code in "${!NODE_PORT[@]}"; do
            printf -- '---- log of %s\n' "$code"
            tail -n 40 "$WORK/$code.log" 2>/dev/null || true
        done
    fi
    "${LIB_CLEANUP:-true}" || true # what a script has mounted or made outside $WORK
    rm -rf "$WORK"
}

say() { printf '== %s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

# Runs a command until it succeeds; fails the script after SECONDS of a machine with time to spare,
# which a loaded one may take four times over.
wait_for() { # SECONDS WHAT COMMAND...
    local seconds=$(($1 * 4)) what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what did not happen within $seconds s: $*"
        sleep 0.1
    done
}

free_port() { # below what the kernel gives to callers (ip_local_port_range begins at 32768)
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

is_traced() { # PID: every thread of it
    local thread
    for thread in "/proc/$1"/task/*/status; do
        grep -q 'TracerPid:[[:space:]]*[1-9]' "$thread" || return 1
    done
}

# From now on these calls of a node fail (on FILE of its data directory), until disk_inject_end.
disk_inject() { # CODE CALLS ERROR [FILE]
    local pid=${NODE_PID[$1]}
    strace -f -qq -p "$pid" -o "$WORK/trace" ${4:+-P "$WORK/$1/data/$4"} -e "trace=$2" \
        -e "inject=$2:error=$3" 2>/dev/null &
    TRACER=$!
    wait_for 10 "tracing" is_traced "$pid"
}
disk_inject_end() {
    kill "$TRACER" 2>/dev/null || true
    end_or_kill "$TRACER" # it may hang on a thread of a node that is just ending
}
# It ends by itself for the sake of its disk, and says why and what next.
node_ends_for_disk() { # CODE
    wait_for 20 "end of $1" grep -q event=disk_failed "$WORK/$1.log"
    disk_inject_end
    wait "${NODE_PID[$1]}" 2>/dev/null || true
    unset "NODE_PID[$1]"
    grep event=disk_failed "$WORK/$1.log" | cut -c 1-300 | sed 's/^/   /'
    grep -q 'event=disk_failed.*next=' "$WORK/$1.log" || fail "no next step"
}

node_make() { # CODE NAME [OPTION...]
    local code=$1 name=$2 port
    shift 2
    port=$(free_port)
    NODE_PORT[$code]=$port
    "$BIN/comityctl" node init --realm training --code "$code" --name "$name" \
        --directory "$WORK/$code" --listen "${NODE_HOST:-127.0.0.1}:$port" --address "${NODE_HOST:-127.0.0.1}:$port" \
        --operators "$OPERATOR" --approvers "$APPROVER" --auditors "$AUDITOR" "$@" \
        >"$WORK/$code.init" 2>&1 || {
        cat "$WORK/$code.init"
        fail "node init of $code"
    }
    cp "$WORK/$code/identity/card.pem" "$WORK/$code.card"
    chmod 0644 "$WORK/$code.card"
}

# Starts it in the background; returns when it serves.
node_start() { # CODE [WRAPPER...]
    local code=$1
    shift
    : >"$WORK/$code.log"
    "$@" "$BIN/comityd" --config "$WORK/$code/comity.conf" 2>>"$WORK/$code.log" &
    NODE_PID[$code]=$!
    wait_for 10 "start of $code" grep -q 'event=started' "$WORK/$code.log"
}

node_stop() { # CODE: a clean stop, exit status 0
    local code=$1 pid=${NODE_PID[$1]}
    kill -TERM "$pid"
    unset "NODE_PID[$code]"
    wait "$pid" || fail "$code ended with status $? after SIGTERM"
}

node_kill() { # CODE: kill -9
    local code=$1 pid=${NODE_PID[$1]}
    kill -KILL "$pid"
    unset "NODE_PID[$code]"
    wait "$pid" 2>/dev/null || true
}

# comityctl as a user of that number.
as() { # UID CODE ARGUMENT...
    local uid=$1 code=$2
    shift 2
    setpriv --reuid "$uid" --regid "$uid" --clear-groups \
        "$BIN/comityctl" --socket "$WORK/$code/control.sock" "$@"
}
operator() { as "$OPERATOR" "$@"; }
approver() { as "$APPROVER" "$@"; }

# The value of a field in a reply: PLAIN-OUTPUT FIELD.
field() { # NAME
    sed -n "s/^$1[[:space:]]\{1,\}//p" | head -n 1
}

fingerprint() { # CODE
    sed -n 's/^Fingerprint[[:space:]]*//p' "$WORK/$1.init"
}

# A accepts B: one person adds the card, another compares the fingerprint.
peer_accept() { # CODE OTHER
    operator "$1" peer add "$WORK/$2.card" >/dev/null || fail "$1: peer add of $2"
    approver "$1" peer accept "$2" --fingerprint "$(fingerprint "$2")" >/dev/null ||
        fail "$1: peer accept of $2"
}

befriend() { # CODE OTHER: both ways
    peer_accept "$1" "$2"
    peer_accept "$2" "$1"
}

# Files must not hold this text, in whatever part of them.
no_text_in() { # TEXT FILE...
    local text=$1
    shift
    if LC_ALL=C grep -rlaF -- "$text" "$@"; then
        fail "\"$text\" stands in the files above"
    fi
}

# The id of the first row of a section, from a reply in JSON.
json_id() { # SECTION
    sed -n "s/.*\"$1\": *[[{ ]*\"id\": *\"\([0-9a-f]\{32\}\)\".*/\1/p" | head -n 1
}

excerpt_add() { # CODE TITLE OPTION...: with its text
    local code=$1 title=$2
    shift 2
    operator "$code" excerpt add --kind good-practice --instrument UNTOC --article 18 --language en \
        --title "$title" --originator "Office of the Attorney General" \
        --date 2026-03-01 --confidentiality internal "$@"
}
excerpt_make() { # CODE TITLE TEXT: prints the id of a new record
    excerpt_add "$1" "$2" --text "$3" --json | json_id record
}
excerpts_titled() { # CODE TITLE: how many there are
    operator "$1" excerpt list --json | grep -o "\"title\": *\"$2" | wc -l
}

# UNODC, which a test attacks as GB, and KE, which must go on being served.
attacked_nodes() {
    node_make KE Kenya
    node_make GB "United Kingdom"
    node_make UNODC "United Nations Office on Drugs and Crime"
    node_start UNODC
    node_start KE
    befriend KE UNODC
    peer_accept UNODC GB
    wait_for 20 "connection" grep -q event=peer_connected "$WORK/UNODC.log"
    give KE UNODC "Before any attack" "From now on one connection stays."
    wait_for 20 "delivery" holds UNODC "Before any attack"
    KE_CUT=$(ke_cut)
}
# How often the session with KE has ended (once it does when both have dialled at the same time).
ke_cut() { grep -c 'event=peer_disconnected peer=KE' "$WORK/UNODC.log" || true; }
ke_was_never_cut() { [ "$(ke_cut)" -eq "$KE_CUT" ] || fail "KE was cut off meanwhile"; }

consent_make() { # CODE TO RECORD [OPTION...]: drafted and proposed; prints its id and its digest
    local code=$1 to=$2 record=$3 id digest
    shift 3
    id=$(operator "$code" consent draft --to "$to" --record "$record" --purpose peer-review \
        --until 2027-12-31 --authority "Attorney General" --reference AG/2026/117 "$@" --json |
        json_id consent)
    digest=$(operator "$code" consent preview "$id" --json | grep -o '[0-9a-f]\{64\}' | head -n 1)
    operator "$code" consent propose "$id" --digest "$digest" >/dev/null
    echo "$id $digest"
}

# A record that a consent lets go to TO: sets RECORD and CONSENT.
give() { # CODE TO TITLE TEXT [OPTION...]
    local code=$1 to=$2 title=$3 text=$4 digest
    shift 4
    RECORD=$(excerpt_make "$code" "$title" "$text")
    [ -n "$RECORD" ] || fail "excerpt add gave no id"
    read -r CONSENT digest <<<"$(consent_make "$code" "$to" "$RECORD" "$@")"
    approver "$code" consent approve "$CONSENT" --digest "$digest" >/dev/null ||
        fail "approval of $CONSENT"
}

# A listing says TEXT, or does not; neither is true of a node that does not answer.
says() { # CODE TEXT LISTING...
    local code=$1 text=$2 said
    shift 2
    said=$(operator "$code" "$@" --json) && grep -qF -- "$text" <<<"$said"
}
says_not() { # CODE TEXT LISTING...
    local code=$1 text=$2 said
    shift 2
    said=$(operator "$code" "$@" --json) && ! grep -qF -- "$text" <<<"$said"
}
holds() { says "$1" "$2" received; }           # CODE TITLE
holds_not() { says_not "$1" "$2" received; } # CODE TITLE

# Something left, and all that left has its receipt.
all_receipted() { # CODE
    local given
    given=$(operator "$1" given --json) && grep -q '"entry"' <<<"$given" &&
        ! grep -q '"state": *"sent"' <<<"$given"
}
