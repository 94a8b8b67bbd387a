#!/bin/bash
# Builds the server and the benchmark, then runs it: Benchmarks/run.sh [RoomFanout's options]
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product gateway
swift build -c release --package-path Benchmarks
exec Benchmarks/.build/release/RoomFanout --gateway .build/release/gateway \
    --load-generator Benchmarks/.build/release/LoadGenerator "$@"
