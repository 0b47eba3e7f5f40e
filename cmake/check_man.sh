#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The manual pages are valid mdoc: no error or warning from mandoc, or from groff without it.
set -euo pipefail

cd "${1:?usage: check_man.sh SOURCE_DIR}"

shopt -s nullglob
pages=(docs/man/*.[1-9])
if ((${#pages[@]} == 0)); then
    echo "no manual page was found"
    exit 1
fi
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "${pages[@]}"
elif command -v groff >/dev/null; then
    status=0
    for page in "${pages[@]}"; do
        if report=$(groff -mdoc -ww -z "$page" 2>&1) && [[ -z $report ]]; then
            continue
        fi
        printf '%s\n' "$report"
        status=1
    done
    exit "$status"
else
    echo "skipped: neither mandoc nor groff is installed (scripts/bootstrap --dev)"
    exit 77
fi
