#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# check.sh ROOT BUILD: builds bench_engine in the folder BUILD and counts the instructions of an
# event, as the difference of two runs, so that start and end do not count. Times differ from one
# run to the next; this does not. Ends with 77 where the numbers do not hold.
set -euo pipefail

root=$1
build=$2
few=20000
many=60000
percent_max=105

skip() {
    echo "skipped: $1"
    exit 77
}

command -v valgrind >/dev/null || skip "valgrind is not installed (scripts/bootstrap --dev)"
command -v gcc >/dev/null || skip "gcc is not installed"
[[ $(uname -m) == x86_64 ]] || skip "the numbers are for x86-64"
version=$(gcc -dumpversion)
[[ ${version%%.*} == 12 ]] || skip "the numbers are for gcc 12, this is $version"

build_bench() {
    cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        "-DCMAKE_C_FLAGS=" "-DCMAKE_C_FLAGS_RELWITHDEBINFO=-O2 -g -DNDEBUG" \
        -DBUILD_SHARED_LIBS=OFF -DTULLE_BUILD_APPS=OFF -DTULLE_BUILD_TESTS=OFF \
        -DTULLE_BUILD_BENCH=ON &&
        cmake --build "$build" --target bench_engine --parallel 2
}

mkdir -p "$build"
if ! build_bench >"$build.log" 2>&1; then
    tail -n 20 "$build.log" >&2
    exit 1
fi

# count BATCH EVENTS: instructions of a run
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$build/tests/bench/bench_engine" --pass "$1" "$2" 2>&1 |
        sed -n 's/^==[0-9]*== Collected : \([0-9]*\)$/\1/p'
}

failed=false
while read -r batch expected; do
    [[ $batch == [0-9]* ]] || continue
    found=$((($(count "$batch" "$many") - $(count "$batch" "$few")) / (many - few)))
    echo "batch=$batch instructions_per_event=$found expected=$expected"
    ((found > 0)) || { echo "nothing was counted" >&2; exit 1; }
    if ((found * 100 > expected * percent_max)); then
        echo "batch=$batch: $found instructions for an event, $expected expected" >&2
        failed=true
    elif ((found * percent_max < expected * 100)); then
        echo "it has become cheaper: write that into tests/instructions/expected.txt"
    fi
done <"$root/tests/instructions/expected.txt"
! $failed
