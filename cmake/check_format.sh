#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The sources are as clang-format 14 would write them. Other versions differ in details.
set -euo pipefail

cd "${1:?usage: check_format.sh SOURCE_DIR}"

if ! command -v clang-format-14 >/dev/null; then
    echo "skipped: clang-format-14 is not installed (scripts/bootstrap --dev)"
    exit 77
fi
find lib node proxy tools tests -name '*.[ch]' -print0 | sort -z |
    xargs -0 clang-format-14 --dry-run -Werror
