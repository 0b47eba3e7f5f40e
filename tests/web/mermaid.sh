#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What "tulle graph --mermaid" and "tulle trace --mermaid" print is a drawing for Mermaid, also with
# names that mean something in its language.
set -euo pipefail

bin=${1:?usage: mermaid.sh BIN_DIR} here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/web/packages.sh
. "$here/packages.sh"
library=$(web_packages mermaid)/node_modules/mermaid/dist/mermaid.min.js
work=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

start() { # PROGRAM ARGUMENT...: prints in $address where it listens
    : >"$work/log"
    "$bin/$1" "${@:2}" 2>"$work/log" &
    running+=($!)
    for _ in {1..400}; do
        address=$(sed -nE 's/.*(node|proxy)\.started.* address=([^ ,]+).*/\2/p' "$work/log" | head -1)
        [[ -z $address ]] || return 0
        sleep 0.05
    done
    cat "$work/log" >&2
    exit 1
}
judge() { # DOCUMENT LABEL...
    local status=0
    python3 "$here/mermaid.py" "$library" "$@" >"$work/judged" || status=$?
    ((status != 77)) || exit 77
    return "$status"
}
accept() { # DOCUMENT LABEL...
    judge "$@" || {
        cat "$work/judged" "$1"
        exit 1
    }
}
refuse() { # DOCUMENT CHANGE
    sed -E "$2" "$1" >"$work/spoilt"
    if cmp -s "$1" "$work/spoilt" || judge "$work/spoilt"; then
        echo "taken for right: $1, $2"
        exit 1
    fi
}

# shellcheck disable=SC2016 # nothing is to be expanded
names=('end' 'a"b]c; <b>bold</b>' 'subgraph' 'Grün 鷹 🦅 #35; #quot;' '%%{init: {}}%%' '`_x_` **y** \n\"'
    'click me "href" {{x}} ([y])')
start tulle-node --name "keeper | end" --listen 'tcp://127.0.0.1:*' --take '**'
keeper=$address
for name in "${names[@]}"; do
    start tulle-node --name "$name" --listen 'tcp://127.0.0.1:*' --join "$keeper" --take 'end/**'
done
topics=('end/"]' 'style/a b' 'class;/#1' 'Grün/%%')
first=
for topic in "${topics[@]}"; do
    "$bin/tulle" pub -q --join "$keeper" --wait-peers --name 'pub["end"]' ${first:+--cause "$first"} \
        "$topic" '<i>"end"</i>'
    first=$("$bin/tulle" tap -q --join "$keeper" --from earliest -e -F '%i/%S/%s' "$topic" | tail -1)
done

"$bin/tulle" graph --join "$keeper" --name look --mermaid --wait 20 >"$work/graph" || (($? == 27))
accept "$work/graph" 'keeper | end' "${names[@]}" end 'class;' Grün
"$bin/tulle" trace -q --join "$keeper" --name look --mermaid --up "$first" >"$work/trace"
accept "$work/trace" 'pub["end"]' "${topics[@]}"

# And the judge can say no.
refuse "$work/graph" '0,/^  end$/s/^  end$//'
refuse "$work/graph" 's/\["/["a"b/'
refuse "$work/trace" 's/^flowchart/flowchard/'
refuse "$work/trace" 's/"\]/"/'
refuse "$work/trace" 's/#34;/"/g'
if judge "$work/trace" 'no such label'; then
    echo "a label is seen that is not there"
    exit 1
fi
echo "$(wc -l <"$work/graph") lines of a graph and $(wc -l <"$work/trace") of a trace are drawn"
