#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Every relative link of a Markdown file leads to a file or folder, and its #fragment to a heading.
set -euo pipefail

cd "${1:?usage: check_docs.sh SOURCE_DIR}"

# Lines outside of fenced code blocks.
prose() {
    awk '/^[ ]*(```|~~~)/ { fenced = !fenced; next } !fenced' "$1"
}

# The anchors that a forge gives to the headings of a file.
anchors() {
    prose "$1" | sed -nE 's/^#{1,6} +(.*[^ #]) *#* *$/\1/p' |
        tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

mapfile -d '' pages < <(
    find . \( -name .git -o -path ./build -o -path './build-*' \) -prune -o -name '*.md' -print0 | sort -z
)
status=0
link_count=0
for page in "${pages[@]}"; do
    while IFS= read -r link; do
        case $link in
        *://* | mailto:* | '') continue ;;
        esac
        link_count=$((link_count + 1))
        path=${link%%#*}
        target=$page
        [[ -z $path ]] || target=$(dirname "$page")/$path
        if [[ ! -e $target ]]; then
            echo "${page#./}: broken link: $link"
            status=1
        elif [[ $link == *'#'* && $target == *.md ]] &&
            ! anchors "$target" | grep -qxF -- "${link#*#}"; then
            echo "${page#./}: no such heading: $link"
            status=1
        fi
    done < <(
        # shellcheck disable=SC2016 # backticks of Markdown
        prose "$page" | sed -E 's/`[^`]*`//g' | grep -oE '\]\([^) ]+' | cut -c3- || true
    )
done
echo "${#pages[@]} pages, $link_count relative links"
exit "$status"
