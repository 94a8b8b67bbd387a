#!/bin/sh
# run.sh SECONDS [TARGET...]: fuzzes each target (all by default) for its share of SECONDS, from the corpus beside it;
# with `corpus` in place of SECONDS each input of the corpus is run once.
# FUZZ_SEED=N makes every run try the same inputs, as far as it gets in its time.
# What crashes is left in FailCases/: make a unit test of it, mend the parser, and keep the file.
set -eu
cd "$(dirname "$0")"
seconds=${1:?how many seconds in total}
shift
all='rtp rtcp stun vp8 vp9 h264 h265 av1 opus descriptor dtls srtp ice tcp turn shard sctp association json request sdp target engine websocket http2 token'
targets=${*:-$all}
count=$(echo "$targets" | wc -w)
if [ "$seconds" = corpus ]; then
    share=600 limit=-runs=0
else
    share=$((seconds / count))
    [ "$share" -ge 1 ] || share=1
    limit=-max_total_time=$share
fi

swift build --product Fuzz ${FUZZ_BUILD_FLAGS:-} >&2
binary=$(swift build --show-bin-path ${FUZZ_BUILD_FLAGS:-})/Fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for target in $targets; do
    mkdir -p "$work/$target" "FailCases/$target"
    # A datagram, and a browser's offer.
    case $target in sdp) length=20000 ;; *) length=1500 ;; esac
    # What libFuzzer finds goes to the first folder, which is thrown away. Its output goes to a file: a crash that writes
    # into a closed pipe hangs.
    if ! FUZZ_TARGET=$target ASAN_OPTIONS=detect_leaks=0 timeout -s KILL $((share + 60)) "$binary" \
        "$limit" -max_len="$length" -timeout=30 -seed="${FUZZ_SEED:-0}" -artifact_prefix="FailCases/$target/" \
        "$work/$target" "Corpus/$target" "FailCases/$target" \
        >"$work/$target.log" 2>&1; then
        status=1
        tail -40 "$work/$target.log"
    fi
    echo "$target: $(grep -E '^(Done|#[0-9]+.*DONE|stat::number_of_executed_units)' "$work/$target.log" | tail -1)"
done
find FailCases -depth -type d -empty -delete
exit $status
