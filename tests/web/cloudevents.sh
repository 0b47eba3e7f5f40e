#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What "tulle tap --cloudevents" prints of events of all kinds is valid for the SDK of CloudEvents,
# and means there what was published.
set -euo pipefail

bin=${1:?usage: cloudevents.sh BIN_DIR} here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/web/packages.sh
. "$here/packages.sh"
# shellcheck source=tests/web/keeper.sh
. "$here/keeper.sh"
web=$(web_packages cloudevents)
work=$(mktemp -d)
trap 'keeper_stop; rm -rf "$work"' EXIT
cp "$here/cloudevents.mjs" "$work"
ln -s "$web/node_modules" "$work/node_modules"

keeper_start "$bin" "$work"
pub() {
    "$bin/tulle" pub -q --join "$address" --wait-peers --name "shop 1" "$@"
}
pub a/map --json '{"amount": 150, "name": "Grün"}' -H traceparent=00-ab-cd-01 -H 'odd name=x'
pub a/json --raw --content-type 'application/json; charset=utf-8' '[1, "two", null]'
pub a/notjson --raw --content-type application/json '{"broken'
pub a/text --raw --content-type text/plain 'two
lines'
pub a/bytes --raw "$(printf '\001\002\377')"
pub a/typed -H ce-type=order.placed -H ce-subject=42 -H ce-dataschema=https://example.com/s 'text'
pub a/none --empty

"$bin/tulle" tap -q --join "$address" --from earliest -e --cloudevents >"$work/events"
node "$work/cloudevents.mjs" <"$work/events" | sort >"$work/seen" || {
    cat "$work/seen"
    exit 1
}
sort >"$work/expected" <<'EOF'
/shop%201 a.map a/map application/json 1 {"amount":150,"name":"Grün"}
/shop%201 a.json a/json application/json; charset=utf-8 1 [1,"two",null]
/shop%201 a.notjson a/notjson application/json 1 bytes 7b2262726f6b656e
/shop%201 a.text a/text text/plain 1 "two\nlines"
/shop%201 a.bytes a/bytes application/octet-stream 1 bytes 0102ff
/shop%201 order.placed 42 application/json 1 "text"
/shop%201 a.none a/none - 1 nothing
EOF
diff "$work/expected" "$work/seen"

# And the judge can say no.
for change in 's/"source":"[^"]*"/"source":""/' 's/"tulleseq"/"tulle_seq"/'; do
    if head -1 "$work/events" | sed "$change" | node "$work/cloudevents.mjs" >"$work/judged"; then
        echo "taken for valid: $change"
        exit 1
    fi
done
echo "$(wc -l <"$work/events") events are valid"
