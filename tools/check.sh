#!/usr/bin/env bash
# The gate before tests: format, layers, quotes, things that we never do, shellcheck, clang-tidy.
# All findings of all parts are printed; the exit status says whether there were any.
# shellcheck disable=SC2317  # the parts are called by name
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
bad=0
part() { # NAME COMMAND...
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        printf 'ok    %s\n' "$name"
    else
        printf 'FAIL  %s\n%s\n' "$name" "$out"
        bad=1
    fi
}

format() {
    local major
    major=$(clang-format --version | sed -n 's/.*version \([0-9]*\).*/\1/p')
    if [ "$major" != 14 ]; then
        echo "clang-format $major here; the format is defined by version 14: not checked"
        return 0
    fi
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

never() { # patterns that have no place in the tree
    local hits=0
    # Heap memory goes through base/memory.h; only that file (and test programs) may call malloc.
    git grep -nE '\b(malloc|calloc|realloc|free|strdup)\(' -- 'daemon/*.c' 'cli/*.c' \
        ':!daemon/base/memory.c' && hits=1
    git grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca|setjmp)\(' -- \
        'daemon/*.c' 'cli/*.c' && hits=1
    git grep -nwE 'TODO|FIXME|XXX|HACK' -- '*.c' '*.h' '*.proto' '*.sh' '*.py' '*.sql' dev ':!tools/check.sh' && hits=1
    git grep -nE '\.\./shared' -- . ':!tools/check.sh' && hits=1
    return "$hits"
}

sizes() { # no file that a reader cannot hold in mind
    git ls-files '*.c' '*.h' | xargs wc -l |
        awk '$2 != "total" && $1 > 520 { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }'
}

scripts() {
    git ls-files -z | xargs -0 grep -lE '^#!.*\b(sh|bash)$' | xargs shellcheck -x -P SCRIPTDIR
}

tidy() { # needs a configured build with its generated headers
    if ! { cmake --preset dev && cmake --build --preset dev; } >build/dev.log 2>&1; then
        echo 'the dev preset does not build (build/dev.log)'
        return 1
    fi
    tools/tidy.py build/dev
}

mkdir -p build
part 'format (clang-format 14)' format
part 'layers (docs/ARCHITECTURE.md)' python3 tools/check_layers.py .
part 'quotes (docs/PROTOCOL.md)' python3 tools/check_quotes.py .
part 'what we never do' never
part 'file sizes' sizes
part 'shellcheck' scripts
[ "${1:-}" = --fast ] || part 'clang-tidy' tidy
exit "$bad"
