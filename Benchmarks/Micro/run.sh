#!/usr/bin/env bash
# Micro-benchmarks of the media plane's parts: run.sh [options of `swift package benchmark`]
# They reach internal types, so the media plane is built with testability, which costs it next to nothing.
set -euo pipefail
cd "$(dirname "$0")"
exec swift package -c release -Xswiftc -enable-testing benchmark "$@"
