#!/bin/sh
# run.sh write [SEEDS]: runs congestion control against simulated networks, 50 seeds of each, and writes scoreboard.txt.
# run.sh check [SEEDS]: runs a few seeds, and fails if a figure is worse than the scoreboard's.
# run.sh trace SCENARIO [SEED]: prints what happens in one, ten times a second. run.sh measure: what a call costs.
set -eu
cd "$(dirname "$0")"
what=${1:?write, check, trace or measure}
shift
swift build -c release --product scenarios >&2
binary=$(swift build -c release --show-bin-path)/scenarios
case $what in
write | check) exec "$binary" "$what" scoreboard.txt "$@" ;;
*) exec "$binary" "$what" "$@" ;;
esac
