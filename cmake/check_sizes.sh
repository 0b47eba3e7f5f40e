#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Files and functions stay small: .c 800 lines (tests 1000, main.c 120), .h 250, functions 70 and no
# more than 4 blocks inside each other. A function may have more with "NOLINT" and a reason on the
# line of its name. Every source begins with its SPDX line.
set -euo pipefail

cd "${1:?usage: check_sizes.sh SOURCE_DIR}"

# shellcheck disable=SC2016 # the dollars are those of awk
find lib node proxy tools tests -name '*.[ch]' -print0 | sort -z | xargs -0 awk '
    FNR == 1 {
        file_count++
        in_function = 0
        name = ""
        max[FILENAME] = 800
        if (FILENAME ~ /\.h$/) max[FILENAME] = 250
        else if (FILENAME ~ /^tests\//) max[FILENAME] = 1000
        else if (FILENAME ~ /\/main\.c$/) max[FILENAME] = 120
        if ($0 !~ /SPDX-License-Identifier: MPL-2\.0/)
            complain(FILENAME ": the first line is not the SPDX line")
    }
    { lines[FILENAME] = FNR }
    # Functions start in column 0, return type on a line of its own.
    /^[a-zA-Z_].*\(/ { name = $0 }
    /^\{$/ { in_function = 1; depth = 0; begin = FNR; start = name; next }
    /^\}$/ {
        if (in_function && FNR - begin > 70 && start !~ /NOLINT/)
            complain(FILENAME ":" begin ": " FNR - begin " lines, the limit is 70: " start)
        in_function = 0
    }
    in_function {
        code = $0
        gsub(/"([^"\\]|\\.)*"|\047[{}]\047|\/\*.*\*\//, "", code)
        if (code ~ /^[ \t]*(\/?\*|\/\/)/) next
        depth += gsub(/\{/, "", code) - gsub(/\}/, "", code)
        if (depth > 4 && start !~ /NOLINT/) {
            complain(FILENAME ":" FNR ": blocks " depth " deep, the limit is 4")
            depth = -1000
        }
    }
    function complain(text) { print text; failed = 1 }
    END {
        for (file in lines)
            if (lines[file] > max[file])
                complain(file ": " lines[file] " lines, the limit is " max[file])
        if (file_count == 0)
            complain("no source was found")
        exit failed
    }'
