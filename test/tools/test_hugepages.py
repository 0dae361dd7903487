#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-hugepages on made-up machines: two NUMA nodes, memory that runs out, pages that others use. Prints TAP.

usage: test_hugepages.py [SUBSTRING]
"""
import errno
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
import tap  # noqa: E402 pylint: disable=wrong-import-position,import-error
from machine import TOOLS, Machine, load, run, run_json  # noqa: E402 pylint: disable=wrong-import-position

tool = load("plx-hugepages")
M, G = 1 << 20, 1 << 30


class Pool:
    """Pages of one size on one node, counted by the rules of set_max_huge_pages() in mm/hugetlb.c."""

    def __init__(self, room):
        self.total = self.free = self.surplus = 0
        self.room = room   # so many can be found

    def set_persistent(self, count):
        # surplus pages are the first that become persistent
        self.surplus -= min(self.surplus, max(count - (self.total - self.surplus), 0))
        more = min(max(count - (self.total - self.surplus), 0), max(self.room - self.total, 0))
        fewer = min(max(self.total - self.surplus - count, 0), self.free)
        self.total += more - fewer
        self.free += more - fewer
        self.surplus += max(self.total - self.surplus - count, 0)   # used ones go when they are freed


class HugeMachine(Machine):
    """With pools of 2 MiB and 1 GiB pages on each of the nodes; nodes=0: no NUMA."""

    def __init__(self, root, nodes=2, room=1024, memory=64 * G):
        super().__init__(root)
        self.nodes_n = nodes
        self.pools = {(node, size): Pool(room if size == 2 * M else 1) for node in range(max(nodes, 1))
                      for size in (2 * M, G)}
        self.reserved = {2 * M: 0, G: 0}
        self.compacted = 0
        self.file("/proc/meminfo", f"MemTotal: {memory >> 10} kB\nMemFree: {memory >> 10} kB\n"
                  f"MemAvailable: {memory >> 10} kB\nHugepagesize:    2048 kB")
        for node in range(nodes):
            self.file(f"/sys/devices/system/node/node{node}/meminfo",
                      f"Node {node} MemFree: {memory // nodes >> 10} kB\nNode {node} Inactive(file): 0 kB")
        self.file("/proc/sys/vm/compact_memory", "")
        self.publish()

    def publish(self):
        for size, reserved in self.reserved.items():
            mine = {node: p for (node, s), p in self.pools.items() if s == size}
            folder = f"/sys/kernel/mm/hugepages/hugepages-{size >> 10}kB"
            self.file(f"{folder}/resv_hugepages", str(reserved))
            for name, word in (("nr", "total"), ("free", "free"), ("surplus", "surplus")):
                self.file(f"{folder}/{name}_hugepages", str(sum(getattr(p, word) for p in mine.values())))
                for node in range(self.nodes_n):
                    self.file(f"/sys/devices/system/node/node{node}/hugepages/hugepages-{size >> 10}kB/"
                              f"{name}_hugepages", str(getattr(mine[node], word)))

    def other_write(self, path, text):
        if path.endswith("compact_memory"):
            self.compacted += 1
            return
        assert path.endswith("/nr_hugepages"), path
        size = int(path.split("hugepages-")[1].split("kB")[0]) << 10
        if "/node/node" in path:
            self.pools[int(path.split("/node/node")[1].split("/")[0]), size].set_persistent(int(text))
        else:
            pools = [p for (_, s), p in self.pools.items() if s == size]
            for i, p in enumerate(pools):
                p.set_persistent(int(text) // len(pools) + (i < int(text) % len(pools)))
        self.publish()

    def use(self, node, size, n):
        self.pools[node, size].free -= n
        self.publish()


def ok(m, *argv):
    done = run(tool, m, *argv)
    assert done.code == 0, (argv, done)
    return done


def totals(m, size=2 * M):
    return [p.total for (_, s), p in m.pools.items() if s == size]


def test_reserve(tmp):
    m = HugeMachine(tmp)
    assert "64 pages of 2M are free, 64 in all: 64 more than before" in ok(m, "reserve", "128M").out
    assert totals(m) == [32, 32]
    ok(m, "reserve", "100", "--node", "1", "--size", "2M")
    assert totals(m) == [32, 100]
    ok(m, "reserve", "1G", "--size", "1G", "--node", "0")
    assert totals(m, G) == [1, 0]
    writes = len(m.writes)
    assert "nothing had to be done" in ok(m, "reserve", "100").out   # there are more
    assert len(m.writes) == writes and totals(m) == [32, 100]
    ok(m, "reserve", "201M", "--node", "0")   # rounded up
    assert totals(m) == [101, 100]


def test_reserve_beside_others(tmp):
    """So many are free for a new program, whatever others use or were promised."""
    m = HugeMachine(tmp)
    ok(m, "reserve", "64", "--node", "0")
    m.use(0, 2 * M, 60)
    ok(m, "reserve", "64", "--node", "0")
    assert totals(m) == [124, 0] and m.pools[0, 2 * M].free == 64
    m.reserved[2 * M] = 10
    m.publish()
    ok(m, "reserve", "64", "--node", "0")
    assert totals(m) == [134, 0]
    ok(m, "reserve", "80")
    assert sum(p.free for p in m.pools.values()) == 90


def test_surplus(tmp):
    """Pages that are there only as long as they are used become reserved ones first."""
    m = HugeMachine(tmp)
    p = m.pools[0, 2 * M]
    p.total, p.surplus = 5, 5
    m.publish()
    ok(m, "reserve", "8", "--node", "0")
    assert (p.total, p.free, p.surplus) == (13, 8, 0)


def test_no_numa(tmp):
    m = HugeMachine(tmp, nodes=0)
    ok(m, "reserve", "16")
    assert totals(m) == [16]
    assert "-     2M    16" in ok(m).out
    done = run(tool, m, "reserve", "1", "--node", "0")
    assert done.code == 1 and "no such NUMA node" in done.err


def test_fewer(tmp):
    m = HugeMachine(tmp, room=10)
    done = run(tool, m, "reserve", "64", "--node", "0")
    assert done.code == 1 and "got 10 of 64 pages of 2M on node 0" in done.err, done
    assert "memory is fragmented" in done.err and m.compacted == 1
    code, out = run_json(tool, m, "reserve", "3G", "--size", "1G")
    assert code == 1 and out["missing"] == 1 and out["total"] == 2 and "at boot" in out["why"], out
    # what there is not cannot be had, and trying would only drive others out
    m = HugeMachine(tmp / "small", memory=G)
    writes = len(m.writes)
    for argv in (["reserve", "2G"], ["reserve", "600M", "--node", "1"]):
        done = run(tool, m, *argv)
        assert done.code == 1 and "are available; nothing was changed" in done.err and not done.out, done
    assert len(m.writes) == writes
    m.file("/sys/devices/system/node/node1/meminfo",
           f"Node 1 MemFree: {G >> 11} kB\nNode 1 Inactive(file): {G >> 11} kB")
    ok(m, "reserve", "600M", "--node", "1")   # what files take can be taken back
    assert totals(m) == [0, 300]
    m = HugeMachine(tmp / "smaller", memory=G)
    m.file("/proc/meminfo", "MemFree: 1024 kB\nHugepagesize: 2048 kB")
    m.pools[0, 2 * M].room = m.pools[1, 2 * M].room = 0
    assert "1M are free (MemFree), and 20M more were needed" in run(tool, m, "reserve", "10").err


def test_clear(tmp):
    m = HugeMachine(tmp)
    ok(m, "reserve", "64", "--node", "0")
    ok(m, "reserve", "1", "--size", "1G", "--node", "0")
    ok(m, "reserve", "8", "--node", "1")
    m.use(0, 2 * M, 20)
    assert "nothing was" not in ok(m, "clear", "-n").out and totals(m) == [64, 8]
    done = ok(m, "clear", "--size", "2M")
    assert "gave 44 pages of 2M on node 0 back; 20 are used or promised and stay" in done.out, done
    assert totals(m) == [20, 0] and totals(m, G) == [1, 0]
    assert m.pools[0, 2 * M].surplus == 0   # they stay reserved when their program ends
    ok(m, "clear")
    assert totals(m, G) == [0, 0]
    assert "nothing to give back" in ok(m, "clear").out


def test_clear_keeps_promises(tmp):
    m = HugeMachine(tmp)
    ok(m, "reserve", "16", "--node", "0")
    m.reserved[2 * M] = 5
    m.publish()
    ok(m, "clear")
    assert totals(m) == [5, 0]
    ok(m, "clear")
    assert totals(m) == [5, 0]


def test_write_fails(tmp):
    m = HugeMachine(tmp)
    m.fail_from = 0
    for argv in (["reserve", "4"],):
        done = run(tool, m, *argv)
        assert done.code == 1 and "nr_hugepages: " + os.strerror(errno.EIO) in done.err, done


def test_mount(tmp):
    m = HugeMachine(tmp)
    ran = []
    m.run = lambda *command: ran.append(command) or (0, "")
    ok(m, "mount", "--mode", "0770", "--owner", "65534:12")
    assert ran == [("mount", "-t", "hugetlbfs", "-o", "pagesize=2M,mode=0770,uid=65534,gid=12", "hugetlbfs",
                    "/dev/hugepages")]
    assert m.exists("/dev/hugepages")
    ok(m, "mount", "--size", "1G")
    assert ran[1][4:] == ("pagesize=1G", "hugetlbfs", "/dev/hugepages-1G")
    m.file("/proc/self/mountinfo", "30 20 0:30 / /dev/hugepages rw,relatime shared:1 - hugetlbfs none rw,pagesize=2M")
    assert "is mounted already" in ok(m, "mount").out and len(ran) == 2
    ok(m, "mount", "--mode", "0700")
    assert ran[2][4] == "remount,mode=0700"
    assert "has pages of 2M mounted already" in run(tool, m, "mount", "/dev/hugepages", "--size", "1G").err
    m.file("/mnt/x/y", "z")
    assert "is not empty" in run(tool, m, "mount", "/mnt/x").err
    m.run = lambda *command: (32, "mount: permission denied")
    done = run(tool, m, "mount", "/mnt/new")
    assert done.code == 1 and "permission denied" in done.err
    assert not m.exists("/mnt/new")   # what it made for the mount is gone again


def test_show(tmp):
    m = HugeMachine(tmp)
    ok(m, "reserve", "64", "--node", "1")
    m.use(1, 2 * M, 3)
    m.reserved[2 * M] = 2
    m.publish()
    m.folder("/dev/hugepages")
    m.file("/proc/self/mountinfo", "30 20 0:30 / /dev/hugepages rw,relatime shared:1 - hugetlbfs none rw,pagesize=2M")
    m.process(77, "plx-testpmd")
    m.file("/proc/77/status", "Name: x\nHugetlbPages:\t    6144 kB")
    m.process(78, "other")
    m.file("/proc/78/status", "Name: x\nHugetlbPages:\t       0 kB")
    out = ok(m).out
    for want in ("1     2M    64     61    3     128M", "2 free pages of 2M are promised",
                 "/dev/hugepages: pages of 2M, mode 0600, of user root", "process 77 (plx-testpmd) has 6M"):
        assert want in out, out
    assert "78" not in out
    code, out = run_json(tool, m, "show")
    assert code == 0 and list(out) == ["version", "default_size", "pages", "reserved", "mounts", "users"]
    assert out["pages"][2] == {"node": 1, "size": 2 * M, "total": 64, "free": 61, "surplus": 0, "reserved": 0,
                               "used": 3}
    assert out["users"] == [{"pid": 77, "program": "plx-testpmd", "bytes": 6 * M}]
    _, out = run_json(tool, m, "reserve", "1")
    assert list(out) == ["version", "command", "dry_run", "size", "node", "asked", "total_before", "total", "free",
                         "missing", "why"]
    _, out = run_json(tool, m, "clear")
    assert list(out) == ["version", "command", "dry_run", "pages"]
    assert list(out["pages"][0]) == ["node", "size", "total_before", "total", "kept"]


def test_ordinary_user_and_usage(tmp):
    m = HugeMachine(tmp)
    m.uid = 1000
    for argv in (["reserve", "1"], ["clear"], ["mount"]):
        done = run(tool, m, *argv)
        assert done.code == 1 and "needs root" in done.err
        assert run(tool, m, *argv, "-n").code == 0
    assert not m.writes
    for argv in (["reserve"], ["reserve", "x"], ["reserve", "1", "--size", "y"], ["reserve", "1", "--node", "z"],
                 ["--json"], ["reserve", "-3"]):
        assert run(tool, m, *argv, "-n").code == 2, argv
    assert "there are no pages of 4M here, but of 2M, 1G" in run(tool, m, "reserve", "1", "--size", "4M", "-n").err
    assert "no huge pages" in ok(Machine(tmp / "none")).out


def test_this_machine(_):
    done = subprocess.run([sys.executable, "-B", TOOLS / "plx-hugepages", "show", "--json"], capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout)["version"] == 1, done


if __name__ == "__main__":
    sys.exit(tap.run(globals(), sys.argv[1] if len(sys.argv) > 1 else ""))
