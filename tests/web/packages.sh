# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=bash
# For tests that need packages of npm, to be sourced: web_packages NAME prints the folder that
# holds node_modules, or ends the test: with 77 (skipped) where they are not installed, with 1 where
# they have to be (in CI).

web_packages() { # NAME
    local root missing=
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    if ! command -v node >/dev/null; then
        missing="there is no node"
    elif [[ ! -e $root/build/web/node_modules/$1/package.json ]]; then
        missing="the package $1 is not installed: run scripts/web-packages"
    fi
    if [[ -n $missing ]]; then
        echo "$missing" >&2
        [[ -z ${CI:-} ]] && exit 77
        exit 1
    fi
    echo "$root/build/web"
}
