# SPDX-License-Identifier: MPL-2.0
"""The yardstick for control traffic: what had to pass each link of each proxy, and what did.

Needed is, by the rules of the protocol and the shape of the mesh and nothing else:

- of beats: one of each node in a second, and one whenever it has news, that is a head, an
  acknowledgement or takes that it did not tell of before, not sooner than 20 ms after the one
  before; in those that are not full, only what is news. One with news has to pass each link as
  often as an event that everybody takes (Shape.spread()). One without stays on its segment, but
  for a full one every 10 s, and two after a SYNC whose sender waits to hear one. An ask of a
  proxy is for one more, and a full one of each to cross;
- of a SYNC: one until it is answered, not sooner than 250 ms after the one before, and one in 10 s
  of each node when all is answered. Of a HERE: the answer to each of these, once;
- of a FETCH: one for events that have not passed towards whoever asks. Of a RANGE: the answer,
  once, without the events in it, which are data;
- of a connection: its subscriptions, once, and every three seconds whether it still is there.

What else is said is too much. What TCP adds is not counted.
"""

import collections

import wire

BEAT_S = 1.0
SOON_S = 0.02
FULL_S = 10.0
REFRESH_S = 10.0
ANSWER_S = 0.25
FETCH_S = 0.1
HEARTBEAT_S = 3.0
AWAITED_BEATS = 2
EARLY = 0.9  # timers and clocks may be off by so much
UNDER_WAY_S = 0.05  # who asked for what has just passed could not know
SYNC, FETCH, RANGE = 1, 3, 4
SENT, GOT = 0, 1
SLACK = 200  # bytes
PATH_BYTES = 3  # of a third frame, without the ids in it
ID_BYTES = 9

# A message passed a proxy's link: when, (proxy, segment), sent or got by the proxy, and the phase
# in which it is counted; None: it is only known.
Passed = collections.namedtuple("Passed", "time leg way phase")


class Count:
    """Bytes of one link in one direction."""

    def __init__(self):
        self.came = 0
        self.needed = 0
        self.kinds = collections.Counter()  # of beats, and of other messages those not needed

    def add(self, other):
        """Of another link."""
        self.came += other.came
        self.needed += other.needed
        self.kinds.update(other.kinds)

    def is_good(self, most, least):
        """Is what came between so many times what is needed? A message may be on its way."""
        return least * self.needed - SLACK <= self.came <= most * self.needed + SLACK

    def text(self, seconds):
        """For people."""
        ratio = self.came / self.needed if self.needed else 0
        return f"{self.came:6} bytes of control, {ratio:.2f} of what is needed, {self.came / seconds:5.0f}/s"


class Origin:
    """What one node, or a proxy on one of its sides, has said in its beats."""

    def __init__(self):
        self.counters = set()
        self.told = {}  # of lanes
        self.changed = {}  # after how many full beats that was news
        self.fulls = 0
        self.takes_version = None
        self.needed_at = 0.0
        self.judged_at = 0.0
        self.allowance = 1.0  # of beats without news
        self.awaited = 0  # of these, such as cross, as somebody waits to hear one

    def judge(self, fields):
        """A beat not seen before: is it needed, is it news, how many bytes of it are neither."""
        now = (fields["z"] >> 12) / 1e6
        is_full = fields.get("f", False)
        is_news = fields.get("l", False)
        too_many = 0
        told = [((stream,), head) for stream, head in pairs(fields.get("h", []))]
        for stream, entries in pairs(fields.get("k", [])):
            told += [((node, stream), count) for node, count in pairs(entries)]
        for lane, count in told:
            if self.told.get(lane, 0) < count:
                self.told[lane] = count
                self.changed[lane] = self.fulls
                is_news = True
            elif is_full:  # the beat that told it may be lost: two full ones say it again
                is_news = is_news or (len(lane) > 1 and self.changed[lane] >= self.fulls - 1)
            elif len(lane) > 1:  # heads are told until they are acknowledged
                too_many += wire.packed_size(lane[0]) + wire.packed_size(count)
        if "t" in fields:
            is_known = self.takes_version == fields.get("tv", 0)
            is_news = is_news or not is_known
            too_many += wire.packed_size(fields["t"]) if is_known and not is_full else 0
            self.takes_version = fields.get("tv", 0)
        self.fulls += is_full
        if not is_news and not fields.get("q", False) and self.awaited > 0:
            self.awaited -= 1
            is_news = True
        passed_s = min(now - self.judged_at, 2 * BEAT_S)
        self.judged_at = now
        self.allowance = min(self.allowance + passed_s / (EARLY * BEAT_S), 2.0)
        is_needed = is_news and now - self.needed_at >= EARLY * SOON_S
        if not is_needed and self.allowance >= 1:
            self.allowance -= 1
            is_needed = True
        if is_needed:
            self.needed_at = now
        return is_needed, is_news, too_many


class Question:
    """What one asks another, until it is answered."""

    def __init__(self):
        self.asked_at = -ANSWER_S
        self.takes_version = None
        self.is_answered = False


def pairs(flat):
    """Of a list of two things in turn."""
    return zip(flat[::2], flat[1::2])


class Yardstick:
    """Fed with all messages of all links in the order of their passing."""

    def __init__(self, shape):
        self.shape = shape
        self.places = shape.places()
        self.legs = [(proxy, s) for proxy, sides in shape.proxies.items() for s in sides]
        self.counts = collections.defaultdict(lambda: {leg: (Count(), Count()) for leg in self.legs})
        self.origins = collections.defaultdict(Origin)  # by node; and segment, of proxies
        self.passed = set()  # messages, by connection
        self.crossed = {}  # when a full beat without news did at last, by connection and node
        self.questions = collections.defaultdict(Question)
        self.refreshed = {}  # when each node asked though all was answered
        self.verdicts = {}  # by sender and counter: why it is not needed, or None
        self.asked = {}  # by asker and counter: the Question
        self.proxies = set()  # their ids
        self.asks = {0}  # for full beats
        self.events = {}  # when each passed, by link and receiver
        self.fetched = {}
        self.heartbeats = {}
        self.subscriptions = set()
        everywhere = {proxy: set(legs) for proxy, legs in shape.proxies.items()}
        nodes = list(self.places.values())
        self.spreads = {s: list(shape.spread(s, everywhere, nodes)) for s in shape.segments}

    def feed(self, passed, message):
        """One more."""
        first = message.frames[0]
        if message.is_command:
            self.take_command(passed, message, first)
        elif first == wire.BEAT:
            self.take_beat(passed, message)
        elif len(message.frames) == 1:
            self.take_subscription(passed, message, first[:1] == b"\1", first[1:])
        elif wire.is_header(first):
            self.take_control(passed, message)
        else:
            self.take_batch(passed, message.connection, first, message.frames[1])

    def side(self, node, leg):
        """A node; or a side of a proxy: each says other things than the other ones."""
        return (node, leg[1] if node in self.proxies else 0)

    def add(self, passed, size, reason):
        """So much came, and is needed, or is not for a reason."""
        self.came(passed, size, reason)
        if not reason:
            self.need(passed.phase, passed.leg, passed.way, size)

    def came(self, passed, size, kind):
        """So much did."""
        if passed.phase:
            count = self.counts[passed.phase][passed.leg][passed.way]
            count.came += size
            count.kinds.update({kind: size} if kind else {})

    def need(self, phase, leg, way, size):
        """So much has to pass."""
        if phase:
            self.counts[phase][leg][way].needed += size

    # Beats ------------------------------------------------------------------------------------

    def take_beat(self, passed, message):
        """What is needed of it is so on all links, and counted when it is first seen."""
        _, _, node, counter, fields = wire.unpack(message.frames[1])
        is_proxy = fields.get("p", False)
        self.proxies.update([node] if is_proxy else [])
        if fields.get("g", 0) not in self.asks:  # who begins needs a full one of everybody
            self.asks.add(fields["g"])
            self.crossed.clear()
            for other in self.origins.values():
                other.allowance += 1
        origin = self.origins[self.side(node, passed.leg)]
        key = (passed.leg, message.connection, node, counter)
        kind = "beats again" if key in self.passed else "beats"
        self.passed.add(key)
        if counter not in origin.counters:
            origin.counters.add(counter)
            is_needed, is_news, too_many = origin.judge(fields)
            if is_needed and is_proxy:
                self.need_of_proxy(passed, message.size - too_many)
            elif is_needed:
                self.need_of_node(passed.phase, fields["n"], message.size - too_many, is_news)
            kind = "beats too often" if not is_needed else kind
        if len(message.frames) > 2 and fields.get("f", False) and fields.get("q", False):
            way = (passed.leg, message.connection, node)
            if passed.time - self.crossed.get(way, -FULL_S) >= EARLY * FULL_S:
                self.crossed[way] = passed.time
                self.need(passed.phase, passed.leg, passed.way, message.size)
            kind = "full beats"
        self.came(passed, message.size, kind)

    def need_of_proxy(self, passed, size):
        """All on the segment hear it."""
        proxy, segment = passed.leg
        others = [p for p, legs in self.shape.proxies.items() if p != proxy and segment in legs]
        nodes = list(self.places.values()).count(segment)
        self.need(passed.phase, passed.leg, SENT, size * (nodes + len(others)))
        for other in others:
            self.need(passed.phase, (other, segment), GOT, size)

    def need_of_node(self, phase, name, size, is_news):
        """All on the segment hear it, and when it is news all others too."""
        for leg, way, copies, hops in self.spreads[self.places[name]]:
            if hops == 0 or is_news:
                path = PATH_BYTES + ID_BYTES * hops if hops > 0 else 0
                self.need(phase, leg, way, copies * (size + path))

    # Control messages -------------------------------------------------------------------------

    def take_control(self, passed, message):
        """Each takes one way. Whether it is needed shows where it is first seen."""
        _, kind, _, source, target, counter, hops = wire.unpack(message.frames[0])
        body = wire.unpack(message.frames[1])
        self.proxies.update([source] if body.get("p", False) is True and kind != RANGE else [])
        # To an address that somebody typed: it is not known yet who is there.
        target = target or message.connection[1][0]
        sender = self.side(source, passed.leg)
        if (sender, counter) not in self.verdicts:
            judge = {SYNC: self.judge_sync, FETCH: self.judge_fetch}.get(kind, self.judge_answer)
            self.verdicts[sender, counter] = judge(
                passed, (sender, self.side(target, passed.leg), counter), body, message.connection
            )
        reason = self.verdicts[sender, counter]
        key = (passed.leg, message.connection, source, counter)
        if key in self.passed:
            reason = "control again"
        elif hops > len(self.shape.proxies):
            reason = "control astray"
        self.passed.add(key)
        size = message.size
        if kind == RANGE:
            size -= sum(map(len, body.get("b", [])))
            for batch in body.get("b", []):
                self.take_batch(passed, message.connection, body["s"].encode() + b"\0", batch)
        self.add(passed, size, reason)

    def judge_sync(self, passed, header, body, _connection):
        """Asked before?"""
        sender, target, counter = header
        has_lanes = body.get("w", False)
        question = self.questions[sender, target, has_lanes]
        self.asked[sender, counter] = question
        if has_lanes:  # it may have forgotten whom it asks, and what was told it
            self.questions[target, sender, False].is_answered = False
            self.origins[target].awaited = AWAITED_BEATS
        is_new = question.takes_version != body.get("tv", 0)
        is_due = passed.time - question.asked_at >= EARLY * ANSWER_S
        question.asked_at = passed.time
        if is_new:
            question.takes_version = body.get("tv", 0)
            question.is_answered = False
        if is_new or (is_due and not question.is_answered):
            return None
        if passed.time - self.refreshed.get(sender, -REFRESH_S) < EARLY * REFRESH_S:
            return "SYNC again"
        self.refreshed[sender] = passed.time
        return None

    def judge_fetch(self, passed, header, body, connection):
        """Had it passed?"""
        sender, target, counter = header
        self.asked[sender, counter] = Question()
        lane = (body["n"], body["s"])
        last = self.fetched.get((sender, target, lane, body["f"]), -FETCH_S)
        self.fetched[sender, target, lane, body["f"]] = passed.time
        there = self.events.get((passed.leg, 1 - passed.way, connection[0][0], lane), {})
        limit = passed.time - UNDER_WAY_S
        if passed.time - last < EARLY * FETCH_S:
            return "FETCH again"
        if not body.get("c", False) and all(
            there.get(seq, limit) < limit for seq in range(body["f"], body["l"] + 1)
        ):
            return "FETCH of what was there"
        return None

    def judge_answer(self, _passed, header, body, _connection):
        """To something that was needed, and the first?"""
        asked = (header[1], body.get("re"))
        if asked not in self.asked:
            return "answer to nothing"
        if self.verdicts[asked]:
            return "answer to too much"
        if ("answered", asked) in self.passed:
            return "answer again"
        self.passed.add(("answered", asked))
        self.asked[asked].is_answered = True
        return None

    # The rest ---------------------------------------------------------------------------------

    def take_batch(self, passed, connection, key, batch):
        """Which events have passed: data, but who has them need not ask."""
        node, first, count = wire.peek_batch(batch)
        lane = (node, key[:-1].decode())
        there = self.events.setdefault((passed.leg, passed.way, connection[1][0], lane), {})
        for seq in range(first, first + count):
            there.setdefault(seq, passed.time)

    def take_command(self, passed, message, frame):
        """Of ZMTP."""
        name, rest = frame[1 : 1 + frame[0]], frame[1 + frame[0] :]
        if name in (b"SUBSCRIBE", b"CANCEL"):
            self.take_subscription(passed, message, name == b"SUBSCRIBE", rest)
            return
        at = (passed.leg, message.connection, name)
        last = self.heartbeats.get(at, -HEARTBEAT_S)
        is_heartbeat = name in (b"PING", b"PONG")
        is_early = is_heartbeat and passed.time - last < EARLY * HEARTBEAT_S
        self.heartbeats[at] = passed.time
        self.add(passed, message.size, "heartbeats" if is_early else None)

    def take_subscription(self, passed, message, is_new, key):
        """Once."""
        subscription = (passed.leg, message.connection, key)
        reason = "subscriptions" if (subscription in self.subscriptions) == is_new else None
        if is_new:
            self.subscriptions.add(subscription)
        else:
            self.subscriptions.discard(subscription)
        self.add(passed, message.size, reason)
