# SPDX-License-Identifier: BSD-3-Clause
"""Why a device must not be taken away: who uses it."""
import collections
import ipaddress
import os
import re

from .pci import is_vfio
from .system import printable

Reason = collections.namedtuple("Reason", "reason text")   # a word for programs, a text for people
Mount = collections.namedtuple("Mount", "devno point source pid")

ROUTE_UP, ROUTE_REJECT = 0x1, 0x200   # linux/route.h
IFF_UP = 0x1                          # linux/if.h


def unescape(text):
    """Blanks in the tables of /proc are \\040 and the like."""
    return printable(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text))


class Usage:
    """Looks once at tables that are the whole machine's, then at one device after the other."""

    def __init__(self, system):
        self.system = system
        self.mounts = self.all_mounts()
        self.swaps = {self.block_name(unescape(line.split()[0])) for line in system.lines("/proc/swaps")[1:]
                      if line.split()}
        self.opened = self.all_opened()

    def reasons(self, device):
        """Reasons, each once, the weightiest first; empty: nobody uses it."""
        found = []
        for name in device.interfaces():
            found += self.of_interface(name)
        found += self.elsewhere(device)
        seen = set()
        disks = device.disks()
        for name in disks:
            found += self.of_disk(name, seen)
        for name in disks if self.system.euid() == 0 and not found else ():
            if self.system.held(f"/dev/{name}"):
                found.append(Reason("held", f"{name} is held by one alone: a file system, a pool, a RAID or a program"))
        for node in self.own_nodes(device, disks):
            found += [Reason("open", f"{node} is open in process {p}") for p in self.opened.get(node, ())]
        found += self.of_vfio(device)
        n = self.system.number(f"{device.path}/sriov_numvfs") or 0
        if n > 0:
            found.append(Reason("virtual-functions", f"it has {n} virtual functions, which would go with it"))
        return sorted(dict.fromkeys(found), key=lambda r: r.reason not in ("root-disk", "default-route"))

    # --- networks

    def of_interface(self, name):
        system, found = self.system, []
        routes = 0
        for line in system.lines("/proc/net/route")[1:]:
            f = line.split()
            if len(f) > 7 and f[0] == name and int(f[3], 16) & ROUTE_UP and not int(f[3], 16) & ROUTE_REJECT:
                routes += 1
                if f[1] == f[7] == "00000000":
                    found.append(Reason("default-route", f"the default route goes through {name}"))
        for line in system.lines("/proc/net/ipv6_route"):
            f = line.split()
            if len(f) == 10 and f[9] == name and not int(f[8], 16) & ROUTE_REJECT:
                own = f[0].startswith(("fe8", "ff")) or f[1] == "80"   # the kernel's own, of each interface
                routes += not own
                if f[1] == "00":
                    found.append(Reason("default-route", f"the default route (IPv6) goes through {name}"))
        addresses = system.ipv4(name)
        for line in system.lines("/proc/net/if_inet6"):
            f = line.split()
            if len(f) == 6 and f[5] == name:
                addresses.append(f"{ipaddress.IPv6Address(int(f[0], 16))}/{int(f[2], 16)}")
        found += [Reason("address", f"{name} has the address {a}") for a in addresses]
        if routes and not found:
            found.append(Reason("route", f"a route goes through {name}"))
        for entry in system.list(f"/sys/class/net/{name}"):
            if entry.startswith("upper_"):
                upper = entry[len("upper_"):]
                found.append(Reason(self.kind_of(upper), f"{name} is part of {printable(upper)}"
                                    f" ({self.kind_of(upper)})"))
        # What no table here shows: packet sockets, macvlans in containers, a namespace that is not the one of /sys.
        if not found and (system.number(f"/sys/class/net/{name}/flags") or 0) & IFF_UP:
            found.append(Reason("up", f"{name} is up: a program or another network namespace may use it; if none does, "
                                f"ip link set {name} down"))
        return found

    def kind_of(self, upper):
        """bond, bridge, vlan, ... or upper-device."""
        path = f"/sys/class/net/{upper}"
        for folder, kind in (("bonding", "bond"), ("bridge", "bridge")):
            if self.system.exists(f"{path}/{folder}"):
                return kind
        kind = re.search(r"^DEVTYPE=(\w+)$", self.system.read(f"{path}/uevent") or "", re.M)
        return kind[1] if kind else "upper-device"

    def elsewhere(self, device):
        """A NIC with the kernel's driver and without an interface: a container may have that."""
        driver = device.driver()
        if device.kind() != "net" or device.interfaces() or driver is None or is_vfio(driver) or \
                driver.startswith(("uio_", "igb_uio", "pci-stub")):
            return []
        here = self.system.link("/proc/self/ns/net")
        for pid in self.system.processes():
            there = self.system.link(f"/proc/{pid}/ns/net")
            if there is not None and there != here:
                return [Reason("namespace", f"{driver} drives it and it has no interface here: it may be in another "
                               f"network namespace, as process {pid} ({self.comm(pid)}) is")]
        if self.system.list("/run/netns"):
            return [Reason("namespace", f"{driver} drives it and it has no interface here: it may be in another "
                           f"network namespace (ip netns)")]
        return []

    # --- disks

    def all_mounts(self):
        """Of this mount namespace, and of those of other processes."""
        found, seen = [], set()
        for pid in ["self"] + self.system.processes():
            space = self.system.link(f"/proc/{pid}/ns/mnt")
            if pid != "self" and (space is None or space in seen):
                continue
            seen.add(space)
            for line in self.system.lines(f"/proc/{pid}/mountinfo"):
                before, _, after = line.partition(" - ")
                f, source = before.split(), after.split()
                if len(f) > 5 and len(source) > 1:
                    found.append(Mount(f[2], unescape(f[4]), unescape(source[1]), None if pid == "self" else pid))
        return found

    def block_name(self, path):
        """sda1 for a path below /dev, also through links such as /dev/mapper/x."""
        return os.path.basename(self.system.real(path) if path.startswith("/") else path)

    def of_disk(self, name, seen, via=""):
        """What a block device carries, itself and through those that are made of it."""
        if name in seen:
            return []
        seen.add(name)
        found, path = [], f"/sys/class/block/{name}"
        devno = self.system.read(f"{path}/dev")
        mounts = [m for m in self.mounts if m.devno == devno or
                  m.source.startswith("/") and self.block_name(m.source) == name]
        here = [m for m in mounts if m.pid is None]
        for m in here or mounts[:1]:   # containers have many mounts of one disk
            where = "" if m.pid is None else f" in the mount namespace of process {m.pid} ({self.comm(m.pid)})"
            if m.point == "/" and here:
                found.append(Reason("root-disk", f"{via}{name} has the root file system"))
            else:
                found.append(Reason("mounted", f"{via}{name} is mounted at {m.point}{where}"))
        if name in self.swaps:
            found.append(Reason("swap", f"{via}{name} is swap space"))
        for holder in self.system.list(f"{path}/holders"):
            kind, what = self.holder(holder)
            found.append(Reason(kind, f"{via}{name} is part of {what}"))
            found += self.of_disk(holder, seen, f"{via}{name} is part of {what}: ")
        return found

    def holder(self, name):
        path = f"/sys/class/block/{name}"
        label = printable(self.system.read(f"{path}/dm/name") or name)
        if (self.system.read(f"{path}/dm/uuid") or "").startswith("LVM-"):
            return "lvm", f"the LVM volume {label} ({name})"
        if self.system.exists(f"{path}/dm"):
            return "dm", f"the device-mapper volume {label} ({name})"
        if self.system.exists(f"{path}/md"):
            return "md", f"the RAID {name}"
        return "holder", name

    # --- processes

    def comm(self, pid):
        return printable(self.system.read(f"/proc/{pid}/comm") or "?")

    def all_opened(self):
        """{path below /dev: ["PID (name)", ...]}, of the processes that may be looked into."""
        found = {}
        for pid in self.system.processes():
            paths = set()
            for fd in self.system.list(f"/proc/{pid}/fd"):
                try:
                    paths.add(os.readlink(self.system.at(f"/proc/{pid}/fd/{fd}")))
                except OSError:
                    pass
            for path in paths:
                if re.match(r"/dev/(vfio/|uio|nvme|ng|sd|vd|dm-)", path):
                    found.setdefault(path, []).append(f"{pid} ({self.comm(pid)})")
        return found

    def own_nodes(self, device, disks):
        generic = [n.replace("nvme", "ng", 1) for n in disks if n.startswith("nvme")]
        uio = self.system.list(f"{device.path}/uio")
        return [f"/dev/{n}" for n in disks + generic + device.controllers() + uio]

    def of_vfio(self, device):
        for node in device.nodes():
            if node in self.opened:
                return [Reason("vfio-open", f"{node} is open in process {p}") for p in self.opened[node]]
            if self.system.euid() == 0 and self.system.busy(node):
                return [Reason("vfio-open", f"{node} is open in a program that cannot be seen from here")]
        return []
