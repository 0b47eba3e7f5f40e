# SPDX-License-Identifier: MPL-2.0
"""The judge: reads what consumers printed, and what was published, and nothing of the library.

What depends on what is known from outside: a publisher's events follow one another, and a reaction
follows the event that it names, and all that came before that one. What the events say of
themselves (their clocks) must agree with the order in which they came.
"""

import json


class Judge:
    """published: by publisher, the payloads of events 1, 2, 3 ... of the stream of its name.
    reactors: by reactor, the publishers and reactors that it reacts to. Every event whose topic ends
    in /mark has one reaction at each reactor that reacts to its publisher, named by "of" in its
    payload: STREAM/SEQ."""

    def __init__(self, published, marks, reactors):
        self.published = published
        self.reactors = reactors
        self.expected = {}  # by reactor: what it must have reacted to
        for reactor, sources in reactors.items():
            self.expected[reactor] = []
            for source in sources:
                if source in reactors:
                    names = [f"{source}/{i}" for i, _ in enumerate(self.expected[source], 1)]
                else:
                    names = [f"{source}/{seq}" for seq in marks[source]]
                self.expected[reactor] += names

    def expected_count(self):
        """How many events each consumer gets."""
        return sum(map(len, self.published.values())) + sum(map(len, self.expected.values()))

    def check(self, lines):
        """What is wrong with what one consumer printed: a list of sentences."""
        wrong = []
        counts = {}  # by stream
        clocks = {}  # by lane
        reacted = {reactor: [] for reactor in self.reactors}
        for line in lines:
            event = json.loads(line)
            if event["kind"] != "event":
                wrong.append(f"not an event: {line.strip()[:300]}")
                continue
            self.check_event(event, counts, clocks, reacted, wrong)
        for stream, payloads in self.published.items():
            if counts.get(stream, 0) != len(payloads):
                wrong.append(f"{counts.get(stream, 0)} of {len(payloads)} events of {stream}")
        for reactor, expected in self.expected.items():
            if sorted(reacted[reactor]) != sorted(expected):
                wrong.append(f"{len(reacted[reactor])} of {len(expected)} reactions of {reactor}")
        return wrong

    def check_event(self, event, counts, clocks, reacted, wrong):
        """One line, given what came before it."""
        stream, seq, payload = event["stream"], event["seq"], event["payload"]
        name = f"{stream}/{seq}"
        before = counts.get(stream, 0)
        if event["node"] != stream or seq != before + 1:
            wrong.append(f"{name} of {event['node']} came after event {before}")
        counts[stream] = max(before, seq)
        if stream in reacted:
            reacted[stream].append(payload["of"])
            source, number = payload["of"].split("/")
            if counts.get(source, 0) < int(number):
                wrong.append(f"{name} came before {payload['of']}, to which it reacts")
            if clock_of(event, source) < int(number):
                wrong.append(f"{name} does not depend on {payload['of']}, to which it reacts")
        elif stream not in self.published:
            wrong.append(f"{name} was not taken")
        elif seq > len(self.published[stream]) or payload != self.published[stream][seq - 1]:
            wrong.append(f"{name} has another payload than was published")
        for lane, count in event["clock"].items():
            if counts.get(lane.split("/")[1], 0) < count:
                wrong.append(f"{name} came before {lane}/{count}, on which it depends")
        lane = f"{event['id']}/{stream}"
        if any(event["clock"].get(key, 0) < count for key, count in clocks.get(lane, {}).items()):
            wrong.append(f"the clock of {name} is behind that of the event before it")
        clocks[lane] = event["clock"]

    def find_blindness(self, lines):
        """A judge who sees nothing wrong in spoilt records is none: which of them passed?"""
        reaction = next(i for i, line in enumerate(lines) if '"of":' in line)
        cause = json.loads(lines[reaction])["payload"]["of"].split("/")
        at = next(
            i for i, line in enumerate(lines)
            if f'"stream":"{cause[0]}","seq":{cause[1]},' in line
        )  # fmt: skip
        middle = len(lines) // 2
        gap = '{"kind":"gap"}'
        spoilt = {
            "a lost event": lines[:middle] + lines[middle + 1 :],
            "the last event lost": lines[:-1],
            "an event twice": lines[:middle] + lines[middle : middle + 1] + lines[middle:],
            "a reaction before its cause": [
                *lines[:at], lines[reaction], *lines[at:reaction], *lines[reaction + 1 :]
            ],
            "another payload": [
                line.replace('"n":7,', '"n":8,') for line in lines
            ],
            "a gap": [*lines, gap],
        }  # fmt: skip
        return [what for what, record in spoilt.items() if not self.check(record)]


def clock_of(event, stream):
    """The event's clock at the lane of a stream."""
    return max((n for lane, n in event["clock"].items() if lane.endswith(f"/{stream}")), default=0)
