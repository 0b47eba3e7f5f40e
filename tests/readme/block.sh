#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Write the first fenced block of a language in a Markdown file to another file.
set -euo pipefail

if (($# != 3)); then
    echo "usage: block.sh LANGUAGE PAGE OUT" >&2
    exit 2
fi
awk -v fence="\`\`\`$1" '
    $0 == "```" && inside { exit }
    inside
    $0 == fence { inside = 1 }
' "$2" >"$3"
if [[ ! -s $3 ]]; then
    echo "$2 has no block of $1" >&2
    rm -f "$3"
    exit 1
fi
