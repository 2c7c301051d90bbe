#!/usr/bin/env bash
# tools/coverage.sh prepare BUILD: before the tests, forgets what was counted.
# tools/coverage.sh BUILD: after them, line and branch coverage by layer.  Fails when less than 90 % of
#     the branches of a layer were taken, or not every one of the consent policy, the log and the frame.
# tools/coverage.sh BUILD PATH...: the branches below daemon/feed, cli/init.c, ... that no test took.
#
# What is counted: every branch that gcc made of daemon/ and cli/ without optimisation, taken by any
# test, also by the processes of the integration tests (but not by one that was killed: what it did
# is lost with it).  Code that protoc-c and CMake wrote lies below BUILD and is not counted.  One thing
# is left out: the failing side of an assert(), which no input reaches.  There are no exclusion markers.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
usage='usage: tools/coverage.sh [prepare] BUILD [PATH...]'
if [ "${1:?$usage}" = prepare ]; then
    build=${2:?$usage}
    find "$build" -name '*.gcda' -delete
    # The officials of the integration tests are users of their own, and count as well.
    find "$build" -name '*.gcno' | while read -r notes; do
        : >"${notes%gcno}gcda"
        chmod 666 "${notes%gcno}gcda"
    done
    exit
fi
build=$1
shift
find "$build" -name '*.gcda' -empty -delete # of what did not run
gcovr --root . --object-directory "$build" --filter 'daemon/' --filter 'cli/' \
    --exclude-branches-by-pattern '.*\bassert\(.*' \
    --json "$build/coverage.json" "$build/daemon" "$build/cli" >/dev/null
exec python3 tools/coverage.py "$build/coverage.json" "$@"
