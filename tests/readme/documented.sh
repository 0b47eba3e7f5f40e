#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What the sources name is in the documents: public functions, counters, statuses, options and log
# ids in the manual pages; counters and log ids also in docs/operations.md. And the other way round:
# the tests named in docs/guarantees.md exist.
set -euo pipefail

cd "${1:?usage: documented.sh SOURCE_DIR}"
status=0
count=0

need() { # WHAT WORD FILE...
    local what=$1 word=$2
    shift 2
    count=$((count + 1))
    if ! grep -qE -- "(^|[^A-Za-z0-9_.])${word//./\\.}([^A-Za-z0-9_]|\$)" "$@"; then
        echo "$what $word is not in $*"
        status=1
    fi
}

shopt -s nullglob
functions=(docs/man/*.3 docs/man/*.7)
mapfile -t words < <(sed -n '/^TULLE_API/,/;/p' lib/include/tulle/*.h |
    grep -oE '\btulle_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u)
for word in "${words[@]}"; do
    need function "$word" "${functions[@]}"
done

mapfile -t words < <(sed -nE 's/^    X\(([a-z_]+), .*/\1/p' lib/include/tulle/counters.h)
for word in "${words[@]}"; do
    need counter "$word" docs/man/tulle_node.3
    need counter "$word" docs/operations.md
done

mapfile -t words < <(sed -nE 's/^    X\(([A-Z]+), (-[0-9]+|0), .*/TULLE_\1/p' lib/include/tulle/status.h)
for word in "${words[@]}"; do
    need status "$word" docs/man/tulle-status.7
done

mapfile -t words < <(sed -nE '/_options \{$/,/^\}/{s,/\*.*,,; s/^    [a-z].*[ *]([a-z_]+)(\[.*\])?;.*/\1/p}' \
    lib/include/tulle/options.h lib/include/tulle/proxy.h)
for word in "${words[@]}"; do
    need option "$word" docs/man/tulle_node.3 docs/man/tulle_proxy.3
done

mapfile -t words < <(cat lib/src/*/*.c lib/app/*.c node/*.c proxy/*.c tools/*.c tools/*/*.c | tr '\n' ' ' |
    grep -oE '(TULLE_LOG_[A-Z]+|common), *"[a-z]+\.[a-z_]+"' | grep -oE '"[a-z]+\.[a-z_]+"' |
    tr -d '"' | sort -u)
for word in "${words[@]}"; do
    need "log id" "$word" docs/man/tulle-log.7
    need "log id" "$word" docs/operations.md
done

# Tests that docs/guarantees.md calls as witnesses are there.
# shellcheck disable=SC2016 # backticks of Markdown
mapfile -t words < <(grep -oE '`[a-z]+\.[a-z_]+(: [a-z_]+)?`' docs/guarantees.md |
    grep -E '`(unit|sim|integration|proc|fuzz)\.' | tr -d '`' | sort -u)
for word in "${words[@]}"; do
    kind=${word%%.*} name=${word#*.} file=tests/$kind/test_${name%%:*}.c
    [[ $kind != fuzz ]] || file=tests/fuzz/fuzz_$name.c
    count=$((count + 1))
    if [[ ! -e $file ]] || { [[ $word == *:* ]] && ! grep -q "^TEST(${word##*: })" "$file"; }; then
        echo "docs/guarantees.md: there is no test $word"
        status=1
    fi
done

echo "$count names"
((count > 150)) || { echo "too few: the sources look different"; status=1; }
exit "$status"
