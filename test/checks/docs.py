#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""docs.py ROOT [TESTPMD [CC]]: the documentation says what is there.

Relative links in *.md lead somewhere, also to a heading. Public functions have a comment. README.md has the
suites of test/run.sh. The options of TESTPMD --help are those of its guide page and its man page, and so are its
commands. The ```c blocks of a page, together, compile as one C file with CC.
"""
import os
import re
import subprocess
import sys
import textwrap

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^[ ]*```c\n(.*?)^[ ]*```", re.M | re.S)
FENCED = re.compile(r"^[ ]*```.*?^[ ]*```", re.M | re.S)
OPTION = re.compile(r"--[a-z][a-z-]*")
COMMANDS = "doc/guide/testpmd-commands.md"
DPDK = "doc/guide/testpmd-for-dpdk-users.md"
GUIDE, MAN = "doc/guide/testpmd.md", "doc/man/plx-testpmd.1"
WARN = "-fsyntax-only -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-function " \
       "-Wno-unused-parameter".split()


def read(root, name):
    return "\n".join(tree.lines(root, name))


def anchors(text):
    """What headings are called in a link."""
    names = re.findall(r"^#+ +(.*)$", FENCED.sub("", text), re.M)
    return {re.sub(r" ", "-", re.sub(r"[^\w\- ]", "", n.lower())) for n in names}


def check_links(root, faults):
    for name in tree.files(root, ".md"):
        for target in LINK.findall(FENCED.sub("", read(root, name))):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not os.path.exists(os.path.join(root, there)):
                faults.append(f"{name}: link to {target}: there is no such file")
            elif anchor and anchor not in anchors(read(root, there)):
                faults.append(f"{name}: link to {target}: there is no such heading")


def check_comments(root, faults):
    filter_py = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/doxygen_filter.py")
    for name in tree.files(root, ".h"):
        if re.match(r"lib/\w+/(plx_\w+|\w+_pmd|\w+_lib)\.h$", name):
            missing = subprocess.run(
                [sys.executable, "-B", filter_py, "--missing", os.path.join(root, name)],
                capture_output=True, text=True, check=True).stdout.split()
            faults += [f"{name}: {function}() has no comment" for function in missing]


def check_suites(root, faults):
    script = os.path.join(root, "test", "run.sh")
    if not os.path.exists(script):
        return
    listed = subprocess.run(["bash", script, "--list"], capture_output=True, text=True).stdout
    real = {tuple(word.strip() for word in (row.split("|") + [""] * 5)[:5])
            for row in listed.splitlines()}
    rows = re.findall(r"^\| `([\w-]+)`(?: \(`--all`\))? \| (\d+) \| (.*) \|$", read(root, "README.md"), re.M)
    want = {(name, minutes, what) for name, minutes, _, _, what in real}
    faults += [f"README.md: suite {' | '.join(row)}: not in the table" for row in sorted(want - set(rows))]
    faults += [f"README.md: suite {' | '.join(row)}: not in test/run.sh --list"
               for row in sorted(set(rows) - want)]


def check_options(root, testpmd, faults):
    shown = subprocess.run([testpmd, "--help"], capture_output=True, text=True).stdout
    real = set(re.findall(r"^  (--[a-z-]+)", shown, re.M))
    guide, man = read(root, GUIDE), read(root, MAN).replace("\\-", "-")
    rows = set(re.findall(r"^\| `(--[a-z-]+)", guide, re.M))
    items = set(re.findall(r"^\.(?:BI|B|BR) (--[a-z-]+)", man, re.M))
    for page, said, used in ((GUIDE, rows, OPTION.findall(guide)), (MAN, items, OPTION.findall(man))):
        faults += [f"{page}: {o} is missing" for o in sorted(real - said)]
        faults += [f"{page}: plx-testpmd has no {o}" for o in sorted((said | set(used)) - real)]


def check_commands(root, testpmd, faults):
    shown = subprocess.run([testpmd, "--commands"], capture_output=True, text=True).stdout
    real = {re.split(r"  +", line.strip())[0] for line in re.findall("^  [a-z?].*", shown, re.M)}
    if not real:
        return
    guide = read(root, COMMANDS).replace("\\|", "|")
    man = read(root, MAN).replace("\\-", "-")
    for page, said in ((COMMANDS, set(re.findall(r"^\| `([^`]+)` \|", guide, re.M))),
                       (MAN, set(re.findall(r"^\.B \"([^\"]+)\"", man, re.M)))):
        faults += [f"{page}: command '{c}' is missing" for c in sorted(real - said)]
        faults += [f"{page}: plx-testpmd has no command '{c}'" for c in sorted(said - real)]


def check_dpdk(root, testpmd, faults):
    """What the middle column of the tables beside DPDK's says is there."""
    if not os.path.exists(os.path.join(root, DPDK)):
        return
    shown = subprocess.run([testpmd, "--help"], capture_output=True, text=True).stdout
    real = set(re.findall(r"^  (--[a-z-]+)", shown, re.M))
    commands = subprocess.run([testpmd, "--commands"], capture_output=True, text=True).stdout
    for column in re.findall(r"^\|[^|]*\|([^|]*)\|[^|]*\|$", read(root, DPDK), re.M):
        for said in re.findall(r"`([^`]+)`", column):
            known = said.split(" ")[0] in real if said.startswith("-") else \
                re.search(rf"^ *{re.escape(said)}\b", commands, re.M)
            if not known:
                faults.append(f"{DPDK}: plx-testpmd has no {said}")


def check_code(root, compiler, faults):
    folders = sorted({os.path.dirname(n) for n in tree.files(root, ".h") if n.startswith("lib/")})
    include = [f"-I{os.path.join(root, f)}" for f in folders + ["test/unit"]]
    for name in tree.files(root, ".md"):
        code = "\n".join(textwrap.dedent(block) for block in BLOCK.findall(read(root, name)))
        if not code:
            continue
        done = subprocess.run([*compiler, "-x", "c", *WARN, "-DPLX_PLAIN_RUNNER", *include, "-"],
                              input=code, capture_output=True, text=True)
        if done.returncode != 0:
            faults.append(f"{name}: its C does not compile:\n{textwrap.indent(done.stderr, '  ')}")


def main():
    root, faults = sys.argv[1], []
    check_links(root, faults)
    check_comments(root, faults)
    check_suites(root, faults)
    if len(sys.argv) > 2:
        check_options(root, sys.argv[2], faults)
        check_dpdk(root, sys.argv[2], faults)
        check_commands(root, sys.argv[2], faults)
    check_code(root, sys.argv[3:] or ["cc"], faults)
    tree.finish("docs", faults)


main()
