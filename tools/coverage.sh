#!/usr/bin/env bash
# tools/coverage.sh BUILD: line and branch coverage by layer, from the .gcda files below BUILD.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
build=${1:?usage: tools/coverage.sh BUILD}
gcovr --root . --object-directory "$build" --filter 'daemon/' --filter 'cli/' \
    --exclude-unreachable-branches --exclude-throw-branches --gcov-ignore-parse-errors \
    --json-summary "$build/coverage.json" >/dev/null
python3 - "$build/coverage.json" <<'PY'
import collections
import json
import sys

layers = collections.defaultdict(lambda: [0, 0, 0, 0])
for file in json.load(open(sys.argv[1]))["files"]:
    parts = file["filename"].split("/")
    layer = parts[1] if parts[0] == "daemon" and len(parts) > 2 else parts[0]
    for key in (layer, "all"):
        layers[key][0] += file["line_covered"]
        layers[key][1] += file["line_total"]
        layers[key][2] += file["branch_covered"]
        layers[key][3] += file["branch_total"]


def share(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "      -"


print(f"{'layer':<10} {'lines':>8} {'branches':>9}")
for name in sorted(layers, key=lambda n: (n == "all", n)):
    a, b, c, d = layers[name]
    print(f"{name:<10} {share(a, b):>8} {share(c, d):>9}   ({c} of {d})")
PY
