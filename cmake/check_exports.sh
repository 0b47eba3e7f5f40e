#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The shared library exports what begins with tulle_ and one letter, and nothing else; and what a
# public header declares is there.
set -euo pipefail

source_dir=${1:?usage: check_exports.sh SOURCE_DIR LIBRARY}
library=${2:?usage: check_exports.sh SOURCE_DIR LIBRARY}

exported=$(nm --dynamic --defined-only --extern-only --format=posix "$library" |
    awk '$2 ~ /^[A-Z]$/ { print $1 }' | sort -u)
declared=$(sed -n '/^TULLE_API/,/;/p' "$source_dir"/lib/include/tulle/*.h |
    grep -oE '\btulle_[a-z0-9_]+[ ]*\(' | tr -d ' (' | sort -u)

status=0
if [[ -z $exported ]]; then
    echo "$library exports nothing"
    status=1
fi
if alien=$(grep -vE '^tulle_[a-z]' <<<"$exported"); then
    printf 'exported without the public prefix:\n%s\n' "$alien"
    status=1
fi
missing=$(comm -13 <(echo "$exported") <(echo "$declared"))
if [[ -n $missing ]]; then
    printf 'declared in a public header, not in the library:\n%s\n' "$missing"
    status=1
fi
undeclared=$(comm -23 <(echo "$exported") <(echo "$declared"))
if [[ -n $undeclared ]]; then
    printf 'exported, declared in no public header:\n%s\n' "$undeclared"
    status=1
fi
exit "$status"
