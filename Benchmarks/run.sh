#!/usr/bin/env bash
# Builds the server and the benchmarks, then prints the table of goals: Benchmarks/run.sh [RoomFanout's options]
# With options it does what they say instead (--help lists them). The numbers are kept in Benchmarks/results.
# Benchmarks/run.sh micro runs the micro-benchmarks.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = micro ]; then
    shift
    exec Benchmarks/Micro/run.sh "$@"
fi
swift build -c release --product gateway
swift build -c release --package-path Benchmarks
if [ $# -eq 0 ]; then set -- --goals; fi
# What else a shared machine does must not be measured too: this session asks for priority, where it may (sched(7)).
if { echo -15 >/proc/self/autogroup; } 2>/dev/null; then trap 'echo 0 >/proc/self/autogroup' EXIT; fi
Benchmarks/.build/release/RoomFanout --gateway .build/release/gateway \
    --json "Benchmarks/results/$(date -u +%Y%m%dT%H%M%S).json" "$@"
