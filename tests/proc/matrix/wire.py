# SPDX-License-Identifier: MPL-2.0
"""What a link carried, read by a reader that shares nothing with the library: packets are put
together to TCP streams, these taken apart into ZMTP frames, and control messages decoded.

A recorder must see the connections from their beginning.
"""

import collections
import functools
import socket
import struct

GREETING = 64  # bytes, ZMTP 3
MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
BEAT = b"$beat\0"

# A message, or a ZMTP command: of which connection (the addresses of both ends, the sender's
# first), when its last byte passed, its frames, and its bytes with those of the framing.
Message = collections.namedtuple("Message", "connection time frames size is_command")


class Unpacker:
    """Reads one msgpack value, also bin and integers of 64 bits."""

    SIZES = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",
             0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}  # fmt: skip
    NUMBERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h",
               0xD2: ">i", 0xD3: ">q", 0xCA: ">f", 0xCB: ">d"}  # fmt: skip
    CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, form):
        """A number of a fixed size."""
        (number,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return number

    def take_bytes(self, count):
        """So many."""
        if self.at + count > len(self.data):
            raise ValueError("msgpack: too short")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def take_map(self, count):
        """So many pairs."""
        return {self.value(): self.value() for _ in range(count)}

    def value(self):
        """The next one."""
        first = self.take(">B")
        if first < 0x80:
            return first
        if first < 0x90:
            return self.take_map(first & 15)
        if first < 0xA0:
            return [self.value() for _ in range(first & 15)]
        if first < 0xC0:
            return self.take_bytes(first & 31).decode()
        if first in self.CONSTANTS:
            return self.CONSTANTS[first]
        if first in self.NUMBERS:
            return self.take(self.NUMBERS[first])
        if first >= 0xE0:
            return first - 256
        count = self.take(self.SIZES[first])
        if first < 0xC7:
            return self.take_bytes(count)
        if first < 0xDC:
            return self.take_bytes(count).decode()
        if first < 0xDE:
            return [self.value() for _ in range(count)]
        return self.take_map(count)


@functools.lru_cache(maxsize=1 << 14)
def unpack(data):
    """One value that fills the bytes. Not to be changed: many links carry the same."""
    unpacker = Unpacker(data)
    value = unpacker.value()
    if unpacker.at != len(data):
        raise ValueError("msgpack: something behind the value")
    return value


def packed_size(value):
    """Of a number, text, or list of these: bytes of its shortest form, lengths up to 31."""
    if isinstance(value, list):
        return 1 + sum(map(packed_size, value))
    if isinstance(value, (str, bytes)):
        return 1 + len(value)
    return 1 if value < 128 else 1 + next(n for n in (1, 2, 4, 8) if value < 1 << 8 * n)


def is_header(frame):
    """Is it one of a control message: an array of seven? Keys are text."""
    return frame[:1] == b"\x97"


@functools.lru_cache(maxsize=1 << 14)
def peek_batch(data):
    """Node, first seq, and how many events."""
    unpacker = Unpacker(data)
    unpacker.at = 1
    _, node, first, _, _ = (unpacker.value() for _ in range(5))
    head = unpacker.take(">B")
    return node, first, unpacker.take(unpacker.SIZES[head]) if head >= 0xDC else head & 15


class Stream:
    """One direction of a TCP connection: bytes in order, and the messages in them."""

    def __init__(self, connection):
        self.connection = connection
        self.next_seq = None
        self.early = {}  # segments behind a hole, by sequence number
        self.data = bytearray()
        self.has_greeted = False
        self.frames = []
        self.size = 0

    def add(self, seq, payload, time):
        """A segment; yields the messages that end in it."""
        if self.next_seq is None:
            return
        self.early[seq] = max(payload, self.early.get(seq, b""), key=len)
        has_moved = True
        while has_moved:
            has_moved = False
            for start in list(self.early):
                skip = (self.next_seq - start) & 0xFFFFFFFF
                if skip < 1 << 31:  # at what comes next, or before
                    fresh = self.early.pop(start)[skip:]
                    self.data += fresh
                    self.next_seq = (self.next_seq + len(fresh)) & 0xFFFFFFFF
                    has_moved = True
        yield from self.messages(time)

    def messages(self, time):
        """Take apart what is there."""
        at = 0
        if not self.has_greeted and len(self.data) >= GREETING:
            self.has_greeted = True
            at = GREETING
        while self.has_greeted and at + 2 <= len(self.data):
            flags = self.data[at]
            head = 9 if flags & LONG else 2
            if at + head > len(self.data):
                break
            length = int.from_bytes(self.data[at + 1 : at + head], "big")
            end = at + head + length
            if end > len(self.data):
                break
            self.frames.append(bytes(self.data[at + head : end]))
            self.size += head + length
            at = end
            if flags & COMMAND or not flags & MORE:
                yield Message(self.connection, time, self.frames, self.size, bool(flags & COMMAND))
                self.frames = []
                self.size = 0
        del self.data[:at]


class Reader:
    """Packets of one link in; messages out."""

    def __init__(self):
        self.streams = {}

    def packet(self, data, time):
        """An Ethernet frame; yields the messages that end in it."""
        if data[12:14] != b"\x08\x00" or data[23] != socket.IPPROTO_TCP:
            return
        ip_head = (data[14] & 15) * 4
        length = int.from_bytes(data[16:18], "big")
        tcp = 14 + ip_head
        ports = struct.unpack_from(">HH", data, tcp)
        seq = int.from_bytes(data[tcp + 4 : tcp + 8], "big")
        flags = data[tcp + 13]
        begin = tcp + (data[tcp + 12] >> 4) * 4
        end = 14 + length if length > 0 else len(data)
        source = (socket.inet_ntoa(data[26:30]), ports[0])
        target = (socket.inet_ntoa(data[30:34]), ports[1])
        key = (source, target)
        if flags & 2:  # SYN: a connection begins, of the same ports perhaps as one before
            self.streams[key] = Stream(key)
            self.streams[key].next_seq = (seq + 1) & 0xFFFFFFFF
        elif end > begin and key in self.streams:
            yield from self.streams[key].add(seq, bytes(data[begin:end]), time)
