# SPDX-License-Identifier: MPL-2.0
"""A laboratory of network namespaces: segments are bridges, hosts are namespaces on them.

run_inside() starts a program in namespaces of its own (mounts, network, processes, and users where
that is needed): all bridges, namespaces and processes made inside end with it, however it ends,
and nobody else sees them.
"""

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
WRONG_MAC = "02:00:00:00:de:ad"
LIBC = ctypes.CDLL(None)
ETH_P_ALL = 3
PACKET = struct.Struct("=dH?I")  # before a packet in a file: when, port, is it sent, its size


class LabError(Exception):
    """The laboratory does not do what it should."""


def die_with_parent():
    """For preexec_fn: end when the parent does."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def unshare():
    """The words before a command that shall be inside."""
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    return command


def run_inside(command):
    """Run a command in a laboratory of its own: the status that it ends with."""
    # In a session of its own: an interrupt reaches the inside by way of this process only.
    child = subprocess.Popen(
        [*unshare(), *command], preexec_fn=die_with_parent, start_new_session=True
    )

    def stop(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        return child.wait()
    finally:
        child.kill()
        child.wait()


def find_obstacle():
    """Why there can be no laboratory here; None when there can."""
    script = (
        "mount -t tmpfs none /run && mkdir /run/netns && ip netns add a && "
        "ip link add name br0 type bridge && ip link add name ve0 type veth peer name ve1 netns a"
    )
    try:
        tried = subprocess.run(
            [*unshare(), "sh", "-c", script], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no namespaces: {error}"
    if tried.returncode == 0:
        return None
    lines = tried.stderr.strip().splitlines()
    return "no namespaces, bridges or veth links: " + (lines[-1] if lines else "unshare failed")


def make_room():
    """The first steps inside."""
    if os.getpid() != 1:
        raise LabError("this is not the inside of a laboratory")
    for command in ("mount -t tmpfs none /run", "mkdir /run/netns", "ip link set lo up"):
        subprocess.run(command.split(), check=True)


def ip(*lines):
    """Run lines of ip(8) at once."""
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LabError(f"ip: {done.stderr.strip()} in: {lines}")


class Lab:
    """Segments are numbered from 1; hosts have an address on each of theirs."""

    MODES = ("down", "silent", "mute")

    def __init__(self, segments):
        self.segments = segments
        self.hosts = {}
        self.processes = []
        ip(*(f"link add name s{s} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
             for s in segments),
           *(f"link set s{s} addrgenmode none up" for s in segments))  # fmt: skip

    def add_host(self, name, segments):
        """A namespace with a link to each of the segments."""
        number = len(self.hosts) + 10
        self.hosts[name] = {s: f"10.0.{s}.{number}" for s in segments}
        ip(f"netns add {name}")
        for s in segments:
            port = self.port(name, s)
            ip(f"link add name {port} type veth peer name e{s} netns {name}",
               f"link set {port} addrgenmode none",
               f"link set {port} master s{s} up")  # fmt: skip
            subprocess.run(
                ["ip", "-n", name, "-batch", "-"], check=True, text=True,
                input=f"link set lo up\nlink set e{s} addrgenmode none\n"
                      f"addr add {self.hosts[name][s]}/24 dev e{s}\nlink set e{s} up\n",
            )  # fmt: skip

    @staticmethod
    def port(name, segment):
        """The other end of a host's link."""
        return f"{name}.{segment}"

    def address(self, name, segment):
        """Control address of who runs at that host."""
        return f"tcp://{self.hosts[name][segment]}:7100"

    def start(self, host, arguments, **streams):
        """Start a program in the namespace of the host; ends with end()."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", host, *map(str, arguments)], preexec_fn=die_with_parent, **streams
        )
        self.processes.append(process)
        return process

    def end(self):
        """Kill what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait()

    def cut(self, name, segment, mode):
        """Down: the link has no carrier. Silent: it has, but nothing passes. Mute: what the host
        sends gets lost, and it hears everything."""
        port = self.port(name, segment)
        if mode == "down":
            ip(f"link set {port} down")
        elif mode == "silent":
            ip(f"link set {port} nomaster")
        else:
            self.set_neighbours(name, segment, f"lladdr {WRONG_MAC} nud permanent")

    def heal(self, name, segment, mode):
        """The opposite of cut()."""
        port = self.port(name, segment)
        if mode == "down":
            ip(f"link set {port} up")
        elif mode == "silent":
            ip(f"link set {port} master s{segment}")
        else:
            self.set_neighbours(name, segment, None)

    def set_neighbours(self, name, segment, what):
        """What the host thinks of the link addresses of all others."""
        lines = []
        for other, addresses in self.hosts.items():
            if other != name and segment in addresses:
                verb = "del" if what is None else "replace"
                lines.append(f"neigh {verb} {addresses[segment]} dev e{segment} {what or ''}")
        subprocess.run(
            ["ip", "-n", name, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True
        )

    def can_be_dialed(self, name, segment):
        """Does anything listen at the address that a host has on a segment?"""
        listening = subprocess.run(
            ["ip", "netns", "exec", name, "cat", "/proc/net/tcp"], check=True, capture_output=True,
            text=True,
        ).stdout  # fmt: skip
        address = socket.inet_aton(self.hosts[name][segment])
        known = [f"{int.from_bytes(a, sys.byteorder):08X}:" for a in (address, bytes(4))]
        sockets = [line.split() for line in listening.splitlines()[1:]]
        return any(s[3] == "0A" and s[1].startswith(tuple(known)) for s in sockets)

    def counters(self):
        """Bytes of each link so far, by port: what the host sent and what it was sent."""
        output = subprocess.run(
            ["ip", "-s", "-j", "link"], check=True, capture_output=True, text=True
        ).stdout
        return {
            link["ifname"]: (link["stats64"]["rx"]["bytes"], link["stats64"]["tx"]["bytes"])
            for link in json.loads(output)
        }


class Child:
    """A process of this file, that works until it is stopped."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, __file__, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, preexec_fn=die_with_parent, text=True,
        )  # fmt: skip
        self.process.stdout.readline()

    def stop(self):
        """What it says in the end."""
        output, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise LabError("the sniffer failed")
        result = json.loads(output)
        if result.pop("dropped"):
            raise LabError("the sniffer was too slow")
        return result


class Recorder:
    """Writes all packets of ports to a file, until it is stopped."""

    def __init__(self, ports, path):
        self.ports = list(ports)
        self.path = path
        self.child = Child("record", path, *self.ports)

    def stop(self):
        """All packets in their order: when (on the monotonic clock), port, was it sent by the
        host, and its bytes."""
        self.child.stop()
        data = memoryview(self.path.read_bytes())
        at = 0
        while at < len(data):
            when, port, is_sent, size = PACKET.unpack_from(data, at)
            at += PACKET.size + size
            yield when, self.ports[port], is_sent, data[at - size : at]


class Sniffer:
    """Counts what passes ports: bytes of packets that hold the mark, and of others."""

    def __init__(self, ports, mark):
        self.child = Child("sniff", mark, *ports)

    def stop(self):
        """By port, then "sent" and "got" (by the host): marked and other bytes, and when the last
        marked packet passed (on the monotonic clock)."""
        return self.child.stop()


def tap_into(port):
    """A socket that is given every packet of a port; None: of all there are, in their order."""
    # Nothing is taken in before it is bound: no protocol until then.
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0 if port else socket.htons(ETH_P_ALL))
    try:
        tap.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
    except PermissionError:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)  # as far as it goes
    if port:
        tap.bind((port, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def count_dropped(tap):
    """What came too fast."""
    # PACKET_STATISTICS: packets, of which dropped
    return int.from_bytes(tap.getsockopt(263, 6, 8)[4:], sys.byteorder)


def record(path, ports):
    """The process of a Recorder: until its standard input ends."""
    numbers = {port: number for number, port in enumerate(ports)}
    tap = tap_into(None)
    print("ready", flush=True)
    os.set_blocking(sys.stdin.fileno(), False)
    buffer = bytearray(1 << 17)
    is_open = True
    with open(path, "wb") as file:
        while is_open:
            is_open = os_read(sys.stdin.fileno()) != b""
            for _ in range(1024):
                try:
                    size, address = tap.recvfrom_into(buffer)
                except BlockingIOError:
                    time.sleep(0.002)
                    break
                if address[0] in numbers:
                    is_sent = address[2] != socket.PACKET_OUTGOING
                    file.write(PACKET.pack(time.monotonic(), numbers[address[0]], is_sent, size))
                    file.write(memoryview(buffer)[:size])
    print(json.dumps({"dropped": count_dropped(tap)}))


def sniff(mark, ports):
    """The process of a Sniffer: until its standard input ends."""
    mark = mark.encode()
    sniffed = {port: {"sent": [0, 0, 0.0], "got": [0, 0, 0.0]} for port in ports}
    sockets = {port: tap_into(port) for port in ports}
    print("ready", flush=True)
    os.set_blocking(sys.stdin.fileno(), False)
    buffer = bytearray(1 << 17)
    is_open = True
    while is_open:
        is_open = os_read(sys.stdin.fileno()) != b""
        idle = True
        for port, tap in sockets.items():
            for _ in range(256):
                try:
                    size, address = tap.recvfrom_into(buffer)
                except BlockingIOError:
                    break
                idle = False
                count = sniffed[port]["got" if address[2] == socket.PACKET_OUTGOING else "sent"]
                if buffer.find(mark, 0, size) >= 0:
                    count[0] += size
                    count[2] = time.monotonic()
                else:
                    count[1] += size
        if idle:
            time.sleep(0.002)
    dropped = sum(map(count_dropped, sockets.values()))
    print(json.dumps({**sniffed, "dropped": dropped}))


def os_read(descriptor):
    """None when there is nothing yet."""
    try:
        return os.read(descriptor, 16)
    except BlockingIOError:
        return None


if __name__ == "__main__":
    {"sniff": sniff, "record": record}[sys.argv[1]](sys.argv[2], sys.argv[3:])
