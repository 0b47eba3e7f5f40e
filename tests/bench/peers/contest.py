# SPDX-License-Identifier: MPL-2.0
"""The work, the systems that do it, and the running of one by the other."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

BROKER_START_S = 10


@dataclass(frozen=True)
class Work:
    """One piece of work, as arguments of a peer's program."""

    name: str
    title: str
    publishers: int
    subscribers: int
    size: int
    rate: int = 0

    @property
    def times(self):
        """How many times as long as told a run is: few events tell little of a 99th percentile."""
        return 4 if self.rate > 0 else 1


WORKS = [
    Work("one-64", "1 to 1, 64 B", 1, 1, 64),
    Work("one-256", "1 to 1, 256 B", 1, 1, 256),
    Work("one-1024", "1 to 1, 1 KiB", 1, 1, 1024),
    Work("one-16384", "1 to 1, 16 KiB", 1, 1, 16384),
    Work("fan-out-64", "1 to 8, 64 B", 1, 8, 64),
    Work("fan-out-1024", "1 to 8, 1 KiB", 1, 8, 1024),
    Work("fan-in-64", "8 to 1, 64 B", 8, 1, 64),
    Work("mesh-64", "4 to 4, 64 B", 4, 4, 64),
    Work("latency-1000", "1,000 a second, 64 B", 1, 1, 64, 1000),
    Work("latency-10000", "10,000 a second, 64 B", 1, 1, 64, 10000),
]


def redis_broker(port, folder):
    """Nothing is saved, and no subscriber is cut off for being behind."""
    return ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder,
            "--save", "", "--appendonly", "no", "--daemonize", "no",
            "--client-output-buffer-limit", "pubsub 0 0 0"]  # fmt: skip


def nats_broker(port, folder):
    """A subscriber may be far behind before it is cut off as a slow consumer."""
    config = pathlib.Path(folder, "nats.conf")
    config.write_text(
        f"host: 127.0.0.1\nport: {port}\nmax_pending: 1073741824\nwrite_deadline: '60s'\n"
        "max_payload: 2097152\n",
        encoding="utf-8",
    )
    return ["nats-server", "-c", str(config)]


def mosquitto_broker(port, folder):
    """Queues without a limit, where QoS 0 is dropped at one; nothing waits for Nagle."""
    config = pathlib.Path(folder, "mosquitto.conf")
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "max_queued_messages 0\nmax_queued_bytes 0\nset_tcp_nodelay true\nsys_interval 0\n"
        "log_type error\n",
        encoding="utf-8",
    )
    return ["mosquitto", "-c", str(config)]


def zmq_forwarder(port, _folder):
    """libzmq's zmq_proxy() between XSUB and XPUB."""
    return ["zmq_forwarder", str(port), str(port + 2)]


def tulle_proxy(port, _folder):
    """Two segments, all defaults."""
    return ["tulle-proxy", "--mesh", "bench", "--log-level", "error",
            "--segment", "publishers", "--listen", f"tcp://127.0.0.1:{port}",
            "--segment", "subscribers", "--listen", f"tcp://127.0.0.1:{port + 2}"]  # fmt: skip


def run_harness(program, name, work, arguments, port, broker):
    """One run by a peer's program, which ends its own children."""
    seconds = arguments.seconds * work.times
    timeout_s = 20 + 5 * seconds
    command = [str(program), *PEERS[name].options, "--publishers", str(work.publishers),
               "--subscribers", str(work.subscribers), "--size", str(work.size),
               "--rate", str(work.rate), "--seconds", str(seconds),
               "--timeout", str(timeout_s)]  # fmt: skip
    if arguments.curve:
        command.append("--curve")
    if port:
        command += ["--port", str(port)]
    if broker:
        command += ["--broker", str(broker.pid)]
    return run_program(command, timeout_s + 10)


def run_tool(program, name, work, arguments, _port, _broker):
    """One run by tulle bench or tulle latency: a check of what the harness says of tulle."""
    seconds = arguments.seconds * work.times
    command = [str(program), "latency" if work.rate > 0 else "bench",
               "--subscribers", str(work.subscribers), "--size", str(work.size),
               "--duration", str(seconds), "--runs", "1", "--json"]  # fmt: skip
    if work.rate > 0:
        command += ["--rate", str(work.rate)]
    else:
        command += ["--publishers", str(work.publishers)]
    result = run_program(command, 30 + 5 * seconds)["results"][0]
    run = {"peer": name}
    for rate in ("events_per_second", "deliveries_per_second"):
        run[rate] = result[rate]["median"]
    for name in ("lost", "misordered"):
        run[name] = result[name]
    # Told for a million deliveries, wanted for a million events.
    total = result["cpu_seconds_per_million"]["total"] * work.subscribers
    run["cpu_seconds_per_million"] = {"total": total}
    if work.rate > 0:
        run["latency_us"] = {key: result["latency_us"][key] for key in ("p50", "p99", "max")}
    return run


@dataclass(frozen=True)
class Peer:
    """One system."""

    program: str
    broker: object = None  # (port, folder) to the command that runs it in the foreground
    port_count: int = 0  # ports that it must be told
    curve: bool = False  # can be encrypted
    run: object = run_harness
    options: tuple = ()  # for its program
    works: tuple = ()  # the names of the only ones that it does; (): all
    reference: str = "zmq2"  # whose figures its are compared with


# Publisher and subscriber on two sides of a proxy.
PROXIED = {
    "works": ("one-64", "one-1024", "latency-1000", "latency-10000"),
    "reference": "zmq2-proxy",
}

PEERS = {
    "tulle": Peer("peer_tulle"),
    "tulle-tools": Peer("tulle", run=run_tool),
    "zmq2": Peer("peer_zmq2", curve=True),
    "zmq1": Peer("peer_zmq1", curve=True),
    "zmqmap": Peer("peer_zmqmap", curve=True),
    "zmqbatch": Peer("peer_zmqbatch", curve=True),
    "nats": Peer("peer_nats", nats_broker, 1),
    "redis": Peer("peer_redis", redis_broker, 1),
    "mosquitto": Peer("peer_mosquitto", mosquitto_broker, 1),
    "cyclonedds": Peer("peer_cyclonedds", None, 100),
    "zmq2-proxy": Peer("peer_zmq2", zmq_forwarder, 4, options=("--via",), **PROXIED),
    "tulle1-proxy": Peer("peer_tulle", tulle_proxy, 4, options=("--via", "--single"), **PROXIED),
    "tulle-proxy": Peer("peer_tulle", tulle_proxy, 4, options=("--via",), **PROXIED),
}

# Whose versions are told, and with which peer; None: always.
PACKAGES = {
    "libzmq5": None,
    "nats-server": "nats",
    "libnats3.4": "nats",
    "redis-server": "redis",
    "libhiredis0.14": "redis",
    "mosquitto": "mosquitto",
    "libmosquitto1": "mosquitto",
    "cyclonedds-dev": "cyclonedds",
}


def choose(text, known):
    """The names in a list with commas, all when there is none; KeyError names the unknown."""
    if text is None:
        return list(known)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise KeyError(name)
    return names


def choose_works(text):
    """The pieces of work named."""
    known = {work.name: work for work in WORKS}
    return [known[name] for name in choose(text, known)]


def choose_peers(text, curve):
    """The names of peers, of those that can be encrypted if that is asked for."""
    return [name for name in choose(text, PEERS) if PEERS[name].curve or not curve]


def build(root):
    """Build the programs; the folder that they are in."""
    jobs = os.environ.get("JOBS", str(os.cpu_count()))
    subprocess.run(
        ["cmake", "--preset", "release", "-DTULLE_BUILD_PEERS=ON"],
        cwd=root, check=True, stdout=sys.stderr,
    )  # fmt: skip
    subprocess.run(
        ["cmake", "--build", "--preset", "release", "--parallel", jobs,
         "--target", "peers", "tulle_program"],
        cwd=root, check=True, stdout=sys.stderr,
    )  # fmt: skip
    return root / "build" / "release" / "bin"


def find_broker(command):
    """A server's path; Debian keeps some where only root looks."""
    return shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def find_peers(folder, names):
    """The names that can be run, and why others cannot."""
    os.environ["PATH"] = f"{folder}:{os.environ.get('PATH', '')}"  # where proxies are
    found = []
    skipped = {}
    for name in names:
        broker = PEERS[name].broker
        command = broker(0, tempfile.gettempdir())[0] if broker else None
        if not os.access(folder / PEERS[name].program, os.X_OK):
            skipped[name] = f"{PEERS[name].program} was not built: its library was not found"
        elif command and not find_broker(command):
            skipped[name] = f"{command} is not installed"
        else:
            found.append(name)
    return found, skipped


def free_port(count):
    """The first of count ports of this host that nobody uses now."""
    for base in range(20000 + os.getpid() % 8000, 32000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError("no free ports")


def start(command, **options):
    """A child that ends with this process, however that ends."""
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *command],
        stdin=subprocess.DEVNULL, process_group=0, **options,
    )  # fmt: skip


def stop(process):
    """End a child and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


@contextlib.contextmanager
def broker_of(peer, port):
    """The process of a peer's broker while it takes connections, None when it has none."""
    if peer.broker is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        command = peer.broker(port, folder)
        command[0] = find_broker(command[0])
        with open(os.path.join(folder, "log"), "wb") as log:
            process = start(command, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + BROKER_START_S
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    text = pathlib.Path(folder, "log").read_text(errors="replace").strip()
                    raise RuntimeError(f"{command[0]} did not start: {text[-300:]}")
                time.sleep(0.02)
            yield process
        finally:
            stop(process)


def run_program(command, timeout_s):
    """What a program prints, as an object."""
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError("does not end") from error
    finally:
        stop(process)
    if process.returncode != 0:
        raise RuntimeError(" ".join((err + out).split())[-400:] or f"ended: {process.returncode}")
    return json.loads(out)


def run_one(folder, name, work, arguments):
    """One run: the result, or an object that says what went wrong."""
    peer = PEERS[name]
    try:
        port = free_port(peer.port_count) if peer.port_count else 0
        with broker_of(peer, port) as broker:
            result = peer.run(folder / peer.program, name, work, arguments, port, broker)
            result["peer"] = name  # programs know less
    except (RuntimeError, OSError, ValueError, LookupError, TypeError) as error:
        return {"peer": name, "failed": str(error) or repr(error)}
    for known in ("publishers", "subscribers", "size", "rate"):
        result.pop(known, None)  # as the work says
    return result


def run_all(arguments, folder, names):
    """Every repetition does every work over every peer, beginning with another one each time."""
    runs = []
    for repetition in range(arguments.runs):
        shift = repetition % max(len(names), 1)
        for work in arguments.works:
            for name in names[shift:] + names[:shift]:
                if PEERS[name].works and work.name not in PEERS[name].works:
                    continue
                result = run_one(folder, name, work, arguments)
                runs.append({"repetition": repetition, "work": work.name} | result)
                print(f"{repetition + 1}/{arguments.runs} {work.name} {name}"
                      f"{': ' + result['failed'] if 'failed' in result else ''}",
                      file=sys.stderr)  # fmt: skip
    return runs
