#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# A file includes its own layer and lower ones only:
#   base < codec < clock < delivery < node       in lib/src
#   lib/app, node, proxy, tools                  <tulle/...>, "app/..." and their own headers
#   lib/include                                  the C library and <tulle/...>
# Other libraries stay where they belong, and nothing below lib/src/node reads a clock, a random
# source, a file or a socket: time and randomness are arguments there.
set -euo pipefail

cd "${1:?usage: check_layers.sh SOURCE_DIR}"

# shellcheck disable=SC2016 # the dollars are those of awk
find lib node proxy tools -name '*.[ch]' -print0 | sort -z | xargs -0 awk '
    BEGIN {
        lower["lib/src/base"] = "base"
        lower["lib/src/codec"] = "base codec"
        lower["lib/src/clock"] = "base codec clock"
        lower["lib/src/delivery"] = "base codec clock delivery"
        lower["lib/src/node"] = "base codec clock delivery node"
        lower["lib/app"] = "app"
        lower["node"] = "app node"
        lower["proxy"] = "app proxy"
        lower["tools"] = "app tools"
        lower["lib/include"] = ""

        others["lib/src/codec"] = "msgpack.h"
        others["lib/src/node"] = "zmq.h czmq.h msgpack.h"
        others["lib/app"] = "zmq.h czmq.h msgpack.h jansson.h"
        others["node"] = others["proxy"] = others["tools"] = "jansson.h"
        lists = "uthash.h utlist.h utarray.h utringbuffer.h utstring.h"

        pure["lib/src/codec"] = pure["lib/src/clock"] = pure["lib/src/delivery"] = 1
    }
    FNR == 1 {
        file_count++
        if (FILENAME ~ /^lib\/src\//) split_at = 3
        else if (FILENAME ~ /^lib\//) split_at = 2
        else split_at = 1
        n = split(FILENAME, part, "/")
        folder = part[1]
        for (i = 2; i <= split_at && i < n; i++) folder = folder "/" part[i]
        if (!(folder in lower)) complain("is in a folder that is no layer: " folder)
    }
    function has(list, word) { return index(" " list " ", " " word " ") > 0 }
    function complain(text) { print FILENAME ":" FNR ": " text; failed = 1 }

    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        target = quoted[2]
        slash = index(target, "/")
        if (slash == 0) {
            # Programs may name their own headers plainly; the library says the layer.
            if (folder ~ /^lib/) complain("\"" target "\" does not say its layer")
        } else if (!has(lower[folder], substr(target, 1, slash - 1))) {
            complain(folder " must not include \"" target "\"")
        }
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        split($0, bracket, /[<>]/)
        target = bracket[2]
        if (target ~ /^(zmq|czmq|zmq_utils|msgpack|jansson|lmdb)\.h$/ || target ~ /^msgpack\//) {
            library = target
            sub(/^msgpack\/.*/, "msgpack.h", library)
            if (!has(others[folder], library)) complain(folder " must not include <" target ">")
        } else if (has(lists, target) && folder == "lib/include") {
            complain("a public header must not include <" target ">")
        }
        if (pure[folder] && target ~ /^(time|unistd|poll|fcntl|pthread|threads|stdatomic|netdb|dirent|signal)\.h$|^(sys|net|netinet|arpa)\//)
            complain(folder " must not include <" target ">: no I/O, clock or thread here")
    }
    pure[folder] && /[^a-zA-Z0-9_](clock_gettime|gettimeofday|time|rand|random|getrandom|getenv|fopen|socket|nanosleep|usleep)[ ]?\(/ && !/^[ \t]*(\/)?\*/ {
        line = $0
        gsub(/"[^"]*"/, "", line)
        gsub(/\/\*.*\*\//, "", line)
        if (line ~ /[^a-zA-Z0-9_>.](clock_gettime|gettimeofday|time|rand|random|getrandom|getenv|fopen|socket|nanosleep|usleep)\(/)
            complain(folder " must not call this: no I/O, clock or randomness here")
    }
    END {
        if (file_count == 0) { print "no source was found"; failed = 1 }
        exit failed
    }'
