#!/usr/bin/env bash
# label: long
# crash_points.sh at every write point.
set -euo pipefail
export COMITY_POINTS=all
exec "$(dirname "$0")/crash_points.sh" "$@"
