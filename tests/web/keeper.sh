# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash
# A node that keeps all events of a test, to be sourced: keeper_start BIN_DIR WORK_DIR starts it and sets
# address and keeper, its process.

keeper_start() { # BIN_DIR WORK_DIR
    : >"$2/log"
    "$1/tulle-node" --name keeper --listen 'tcp://127.0.0.1:*' --take '**' 2>"$2/log" &
    keeper=$!
    for _ in {1..400}; do
        address=$(sed -nE 's/.*node\.started.* address=([^ ]+).*/\1/p' "$2/log")
        [[ -z $address ]] || return 0
        sleep 0.05
    done
    echo "the keeper does not start:" >&2
    cat "$2/log" >&2
    return 1
}

# What a test does at its end.
keeper_stop() {
    [[ -z ${keeper:-} ]] || kill "$keeper" 2>/dev/null || true
}
