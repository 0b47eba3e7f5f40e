#!/usr/bin/env zsh
# SPDX-License-Identifier: MPL-2.0
# What zsh offers, typed at a terminal of its own: compadd, which all completion ends in, writes down
# what it is given.
emulate -L zsh
setopt err_return no_monitor
zmodload zsh/zpty

bin=${1:A}
folder=$(mktemp -d)
trap 'zpty -d shell 2>/dev/null; rm -rf $folder' EXIT
path=($bin $path)
tulle completion zsh > $folder/_tulle
touch $folder/one.conf
integer bad=0 count=0

cat > $folder/setup <<END
PS1= PS2=
fpath=($folder \$fpath) path=($bin \$path)
cd $folder
autoload -Uz compinit && compinit -u -d $folder/dump
bindkey '^I' complete-word '^U' kill-whole-line
zstyle ':completion:*' insert-unambiguous false
note-done() { print -r -- "done: \$BUFFER" >> $folder/offered; BUFFER=; }
zle -N note-done
bindkey '^X' note-done
compadd() {
    local -a found
    if [[ \$@ == *-[OAD]\ * ]]; then builtin compadd "\$@"; return; fi
    builtin compadd -O found "\$@"
    (( \$#found )) && print -rl -- \$found >> $folder/offered
    builtin compadd "\$@"
}
print ready >> $folder/offered
END

wait_for() { # TEXT: at the end of what was offered
    local -i left=200
    while (( left-- )) && [[ "$(tail -n 1 $folder/offered 2>/dev/null)" != ${~1} ]]; do sleep 0.05; done
    (( left > 0 )) || { print "zsh does not answer: $1"; exit 1; }
}

expect() { # WANTED LINE: among what is offered at its end
    : > $folder/offered
    zpty -w -n shell "$2"$'\t\C-x'
    wait_for 'done:*'
    (( ++count ))
    grep -qxF -e "$1" $folder/offered && return 0
    print -r -- "completing: $2: wanted $1, got: ${(f)$(<$folder/offered)}"
    bad=1
}

zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "source $folder/setup"
wait_for ready
expect tap 'tulle t'
expect trace 'tulle t'
expect latency 'tulle help l'
expect --order 'tulle tap --ord'
expect causal 'tulle tap --order '
expect causal 'tulle tap --order='
expect fifo 'tulle tap -o '
expect never 'tulle tap --color='
expect tcp:// 'tulle tap --join '
expect one.conf 'tulle tap --config '
expect zsh 'tulle completion '
expect --segment 'tulle-proxy --se'
expect --exec 'tulle-node --ex'
print "zsh: $count completions"
exit $bad
