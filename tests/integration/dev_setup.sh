#!/usr/bin/env bash
# ./dev installs what is missing, says clearly why it cannot, and does nothing when all is there.
# The system's package commands are replaced by small fakes in a PATH of the test's own.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

say_failed() {
    printf 'FAIL %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/    /'
    failures=$((failures + 1))
}

# A PATH with only what the script itself needs; fakes are put into it by each case.
new_path() {
    rm -rf "${work:?}/bin"
    mkdir "$work/bin"
    local tool
    for tool in bash env dirname readlink grep tail mktemp rm cat; do
        ln -s "$(command -v "$tool")" "$work/bin/$tool"
    done
}
fake() { # NAME BODY
    printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
expect() { # SENTENCE STATUS TEXT
    local out status=0
    out=$(PATH="$work/bin" bash ./dev setup build 2>&1) || status=$?
    if [ "$status" -ne "$2" ] || [[ $out != *"$3"* ]]; then
        say_failed "$1 (status $status)" "$out"
    else
        printf 'ok   %s\n' "$1"
    fi
}
none_installed='exit 1'
all_installed='echo "install ok installed"'

new_path
expect 'refuses a system without dpkg and says what to do' 1 'not a Debian system'

new_path
fake dpkg-query "$none_installed"
fake id 'echo 0'
expect 'names the missing packages when apt-get is not here' 1 'apt-get is not here'

new_path
fake dpkg-query "$none_installed"
fake apt-get 'exit 0'
fake id 'echo 1000'
expect 'tells a user without sudo what to ask an administrator for' 1 'ask an administrator to run: apt-get install build-essential'

new_path
fake dpkg-query "$none_installed"
fake apt-get 'echo "E: Could not resolve" ; exit 100'
fake id 'echo 0'
expect 'shows what apt-get said and the next step when the network is down' 1 'check the network'

new_path
fake dpkg-query "$none_installed"
fake apt-get "echo \"\$*\" >>$work/asked"
fake id 'echo 0'
expect 'installs what is missing' 0 'installing'
grep -q 'install -y --no-install-recommends build-essential' "$work/asked" ||
    say_failed 'asked apt-get for the packages' "$(cat "$work/asked")"

new_path
fake dpkg-query "$all_installed"
fake apt-get "echo \"\$*\" >>$work/asked.again"
expect 'does nothing when all packages are there' 0 ''
[ ! -e "$work/asked.again" ] || say_failed 'left apt-get alone' "$(cat "$work/asked.again")"

exit "$((failures > 0))"
