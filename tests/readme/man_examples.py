#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""The examples of the manual pages work, as one who reads them would run them.

Every ".Dl" line and ".Bd" block of a section EXAMPLES is run by bash in a folder of its page, in a
mesh on this host in which something happens: orders that cause shipments, readings, alarms.
Addresses of the pages become ports here, --beacon a node to join. Blocks that are files for --config
are checked by the program; what is neither a command nor such a file is only text.

A command that does not end by itself is stopped with SIGINT after some seconds, in a block after
those that follow it, for which it may be there. It must end with status 0, or 27, and print no message of a sanitizer. Comments in front
of an example say what else is so:

    .\\" example: status N       the exit status that it has, or "any"
    .\\" example: limit SECONDS  how long it may take to end by itself; it must, then
    .\\" example: each SECONDS   how long each command of a block may, instead of 4 s
    .\\" example: prints TEXT    is in what it prints; may be repeated
    .\\" example: more OPTIONS    that "tulle COMMAND" has besides, so that it takes less time
    .\\" example: terminal        it is run on one, of 24 lines
    .\\" example: first COMMAND  to be run before, such as one that makes a file
    .\\" example: skip REASON    it is not run"""

import concurrent.futures
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

PATIENCE_S = 4  # for what need not end by itself
SLOWNESS = min(6.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2))  # of a busy machine
STOP_S = 20 * SLOWNESS
CONFIG_LINE = re.compile(r"^\s*[a-z_]+ = ")
ADDRESS = re.compile(r"(?:192\.0\.2|198\.51\.100|10\.\d+\.\d+|127\.0\.0|\*)(?:\.\d+)?:(7\d\d\d)\b")
ANY = "tcp://127.0.0.1:*"
MESH, TEST_MESH = "192.0.2.7:7100", "192.0.2.9:7100"
FILES = {
    "reserve.sh": "#!/bin/sh\njq -c .payload.items\n",
    "count.sh": "#!/bin/sh\nwc -c\n",
    "app.log": "started\nready\n",
}
RECORDINGS = ("orders.mcap", "all-000007.mcap", "all-000008.mcap")  # where no example makes them


class Example:
    def __init__(self, line_number, rules):
        self.line_number, self.rules = line_number, rules
        self.lines = []

    def rule(self, name):
        return [value for key, value in self.rules if key == name]


def plain(text):
    """Text of a page without the escapes of roff."""
    for escape, char in (("\\e", "\\"), ("\\(dq", '"'), ("\\(aq", "'"), ("\\-", "-"), ("\\&", "")):
        text = text.replace(escape, char)
    return text


def read_examples(path):
    found, rules, block, is_in = [], [], None, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        directive = re.match(r'\.\\" example: (\w+) ?(.*)', line)
        if line.startswith(".Sh"):
            is_in = line == ".Sh EXAMPLES"
        elif not is_in:
            continue
        elif directive:
            rules.append((directive[1], directive[2]))
        elif line.startswith(".Bd"):
            block = Example(number, rules)
            rules = []
        elif line.startswith(".Ed"):
            found.append(block)
            block = None
        elif block is not None:
            block.lines.append(plain(line))
        elif line.startswith(".Dl "):
            example = Example(number, rules)
            example.lines = [plain(line[4:].replace('"', ""))]
            found.append(example)
            rules = []
    return found


def commands_of(lines):
    """Commands: those behind "$ ", if there are any; else each line, and what continues it."""
    if any(line.startswith("$ ") for line in lines):
        return [line[2:] for line in lines if line.startswith("$ ")]
    commands, parts = [], []
    for line in lines:
        parts.append(line)
        if not line.rstrip().endswith(("\\", "|", "&&")):
            if "".join(parts).strip():
                commands.append("\n".join(parts))
            parts = []
    return commands


class Mesh:
    """The processes that examples find, and the ports that stand for their addresses."""

    def __init__(self, bin_dir, folder):
        self.bin_dir, self.folder = bin_dir, folder
        self.lock = threading.Lock()
        self.ports = {}
        self.next_port = 10000 + os.getpid() * 16 % 20000
        self.processes = []
        self.log = open(folder / "log", "ab")
        self.is_over = False
        self.environment = dict(
            os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", HOME=str(folder), NO_COLOR="1", TERM="xterm"
        )

    def port_of(self, page, address):
        """Each page has its own addresses, but for those of the mesh. A node takes three ports, and a
        page may speak of the second one."""
        address, last_digit = address[:-1] + "0", int(address[-1])
        key = (None if address in (MESH, TEST_MESH) else page, address)
        with self.lock:
            while key not in self.ports:
                self.next_port += 16
                if all(is_free(self.next_port + i) for i in range(4)):
                    self.ports[key] = self.next_port
            return self.ports[key] + last_digit

    def here(self, page, text):
        text = ADDRESS.sub(lambda found: f"127.0.0.1:{self.port_of(page, found[0])}", text)
        text = re.sub(r"(?<![\w.])/(var|etc)/", rf"{self.folder}/{page}/\1/", text)
        join = f"tcp://127.0.0.1:{self.port_of(None, MESH)}"
        return re.sub(r"--beacon(=[\w']+)?(?=\s|$)", f"--join {join}", text)

    def start(self, *args, **more):
        process = subprocess.Popen(
            [self.bin_dir / args[0], *args[1:]],
            env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=self.log, **more,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def open(self):
        join = f"tcp://127.0.0.1:{self.port_of(None, MESH)}"
        test = f"tcp://127.0.0.1:{self.port_of(None, TEST_MESH)}"
        self.start("tulle-node", "--name", "archive", "--listen", join, "--take", "**", "--from", "earliest")
        self.start("tulle-node", "--name", "archive", "--mesh", "test", "--listen", test, "--take", "**")
        self.start("tulle-node", "--name", "billing", "--join", join, "--listen", ANY, "--take", "orders/**")
        self.start(
            "tulle-node", "--name", "shipping", "--join", join, "--listen", ANY,
            "--publish-to", "shipping/sent", "--exec", "orders/*/placed", "jq -c '{order: .payload.order}'",
        )  # fmt: skip
        wait_for_port(join)
        wait_for_port(test)
        alarms = self.start(
            "tulle", "pub", "--name", "plant3", "--join", join, "--listen", ANY, "--json", "--wait-peers=1", "-q", "--wait-timeout=60",
            "--repeat", "20", "alarms", '{"level": 3}',
        )  # fmt: skip
        assert alarms.wait(60 * SLOWNESS) == 0
        shop = self.start(
            "tulle", "pub", "--name", "shop", "--join", join, "--listen", ANY, "--json", "--wait-peers=3", "-q", "--wait-timeout=60",
            stdin=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self.feed, args=(shop.stdin,), daemon=True).start()
        record = self.start(
            "tulle", "record", "--join", join, "--listen", ANY, "--quiet", "--count", "20",
            "--from", "earliest", "-w", RECORDINGS[0], "orders/**",
        )  # fmt: skip
        assert record.wait(60 * SLOWNESS) == 0

    def feed(self, pipe):
        number = 1000
        try:
            while not self.is_over:
                number += 1
                order = {"order": number, "amount": number % 7 * 50, "items": ["cup"]}
                for topic, payload in (
                    ("orders/eu/placed", order),
                    ("sensors/42/temp", {"value": number % 30}),
                    ("readings/1", {"value": number}),
                    ("shop/heartbeat", {}),
                ):
                    pipe.write(json.dumps({"topic": topic, "payload": payload}) + "\n")
                pipe.flush()
                time.sleep(0.02 if number < 1020 else 0.25)
        except (BrokenPipeError, ValueError):
            pass

    def close(self):
        self.is_over = True
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for_port(address):
    host, port = address.removeprefix("tcp://").split(":")
    for _ in range(300):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nobody listens at {address}")


class Run:
    """One command that was started."""

    def __init__(self, mesh, folder, command, on_terminal=False):
        self.command = command
        self.output = tempfile.TemporaryFile(dir=folder)
        source, sink = subprocess.DEVNULL, self.output
        if on_terminal:
            master, source = pty.openpty()
            sink = source
            fcntl.ioctl(source, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            threading.Thread(target=self.copy, args=(master,), daemon=True).start()
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=mesh.environment, stdin=source,
            stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        if on_terminal:
            os.close(source)

    def copy(self, master):
        """What a terminal shows, until nobody writes there any more."""
        try:
            while chunk := os.read(master, 4096):
                self.output.write(chunk)
                self.output.flush()
        except OSError:
            pass
        os.close(master)

    def wait(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        """SIGINT to programs of tulle, as others in a pipe end with them; then whatever is left."""
        for pid, name in members(self.process.pid):
            if name.startswith("tulle"):
                send(pid, signal.SIGINT)
        has_ended = self.wait(STOP_S if members(self.process.pid) else 1)
        self.kill()
        return has_ended

    def kill(self):
        for pid, _ in members(self.process.pid):
            send(pid, signal.SIGKILL)
        self.process.wait()

    def text(self):
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def members(session):
    """Processes of a session that still run, each as (id, name)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            before, _, after = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue
        fields = after.split()
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append((int(entry.name), before.partition("(")[2]))
    return found


class Check:
    def __init__(self, mesh):
        self.mesh = mesh
        self.problems = []
        self.counts = {"commands": 0, "files": 0, "skipped": 0}

    def wrong(self, page, example, what, run=None):
        text = f"{page}:{example.line_number}: {what}"
        if run is not None:
            text += f"\n    {run.command}\n" + run.text()[-2000:]
        self.problems.append(text)

    def check_file(self, page, folder, example):
        is_proxy = any("segment =" in line for line in example.lines)
        path = folder / "example.conf"
        lines = [line for line in example.lines if "beacon" not in line]
        path.write_text("\n".join(self.mesh.here(page, line) for line in lines) + "\n")
        program = "tulle-proxy --check-config" if is_proxy else "tulle-node --print-config"
        run = Run(self.mesh, folder, f"{program} --config example.conf")
        self.counts["files"] += 1
        if not run.wait(STOP_S) or run.process.returncode != 0:
            self.wrong(page, example, "the file is not right", run)
        run.kill()

    def finish(self, page, example, run, is_last):
        limit = float((example.rule("limit") or [0])[0]) * SLOWNESS
        if limit > 0 and is_last and not run.wait(limit):
            self.wrong(page, example, f"has not ended after {limit} s", run)
        elif run.process.poll() is None and not run.stop():
            self.wrong(page, example, "does not end at SIGINT", run)
        else:
            # 27: not all nodes answered in time. Those of other examples come and go.
            wanted = (example.rule("status") or ["0 27"])[0] if is_last else "0 27"
            if wanted != "any" and str(run.process.returncode) not in wanted.split():
                self.wrong(page, example, f"status {run.process.returncode}, not {wanted}", run)
            if re.search(r"Sanitizer|runtime error:|command not found", run.text()):
                self.wrong(page, example, "goes wrong", run)
        run.kill()

    def check_commands(self, page, folder, example, commands):
        runs = []
        for command in commands:
            command = self.mesh.here(page, command)
            more = " ".join(example.rule("more"))
            command = re.sub(r"(tulle \w+)", rf"\1 {more}", command, count=1) if more else command
            for path in re.findall(rf"{re.escape(str(folder))}/var/\S+/", command):
                os.makedirs(path, exist_ok=True)
            self.counts["commands"] += 1
            runs.append(Run(self.mesh, folder, command, bool(example.rule("terminal"))))
            each = example.rule("each")
            runs[-1].wait(float(each[0]) * SLOWNESS if each else PATIENCE_S)
        for run in reversed(runs):
            self.finish(page, example, run, run is runs[-1])
        output = "".join(run.text() for run in runs)
        for text in example.rule("prints"):
            if text not in output:
                self.wrong(page, example, f"does not print: {text}", runs[-1])

    def check_page(self, path):
        page = path.name
        folder = self.mesh.folder / page
        folder.mkdir()
        for name, text in FILES.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        examples = read_examples(path)
        named = {word for example in examples for line in example.lines for word in line.split()}
        for name in RECORDINGS:
            if f"-w {name}" not in path.read_text(encoding="utf-8") and name in named:
                shutil.copy(self.mesh.folder / RECORDINGS[0], folder / name)
        for example in examples:
            for command in example.rule("first"):
                run = Run(self.mesh, folder, self.mesh.here(page, command))
                if not run.wait(STOP_S) or run.process.returncode != 0:
                    self.wrong(page, example, "what is to be first goes wrong", run)
                run.kill()
            commands = commands_of(example.lines)
            if example.rule("skip"):
                self.counts["skipped"] += 1
            elif all(CONFIG_LINE.match(line) for line in example.lines if line.strip()):
                self.check_file(page, folder, example)
            elif is_command(self.mesh, commands):
                self.check_commands(page, folder, example, commands)
            else:
                self.counts["skipped"] += 1


def is_command(mesh, commands):
    word = commands[0].split()[0] if commands else ""
    return re.fullmatch(r"[\w./-]+", word) is not None and (
        word == "source" or shutil.which(word, path=mesh.environment["PATH"]) is not None
    )


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: man_examples.py BIN_DIR PAGE...")
    pages = [Path(page) for page in sys.argv[2:]]
    with tempfile.TemporaryDirectory(prefix="tulle-man.") as folder:
        mesh = Mesh(Path(sys.argv[1]).resolve(), Path(folder))
        check = Check(mesh)
        try:
            mesh.open()
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                for _ in pool.map(check.check_page, pages):
                    pass
        finally:
            mesh.close()
    for problem in check.problems:
        print(problem)
    counts = ", ".join(f"{count} {what}" for what, count in check.counts.items())
    print(f"{len(pages)} pages, {counts}, {len(check.problems)} problems")
    return 1 if check.problems or check.counts["commands"] < len(pages) else 0


if __name__ == "__main__":
    sys.exit(main())
