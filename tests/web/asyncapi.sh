#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# What "tulle graph --asyncapi" writes of events of many kinds is valid for the parser of AsyncAPI, and
# every event is right by the schemas in it.
set -euo pipefail

bin=${1:?usage: asyncapi.sh BIN_DIR} here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/web/packages.sh
. "$here/packages.sh"
# shellcheck source=tests/web/keeper.sh
. "$here/keeper.sh"
web=$(web_packages @asyncapi/parser)
work=$(mktemp -d)
trap 'keeper_stop; rm -rf "$work"' EXIT
cp "$here/asyncapi.mjs" "$work"
ln -s "$web/node_modules" "$work/node_modules"

keeper_start "$bin" "$work"
pub() {
    "$bin/tulle" pub -q --join "$address" --wait-peers "$@"
}

cat >"$work/lines" <<'END'
{"topic": "orders/placed", "payload": {"order": 1, "to": {"town": "Riga"}, "lines": [{"sku": "a", "n": 1}], "paid": true}}
{"topic": "orders/placed", "payload": {"order": "x-2", "to": null, "lines": [{"sku": "b", "n": 2.5, "note": "ü\u0001"}], "at": "2024-05-01T12:00:00.5Z"}}
{"topic": "orders/placed", "payload": {"order": 3, "lines": [], "at": "2024-05-01T12:00:00+02:00", "blob": {"$bin": "AAH/"}}}
{"topic": "mixed", "payload": 1}
{"topic": "mixed", "payload": "one"}
{"topic": "mixed", "payload": [1, [2], {"a": null}]}
{"topic": "mixed", "payload": null}
{"topic": "mixed", "payload": {"": 1, "a/b~c": 2, "$ref": "#/x", "__proto__": 1}}
{"topic": "odd/{a}/%41", "payload": true}
{"topic": "big", "payload": 18446744073709551615}
END
for i in {1..30}; do
    printf '{"topic": "sensors/%d/temperature", "payload": {"v": %d.5}}\n' "$i" "$i"
done >>"$work/lines"
# A dictionary: more keys than an object has fields.
printf '{"topic": "counts", "payload": {%s "last": 0}}\n' \
    "$(for i in {1..90}; do printf '"key %d": %d, ' "$i" "$i"; done)" >>"$work/lines"
grep -v '^{"topic": "big"' "$work/lines" | pub --name "shop 1" --json
pub --name "shop 1" --raw --content-type 'application/json; charset=utf-8' typed '{"a": [1, "two", null]}'
pub --name text --raw --content-type text/plain -H traceparent=00-ab-cd-01 typed 'two
lines'
pub --name text --raw --content-type application/json typed '{"broken'
pub --name text --raw --content-type image/png typed "$(printf '\001\002\377')"
pub --name text --empty typed

"$bin/tulle" graph --join "$address" --name look --asyncapi --from earliest --title "A shop" \
    --api-version 2.1 >"$work/document.json"
"$bin/tulle" tap -q --join "$address" --from earliest -e --json >"$work/events"
node "$work/asyncapi.mjs" "$work/document.json" <"$work/events" >"$work/seen" || {
    cat "$work/seen"
    exit 1
}
cat >"$work/expected" <<END
orders/placed: application/msgpack: keeper receives, shop 1 sends
mixed: application/msgpack: keeper receives, shop 1 sends
odd/%7Ba%7D/%41: application/msgpack: keeper receives, shop 1 sends
sensors/{level2}/temperature: application/msgpack: keeper receives, shop 1 sends
counts: application/msgpack: keeper receives, shop 1 sends
typed: application/json, application/json; charset=utf-8, application/msgpack, image/png, text/plain: keeper receives, shop 1 sends, text sends
servers: keeper
45 events are right
END
diff <(sort "$work/expected") <(sort "$work/seen")

# What was learnt, exactly.
jq -e '.info.title == "A shop" and .info.version == "2.1"' "$work/document.json" >/dev/null
jq -e '.channels.orders_placed.messages.msgpack.payload
    | .required == ["order", "lines"]
    and .properties.order == {"oneOf": [{"type": "integer"}, {"type": "string"}]}
    and .properties.to.type == ["object", "null"]
    and .properties.at == {"type": "string", "format": "date-time"}
    and .properties.blob == {"type": "string", "contentEncoding": "base64"}
    and .properties.lines.items.required == ["sku", "n"]
    and .properties.lines.items.properties.n == {"type": "number"}' "$work/document.json" >/dev/null
jq -e '.channels.counts.messages.msgpack.payload
    == {"type": "object", "additionalProperties": {"type": "integer"}}' "$work/document.json" >/dev/null
jq -e '.channels.typed.messages.text_plain | .payload == {"type": "string"}
    and .headers.required == ["traceparent"]' "$work/document.json" >/dev/null

# And the judge can say no.
judge() {
    node "$work/asyncapi.mjs" "$1" <"$work/events" >"$work/judged"
}
refuse() { # WHAT
    jq "$1" "$work/document.json" >"$work/spoilt.json"
    if judge "$work/spoilt.json"; then
        echo "taken for right: $1"
        exit 1
    fi
}
refuse 'del(.info.version)'
refuse '.operations[].action = "shout"'
refuse '.channels.orders_placed.messages.msgpack.payload.required += ["paid"]'
# shellcheck disable=SC2016 # a name within the document
refuse '.operations[].channel["$ref"] = "#/channels/none"'
tail -1 "$work/seen"
