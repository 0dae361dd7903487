# SPDX-License-Identifier: BSD-3-Clause
"""Huge pages as the kernel counts them: by size, and by NUMA node where there are nodes.

https://docs.kernel.org/admin-guide/mm/hugetlbpage.html
"""
import collections
import re

from .system import Fault, printable
from .usage import unescape

ALL = "/sys/kernel/mm/hugepages"
NODES = "/sys/devices/system/node"
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

# Pages of one size on one node (None: of the whole machine).
Pages = collections.namedtuple("Pages", "node size total free surplus reserved")
Mount = collections.namedtuple("Mount", "path size mode uid gid")


def bytes_of(text):
    """2M, 1G, 2048kB, 4096: bytes; None: it is no size."""
    m = re.fullmatch(r"(\d+)\s*([KMGT]?)(?:i?B)?", text, re.I)
    return int(m[1]) * UNITS[m[2].upper()] if m else None


def human(size):
    """2M and 1G as they are, else with a decimal."""
    for unit in "TGMK":
        if size >= UNITS[unit]:
            return f"{size / UNITS[unit]:.1f}{unit}".replace(".0", "")
    return f"{size}B"


class Huge:
    def __init__(self, system):
        self.system = system
        self.sizes = sorted(int(m[1]) << 10 for m in
                            (re.fullmatch(r"hugepages-(\d+)kB", name) for name in system.list(ALL)) if m)
        self.nodes = sorted(int(m[1]) for m in (re.fullmatch(r"node(\d+)", n) for n in system.list(NODES))
                            if m and system.exists(f"{NODES}/{m[0]}/hugepages"))

    def meminfo(self, name, node=None):
        """Bytes of a line of /proc/meminfo, or of a node's; 0 if it is not there."""
        text = self.system.read("/proc/meminfo" if node is None else f"{NODES}/node{node}/meminfo") or ""
        m = re.search(rf"\b{re.escape(name)}:\s+(\d+) kB", text)
        return int(m[1]) << 10 if m else 0

    def default_size(self):
        return self.meminfo("Hugepagesize") or (self.sizes[0] if self.sizes else None)

    def check_size(self, size):
        if not self.sizes:
            raise Fault("this kernel has no huge pages (CONFIG_HUGETLBFS)")
        if size not in self.sizes:
            raise Fault(f"--size: there are no pages of {human(size)} here, but of {', '.join(map(human, self.sizes))}")

    def check_node(self, node):
        if node is not None and node not in self.nodes:
            raise Fault(f"--node {node}: there is no such NUMA node, but {', '.join(map(str, self.nodes)) or 'none'}")

    def folder(self, size, node):
        base = ALL if node is None else f"{NODES}/node{node}/hugepages"
        return f"{base}/hugepages-{size >> 10}kB"

    def pages(self, size, node=None):
        """Counts of now. reserved: promised to programs that have not touched them; known for the machine alone."""
        folder = self.folder(size, node)
        total, free, surplus = (self.system.number(f"{folder}/{name}_hugepages") or 0
                                for name in ("nr", "free", "surplus"))
        reserved = 0 if node is not None else self.system.number(f"{folder}/resv_hugepages") or 0
        return Pages(node, size, total, free, surplus, reserved)

    def rows(self):
        """Of each node and size."""
        return [self.pages(size, node) for node in self.nodes or [None] for size in self.sizes]

    def mounts(self):
        found = []
        for line in self.system.lines("/proc/self/mountinfo"):
            before, _, after = line.partition(" - ")
            f, fs = before.split(), after.split()
            if len(f) > 4 and fs and fs[0] == "hugetlbfs":
                m = re.search(r"pagesize=(\d+[KMG]?)", fs[-1])
                path = unescape(f[4])
                st = self.system.stat(path)
                found.append(Mount(path, bytes_of(m[1]) if m else self.default_size(),
                                   st and f"{st.st_mode & 0o7777:04o}", st and st.st_uid, st and st.st_gid))
        return found

    def users(self):
        """(pid, name, bytes) of processes that have huge pages mapped, as far as may be seen."""
        found = []
        for pid in self.system.processes():
            m = re.search(r"^HugetlbPages:\s+([1-9]\d*) kB", self.system.read(f"/proc/{pid}/status") or "", re.M)
            if m:
                found.append((pid, printable(self.system.read(f"/proc/{pid}/comm") or "?"), int(m[1]) << 10))
        return found
