#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The demo ends well, and its judge would have said so if it had not: the same account is wrong once
# a line of what shipping saw is lost, doubled, moved or changed.
set -euo pipefail

cd "${1:?usage: test_demo.sh SOURCE_DIR BIN_DIR}"
bin=${2:?usage: test_demo.sh SOURCE_DIR BIN_DIR}
scratch=$(mktemp -d)
demo=
stop() {
    if [[ -n $demo ]]; then kill -TERM "$demo" 2>/dev/null || true; fi
    wait
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 143' TERM INT

TMPDIR=$scratch scripts/demo --keep --bin "$bin" &
demo=$!
wait "$demo"
demo=
runs=("$scratch"/tulle-demo.*)
run=${runs[0]}

judge() {
    "$bin/tulle-demo-judge" check "$run/orders.ndjson" "$run/record.json" \
        "shipping=orders,payments=$1" >"$scratch/out" 2>&1
}
judge "$run/shipping.json"

# Programs of awk that spoil the record.
# shellcheck disable=SC2016 # the dollars are those of awk
declare -A spoil=(
    ["a lost event"]='/"kind":"event".*"order":1030,/ && !done { done = 1; next } { print }'
    ["an event twice"]='{ print } /"kind":"event".*"order":1030,/ && !done { done = 1; print }'
    ["a payment before its order"]='
        /"kind":"event".*orders\/placed.*"order":1030,/ { kept = $0; next }
        { print }
        /"kind":"event".*payments\/approved.*"order":1030,/ { print kept }'
    ["another payload"]='/"kind":"event".*"order":1030,/ { sub(/"order":1030/, "\"order\":1031") } { print }'
    ["a gap"]='{ print } END { print "{\"kind\":\"gap\",\"stream\":\"orders\",\"seq\":1}" }'
)
status=0
for what in "${!spoil[@]}"; do
    awk "${spoil[$what]}" "$run/shipping.json" >"$scratch/spoilt.json"
    if judge "$scratch/spoilt.json"; then
        echo "the judge does not see $what"
        status=1
    fi
done
((status == 0))
