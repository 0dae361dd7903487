#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""man.py ROOT PROGRAM...: every program has a man page, which formats without a warning and has the
options of its --help; so has the options table of its guide page, if it has one here."""
import os
import re
import shutil
import subprocess
import sys

import tree

# Programs whose commands have a help of their own, and guide pages with a table of options.
COMMANDS = {"plx-stats": ["list", "show", "watch"], "plx-bind": ["status", "bind", "unbind", "restore"],
            "plx-hugepages": ["show", "reserve", "clear", "mount"]}
GUIDE = {"plx-stats": "doc/guide/stats.md"}
OPTION = re.compile(r"--[a-z][a-z0-9-]*")


def options(program):
    """What --help says there is."""
    found = set()
    for command in [[]] + [[c] for c in COMMANDS.get(os.path.basename(program), [])]:
        shown = subprocess.run([program, *command, "--help"], capture_output=True, text=True).stdout
        found |= set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z0-9-]*)", shown, re.M))
    return found


def compare(page, said, real, name, faults):
    faults += [f"{page}: {o} is missing" for o in sorted(real - said)]
    faults += [f"{page}: {name} has no {o}" for o in sorted(said - real)]


def check_options(root, program, page, faults):
    name = os.path.basename(program)
    text = "\n".join(tree.lines(root, page)).replace("\\-", "-")
    said = {o for line in re.findall(r"^\.TP\n\.(?:B|BI|BR) (.*)", text, re.M) for o in OPTION.findall(line)}
    compare(page, said, options(program), name, faults)
    if name in GUIDE:
        rows = re.findall(r"^\| (`--.*?) \|", "\n".join(tree.lines(root, GUIDE[name])), re.M)
        compare(GUIDE[name], {o for row in rows for o in OPTION.findall(row)}, options(program), name, faults)


def formatter():
    """A command that says on standard error what is wrong with a page."""
    if shutil.which("groff"):
        return ["groff", "-man", "-Tutf8", "-ww", "-z"]
    if shutil.which("man"):
        return ["man", "--warnings", "-l"]
    return None


def main():
    root, faults, command = sys.argv[1], [], formatter()
    for program in sys.argv[2:]:
        page = f"doc/man/{os.path.basename(program)}.1"
        if os.path.exists(os.path.join(root, page)):
            check_options(root, program, page, faults)
        else:
            faults.append(f"{page}: there is none")
    for page in tree.files(root, ".1"):
        if not page.startswith("doc/man/"):
            continue
        done = subprocess.run([*(command or ["true"]), os.path.join(root, page)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        faults += [f"{page}: {line}" for line in done.stderr.splitlines()]
    if command is None and not faults:
        tree.skip("neither groff nor man is installed: how pages format was not looked at")
    tree.finish("man", faults)


main()
