#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What bash completes, word by word: as plain bash does it, as readline cuts words, and with the
# package bash-completion, if it is there, which loads the script when its command is typed.
set -uo pipefail

PATH=$(cd "${1:?usage: completion.bash BIN_DIR}" && pwd):$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
touch one.conf 'two words.conf'
mkdir folder
count=0 status=0

# What the words, of which the last is being typed, are completed to: sorted, in one line.
complete_words() {
    local -a COMP_WORDS=("$@")
    local COMP_CWORD=$(($# - 1)) function IFS=$' \t\n'
    local -a COMPREPLY=() sorted
    function=$(complete -p "$1")
    function=${function##* -F }
    "${function%% *}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    mapfile -t sorted < <(printf '%s\n' "${COMPREPLY[@]}" | sort)
    IFS='|'
    printf '%s\n' "${sorted[*]}"
}

expect() { # REPLIES WORD...
    local wanted=$1 got
    shift
    count=$((count + 1))
    got=$(complete_words "$@")
    [[ $got == "$wanted" ]] && return
    printf 'completing: %s\n  wanted: %s\n  got:    %s\n' "$*" "$wanted" "$got"
    status=1
}

# Some of the replies.
expect_among() { # REPLY WORD...
    local wanted=$1 got
    shift
    count=$((count + 1))
    got=$(complete_words "$@")
    [[ "|$got|" == *"|$wanted|"* ]] && return
    printf 'completing: %s\n  wanted among: %s\n  got: %s\n' "$*" "$wanted" "$got"
    status=1
}

check_all() {
    local command option
    expect 'tap' tulle ta
    expect_among 'bench' tulle ''
    expect_among 'help' tulle ''
    expect '--help' tulle --h
    expect 'latency' tulle help la
    expect '' tulle help latency l
    expect '--order' tulle tap --ord
    expect_among '--order' tulle tap -
    expect_among '-o' tulle tap -
    expect 'causal|fifo|none' tulle tap --order ''
    expect 'causal' tulle tap -o c
    expect 'causal' tulle tap --order = c
    expect 'causal|fifo|none' tulle tap --order =
    expect '--order=causal' tulle tap --order=c
    expect 'always|auto|never' tulle tap --color =
    expect '' tulle tap --color ''
    expect '' tulle tap --count ''
    expect '' tulle record --rotate ''
    expect '--json' tulle tap --color --js
    expect 'ipc://|tcp://' tulle tap --join ''
    expect 'tcp://' tulle tap -j t
    expect '' tulle tap --join tcp : //12
    expect 'one.conf' tulle tap --config o
    expect 'two words.conf' tulle tap --config t
    expect 'folder|one.conf|two words.conf' tulle-node --config ''
    expect 'bash|zsh' tulle completion ''
    expect 'zsh' tulle completion -- z
    expect_among 'lo' tulle-proxy --segment lan --interface ''
    expect '--segment' tulle-proxy --seg
    expect_among 'sed' tulle-node --exec 'orders/**' se
    expect_among 'sed' tulle-node -x 'orders/**' se
    expect '' tulle-node --exec ''
    expect '' no/such/tulle unknown --o
    # Each command that there is, with each of its options.
    while IFS=$'\t' read -r _ command _; do
        while IFS=$'\t' read -r kind option _; do
            [[ $kind != option ]] || expect_among "$option" tulle "$command" "$option"
        done < <(tulle "$command" --help-table)
    done < <(tulle --help-table)
}

complete -D -F missing # so that "complete -p" of what is not known fails
# shellcheck source=/dev/null
source <(tulle completion bash)
complete -F _tulle no/such/tulle
check_all
echo "plain: $count completions"
((count > 150)) || { echo "too few"; status=1; }

framework=/usr/share/bash-completion/bash_completion
if [[ -r $framework ]]; then
    mkdir -p user/completions
    for name in tulle tulle-node tulle-proxy; do
        tulle completion bash >"user/completions/$name"
    done
    # shellcheck disable=SC2016 # another shell's
    env BASH_COMPLETION_USER_DIR="$PWD/user" bash --norc -c '
        source "$1"
        for name in tulle tulle-node tulle-proxy; do
            _completion_loader "$name"
            complete -p "$name"
        done' -- "$framework" >loaded 2>&1
    diff loaded - <<END || status=1
complete -F _tulle tulle
complete -F _tulle tulle-node
complete -F _tulle tulle-proxy
END
    echo "loaded by bash-completion"
fi
exit "$status"
