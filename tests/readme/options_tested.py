#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Every option of tulle-node, of tulle-proxy and of every command of tulle is in a test of processes.

One that a program has for itself is in a file of tests/proc that is named for it, or is given below;
one that all but tulle-proxy share is in test_shared_options.c, which gives it to each of them, and
those that tell of a program are there for it too. This cannot see whether what an option does is
asserted, only that nobody has forgotten it."""

import re
import sys
from pathlib import Path

from manual import Option, ask

SHARED = "shared_options"
TELLING = {"--help", "--help-all", "--help-table", "--version"}
MORE = {
    "doctor": ["doctor_kit.c"],
    "ls": ["view_kit.c"],
    "graph": ["view_kit.c"],
    "node": ["test_daemon.c"],
    "proxy": ["test_wan.c"],
}


def strings_of(path):
    """What stands in its string literals, which may look like comments and the other way round."""
    parts = r'/\*.*?\*/|"((?:[^"\\]|\\.)*)"'
    return " ".join(re.findall(parts, path.read_text(encoding="utf-8"), flags=re.S))


def is_in(strings, option):
    if re.search(rf"(?<![\w-]){re.escape(option.name)}(?![\w-])", strings):
        return True
    return option.letter and re.search(rf"(?:^| ){re.escape(option.letter)}", strings)


def main(bin_dir, test_dir):
    tulle = bin_dir / "tulle"
    table = ask(tulle, "--help-table").splitlines()
    names = [line.split("\t")[1] for line in table if line.startswith("command\t")]
    programs = {name: ("tulle " + name, [tulle, name]) for name in names}
    for name in ("node", "proxy"):
        programs[name] = (f"tulle-{name}", [bin_dir / f"tulle-{name}"])
    shared = strings_of(test_dir / f"test_{SHARED}.c")
    count, problems = 0, []
    for name, (shown, call) in programs.items():
        files = [test_dir / more for more in MORE.get(name, [])]
        files += test_dir.glob(f"test_{name}.c")
        files += test_dir.glob(f"test_{name}_*.c")
        strings = " ".join(strings_of(path) for path in files)
        for line in ask(*call, "--help-table").splitlines():
            fields = line.split("\t")
            if fields[0] != "option":
                continue
            option = Option(fields[1:])
            count += 1
            is_shared = is_in(shared, option) and (name != "proxy" or option.name in TELLING)
            if not is_shared and not is_in(strings, option):
                problems.append(f"{shown} {option.name} is in no test of processes")
    for problem in problems:
        print(problem)
    print(f"{count} options of {len(programs)} programs, {len(problems)} problems")
    return 1 if problems or count < 500 else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: options_tested.py BIN_DIR TEST_DIR")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
