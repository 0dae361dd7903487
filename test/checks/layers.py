#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""layers.py ROOT: compares every #include of lib, pmd, app and examples with the layer table.

The table in lib/meson.build says what a library may include. The rules that are no library's:

  lib/X       its own headers; public headers (plx_*.h) of what its row names, and of what
              these may include in turn; headers for drivers (pmd_headers) of those it names
  lib/ethdev, lib/blkdev   know no PCI, although dev below them does
  pmd/X       its own headers and those for programs and drivers; never another driver's, the
              kernel's VFIO and iommufd interfaces or the transport interface
  app, examples   their own headers and those for programs
  linux/vfio.h, linux/iommufd.h   transports in lib/pci alone
  sockets     lib/pci for transports, lib/netif for interfaces of the kernel; no other library
"""
import ast
import os
import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
KERNEL_DEVICE = {"linux/vfio.h", "linux/iommufd.h"}
SOCKETS = {"sys/socket.h", "sys/un.h", "netinet/in.h", "arpa/inet.h", "netdb.h"}
TRANSPORT = "plx_pci_transport.h"
BLIND = {"ethdev": {"pci"}, "blkdev": {"pci"}}


def table(root):
    text = "\n".join(tree.lines(root, "lib/meson.build"))
    return ast.literal_eval(re.search(r"^layers = (\[.*?^\])", text, re.M | re.S).group(1))


def closures(layers, faults):
    """name -> the libraries it may include; a row may only name rows above it."""
    allowed = {}
    for name, below in layers:
        allowed[name] = set()
        for other in below:
            if other not in allowed or other == name:
                faults.append(f"lib/meson.build: {name} names {other}, which is not above it")
                continue
            allowed[name] |= {other} | allowed[other]
    return allowed


class Tree:
    def __init__(self, root):
        self.root = root
        self.faults = []
        self.allowed = closures(table(root), self.faults)
        self.sources = tree.files(root, ".c", ".h")
        self.owner = {}      # header -> "lib/X" | "pmd/X" | ...
        for name in self.sources:
            part = name.split("/")
            if name.endswith(".h") and len(part) > 2 and part[0] in ("lib", "pmd", "app"):
                self.own(part[-1], "/".join(part[:2]))
        self.for_drivers = set()
        for name in tree.files(root, "meson.build"):
            text = "\n".join(tree.lines(root, name))
            for found in re.findall(r"pmd_headers\s*\+?=\s*files\(([^)]*)\)", text):
                self.for_drivers |= set(re.findall(r"'([^']+)'", found))

    def own(self, header, folder):
        if self.owner.setdefault(header, folder) != folder and folder.startswith("lib/"):
            self.faults.append(f"{folder}/{header}: {self.owner[header]} has a header of this name")

    def folders(self):
        """Every folder with code is a row of a table."""
        for name in self.sources:
            part = name.split("/")
            if part[0] == "lib" and len(part) > 2 and part[1] not in self.allowed:
                self.faults.append(f"{name}: lib/{part[1]} is not in the table of lib/meson.build")

    def judge(self, name, header):
        """Why the file must not include the header, or None."""
        part = name.split("/")
        kind, mine = part[0], "/".join(part[:2])
        beside = os.path.normpath(os.path.join(os.path.dirname(name), header))
        if beside.startswith(mine + "/") and os.path.exists(os.path.join(self.root, beside)):
            return None
        header = os.path.basename(header) if os.path.basename(header) in self.owner else header
        if header in KERNEL_DEVICE | SOCKETS:
            if mine == "lib/pci" or (header in SOCKETS and (kind != "lib" or mine == "lib/netif")):
                return None
            return "is for the transports in lib/pci"
        owner = self.owner.get(header)
        if owner is None or owner == mine:
            return None
        if owner.startswith(("pmd/", "app/")):
            return f"belongs to {owner}"
        public = header.startswith("plx_")
        if not public and not (kind in ("lib", "pmd") and header in self.for_drivers):
            return f"is a private header of {owner}"
        if kind == "pmd" and header == TRANSPORT:
            return "describes transports, which no driver knows"
        if kind == "lib":
            library = owner.split("/")[1]
            if library not in self.allowed.get(part[1], set()):
                return f"is not below lib/{part[1]} in lib/meson.build"
            if library in BLIND.get(part[1], set()):
                return f"is unknown to lib/{part[1]}"
        return None

    def check(self):
        self.folders()
        for name in self.sources:
            if name.split("/")[0] not in ("lib", "pmd", "app", "examples"):
                continue
            for number, line in enumerate(tree.lines(self.root, name), 1):
                found = INCLUDE.match(line)
                why = self.judge(name, found.group(2)) if found else None
                if why:
                    self.faults.append(f"{name}:{number}: {found.group(2)} {why}")
        return self.faults


if __name__ == "__main__":
    tree.finish("layers", Tree(sys.argv[1]).check())
