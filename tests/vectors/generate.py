#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Write the test vectors of docs/protocol.md, section 10, and from them the
corpora of the fuzz targets, tests/fuzz/corpus/KIND/.

This is a second, independent writer of the wire format: it knows nothing of the
library, only the rules of protocol.md. The unit test `vectors` reads the files.

    tests/vectors/generate.py
"""

import json
import os
import struct

A = 0xA11CE00000000001
B = 0xB0B0000000000002
C = 0xFFFFFFFFFFFFFFFF
LOWEST = 0x100000000
TIME = (1700000000000000 << 12) | 5
SEQ_MAX = 2**63 - 1


class Raw(bytes):
    """Bytes that are msgpack already."""


class Pairs(list):
    """A map whose order matters, or one with a key twice."""


def number(value):
    if value < 0x80:
        return bytes([value])
    for code, form, end in ((0xCC, ">B", 1 << 8), (0xCD, ">H", 1 << 16), (0xCE, ">I", 1 << 32)):
        if value < end:
            return bytes([code]) + struct.pack(form, value)
    return b"\xcf" + struct.pack(">Q", value)


def counted(count, short, short_max, wide):
    """Header with a count: short form, then 8 (when there is one), 16 and 32 bits."""
    if short is not None and count <= short_max:
        return bytes([short | count])
    if wide[0] is not None and count < 1 << 8:
        return bytes([wide[0], count])
    if count < 1 << 16:
        return bytes([wide[1]]) + struct.pack(">H", count)
    return bytes([wide[2]]) + struct.pack(">I", count)


def pack(value):
    if isinstance(value, Raw):
        return bytes(value)
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, str):
        data = value.encode()
        return counted(len(data), 0xA0, 31, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return counted(len(value), None, 0, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, Pairs):
        body = b"".join(pack(k) + pack(v) for k, v in value)
        return counted(len(value), 0x80, 15, (None, 0xDE, 0xDF)) + body
    if isinstance(value, dict):
        return pack(Pairs(value.items()))
    body = b"".join(pack(item) for item in value)
    return counted(len(value), 0x90, 15, (None, 0xDC, 0xDD)) + body


def identity(value):
    return "0x%016x" % value


def clock(entries):
    """[(node, stream, count)] as it is on the wire: neighbours of one stream share a group."""
    out = []
    for node, stream, count in entries:
        if not out or out[-2] != stream:
            out += [stream, []]
        out[-1] += [node, count]
    return out


def clock_meaning(entries):
    return [{"node": identity(n), "stream": s, "count": c} for n, s, c in entries]


# ---- batches ----


def event(rest, offset, payload, attributes=None):
    return [rest, offset, payload] + ([] if attributes is None else [attributes])


def batch_wire(node, first, deps, base, events):
    return [1, node, first, clock(deps), base, events]


def event_meaning(item, base, seq):
    attributes = item[3] if len(item) > 3 else {}
    out = {
        "seq": seq,
        "rest": item[0],
        "hlc": identity(base + (item[1] << 12)),
        "payload": item[2].hex(),
        "has_attributes": len(item) > 3,
    }
    if "ct" in attributes:
        out["content_type"] = attributes["ct"]
    if "ca" in attributes:
        out["causes"] = [{"node": identity(n), "stream": s, "seq": q} for n, s, q in attributes["ca"]]
    if "h" in attributes:
        out["headers"] = attributes["h"]
    return out


def batch(name, node, first, deps, base, events, **more):
    wire = batch_wire(node, first, deps, base, events)
    return {
        "name": name,
        "hex": pack(more.get("wire", wire)).hex(),
        "canonical": more.get("canonical", True),
        "meaning": {
            "node": identity(node),
            "first_seq": first,
            "base_hlc": identity(base),
            "deps": clock_meaning(deps),
            "events": [event_meaning(e, base, first + i) for i, e in enumerate(events)],
        },
    }


FULL = {
    "ct": "application/json",
    "ca": [[B, "orders", 7], [LOWEST, "sensors/42", SEQ_MAX]],
    "h": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "empty": ""},
}
DEPS = [(A, "orders", 3), (B, "orders", 200), (A, "payments", 70000), (C, "sensors/42", SEQ_MAX)]


def batches():
    one = [event("eu/placed", 0, b"{}")]
    wide = [Raw(b"\xd9\x09eu/placed"), Raw(b"\xcd\x00\x05"), Raw(b"\xc6\x00\x00\x00\x02{}")]
    wide_batch = [Raw(b"\xd0\x01"), A, Raw(b"\xce\x00\x00\x00\x01"), [], TIME, [wide]]
    odd = {"ct": "text/plain", "x-new": [1, {"deep": [None, True, Raw(b"\xcb" + bytes(8))]}]}
    return [
        batch("smallest", A, 1, [], TIME, [event("", 0, b"")]),
        batch("one-event", A, 1, [], TIME, one),
        batch("three-events", A, 41, DEPS[:1], TIME,
              [event("eu/placed", 0, b"1"), event("eu/paid", 3, b"22"), event("", 1000000, b"333")]),
        batch("deps-of-three-streams", B, 9, DEPS, TIME, one),
        batch("stream-comes-again-in-deps", B, 9,
              [(A, "a", 1), (A, "b", 2), (B, "a", 3)], TIME, one),
        batch("all-attributes", A, 2, [], TIME, [event("eu/placed", 0, b"{}", FULL)]),
        batch("attributes-empty", A, 2, [], TIME, [event("a", 0, b"", {})], canonical=False),
        batch("attributes-unknown-kept", A, 2, [], TIME, [event("a", 0, b"", odd)],
              canonical=False),
        batch("wide-forms", A, 1, [], TIME, [event("eu/placed", 5, b"{}")],
              wire=wide_batch, canonical=False),
        batch("long-payload", A, 1, [], TIME, [event("x", 0, bytes(range(256)) * 2)]),
        batch("topic-in-utf-8", A, 1, [], TIME, [event("caf\u00e9/\u6771\u4eac/\U0001F30D", 0, b"x")]),
        batch("topic-levels-like-reserved", A, 1, [], TIME, [event("$sys/a*b", 0, b"x")]),
        batch("longest-rest", A, 1, [], TIME, [event("r" * 253, 0, b"x")]),
        batch("lowest-node-id", LOWEST, 1, [], 0, one),
        batch("last-seq", C, SEQ_MAX - 1, [], TIME, [event("a", 0, b"1"), event("a", 0, b"2")]),
        batch("seventeen-events", A, 1, [], TIME, [event("n", i, bytes([i])) for i in range(17)]),
    ]


# ---- beats and control ----

ADDRESSES = ["tcp://10.0.0.7:7000", "ipc:///run/tulle/a"]
EVENTS = ["tcp://10.0.0.7:7001"]
SELF = {"n": "billing-1", "a": ADDRESSES, "e": EVENTS, "t": [b"orders\0", b"sensors/", b""],
        "tv": 3, "i": 500}
INLETS = ["tcp://10.0.0.7:7002"]
INLET = {"n": "billing-1", "a": ADDRESSES, "e": EVENTS, "u": INLETS, "t": [b"orders\0"], "tv": 3}
SELF_SMALL = {"n": "b", "tv": 0}


def self_meaning(body):
    return {
        "name": body["n"],
        "control_addresses": body.get("a"),
        "event_addresses": body.get("e"),
        "inlets": body.get("u"),
        "takes": [t.hex() for t in body["t"]] if "t" in body else None,
        "takes_version": body.get("tv", 0),
        "beat_ms": body.get("i", 0),
        "is_proxy": body.get("p", False),
    }


# Letters of the counters in beats and views, in the order in which they are written.
COUNTERS = {"p": "events_published", "P": "bytes_published", "d": "events_delivered",
            "D": "bytes_delivered", "h": "events_held", "H": "held_now", "g": "gaps",
            "G": "events_given_up", "r": "events_repaired", "u": "events_duplicate",
            "x": "dropped", "a": "unacked_now", "k": "retained_now", "l": "delay_p50_us",
            "L": "delay_p99_us", "t": "uptime_ms"}
COUNTED = {letter: 100 * i + 1 for i, letter in enumerate(COUNTERS)}


def counters_meaning(counters):
    return None if counters is None else {COUNTERS[k]: v for k, v in counters.items()
                                          if k in COUNTERS}


def beyond_meaning(beyond):
    return [{"id": identity(i), "counter": c, "hops": h} for i, c, h in beyond]


def beat(name, body, heads, acks, canonical=True, wire=None, counter=12, beyond=(), proxies=(),
         counters=None):
    full = dict(body)
    if heads:
        full["h"] = [x for pair in heads for x in pair]
    if acks:
        full["k"] = clock(acks)
    if beyond:
        full["b"] = [x for triple in beyond for x in triple]
    if proxies:
        full["x"] = [x for triple in proxies for x in triple]
    if counters is not None:
        full["s"] = counters
    return {
        "name": name,
        "hex": pack([1, "prod", A, counter, full if wire is None else wire]).hex(),
        "canonical": canonical,
        "meaning": {
            "mesh": "prod", "id": identity(A), "counter": counter, "hlc": identity(body["z"]),
            "self": self_meaning(body), "is_leaving": body.get("l", False),
            "is_full": body.get("f", False),
            "is_quiet": body.get("q", False),
            "ask": identity(body.get("g", 0)),
            "node_count": body.get("c", 0),
            "beyond_total": body.get("m", 0),
            "beyond": beyond_meaning(beyond),
            "proxies": beyond_meaning(proxies),
            "counters": counters_meaning(counters),
            "heads": [{"stream": s, "head": h} for s, h in heads],
            "acks": clock_meaning(acks),
        },
    }


def beats():
    small = {**SELF_SMALL, "z": TIME}
    new = Pairs(list(small.items()) + [("new", {"a": [1, 2, Raw(b"\xc7\x03\x01abc")]})])
    back = Pairs(reversed(list(small.items())))
    return [
        beat("smallest", small, [], []),
        beat("full", {**SELF, "z": TIME, "f": True}, [("orders", 12), ("sensors/42", 0)], DEPS),
        beat("knows-others", {**SELF_SMALL, "z": TIME, "c": 999}, [], []),
        beat("takes-changed", {"n": "b", "t": [], "tv": 4, "z": TIME}, [], []),
        beat("leaving-proxy", {"n": "p", "tv": 0, "p": True, "z": TIME, "l": True}, [], []),
        beat("quiet", {**SELF_SMALL, "z": TIME, "q": True}, [], []),
        beat("proxy-tells-of-others", {"n": "p", "tv": 0, "p": True, "z": TIME, "g": B, "m": 70},
             [], [], beyond=[(B, 7, 1), (C, 2**40, 16)]),
        beat("proxies-beyond", {"n": "p", "tv": 0, "p": True, "z": TIME}, [], [],
             proxies=[(C, 9, 2)]),
        beat("counters", {**SELF_SMALL, "z": TIME, "f": True}, [], [], counters=COUNTED),
        beat("counters-none-counted", {**SELF_SMALL, "z": TIME}, [], [], counters={}),
        beat("counters-unknown-skipped", {**SELF_SMALL, "z": TIME}, [], [], False,
             counters={"p": 7, "new": [1, 2], "Z": 3}),
        beat("heads-only", small, [("orders", SEQ_MAX)], [], counter=2**63 - 1),
        beat("inlet", {"n": "b", "a": ADDRESSES, "e": EVENTS, "u": INLETS, "tv": 0, "z": TIME}, [], []),
        beat("dials-only", {"n": "b", "a": [], "e": [], "tv": 0, "z": TIME}, [], []),
        beat("unknown-key-skipped", small, [], [], False, new),
        beat("other-order", small, [], [], False, back),
    ]


def simple(name, wire, meaning, canonical=True):
    return {"name": name, "hex": pack(wire).hex(), "canonical": canonical, "meaning": meaning}


def headers():
    kinds = {"sync": 1, "here": 2, "fetch": 3, "range": 4, "look": 5, "view": 6}
    out = []
    for i, (name, kind) in enumerate(kinds.items()):
        to = 0 if kind == 1 else B
        out.append(simple(name, [1, kind, "prod", A, to, 100 + i, i],
                          {"kind": kind, "mesh": "prod", "from": identity(A), "to": identity(to),
                           "counter": 100 + i, "hops": i}))
    out.append(simple("most-hops", [1, 1, "m" * 63, C, LOWEST, 0, 16],
                      {"kind": 1, "mesh": "m" * 63, "from": identity(C), "to": identity(LOWEST),
                       "counter": 0, "hops": 16}))
    return out


def sync(name, body, canonical=True):
    return simple(name, body, {"self": self_meaning(body), "wants_lanes": body.get("w", False),
                               "wants_peers": body.get("s", False)},
                  canonical)


def syncs():
    bare = {"n": "tap", "a": [], "e": [], "t": [], "tv": 0}
    return [
        sync("wants-lanes", {**SELF, "w": True}),
        sync("wants-peers", {**SELF, "w": True, "s": True}),
        sync("who-are-you", SELF),
        sync("proxy", {**SELF, "p": True}),
        sync("nothing-to-offer", bare),
        sync("inlet", INLET),
        sync("unknown-key-skipped", {**bare, "zz": {"y": None}}, False),
        sync("name-alone", {"n": "x"}, False),
    ]


def here(name, body, lanes, holdings, peers):
    wire = {"re": 7, **body}
    if lanes is not None:
        wire["L"] = [[s, h, f, clock(c)] for s, h, f, c in lanes]
    if holdings:
        wire["o"] = holdings
    if peers:
        wire["s"] = peers
    return simple(name, wire, {
        "reply_to": 7,
        "self": self_meaning(body),
        "lanes": None if lanes is None else [
            {"stream": s, "head": h, "first": f, "clock": clock_meaning(c)} for s, h, f, c in lanes],
        "holdings": [{"node": identity(h[0]), "stream": h[1], "first": h[2], "last": h[3],
                      "name": h[4] if len(h) > 4 else ""} for h in holdings],
        "peers": [{"id": identity(i), "name": n, "control_addresses": c, "event_addresses": e,
                   "is_proxy": p} for i, n, c, e, p in peers],
    })


def heres():
    return [
        here("who-i-am", SELF, None, [], []),
        here("no-lanes", SELF, [], [], []),
        here("inlet", INLET, [], [], []),
        here("everything", SELF,
             [("orders", 12, 3, DEPS), ("quiet", 0, 1, []), ("evicted", 5, 6, DEPS[1:2])],
             [[B, "orders", 1, 200], [C, "sensors/42", 5, 5, "gone-1"], [C, "gone", 10, 9]],
             [[B, "web-1", ADDRESSES, EVENTS, False], [C, "", [], [], True]]),
    ]


def fetches():
    def one(name, body, canonical=True):
        return simple(name, body, {
            "node": identity(body["n"]), "stream": body["s"], "first": body["f"],
            "last": body["l"], "bytes_max": body.get("b", 0), "wants_clock": body.get("c", False),
        }, canonical)
    return [
        one("plain", {"n": A, "s": "orders", "f": 5, "l": 9, "b": 1048576}),
        one("with-clock", {"n": A, "s": "sensors/42", "f": 1, "l": SEQ_MAX, "b": 0, "c": True}),
        one("bytes-not-said", {"n": A, "s": "orders", "f": 5, "l": 5}, False),
    ]


def ranges():
    first = pack(batch_wire(A, 5, DEPS[:2], TIME, [event("eu", 0, b"x")]))
    second = pack(batch_wire(A, 6, [], TIME, [event("eu", 0, b"y"), event("eu", 1, b"z")]))

    def one(name, first_seq, last_seq, kept, entries, flag=None):
        wire = {"re": 9, "n": A, "s": "orders", "f": first_seq, "l": last_seq}
        if kept:
            wire["b"] = kept
        if entries is not None:
            wire["c"] = clock(entries)
        if flag is not None:
            wire[flag] = True
        return simple(name, wire, {
            "reply_to": 9, "node": identity(A), "stream": "orders", "first": first_seq,
            "last": last_seq, "batches": [b.hex() for b in kept],
            "clock": None if entries is None else clock_meaning(entries),
            "is_withheld": flag == "p", "is_waiting": flag == "w",
        })
    return [
        one("two-batches", 3, 12, [first, second], None),
        one("nothing-kept", 0, 0, [], None),
        one("nothing-kept-any-more", 13, 12, [], None),
        one("with-clock", 3, 12, [first], DEPS),
        one("empty-clock", 1, 12, [first], []),
        one("withheld-by-a-proxy", 6, 12, [], None, "p"),
        one("waits-for-a-rate", 3, 12, [], None, "w"),
    ]


def looks():
    return [simple("counters", {}, {"wants_lists": False}),
            simple("lists", {"l": True}, {"wants_lists": True}),
            simple("unknown-key-skipped", {"zz": 1}, {"wants_lists": False}, False)]


def views():
    def one(name, body, counters=None, heads=(), acks=(), holdings=(), beyond=(), proxies=(),
            links=(), canonical=True):
        wire = {"re": 7, **body}
        if counters is not None:
            wire["s"] = counters
        has_lists = "a" in body
        if has_lists:
            wire["l"] = True
        for key, value in (("h", [x for pair in heads for x in pair]), ("k", clock(acks)),
                           ("o", list(holdings)), ("b", [x for b in beyond for x in b]),
                           ("x", [x for b in proxies for x in b]), ("j", list(links))):
            if value:
                wire[key] = value
        return simple(name, wire, {
            "reply_to": 7, "self": self_meaning(body), "has_lists": has_lists,
            "counters": counters_meaning(counters),
            "heads": [{"stream": s, "head": h} for s, h in heads],
            "acks": clock_meaning(acks),
            "holdings": [{"node": identity(h[0]), "stream": h[1], "first": h[2], "last": h[3],
                          "name": h[4] if len(h) > 4 else ""} for h in holdings],
            "beyond": beyond_meaning(beyond), "proxies": beyond_meaning(proxies),
            "links": [{"name": l[0], "address": l[1], "events_out": l[2], "bytes_out": l[3],
                       "events_in": l[4], "bytes_in": l[5], "waiting": l[6],
                       "ids": [identity(i) for i in l[7]]} for l in links],
        }, canonical)
    return [
        one("counters", SELF_SMALL, COUNTED),
        one("nothing-counted", SELF_SMALL, {}),
        one("lists", SELF, COUNTED, [("orders", 12), ("sensors/42", 0)], DEPS,
            [[B, "orders", 1, 200], [C, "sensors/42", 5, 5, "gone-1"]]),
        one("proxy", {**SELF, "p": True}, {"t": 9}, beyond=[(B, 7, 1)], proxies=[(C, 9, 2)],
            links=[["north", "tcp://10.0.0.7:7000", 1, 2, 3, 4, 5, [B, C]],
                   ["", "", 0, 0, 0, 0, 0, []]]),
        one("unknown-key-skipped", {**SELF_SMALL, "zz": {"y": None}}, canonical=False),
    ]


def keys():
    def one(name, stream):
        return {"name": name, "hex": (stream.encode() + b"\0").hex(), "meaning": {"stream": stream}}
    return [one("one-level", "orders"), one("two-levels", "sensors/42"), one("beats", "$beat"),
            one("utf-8", "caf\u00e9"), one("longest", "s" * 255), one("shortest", "s")]


def paths():
    def one(name, ids):
        return simple(name, ids, {"ids": [identity(i) for i in ids]})
    return [one("none", []), one("one", [A]), one("three", [A, LOWEST, C]),
            one("most", [LOWEST + i for i in range(16)])]


def publications():
    body = pack(batch_wire(A, 1, [], TIME, [event("eu/placed", 0, b"{}")]))
    far = pack([B, C])
    return [
        {"name": "direct", "frames": [b"orders\0".hex(), body.hex()],
         "meaning": {"stream": "orders", "node": identity(A), "first_seq": 1, "path": [],
                     "topics": ["orders/eu/placed"]}},
        {"name": "through-two-proxies", "frames": [b"orders\0".hex(), body.hex(), far.hex()],
         "meaning": {"stream": "orders", "node": identity(A), "first_seq": 1,
                     "path": [identity(B), identity(C)], "topics": ["orders/eu/placed"]}},
    ]


# ---- what must be refused ----

BAD = []


def bad(kind, name, wire, reason, status="EBADMSG"):
    data = wire if isinstance(wire, bytes) and not isinstance(wire, Raw) else pack(wire)
    BAD.append({"kind": kind, "name": name, "hex": data.hex(), "status": status, "reason": reason})


def bad_keys():
    bad("key", "empty", b"", "no bytes")
    bad("key", "zero-alone", b"\0", "no stream")
    bad("key", "no-zero", b"orders", "no zero byte at the end")
    bad("key", "zero-inside", b"or\0ders\0", "a second zero byte")
    bad("key", "empty-level", b"orders//eu\0", "a level is empty")
    bad("key", "wildcard", b"orders/*\0", "a level is a wildcard")
    bad("key", "not-utf-8", b"or\xff\0", "not UTF-8")
    bad("key", "too-long", b"s" * 256 + b"\0", "stream longer than 255 bytes")
    bad("key", "dollar-alone", b"$\0", "nothing behind the dollar sign")


def bad_batch(name, reason, status="EBADMSG", **change):
    parts = {"version": 1, "node": A, "first": 1, "deps": [], "base": TIME,
             "events": [event("eu", 0, b"x")]}
    parts.update(change)
    bad("batch", name, [parts[k] for k in ("version", "node", "first", "deps", "base", "events")],
        reason, status)


def bad_batches():
    good = pack(batch_wire(A, 1, DEPS, TIME, [event("eu", 0, b"x", FULL)]))
    bad("batch", "no-bytes", b"", "no bytes")
    bad("batch", "cut", good[:-1], "the last byte is missing")
    bad("batch", "trailing", good + b"\xc0", "a byte too many")
    bad("batch", "not-an-array", {}, "not an array")
    bad("batch", "five-elements", [1, A, 1, [], TIME], "an element is missing")
    bad("batch", "seven-elements", batch_wire(A, 1, [], TIME, [event("a", 0, b"")]) + [1],
        "an element too many")
    bad("batch", "count-cannot-fit", b"\x96\x01" + pack(A) + b"\x01\x90\x00\xdd\x05\xf5\xe1\x00",
        "100 million events in no bytes")
    bad_batch("version-2", "another major version", "EVERSION", version=2)
    bad_batch("version-as-text", "the version is no number", version="1")
    bad_batch("node-zero", "no node has id 0", node=0)
    bad_batch("node-too-low", "no node has an id below 2^32", node=LOWEST - 1)
    bad_batch("node-negative", "a negative number", node=Raw(b"\xff"))
    bad_batch("seq-zero", "events are numbered from 1", first=0)
    bad_batch("seq-past-the-end", "numbers stay below 2^63", first=2**63)
    bad_batch("seq-runs-over", "the last event's number does not stay below 2^63", first=SEQ_MAX,
              events=[event("a", 0, b""), event("a", 0, b"")])
    bad_batch("no-events", "a batch has an event", events=[])
    bad_batch("event-of-two", "an event has three or four elements", events=[["eu", 0]])
    bad_batch("event-of-five", "an event has three or four elements",
              events=[event("eu", 0, b"", {}) + [1]])
    bad_batch("offset-runs-over", "the event's time does not fit 64 bits",
              events=[event("eu", 2**52, b"")])
    bad_batch("payload-as-text", "a payload is bin", events=[["eu", 0, "x"]])
    bad_batch("rest-as-bin", "a topic is text", events=[[b"eu", 0, b"x"]])
    for name, rest in (("rest-empty-level", "a//b"), ("rest-slash-first", "/a"),
                       ("rest-slash-last", "a/"), ("rest-empty-level-late", "abcdefg//b"),
                       ("rest-empty-level-between-words", "abcdefg/" + "/bcdefgh"),
                       ("rest-wildcard", "a/*"), ("rest-wildcards", "**/a"),
                       ("rest-control-character", "a\nb"), ("rest-delete", "abcdefgh\x7f"),
                       ("rest-zero-byte", "a\0b"), ("rest-too-long", "r" * 254)):
        bad_batch(name, "what is below the stream makes no topic", events=[event(rest, 0, b"")])
    bad_batch("rest-not-utf-8", "what is below the stream makes no topic",
              events=[[Raw(b"\xa2\xc3("), 0, b""]])
    bad_batch("deps-odd", "a stream without its counts", deps=["orders"])
    bad_batch("deps-pair-cut", "a node without its count", deps=["orders", [A]])
    bad_batch("deps-group-empty", "a stream with no entry", deps=["orders", []])
    bad_batch("deps-count-zero", "a count of 0 says nothing", deps=["orders", [A, 0]])
    bad_batch("deps-count-past-the-end", "counts stay below 2^63", deps=["orders", [A, 2**63]])
    bad_batch("deps-node-too-low", "no node has an id below 2^32", deps=["orders", [7, 1]])
    bad_batch("deps-stream-invalid", "no such stream can be", deps=["orders/", [A, 1]])
    bad_batch("deps-stream-reserved", "reserved streams have no lanes", deps=["$beat", [A, 1]])


def bad_attributes():
    deep = Raw(b"\x91" * 40 + b"\xc0")
    many = [[A, "orders", i + 1] for i in range(65)]
    for name, attributes, reason in (
            ("attributes-not-a-map", [], "attributes are a map"),
            ("attribute-twice", Pairs([("ct", "a"), ("ct", "a")]), "a known key twice"),
            ("attribute-key-a-number", Pairs([(1, 2)]), "keys are text"),
            ("attribute-too-deep", {"x": deep}, "nested deeper than 32"),
            ("attribute-of-no-type", {"x": Raw(b"\xc1")}, "c1 begins no msgpack value"),
            ("content-type-too-long", {"ct": "t" * 128}, "longer than 127 bytes"),
            ("content-type-as-bin", {"ct": b"text/plain"}, "a content type is text"),
            ("content-type-two-lines", {"ct": "text/plain\n"}, "a control character"),
            ("causes-65", {"ca": many}, "more than 64 causes"),
            ("cause-of-two", {"ca": [[A, "orders"]]}, "a cause has three elements"),
            ("cause-seq-zero", {"ca": [[A, "orders", 0]]}, "events are numbered from 1"),
            ("cause-node-too-low", {"ca": [[1, "orders", 1]]}, "no node has an id below 2^32"),
            ("cause-stream-invalid", {"ca": [[A, "", 1]]}, "no such stream can be"),
            ("headers-33", {"h": {str(i): "" for i in range(33)}}, "more than 32 headers"),
            ("header-name-empty", {"h": {"": "x"}}, "a header has a name"),
            ("header-value-too-long", {"h": {"a": "v" * 256}}, "longer than 255 bytes"),
            ("header-value-zero-byte", {"h": {"a": "x\0y"}}, "a zero byte in text"),
            ("header-value-a-number", {"h": {"a": 1}}, "a header's value is text")):
        bad_batch(name, reason, events=[event("eu", 0, b"", attributes)])


def bad_beat(name, reason, status="EBADMSG", head=(1, "prod", A, 1), **change):
    body = {**SELF_SMALL, "z": TIME, **change}
    bad("beat", name, list(head) + [{k: v for k, v in body.items() if v is not None}],
        reason, status)


def bad_beats():
    bad("beat", "no-bytes", b"", "no bytes")
    bad("beat", "key-twice", [1, "prod", A, 1, Pairs([("n", "b"), ("z", 1), ("n", "b")])],
        "a known key twice")
    bad("beat", "trailing", pack([1, "prod", A, 1, {"n": "b", "z": 1}]) + b"\0", "a byte too many")
    bad("beat", "pairs-cannot-fit", b"\x95\x01\xa1m" + pack(A) + b"\x01\xdf\x10\x00\x00\x00",
        "268 million pairs in no bytes")
    bad_beat("version-3", "another major version", "EVERSION", (3, "prod", A, 1))
    bad_beat("mesh-empty", "a mesh has a name", head=(1, "", A, 1))
    bad_beat("mesh-too-long", "a mesh's name longer than 63 bytes", head=(1, "m" * 64, A, 1))
    bad_beat("id-too-low", "no node has an id below 2^32", head=(1, "prod", 12, 1))
    bad_beat("six-elements", "an element too many", head=(1, "prod", A, 1, 1))
    bad_beat("no-name", "a node has a name", n=None)
    bad_beat("no-time", "a beat has the sender's time", z=None)
    bad_beat("name-empty", "a node has a name", n="")
    bad_beat("name-too-long", "longer than 63 bytes", n="n" * 64)
    bad_beat("name-two-lines", "a control character", n="a\nb")
    bad_beat("half-the-addresses", "control addresses without event addresses", a=ADDRESSES)
    bad_beat("address-empty", "an address has a byte", a=[""], e=[])
    bad_beat("addresses-nine", "more than 8 addresses", a=["x"] * 9, e=[])
    bad_beat("address-too-long", "longer than 255 bytes", a=[], e=["x" * 256])
    bad_beat("takes-without-version", "takes need their version", t=[], tv=None)
    bad_beat("take-as-text", "a key is bin", t=["orders"], tv=1)
    bad_beat("take-too-long", "longer than 256 bytes", t=[b"k" * 257], tv=1)
    bad_beat("takes-too-many", "more than 1024 keys", t=[b""] * 1025, tv=1)
    bad_beat("beat-ms-too-large", "does not fit 32 bits", i=2**32)
    bad_beat("leaving-as-number", "not true or false", l=1)
    bad_beat("heads-odd", "a stream without its head", h=["orders"])
    bad_beat("head-past-the-end", "heads stay below 2^63", h=["orders", 2**63])
    bad_beat("head-of-reserved", "reserved streams have no lanes", h=["$beat", 1])
    bad_beat("quiet-as-number", "not true or false", q=1)
    bad_beat("beyond-two-of-three", "a node without its hops", b=[B, 7])
    bad_beat("beyond-no-node", "no node has an id below 2^32", b=[12, 7, 1])
    bad_beat("beyond-no-hops", "beyond a proxy is one hop or more", b=[B, 7, 0])
    bad_beat("beyond-hops-17", "more than 16 proxies", b=[B, 7, 17])
    bad_beat("beyond-too-many", "more than 1024 nodes", b=[B, 7, 1] * 1025)
    bad_beat("proxies-no-hops", "beyond a proxy is one hop or more", x=[B, 7, 0])
    bad_beat("counters-not-a-map", "counters are a map", s=[1])
    bad_beat("counter-as-text", "a counter is a number", s={"p": "1"})
    bad_beat("counter-twice", "a known key twice", s=Pairs([("p", 1), ("p", 1)]))
    bad_beat("acks-malformed", "a node without its count", k=["orders", [A]])


def bad_control():
    for name, wire, reason, status in (
            ("version-2", [2, 1, "m", A, 0, 1, 0], "another major version", "EVERSION"),
            ("kind-unknown", [1, 7, "m", A, 0, 1, 0], "a kind of a later version", "EVERSION"),
            ("kind-zero", [1, 0, "m", A, 0, 1, 0], "no kind is 0", "EBADMSG"),
            ("from-zero", [1, 1, "m", 0, 0, 1, 0], "the sender has an id", "EBADMSG"),
            ("to-too-low", [1, 1, "m", A, 5, 1, 0], "no node has an id below 2^32", "EBADMSG"),
            ("hops-17", [1, 1, "m", A, 0, 1, 17], "more than 16 proxies", "EBADMSG"),
            ("six-elements", [1, 1, "m", A, 0, 1], "an element is missing", "EBADMSG"),
            ("eight-elements", [1, 1, "m", A, 0, 1, 0, 0], "an element too many", "EBADMSG")):
        bad("header", name, wire, reason, status)
    bad("header", "trailing", pack([1, 1, "m", A, 0, 1, 0]) + b"\0", "a byte too many")
    bad("sync", "no-name", {"a": [], "e": []}, "a node has a name")
    bad("sync", "not-a-map", [], "a body is a map")
    bad("sync", "wants-lanes-nil", {"n": "x", "w": None}, "not true or false")
    for name, change, reason in (
            ("no-reply-to", {"re": None}, "an answer names its question"),
            ("lane-of-three", {"L": [["orders", 1, 1]]}, "a lane has four elements"),
            ("lane-first-zero", {"L": [["orders", 1, 0, []]]}, "events are numbered from 1"),
            ("lane-first-past-head", {"L": [["orders", 1, 3, []]]}, "first is at most head + 1"),
            ("holding-backwards", {"o": [[B, "orders", 6, 4]]}, "first is at most last + 1"),
            ("holding-of-three", {"o": [[B, "orders", 4]]}, "a holding has four elements"),
            ("holding-of-six", {"o": [[B, "orders", 1, 4, "x", 1]]}, "or five"),
            ("holding-nameless", {"o": [[B, "orders", 1, 4, ""]]}, "a name has a character"),
            ("holding-to-zero", {"o": [[B, "orders", 1, 0]]}, "events are numbered from 1"),
            ("holding-from-zero", {"o": [[B, "orders", 0, 4]]}, "events are numbered from 1"),
            ("peer-of-four", {"s": [[B, "x", [], []]]}, "a peer has five elements"),
            ("peer-id-too-low", {"s": [[3, "x", [], [], False]]}, "no node has an id below 2^32")):
        body = {"re": 1, "n": "x", "a": [], "e": [], **change}
        bad("here", name, {k: v for k, v in body.items() if v is not None}, reason)
    for name, change, reason in (
            ("first-zero", {"f": 0}, "events are numbered from 1"),
            ("backwards", {"f": 7}, "first is after last"),
            ("no-stream", {"s": None}, "a lane has a stream"),
            ("stream-invalid", {"s": "a//b"}, "no such stream can be"),
            ("node-too-low", {"n": 9}, "no node has an id below 2^32"),
            ("last-past-the-end", {"l": 2**63}, "numbers stay below 2^63")):
        body = {"n": A, "s": "orders", "f": 5, "l": 6, "b": 0, **change}
        bad("fetch", name, {k: v for k, v in body.items() if v is not None}, reason)
    for name, change, reason in (
            ("backwards", {"f": 8}, "first is at most last + 1"),
            ("last-past-the-end", {"l": 2**63}, "numbers stay below 2^63"),
            ("first-zero-alone", {"f": 0}, "0 and 0, or neither"),
            ("batch-empty", {"b": [b""]}, "a batch has bytes"),
            ("batch-as-text", {"b": ["x"]}, "a batch is bin"),
            ("clock-nil", {"c": Raw(b"\xc0")}, "a clock is an array"),
            ("no-reply-to", {"re": None}, "an answer names its question")):
        body = {"re": 1, "n": A, "s": "orders", "f": 5, "l": 6, **change}
        bad("range", name, {k: v for k, v in body.items() if v is not None}, reason)
    bad("look", "not-a-map", [], "a body is a map")
    bad("look", "lists-as-number", {"l": 1}, "not true or false")
    link = ["north", "", 1, 2, 3, 4, 5, [B]]
    for name, change, reason in (
            ("no-reply-to", {"re": None}, "an answer names its question"),
            ("no-name", {"n": None}, "a node has a name"),
            ("counters-cut", {"s": {"p": None}}, "a counter is a number"),
            ("heads-odd", {"h": ["orders"]}, "a stream without its head"),
            ("holding-backwards", {"o": [[B, "orders", 6, 4]]}, "first is at most last + 1"),
            ("beyond-no-hops", {"b": [B, 7, 0]}, "beyond a proxy is one hop or more"),
            ("link-of-seven", {"j": [link[:7]]}, "a side has eight elements"),
            ("link-name-two-lines", {"j": [["a\nb"] + link[1:]]}, "a control character"),
            ("link-id-too-low", {"j": [link[:7] + [[3]]]}, "no node has an id below 2^32"),
            ("links-nine", {"j": [link] * 9}, "more than 8 sides")):
        body = {"re": 1, "n": "x", **change}
        bad("view", name, {k: v for k, v in body.items() if v is not None}, reason)
    bad("path", "seventeen", [LOWEST] * 17, "more than 16 proxies")
    bad("path", "id-too-low", [7], "no node has an id below 2^32")
    bad("path", "not-an-array", 7, "not an array")
    bad("path", "trailing", pack([A]) + b"\0", "a byte too many")
    bad("path", "no-bytes", b"", "no bytes")


def write_corpus(folder, files):
    seeds = [(kind, v["name"], v["hex"]) for kind, vectors in files.items() for v in vectors
             if kind not in ("publication", "invalid")]
    seeds += [(v["kind"], "bad-" + v["name"], v["hex"]) for v in BAD]
    for kind, name, data in seeds:
        path = os.path.join(folder, kind)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, name), "wb") as out:
            out.write(bytes.fromhex(data))


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    for make in (bad_keys, bad_batches, bad_attributes, bad_beats, bad_control):
        make()
    files = {"key": keys(), "batch": batches(), "path": paths(), "beat": beats(),
             "header": headers(), "sync": syncs(), "here": heres(), "fetch": fetches(),
             "range": ranges(), "look": looks(), "view": views(),
             "publication": publications(), "invalid": BAD}
    for name, vectors in files.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as out:
            json.dump(vectors, out, indent=1, ensure_ascii=False)
            out.write("\n")
    write_corpus(os.path.join(folder, "..", "fuzz", "corpus"), files)


if __name__ == "__main__":
    main()
