# SPDX-License-Identifier: MPL-2.0
"""Meshes of the built programs in a laboratory, and what has to pass each of their links."""

import json
import re
import subprocess
import threading
import time

from lab import Lab, LabError

PATIENCE_S = 60
MARK_EVERY = 25
DATA = "~data~"  # in every payload that is counted on the wire


class Shape:
    """Which segments a proxy joins, and where publishers, consumers and reactors are. shy: where
    proxies can only dial, (proxy, segment)."""

    def __init__(self, segments, proxies, publishers, consumers, reactors, shy=()):
        self.segments = range(1, segments + 1)
        self.proxies = proxies
        self.shy = shy
        self.publishers = publishers
        self.consumers = consumers
        self.reactors = reactors  # by name: segment, topics that it reacts to

    def is_redundant(self):
        """Is there more than one way between segments?"""
        return len(self.proxies) > len(self.segments) - 1

    def places(self):
        """By name, the segment of each node that is no proxy."""
        reactors = {name: segment for name, (segment, _) in self.reactors.items()}
        return {**self.publishers, **self.consumers, **reactors}

    def streams(self):
        """All that is published."""
        return [*self.publishers, *self.reactors]

    def takers(self, stream):
        """By name, the segments of those who take a stream."""
        takers = dict(self.consumers)
        for name, (segment, topics) in self.reactors.items():
            if any(topic.startswith(stream + "/") for topic in topics):
                takers[name] = segment
        return takers

    def distance(self, start, proxy, goal):
        """Proxies between two segments without passing that one; None: there is no way."""
        reached = {start: 0}
        ring = [start]
        while ring:
            segment = ring.pop(0)
            for name, legs in self.proxies.items():
                for leg in legs if name != proxy and segment in legs else ():
                    if leg not in reached:
                        reached[leg] = reached[segment] + 1
                        ring.append(leg)
        return reached.get(goal)

    def wanted(self, proxy, stream):
        """On which sides of the proxy those are at home who take the stream."""
        homes = set()
        for segment in self.takers(stream).values():
            ways = [(self.distance(side, proxy, segment), side) for side in self.proxies[proxy]]
            homes.add(min((hops, side) for hops, side in ways if hops is not None)[1])
        return homes

    def copies(self, stream, origin):
        """How often one event of a stream has to pass each leg of each proxy: {(proxy, segment):
        [sent by the proxy, got by it]}.

        Every taker on a segment, a proxy too when somebody beyond it takes the stream, gets the
        event from everyone who brings it to that segment; a proxy brings it to each other side
        where it is wanted, the first time it gets it. Where ways are equally long, the side that
        makes most copies is the first: the sum is an upper bound then.
        """
        wanted = {proxy: self.wanted(proxy, stream) for proxy in self.proxies}
        legs = {(proxy, leg): [0, 0] for proxy, sides in self.proxies.items() for leg in sides}
        for leg, way, count, _ in self.spread(origin, wanted, list(self.takers(stream).values())):
            legs[leg][way] += count
        return legs

    def spread(self, origin, wanted, nodes):
        """The way of one message from a segment to where each proxy wants it, of nodes (segments)
        who take it: (proxy, segment), sent (0) or got (1), copies, proxies passed before."""

        def subscribers(segment):
            return [
                p for p, sides in self.proxies.items()
                if segment in sides and wanted[p] - {segment}
            ]  # fmt: skip

        passed = set()
        bringers = [(None, origin)]
        hops = 0
        while bringers:
            following = []
            for bringer, segment in bringers:
                for proxy in subscribers(segment):
                    if proxy != bringer:
                        yield (proxy, segment), 1, 1, hops
                if bringer is not None:
                    others = [p for p in subscribers(segment) if p != bringer]
                    yield (bringer, segment), 0, nodes.count(segment) + len(others), hops
            for proxy in self.proxies:
                sides = {s for b, s in bringers if b != proxy and proxy in subscribers(s)}
                if proxy in passed or not sides:
                    continue
                passed.add(proxy)
                first = max(sides, key=lambda s: self.cost(proxy, wanted[proxy] - {s}, nodes))
                following += [(proxy, side) for side in wanted[proxy] - {first}]
            bringers = following
            hops += 1

    def cost(self, proxy, sides, nodes):
        """Copies that a proxy makes, roughly: to break ties with."""
        others = [leg for name, legs in self.proxies.items() for leg in legs if name != proxy]
        return sum(nodes.count(side) + others.count(side) for side in sides)

    def passings(self, stream, origin):
        """How often an event of a stream is brought to a segment, and how often it must be at
        least: along a tree of shortest ways."""
        parents = {origin: None}
        ring = [origin]
        while ring:
            segment = ring.pop(0)
            for legs in self.proxies.values():
                for leg in legs if segment in legs else ():
                    if leg not in parents:
                        parents[leg] = segment
                        ring.append(leg)
        tree = set()
        for segment in self.takers(stream).values():
            while segment != origin:
                tree.add(segment)
                segment = parents[segment]
        brought = sum(sent > 0 for sent, _ in self.copies(stream, origin).values())
        return brought, len(tree)


SHAPES = {
    "chain": Shape(
        4,
        {"x12": (1, 2), "x23": (2, 3), "x34": (3, 4)},
        {"p1": 1, "p2": 2, "p3": 4},
        {"c1": 1, "c2": 3, "c3": 4},
        {"r1": (4, ["p1/mark"]), "r2": (2, ["r1/done", "p3/mark"])},
    ),
    "ring": Shape(
        3,
        {"x12": (1, 2), "x23": (2, 3), "x31": (3, 1)},
        {"p1": 1, "p2": 2, "p3": 3},
        {"c1": 1, "c2": 2, "c3": 3},
        {"r1": (3, ["p1/mark"]), "r2": (2, ["r1/done", "p3/mark"])},
    ),
    "pair": Shape(
        2,
        {"xa": (1, 2), "xb": (1, 2)},
        {"p1": 1, "p2": 2, "p3": 1},
        {"c1": 1, "c2": 2, "c3": 2},
        {"r1": (2, ["p1/mark"]), "r2": (1, ["r1/done", "p2/mark"])},
    ),
    "mesh": Shape(
        4,
        {"x12": (1, 2), "x13": (1, 3), "x14": (1, 4), "x23": (2, 3), "x24": (2, 4), "x34": (3, 4)},
        {"p1": 1, "p2": 2, "p3": 4},
        {"c1": 1, "c2": 3, "c3": 4},
        {"r1": (4, ["p1/mark"]), "r2": (2, ["r1/done", "p3/mark"])},
    ),
    # Two sites over a network where only one of them can be dialed.
    "wan": Shape(
        3,
        {"home": (1, 2), "office": (2, 3)},
        {"p1": 1, "p2": 3, "p3": 1},
        {"c1": 1, "c2": 3, "c3": 3},
        {"r1": (3, ["p1/mark"]), "r2": (1, ["r1/done", "p2/mark"])},
        shy=[("home", 2)],
    ),
}


class Publisher:
    """A "tulle pub --json" that is given events from a thread, at a rate."""

    def __init__(self, mesh, name, segment, takers, stream=None):
        self.stream = stream or name
        self.payloads = []
        self.marks = []
        self.rate = 0.0
        self.padding = ""
        self.has_marks = False
        self.is_ending = False
        self.process = mesh.start(
            name, "tulle", "pub", "--json", "--name", name, *mesh.addresses(name, segment),
            f"--wait-peers={takers}", "--wait-timeout", PATIENCE_S, "--ack-timeout", PATIENCE_S,
            "--quiet", stdin=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """Until end()."""
        due = 0.0
        while not self.is_ending:
            time.sleep(0.02)
            due = min(due + self.rate * 0.02, self.rate * 0.5)
            while due >= 1:
                due -= 1
                self.write()
            try:
                self.process.stdin.flush()
            except BrokenPipeError:
                return  # its status will be told

    def write(self):
        """The next event."""
        seq = len(self.payloads) + 1
        is_mark = self.has_marks and seq % MARK_EVERY == 0
        payload = {"from": self.stream, "n": seq, "pad": self.padding}
        topic = f"{self.stream}/{'mark' if is_mark else 'tick'}"
        self.process.stdin.write(json.dumps({"topic": topic, "payload": payload}) + "\n")
        self.payloads.append(payload)
        if is_mark:
            self.marks.append(seq)

    def end(self):
        """All that was published is acknowledged by all who take it then."""
        self.is_ending = True
        self.thread.join()
        self.process.stdin.close()
        status = self.process.wait(timeout=2 * PATIENCE_S)
        if status != 0:
            raise LabError(f"the publisher of {self.stream} ended with {status}")


class Mesh:
    """A shape, running."""

    def __init__(self, shape, bin_dir, directory):
        self.shape = shape
        self.bin_dir = bin_dir
        self.directory = directory
        self.lab = Lab(shape.segments)
        self.proxies = {}
        self.consumers = {}
        self.publishers = {}
        for name, legs in shape.proxies.items():
            self.lab.add_host(name, legs)
        for name, segment in shape.places().items():
            self.lab.add_host(name, (segment,))

    def start(self, host, program, *arguments, **streams):
        """Start one of the programs; what it says on standard error goes to a file."""
        with (self.directory / f"{host}.log").open("a") as log:
            return self.lab.start(
                host, [self.bin_dir / program, *arguments], stderr=log, **streams
            )  # fmt: skip

    def joins(self, name, segment):
        """Whom to join on a segment: the proxies that can be dialed."""
        return [
            word for proxy, legs in self.shape.proxies.items()
            if proxy != name and segment in legs and (proxy, segment) not in self.shape.shy
            for word in ("--join", self.lab.address(proxy, segment))
        ]  # fmt: skip

    def addresses(self, name, segment):
        """Where to listen, and whom to join."""
        joins = self.joins(name, segment)
        if (name, segment) in self.shape.shy:
            return ["--dial-only", *joins]
        inlet = ["--inlet"] if any(where == segment for _, where in self.shape.shy) else []
        return ["--listen", self.lab.address(name, segment), *inlet, *joins]

    def start_proxy(self, name):
        """Also once more, after it was killed."""
        arguments = ["--name", name, "--stats", 1]
        for segment in self.shape.proxies[name]:
            arguments += ["--segment", f"s{segment}", *self.addresses(name, segment)]
        self.proxies[name] = self.start(name, "tulle-proxy", *arguments)

    def start_tap(self, name, segment, patterns):
        """Prints what it is given to a file."""
        with self.record(name).open("w") as output:
            return self.start(
                name, "tulle", "tap", "--json", "--causal", "--from", "earliest", "--quiet",
                "--log-level", "info", "--name", name, *self.addresses(name, segment), *patterns,
                stdout=output, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def start_all(self):
        """Proxies, consumers, reactors, publishers."""
        shape = self.shape
        for name in shape.proxies:
            self.start_proxy(name)
        patterns = [f"{stream}/**" for stream in shape.streams()]
        for name, segment in shape.consumers.items():
            self.consumers[name] = self.start_tap(name, segment, patterns)
        say = r"""cat >/dev/null; printf '{"of":"%s/%s"}\n' "$TULLE_STREAM" "$TULLE_SEQ" """
        for name, (segment, topics) in shape.reactors.items():
            handlers = [word for topic in topics for word in ("--exec", topic, say)]
            self.start(
                name, "tulle-node", "--name", name, *self.addresses(name, segment), "--from",
                "earliest", "--publish-to", f"{name}/done", *handlers, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        for name, segment in shape.publishers.items():
            takers = len(shape.takers(name))
            self.publishers[name] = Publisher(self, name, segment, takers)

    def set_load(self, rate, padding, has_marks):
        """What publishers do from now on: events a second of each."""
        for publisher in self.publishers.values():
            publisher.padding = padding
            publisher.has_marks = has_marks
            publisher.rate = rate

    def relayed_bytes(self):
        """What the proxies say that they brought to segments, as of the last second."""
        total = 0
        for name, legs in self.shape.proxies.items():
            log = (self.directory / f"{name}.log").read_text()
            for segment in legs:
                counts = re.findall(rf"proxy.stats segment=s{segment} .*relayed_bytes=(\d+)", log)
                total += int(counts[-1]) if counts else 0
        return total

    def record(self, name):
        """The file of what a consumer printed."""
        return self.directory / f"{name}.json"

    def count_lines(self, name):
        """How much a consumer printed."""
        with self.record(name).open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

    def await_lines(self, name, count, patience_s=PATIENCE_S):
        """Until a consumer has printed so much."""
        end = time.monotonic() + patience_s
        while self.count_lines(name) < count:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def await_flow(self):
        """Until each consumer has something of each publisher that was published from now on: how
        many seconds that took."""
        begin = time.monotonic()
        goals = {name: len(p.payloads) + 1 for name, p in self.publishers.items()}
        for consumer in self.consumers:
            for stream, seq in goals.items():
                self.await_event(consumer, stream, seq)
        return time.monotonic() - begin

    def await_event(self, consumer, stream, seq):
        """Until a consumer has printed an event, or a later one of its lane."""
        end = time.monotonic() + PATIENCE_S
        while self.last_seqs(consumer).get(stream, 0) < seq:
            if time.monotonic() > end:
                raise LabError(f"{consumer} has not got {stream}/{seq}")
            time.sleep(0.05)

    def last_seqs(self, consumer):
        """Of the end of what a consumer printed: the last event of each stream."""
        with self.record(consumer).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - (1 << 18)))
            lines = file.read().split(b"\n")[1 if size > 1 << 18 else 0 : -1]
        seqs = {}
        for line in lines:
            event = json.loads(line)
            if event["kind"] == "event":
                seqs[event["stream"]] = event["seq"]
        return seqs

    def stop(self, processes):
        """Politely."""
        for process in processes:
            process.terminate()
        for process in processes:
            if process.wait(timeout=PATIENCE_S) != 0:
                raise LabError(f"{process.args} ended with {process.returncode}")
