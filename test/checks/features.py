#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""features.py ROOT [--write]: pmd/X/features.ini says what the driver's table of operations says.

Every optional operation that the driver gives is a `yes` row, every `yes` row is given; a `no` row
says why. Names come from lib/ethdev/ethdev_pmd.h and lib/ethdev/offload.c. A driver of several generations names them
in [generations], with what each was tested on; a row may say `yes, not GEN: why`. Offloads of a generation are those of
its `struct e1000_gen` (const struct X_gen X_gen_GEN). [tested] has the same for a driver without generations.

All of it together is the page doc/guide/features.md, which --write writes and the check compares.
"""
import configparser
import os
import re
import sys

import tree


def operations(root):
    """Required and optional members of struct plx_eth_ops; those that NULL does for are neither."""
    text = "\n".join(tree.lines(root, "lib/ethdev/ethdev_pmd.h"))
    body = re.search(r"^struct plx_eth_ops \{(.*?)^\};", text, re.M | re.S).group(1)
    required, rest = body.split("/* NULL: nothing to do */")
    optional = rest.split("/* optional */")[1]
    member = re.compile(r"\(\*(\w+)\)\(|\bplx_\w+_fn (\w+);")

    def names(part):
        return {a or b for a, b in member.findall(part) if not (a or b).endswith("_fn")}

    return names(required), names(optional)


def offload_names(root, kind):
    text = "\n".join(tree.lines(root, "lib/ethdev/offload.c"))
    function = re.search(rf"plx_{kind}_offload_name\(.*?\n\}}", text, re.S).group(0)
    return set(re.findall(r'"([a-z-]+)"', function))


def given(root, folder):
    """The members that the driver's struct plx_eth_ops sets, or None."""
    for name in tree.files(root, ".c"):
        if name.startswith(folder + "/"):
            text = "\n".join(tree.lines(root, name))
            found = re.search(r"struct plx_eth_ops \w+ = \{(.*?)^\};", text, re.M | re.S)
            if found:
                return set(re.findall(r"\.(\w+)\s*=", found.group(1)))
    return None


# Offloads as programs name them and as the code does.
MACROS = {"checksum": "CKSUM", "vlan-strip": "VLAN_STRIP", "rss-hash": "RSS_HASH", "scatter": "SCATTER",
          "timestamp": "TIMESTAMP", "lro": "LRO", "qinq-strip": "QINQ_STRIP", "outer-checksum": "OUTER_CKSUM",
          "ip-checksum": "IP_CKSUM", "tcp-checksum": "TCP_CKSUM", "udp-checksum": "UDP_CKSUM",
          "sctp-checksum": "SCTP_CKSUM", "vlan-insert": "VLAN", "qinq-insert": "QINQ", "tso": "TSO",
          "multi-segment": "MULTI_SEG"}
PAGE = "doc/guide/features.md"
HEAD = """# Features

What each driver has: made of `pmd/X/features.ini`, which a check compares with the code, by
`test/checks/features.py . --write`. A number says why not, below the table; an empty cell, that the driver says nothing
of it: it has none. What the words mean is in [`plx_ethdev.h`](../../lib/ethdev/plx_ethdev.h), what each driver
does of it on the page [drivers](drivers.md).

"""


def generation(root, folder, name):
    """The text of the driver's struct of a generation, or None."""
    for file in tree.files(root, ".c"):
        if file.startswith(folder + "/"):
            found = re.search(rf"^const struct \w+_gen \w+_gen_{name} = \{{(.*?)^\}};",
                              "\n".join(tree.lines(root, file)), re.M | re.S)
            if found:
                return found[1]
    return None


class Driver:
    def __init__(self, root, folder):
        self.name = folder + "/features.ini"
        self.driver = os.path.basename(folder)
        self.faults = []
        self.generations, self.code = {}, {}
        self.given = given(root, folder)
        self.table = configparser.ConfigParser(allow_no_value=True)
        self.there = os.path.exists(os.path.join(root, self.name))
        if self.there:
            self.table.read(os.path.join(root, self.name), encoding="utf-8")
        self.generations = dict(self.table.items("generations")) if self.table.has_section("generations") else {}
        self.code = {name: generation(root, folder, name) for name in self.generations}

    def fault(self, text):
        self.faults.append(f"{self.name}: {text}")

    def rows(self, section):
        rows = dict(self.table.items(section)) if self.table.has_section(section) else {}
        for key, value in rows.items():
            part = re.fullmatch(r"yes, not ([\w ]+): \S.*", value or "")
            if part:
                for name in part[1].split():
                    if name not in self.generations:
                        self.fault(f"[{section}] {key}: {name} is not in [generations]")
            elif not re.fullmatch(r"yes|no, \S.*", value or ""):
                self.fault(f"[{section}] {key} = {value}: say yes, or no and why")
        return {key: (value or "").startswith("yes") for key, value in rows.items()}

    def cell(self, section, key, gen):
        """(has it, why not) of a row for a generation (None: the driver has none)."""
        value = self.table.get(section, key, fallback=None)
        if value is None:
            return False, None
        part = re.fullmatch(r"yes, not ([\w ]+): (.*)", value)
        if part:
            return (False, part[2]) if gen in part[1].split() else (True, None)
        return (True, None) if value == "yes" else (False, value.partition(", ")[2])

    def check_generation(self, gen, kind, known):
        if self.code[gen] is None:
            self.fault(f"[generations] {gen}: there is no struct of that name")
            return
        text = re.search(rf"\.{kind}_offloads = (.*?),\n\t\.", self.code[gen], re.S)
        has = set(re.findall(r"OFFLOAD_(\w+)", text[1])) if text else set()
        for name in known:
            if self.cell(f"{kind} offloads", name, gen)[0] != (MACROS[name] in has):
                self.fault(f"[{kind} offloads] {name}: the table and the generation {gen} differ")

    def check(self, required, optional, offloads):
        if self.given is None:
            return self.faults
        if not self.there:
            self.fault("is missing")
            return self.faults
        for name in sorted(required - self.given):
            self.fault(f"the driver lacks the required operation {name}")
        rows = self.rows("operations")
        for name in sorted(self.given & optional):
            if not rows.get(name):
                self.fault(f"the driver has {name}, the table does not say so")
        for name, yes in rows.items():
            if name not in optional:
                self.fault(f"{name} is no optional operation of struct plx_eth_ops")
            elif yes and name not in self.given:
                self.fault(f"the driver lacks {name}, the table promises it")
        for kind, known in offloads.items():
            for name in self.rows(f"{kind} offloads"):
                if name not in known:
                    self.fault(f"{name} is no {kind} offload")
            for gen in self.generations:
                self.check_generation(gen, kind, known)
        return self.faults


def page(drivers, optional, offloads):
    columns = [(d, gen) for d in drivers if d.given is not None for gen in (d.generations or [None])]
    notes, lines = [], []
    heads = [f"`{d.driver}`" + (f" {gen}" if gen else "") for d, gen in columns]

    def note(text):
        if text not in notes:
            notes.append(text)
        return str(notes.index(text) + 1)

    for title, section, names in [("operation", "operations", optional)] + \
            [(f"{kind.upper()} offload", f"{kind} offloads", known) for kind, known in offloads.items()]:
        lines += [f"| {title} | " + " | ".join(heads) + " |", "|---" * (len(columns) + 1) + "|"]
        for name in sorted(names):
            cells = [d.cell(section, name, gen) for d, gen in columns]
            cells = ["yes" if has else note(why) if why else "" for has, why in cells]
            if any(cells):
                lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
        lines.append("")
    lines += ["Why not:", ""] + [f"{i}. {text}" for i, text in enumerate(notes, 1)] + [""]
    tested = [(head, d.generations[gen] if gen else d.table.get("tested", "on", fallback=""))
              for head, (d, gen) in zip(heads, columns)]
    lines += ["Tested on:", "", "| driver | on |", "|---|---|"] + [f"| {h} | {t} |" for h, t in tested if t] + [""]
    return HEAD + "\n".join(lines)


def main(root, write):
    required, optional = operations(root)
    offloads = {kind: offload_names(root, kind) for kind in ("rx", "tx")}
    folders = sorted({"/".join(name.split("/")[:2]) for name in tree.files(root, ".c")
                      if name.startswith("pmd/") and name.count("/") > 1})
    drivers = [Driver(root, folder) for folder in folders]
    faults = []
    for driver in drivers:
        faults += driver.check(required, optional, offloads)
    path = os.path.join(root, PAGE)
    if write or os.path.exists(path):
        made = page(drivers, optional, offloads)
        if write:
            with open(path, "w", encoding="utf-8") as file:
                file.write(made)
        elif made != "\n".join(tree.lines(root, PAGE)).rstrip("\n") + "\n":
            faults.append(f"{PAGE}: is not what the tables say: run test/checks/features.py . --write")
    tree.finish("features", faults)


main(sys.argv[1], "--write" in sys.argv[2:])
