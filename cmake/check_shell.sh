#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Our scripts can be run, and the linter of shell scripts has nothing to say about them.
set -euo pipefail

cd "${1:?usage: check_shell.sh SOURCE_DIR}"

if ! command -v shellcheck >/dev/null; then
    echo "skipped: shellcheck is not installed (scripts/bootstrap --dev)"
    exit 77
fi
mapfile -d '' scripts < <(
    find scripts .ci cmake tests -type f -not -path '*/corpus/*' -print0 |
        xargs -0 grep -lZE -m1 '^#!(/usr)?/bin/(env )?(ba)?sh' | sort -z
)
if ((${#scripts[@]} == 0)); then
    echo "no script was found"
    exit 1
fi
status=0
for script in "${scripts[@]}"; do
    if [[ ! -x $script ]]; then
        echo "$script: cannot be executed"
        status=1
    fi
done
shellcheck --external-sources "${scripts[@]}" || status=1
exit "$status"
