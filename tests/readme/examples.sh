#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The commands in blocks marked "console" do what the page shows. A block is a terminal: lines that
# begin with "$ " are commands, those below a command are what it prints, among other lines perhaps.
# Blocks of a page follow one another while what earlier ones started goes on; what ends by itself, as pub or
# ls or by --count, is waited for. Ports are moved to free ones; times, ids and the like may differ.
set -euo pipefail

if (($# < 2)); then
    echo "usage: examples.sh BIN_DIR PAGE..." >&2
    exit 2
fi
PATH=$(cd "$1" && pwd):$PATH
shift
work_dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$work_dir"' EXIT
status=0

is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# 7100 and 7101 become base and base + 1, 7200 and 7201 those that follow, and so on.
choose_base() {
    local try port
    for try in {1..50}; do
        base=$((10000 + (RANDOM + try) % 20000))
        for port in {0..9}; do
            is_free $((base + port)) || continue 2
        done
        return
    done
    echo "no free ports" >&2
    exit 1
}

move_ports() {
    sed -E "s/127\.0\.0\.1:71(0[01])/127.0.0.1:$((base / 10))_\1/g
        s/127\.0\.0\.1:72(0[01])/127.0.0.1:$((base / 10 + 1))_\1/g
        s/127\.0\.0\.1:73(0[01])/127.0.0.1:$((base / 10 + 2))_\1/g
        s/_0([01])/\1/g"
}

# What may differ from run to run.
same() {
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g
        s/[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}/TIME/g
        s/\b[0-9a-f]{16}\b/ID/g
        s/ \[latency -?[0-9.]+ m?s\]//g
        s/ \[held [0-9.]+ m?s\]//g
        s/ \[repaired\]//g
        s/tcp:[0-9.:/]+/ADDRESS/g
        s/[0-9.]+ s;/SECONDS;/g'
}

has_all() { # SHOWN OUTPUT
    local line
    while IFS= read -r line; do
        same <"$2" | grep -qxF -- "$line" || return 1
    done < <(same <"$1")
}

# Commands and what they print, as files 1.command, 1.shown, 2.command, ... of a folder.
split_page() { # PAGE FOLDER
    awk -v dir="$2" '
        /^```/ { inside = $0 == "```console"; next }
        inside && /^\$ / { n++; print substr($0, 3) > (dir "/" n ".command")
                           printf "" > (dir "/" n ".shown"); next }
        inside && n { print > (dir "/" n ".shown") }
    ' "$1"
}

run_page() { # PAGE FOLDER
    local n command code
    pids=()
    for ((n = 1; ; n++)); do
        [[ -e $2/$n.command ]] || break
        command=$(move_ports <"$2/$n.command")
        printf '%s\n' "$command"
        (cd "$2" && exec bash -c "exec $command") >"$2/$n.output" 2>&1 &
        pids+=($!)
        if [[ $command == *tulle\ @(pub|ls|trace)* || $command == *--@(count|once|json\ --screen)* ]]; then
            code=0
            wait $! || code=$?
            if ((code != 0)); then
                echo "    ended with status $code"
                status=1
            fi
        fi
    done
    ((n > 1)) || echo "${1##*/}: no commands"
}

check_page() { # PAGE FOLDER
    local n try
    for ((n = 1; ; n++)); do
        [[ -e $2/$n.command ]] || break
        for try in {1..200}; do
            has_all "$2/$n.shown" "$2/$n.output" && continue 2
            sleep 0.1
        done
        printf '%s: after %d s not printed by: %s\n' "${1##*/}" $((try / 10)) "$(<"$2/$n.command")"
        diff <(same <"$2/$n.shown") <(same <"$2/$n.output") || true
        status=1
    done
}

stop_page() {
    local pid code
    kill "${pids[@]}" 2>/dev/null || true
    for pid in "${pids[@]}"; do
        code=0
        wait "$pid" || code=$?
        if ((code != 0)); then
            echo "process $pid ended with status $code"
            status=1
        fi
    done
    pids=()
}

for page; do
    folder=$work_dir/$(basename "$page")
    mkdir "$folder"
    choose_base
    split_page "$page" "$folder"
    run_page "$page" "$folder"
    check_page "$page" "$folder"
    stop_page
done
exit "$status"
