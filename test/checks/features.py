#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""features.py ROOT: pmd/X/features.ini says what the driver's table of operations says.

Every optional operation that the driver gives is a `yes` row, every `yes` row is given; a `no` row
says why. Names come from lib/ethdev/ethdev_pmd.h and lib/ethdev/offload.c.
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


class Driver:
    def __init__(self, root, folder):
        self.name = folder + "/features.ini"
        self.faults = []
        self.given = given(root, folder)
        self.table = configparser.ConfigParser(allow_no_value=True)
        self.there = os.path.exists(os.path.join(root, self.name))
        if self.there:
            self.table.read(os.path.join(root, self.name), encoding="utf-8")

    def fault(self, text):
        self.faults.append(f"{self.name}: {text}")

    def rows(self, section):
        rows = dict(self.table.items(section)) if self.table.has_section(section) else {}
        for key, value in rows.items():
            if not re.fullmatch(r"yes|no, \S.*", value or ""):
                self.fault(f"[{section}] {key} = {value}: say yes, or no and why")
        return {key: (value or "").startswith("yes") for key, value in rows.items()}

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
        return self.faults


def main(root):
    required, optional = operations(root)
    offloads = {kind: offload_names(root, kind) for kind in ("rx", "tx")}
    folders = sorted({"/".join(name.split("/")[:2]) for name in tree.files(root, ".c")
                      if name.startswith("pmd/") and name.count("/") > 1})
    faults = []
    for folder in folders:
        faults += Driver(root, folder).check(required, optional, offloads)
    tree.finish("features", faults)


main(sys.argv[1])
