#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The C program of the README, built before, prints what the README says that it prints.
set -euo pipefail

readme=${1:?usage: readme.sh README PROGRAM} program=${2:?usage: readme.sh README PROGRAM}
here=$(dirname "${BASH_SOURCE[0]}")
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT

"$here/block.sh" text "$readme" "$shown"
diff "$shown" <("$program")
echo "as shown"
