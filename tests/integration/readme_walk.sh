#!/usr/bin/env bash
# The five-minute walk of README.md, run as it is typed there.  Only the place and the ports change,
# so that it can run beside a walk that somebody really takes.
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
lib_begin "$@"
chmod 1777 "$WORK"
cp "$BIN/comityd" "$BIN/comityctl" data/excerpts/ke.csv "$WORK/"

awk '/<!-- walk/ { walk = 1 } /<!-- end of walk/ { walk = 0 }
     /^```/ { block = walk && $0 == "```sh"; next } block' README.md |
    sed -e '/^\.\/dev build/d' -e '/^mkdir -m/d' -e '/^cp build/d' -e '/^cd - /d' \
        -e "s|/tmp/comity-walk|$WORK|g" -e "s/7401/$(free_port)/g" -e "s/7402/$(free_port)/g" \
        >"$WORK/steps"
{
    echo "trap 'kill \$(jobs -p) 2>/dev/null || true' EXIT" # whatever happens, its nodes end with it
    cat "$WORK/steps"
} >"$WORK/walk"
[ "$(grep -c comityctl "$WORK/walk")" -ge 4 ] || fail "README.md has no walk any more"

# Each command must succeed; the processes that it starts are ended by it.
status=0
bash -e -m "$WORK/walk" >"$WORK/out" 2>&1 || status=$?
[ "$status" -eq 0 ] || fail "the walk ended with $status: $(tail -n 20 "$WORK/out" "$WORK"/*.log)"

says() { grep -q -- "$1" "$WORK/out" || fail "the walk does not say '$1': $(cat "$WORK/out")"; }
says 'Records on their way'
says 'receipted'
says 'Extradition of nationals'
says 'erased'
says 'Problems  *0'
say "the walk of README.md works as it is typed"
