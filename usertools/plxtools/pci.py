# SPDX-License-Identifier: BSD-3-Clause
"""PCI devices as sysfs has them: what they are, their drivers, their IOMMU groups."""
import json
import os
import re
import shutil
import sys

from .system import Fault, printable

DEVICES = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
GROUPS = "/sys/kernel/iommu_groups"
BDF = re.compile(r"(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\.([0-7])")
PCI_IDS = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/var/lib/pciutils/pci.ids"]
# In a group that is used by a program the kernel allows these, and devices without a driver.
# https://docs.kernel.org/driver-api/vfio.html; struct pci_driver's driver_managed_dma.
HARMLESS = ("pci-stub", "pcieport", "shpchp")


def full_bdf(text):
    """0000:03:00.1 for 3:0.1 and the like; None: it is no such address."""
    m = BDF.fullmatch(text)
    return f"{int(m[1] or '0', 16):04x}:{int(m[2], 16):02x}:{int(m[3], 16):02x}.{m[4]}" if m else None


class Device:
    """One device. What can change while we run is asked anew each time."""

    def __init__(self, system, bdf):
        self.system, self.bdf, self.path = system, bdf, f"{DEVICES}/{bdf}"
        self.vendor, self.device, self.subvendor, self.subdevice = (
            self.number(f) for f in ("vendor", "device", "subsystem_vendor", "subsystem_device"))
        self.cls = self.number("class")
        node = system.number(f"{self.path}/numa_node")
        self.node = None if node is None or node < 0 else node

    def number(self, file):
        return self.system.number(f"{self.path}/{file}") or 0

    def ids(self):
        return f"{self.vendor:04x}:{self.device:04x}"

    def kind(self):
        return "net" if self.cls >> 16 == 0x02 else "nvme" if self.cls >> 8 == 0x0108 else "other"

    def is_bridge(self):
        """To another bus: nothing for programs, and harmless in a group, whatever its driver."""
        return self.cls >> 8 in (0x0604, 0x0609)

    def driver(self):
        return self.system.link(f"{self.path}/driver")

    def override(self):
        """The driver that alone may bind, or None."""
        text = self.system.read(f"{self.path}/driver_override")
        return None if text in (None, "", "(null)") else text

    def group(self):
        """The number of the IOMMU group as text, or None; of a real IOMMU, or of no-IOMMU mode."""
        return self.system.link(f"{self.path}/iommu_group")

    def no_iommu(self):
        """Is its group one that VFIO made up, without an IOMMU behind it?"""
        return self.group() is not None and \
            self.system.read(f"{GROUPS}/{self.group()}/name") == "vfio-noiommu"

    def members(self):
        """All devices of the group, itself too."""
        return [Device(self.system, bdf) for bdf in self.system.list(f"{GROUPS}/{self.group()}/devices")
                if full_bdf(bdf)]

    def in_the_way(self):
        """Devices of the group whose drivers keep a program from having it; those without one do not."""
        return [d for d in self.members() if d.bdf != self.bdf and not d.is_bridge() and
                not (d.driver() is None or d.driver() in HARMLESS or is_vfio(d.driver()))]

    def nodes(self):
        """Files below /dev through which a program has it: the group's, and the device's own."""
        if not is_vfio(self.driver()) or self.group() is None:
            return []
        nodes = [f"/dev/vfio/{'noiommu-' if self.no_iommu() else ''}{self.group()}"]
        folder = f"{self.path}/vfio-dev"   # with a number only in kernels that have CONFIG_VFIO_DEVICE_CDEV
        return nodes + [f"/dev/vfio/devices/{name}" for name in self.system.list(folder)
                        if self.system.exists(f"{folder}/{name}/dev")]

    def real(self):
        return self.system.real(self.path)

    def interfaces(self):
        return below(self.system, self.real(), "/sys/class/net")

    def disks(self):
        """Block devices, partitions too. An NVMe namespace with several paths belongs to each."""
        found = below(self.system, self.real(), "/sys/class/block")
        for name in list(found):
            m = re.fullmatch(r"(nvme\d+)c\d+(n\d+)", name)
            head = m and m[1] + m[2]
            if head and self.system.exists(f"/sys/class/block/{head}"):
                found.remove(name)
                found += [head] + below(self.system, self.system.real(f"/sys/class/block/{head}"),
                                        "/sys/class/block")
        return found

    def controllers(self):
        return below(self.system, self.real(), "/sys/class/nvme")


def is_vfio(driver):
    return driver is not None and (driver == "vfio-pci" or driver.endswith(("-vfio-pci", "_vfio_pci")))


def below(system, real, folder):
    """Entries of a class that are parts of a device."""
    return [name for name in system.list(folder)
            if system.real(f"{folder}/{name}").startswith(real + "/")]


def all_devices(system):
    if not system.exists(DEVICES):
        raise Fault(f"{DEVICES} is not there: this kernel has no PCI, or /sys is not mounted")
    return [Device(system, bdf) for bdf in system.list(DEVICES) if full_bdf(bdf)]


def find(system, text, remembered=None):
    """The device of an address, an interface, or an NVMe controller or namespace."""
    bdf = full_bdf(text)
    if bdf is not None:
        if system.exists(f"{DEVICES}/{bdf}"):
            return Device(system, bdf)
        raise Fault(f"{text}: there is no PCI device {bdf}; plx-bind status lists those there are")
    name = text[len("/dev/"):] if text.startswith("/dev/") else text
    for folder in ("net", "nvme", "block") if "/" not in name else ():
        if not system.exists(f"/sys/class/{folder}/{name}"):
            continue
        for part in reversed(system.real(f"/sys/class/{folder}/{name}").split("/")):
            if full_bdf(part) == part and system.exists(f"{DEVICES}/{part}"):
                return Device(system, part)
        raise Fault(f"{text}: is no PCI device, or belongs to several: name one by its address, as in 0000:03:00.0")
    for bdf, was in (remembered or {}).items():
        if name in was.get("names", []) and system.exists(f"{DEVICES}/{bdf}"):
            return Device(system, bdf)
    raise Fault(f"{text}: is no PCI address (0000:03:00.0, 03:00.0), and no network interface or NVMe device "
                "here has this name")


class Names:
    """What vendors call their devices: the system's pci.ids, if there is one."""

    def __init__(self, system, devices):
        self.names = {}
        vendors = {f"{d.vendor:04x}": d.vendor for d in devices}
        wanted = {(d.vendor, f"\t{d.device:04x}"): d.device for d in devices}
        path = next((p for p in PCI_IDS if system.exists(p)), None)
        vendor = None   # the one whose devices follow, if it is wanted
        for line in system.lines(path) if path else ():
            if line.startswith("C "):   # classes: vendors have ended
                break
            if line[:1] not in ("\t", "#", ""):
                vendor = vendors.get(line[:4])
                if vendor is not None:
                    self.names[vendor] = printable(line[6:])
            elif (vendor, line[:5]) in wanted:
                self.names[vendor, wanted[vendor, line[:5]]] = printable(line[7:])

    def vendor(self, d):
        return self.names.get(d.vendor)

    def device(self, d):
        return self.names.get((d.vendor, d.device))


class Drivers:
    """Which devices Pollux drives: plx-testpmd says what it was built with."""

    def __init__(self, system):
        self.rows, self.known = [], False
        beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "plx-testpmd")
        program = beside if os.access(beside, os.X_OK) else shutil.which("plx-testpmd")
        code, text = system.run(program, "--drivers") if program else (127, "")
        try:
            drivers = json.loads(text)["drivers"] if code == 0 else None
        except (ValueError, KeyError):
            drivers = None
        for driver in drivers or ():
            self.rows += [(driver["name"], {k: int(v, 16) for k, v in ids.items()}) for ids in driver["pci"]]
        self.known = drivers is not None

    def of(self, d):
        """The driver's name, or None."""
        for name, ids in self.rows:
            if all(getattr(d, key) == value for key, value in ids.items()):
                return name
        return None
