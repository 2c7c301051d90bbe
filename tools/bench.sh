#!/usr/bin/env bash
# Runs the benchmarks of a release build and prints one table; called by ./dev bench.
#
#   tools/bench.sh BUILD-DIRECTORY [NAME...]     names: delivery group erase idle (default: all)
#
# Each figure is the median of several runs, beside its floor: what the same bodies, commits or
# signatures cost without Comity, measured in the same runs.  Figures depend on the machine and on
# its disk; ratios do so less.  The databases stand in $COMITY_BENCH_DIR (default: in the build).
set -euo pipefail
build=$(cd "${1:?"usage: $0 BUILD-DIRECTORY [NAME...]"}" && pwd)
shift
project=$(dirname "$(dirname "$(readlink -f "$0")")")
work=$(mktemp -d "${COMITY_BENCH_DIR:-$build}/bench.XXXXXX")
chmod 0755 "$work" # comityctl runs as another user
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
[ $# -gt 0 ] || set -- delivery group erase idle

printf 'machine: %s cores, %s, Linux %s; SQLite %s; databases on %s; %s\n\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" \
    "$(pkg-config --modversion sqlite3 2>/dev/null || echo '?')" \
    "$(df --output=fstype "$work" | tail -n 1)" "$(date -u +%Y-%m-%d)"
printf '%-50s %17s | %-44s | %6s | %14s |\n' figure median floor ratio target
printf '%.0s-' {1..148}
printf '\n'
for name in "$@"; do
    "$build/tests/bench/bench_$name" "$build/bin" "$project" "$work"
done
