#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""The manual pages and the programs tell of the same options.

For tulle-node, tulle-proxy and every command that tulle itself names: each option that the program
has is described in its page, or in one that the page refers to for it, with the same letter, a value
of the same name or none, and every fixed choice; and each option that a page describes is there. And
--help and --help-all list what --help-table, from which all that is known here, lists; and what the
examples at the end of --help are given is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

SHARED = ("tulle.1", "tulle.conf.5")
MACROS = {"Ar", "Cm", "Fl", "Li", "Ns", "Oc", "Oo", "Op", "Pq", "Xc", "Xo", "Pa", "No"}


class Option:
    def __init__(self, fields):
        (self.name, self.letter, self.shape, _, rarity, self.arg, choices, self.help) = fields
        self.is_rare = rarity == "rare"
        self.choices = choices.split()


class Item:
    """What a page describes behind ".It Fl"."""

    def __init__(self, letters, names, value, is_optional):
        self.letters, self.names, self.value, self.is_optional = letters, names, value, is_optional
        self.text = ""


class Page:
    def __init__(self, path):
        self.name = path.name
        self.items = {}
        self.keys = set()
        self.mentioned = set()
        self.text = path.read_text(encoding="utf-8")
        self.refs = set(
            f"{name}.{section}" for name, section in re.findall(r"^\.Xr (\S+) (\d)", self.text, re.M)
        )
        item = None
        for line in self.text.splitlines():
            for name in re.findall(r"(?:\bFl|,) (?:Fl )?-([a-z][a-z-]+)", line):
                if line.startswith((".It Fl", ".Fl", ".Op", ".Nm")):
                    self.mentioned.add("--" + name)
            if line.startswith(".It"):
                item = self.add(line) if line.startswith(".It Fl") else None
                self.keys.update(re.findall(r"[a-z][a-z0-9_]*", line) if ".It Li" in line else ())
            elif line.startswith((".Sh", ".Ss")):
                item = None
            elif item is not None:
                item.text += line + "\n"

    def add(self, line):
        words = line.split()[1:]
        letters, names, value, at = [], [], [], 0
        while at < len(words):
            if words[at] == "Fl" and at + 1 < len(words):
                word = words[at + 1]
                if word.startswith("-"):
                    names.append("-" + word)
                else:
                    letters.append("-" + word)
                at += 1
            elif words[at] not in MACROS and words[at] not in (",", "="):
                # The name of its value; ", --other" in a list of names goes on with names.
                if words[at].startswith("-") and not value:
                    names.append("-" + words[at])
                else:
                    value.append(words[at])
            at += 1
        item = Item(letters, names, plain(" ".join(value)), re.search(r" O[po] =", line) is not None)
        item.text = line + "\n"
        for name in names:
            self.items[name] = item
        return item


def plain(text):
    return re.sub(r"\\\(..|\\.", "", text).lower().translate(
        str.maketrans("", "", " ,.=/:[]|_-'\"")
    )


def ask(program, *args):
    return subprocess.run(
        [program, *args], check=True, capture_output=True, text=True, timeout=60
    ).stdout


class Check:
    def __init__(self, bin_dir, man_dir):
        self.bin_dir = bin_dir
        self.problems = []
        self.count = 0
        self.pages = {path.name: Page(path) for path in man_dir.glob("*.[15]")}
        self.all_options = set()
        self.options = {}
        self.example_count = 0

    def wrong(self, text):
        self.problems.append(text)

    def commands(self):
        """Each as (name of its page, how it is called)."""
        tulle = self.bin_dir / "tulle"
        table = ask(tulle, "--help-table").splitlines()
        names = [line.split("\t")[1] for line in table if line.startswith("command\t")]
        if len(names) < 5:
            self.wrong("tulle --help-table names fewer than 5 commands")
        found = [(f"tulle-{name}.1", [tulle, name]) for name in names]
        top = self.pages["tulle.1"]
        for name in names:
            if f".It Cm {name}\n" not in top.text or f"tulle-{name}.1" not in top.refs:
                self.wrong(f"tulle.1: command {name} is not in the list with a reference to its page")
            if f"  {name} " not in ask(tulle, "--help"):
                self.wrong(f"tulle --help: command {name} is not in the list")
        for name in ("tulle-node", "tulle-proxy"):
            found.append((f"{name}.1", [self.bin_dir / name]))
        return found

    def describing(self, page, option):
        """The page and the item that tell of the option; (page, None) for a key of tulle.conf."""
        if option.name in page.items:
            return page, page.items[option.name]
        for name in sorted(page.refs):
            other = self.pages.get(name)
            is_meant = name == "tulle.1" or option.name in page.mentioned
            if other is not None and is_meant and option.name in other.items:
                return other, other.items[option.name]
        conf = self.pages["tulle.conf.5"]
        key = option.name[2:].replace("-", "_")
        # tulle(1) refers to tulle.conf(5) for all commands.
        if option.is_rare and page.refs & {"tulle.1", "tulle.conf.5"} and key in conf.keys:
            return conf, None
        return None, None

    def check_option(self, page, command, option):
        self.count += 1
        other, item = self.describing(page, option)
        if other is None:
            self.wrong(f"{page.name}: {command} {option.name} is not described")
            return
        if item is None or len(item.names) > 1:
            return
        where = f"{other.name}: {option.name}"
        letters = [option.letter] if option.letter else []
        if item.letters != letters and not (other is not page and not letters):
            self.wrong(f"{where}: letters are {item.letters}, {command} has {letters}")
        value = plain(option.arg) if option.shape != "flag" else ""
        if plain(option.arg or "value") != item.value and (value or item.value):
            # A page may name the choices instead.
            if item.value != "".join(plain(choice) for choice in option.choices):
                self.wrong(f"{where}: value is '{item.value}', {command} --help calls it '{value}'")
        if (option.shape == "optional") != item.is_optional:
            self.wrong(f"{where}: that its value is optional is not the same for {command}")
        for choice in option.choices:
            if not re.search(rf"(?<![\w-]){re.escape(choice)}(?![\w-])", item.text):
                self.wrong(f"{where}: choice {choice} of {command} is not told of")

    def check_help(self, call, command, options):
        """The text of --help has what the table has."""
        lists = {
            "--help": [option.name for option in options if not option.is_rare],
            "--help-all": [option.name for option in options],
        }
        for flag, wanted in lists.items():
            listed = re.findall(r"^  (?:-\S, |    )(--[a-z][a-z-]*)", ask(*call, flag), re.M)
            for name in sorted(set(wanted) ^ set(listed)):
                self.wrong(f"{command} {flag}: {name} is only in {'the table' if name in wanted else 'it'}")

    def check_examples(self, text, where):
        """Options of the commands that begin lines, or parts of a pipe, are there."""
        for line in re.sub(r"\\\n", " ", text).splitlines():
            for part in re.split(r" \| | && ", line):
                try:
                    words = shlex.split(part, comments=True)
                except ValueError:
                    continue
                name = " ".join(words[: 2 if words[:1] == ["tulle"] else 1])
                if not line.startswith("  ") or name not in self.options:
                    continue
                self.example_count += 1
                known = {letter for letter in self.options[name] if len(letter) == 2}
                for word in words[1:]:
                    if word.startswith("--") and word.partition("=")[0] not in self.options[name]:
                        self.wrong(f"{where}: {name} has no option {word}")
                    elif re.match(r"-[A-Za-z]", word) and word[:2] not in known:
                        self.wrong(f"{where}: {name} has no option {word[:2]}")

    def check_command(self, page_name, call):
        command = page_name[:-2].replace("tulle-", "tulle ", 1) if len(call) > 1 else call[0].name
        rows = [line.split("\t") for line in ask(*call, "--help-table").splitlines()]
        options = [Option(row[1:]) for row in rows if row[0] == "option"]
        self.all_options.update(option.name for option in options)
        self.options[command] = {option.name for option in options} | {
            option.letter for option in options
        }
        page = self.pages.get(page_name)
        if page is None:
            self.wrong(f"{page_name}: there is no such page, for {command}")
            return
        for option in options:
            self.check_option(page, command, option)
        known = {option.name for option in options}
        if len(known) != len(options):
            self.wrong(f"{command} has an option twice")
        for name in sorted(set(page.items) - known):
            self.wrong(f"{page_name}: {name} is described, but {command} has no such option")
        self.check_help(call, command, options)

    def run(self):
        commands = self.commands()
        for page_name, call in commands:
            self.check_command(page_name, call)
        for page_name, call in commands:
            self.check_examples(ask(*call, "--help"), f"--help that {page_name} is about")
        for page in self.pages.values():
            names = set(page.items) if page.name == "tulle.1" else page.mentioned
            for name in sorted(names - self.all_options):
                self.wrong(f"{page.name}: {name} is told of, but nothing has that option")
        for problem in self.problems:
            print(problem)
        print(f"{self.count} options, {self.example_count} examples, {len(self.problems)} problems")
        is_enough = self.count >= 150 and self.example_count >= 10
        if not is_enough:
            print("too few: the tables look different")
        return 0 if is_enough and not self.problems else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: manual.py BIN_DIR MAN_DIR")
    sys.exit(Check(Path(sys.argv[1]), Path(sys.argv[2])).run())
