# SPDX-License-Identifier: BSD-3-Clause
"""A made-up machine for tests: trees of /sys, /proc, /dev in a folder, and a kernel that acts on what is written.

The kernel's rules are those of drivers/pci/pci-driver.c (driver_override, drivers_probe, unbind) and VFIO.
"""
import collections
import contextlib
import errno
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import shutil
import sys

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "usertools"
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOOLS))
from plxtools.system import Fault, System  # noqa: E402 pylint: disable=wrong-import-position

Done = collections.namedtuple("Done", "code out err")
Stat = collections.namedtuple("Stat", "st_uid st_gid st_mode")

# What a plx-testpmd with these drivers says, whichever were built here.
DRIVERS = json.dumps({"drivers": [
    {"name": "null", "class": "net", "help": "null:", "pci": []},
    {"name": "e1000", "class": "net", "help": "pci:BDF", "pci": [{"vendor": "8086", "device": "10d3"}]}]})

NIC, NVME, BRIDGE, AUDIO = 0x020000, 0x010802, 0x060400, 0x040300


def load(name):
    """A program of usertools as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Machine(System):
    """The tree is made by the test; what changes it goes through here."""

    def __init__(self, root):
        super().__init__(str(root))
        self.uid, self.gids = 0, {0}
        self.limits = (8 << 20, 8 << 20)   # of locked memory
        self.fail = set()        # numbers of the writes that fail, from 0
        self.fail_from = None    # all from this one on
        self.writes = []         # (path, text), in order
        self.native = {}         # bdf -> driver that has its id
        self.refuses = set()     # (bdf, driver): its probe fails
        self.names = {}          # bdf -> class folder and name of its interface or controller
        self.modules = {"vfio-pci", "vfio_iommu_type1"}   # those that modprobe finds
        self.owners = {}         # path -> (uid, gid)
        self.modes = {"/dev/vfio/vfio": 0o666}   # path -> permissions, where they are not 0600
        self.addresses = {}      # interface -> IPv4 addresses
        self.nodes = True        # does /dev fill by itself?
        self.cdev = False        # has VFIO devices of their own, beside groups?
        self.held_disks, self.busy_nodes = set(), set()
        self.commands = {}       # program -> (code, output)
        for folder in ("/sys/bus/pci/devices", "/sys/bus/pci/drivers", "/sys/class/net", "/sys/class/block",
                       "/sys/class/nvme", "/sys/kernel/iommu_groups", "/sys/module", "/proc/self/ns", "/dev/vfio"):
            self.folder(folder)
        self.file("/proc/sys/kernel/osrelease", "6.1.0-made-up")
        self.symlink("net:[1]", "/proc/self/ns/net")
        self.symlink("mnt:[1]", "/proc/self/ns/mnt")
        self.file("/proc/self/mountinfo", "")
        self.file("/sys/bus/pci/drivers_probe", "")

    # --- making it

    def folder(self, path):
        os.makedirs(self.at(path), exist_ok=True)

    def file(self, path, text):
        self.folder(os.path.dirname(path))
        with open(self.at(path), "w", encoding="utf-8") as f:
            f.write(f"{text}\n" if text else "")

    def symlink(self, target, path):
        """target: absolute ones are below the root."""
        self.folder(os.path.dirname(path))
        if target.startswith("/"):
            target = os.path.relpath(self.at(target), os.path.dirname(self.at(path)))
        os.symlink(target, self.at(path))

    def module(self, name):
        self.folder(f"/sys/module/{name}")

    def add_driver(self, name):
        self.file(f"/sys/bus/pci/drivers/{name}/unbind", "")

    def device(self, bdf, cls=NIC, group=None, driver=None, name=None, ids="8086:10d3", node=-1, parent=""):
        """name: interface or controller that its own driver makes."""
        real = f"/sys/devices/pci0000:00/{parent}{bdf}"
        vendor, device = ids.split(":")
        for file, text in (("vendor", f"0x{vendor}"), ("device", f"0x{device}"), ("subsystem_vendor", "0x1af4"),
                           ("subsystem_device", "0x1100"), ("class", f"0x{cls:06x}"), ("numa_node", str(node)),
                           ("driver_override", "(null)")):
            self.file(f"{real}/{file}", text)
        self.symlink(real, f"/sys/bus/pci/devices/{bdf}")
        if group is not None:
            self.folder(f"/sys/kernel/iommu_groups/{group}/devices")
            self.symlink(f"/sys/kernel/iommu_groups/{group}", f"{real}/iommu_group")
            self.symlink(real, f"/sys/kernel/iommu_groups/{group}/devices/{bdf}")
        if name:
            self.names[bdf] = ("nvme" if cls == NVME else "net", name)
        if driver:
            self.native[bdf] = driver if driver != "vfio-pci" else None
            self.add_driver(driver)
            self.attach(bdf, driver)
        return real

    def disk(self, name, bdf_or_folder, devno, *partitions):
        """A block device below a controller, with (name, number) of its partitions."""
        real = self.real(f"/sys/bus/pci/devices/{bdf_or_folder}") if ":" in bdf_or_folder else bdf_or_folder
        for n, number in ((name, devno),) + partitions:
            folder = f"{real}/{name}" + ("" if n == name else f"/{n}")
            self.file(f"{folder}/dev", number)
            self.folder(f"{folder}/holders")
            self.symlink(folder, f"/sys/class/block/{n}")
            self.file(f"/dev/{n}", "")

    def process(self, pid, comm, opened=(), **spaces):
        self.file(f"/proc/{pid}/comm", comm)
        self.folder(f"/proc/{pid}/fd")
        for i, path in enumerate(opened):
            os.symlink(path, self.at(f"/proc/{pid}/fd/{i}"))
        for space, name in {"net": "net:[1]", "mnt": "mnt:[1]", **spaces}.items():
            self.symlink(name, f"/proc/{pid}/ns/{space}")

    # --- the kernel

    def group_of(self, bdf):
        return self.link(f"/sys/bus/pci/devices/{bdf}/iommu_group")

    def attach(self, bdf, driver):
        path = f"/sys/bus/pci/devices/{bdf}"
        if (bdf, driver) in self.refuses:
            return
        if driver == "vfio-pci":
            if self.group_of(bdf) is None:
                raise OSError(errno.EINVAL, "Invalid argument")
            name = f"vfio{int(bdf[-1])}"   # the folder is there since Linux 6.1, the number with the device
            self.folder(f"{path}/vfio-dev/{name}")
            if self.cdev:
                self.file(f"{path}/vfio-dev/{name}/dev", "510:0")
            for node in [self.group_of(bdf)] + ([f"devices/{name}"] if self.cdev else []):
                if self.nodes:
                    self.file(f"/dev/vfio/{node}", "")
        elif driver == self.native.get(bdf) and bdf in self.names:
            cls, name = self.names[bdf]
            self.folder(f"{path}/{cls}/{name}")
            self.symlink(f"{self.real(path)}/{cls}/{name}", f"/sys/class/{cls}/{name}")
        self.symlink(f"/sys/bus/pci/drivers/{driver}", f"{self.real(path)}/driver")

    def detach(self, bdf):
        path = f"/sys/bus/pci/devices/{bdf}"
        driver = self.link(f"{path}/driver")
        os.unlink(self.at(f"{path}/driver"))
        if driver == "vfio-pci":
            shutil.rmtree(self.at(f"{path}/vfio-dev"))
            if self.exists(f"/dev/vfio/devices/vfio{int(bdf[-1])}"):
                os.unlink(self.at(f"/dev/vfio/devices/vfio{int(bdf[-1])}"))
            group = self.group_of(bdf)
            if not any(self.link(f"/sys/bus/pci/devices/{b}/driver") == "vfio-pci"
                       for b in self.list(f"/sys/kernel/iommu_groups/{group}/devices")):
                if self.exists(f"/dev/vfio/{group}"):
                    os.unlink(self.at(f"/dev/vfio/{group}"))
                self.owners.pop(f"/dev/vfio/{group}", None)
        elif driver == self.native.get(bdf) and bdf in self.names:
            os.unlink(self.at(f"/sys/class/{self.names[bdf][0]}/{self.names[bdf][1]}"))

    def step(self, path, text):
        n = len(self.writes)
        self.writes.append((path, text))
        if n in self.fail or self.fail_from is not None and n >= self.fail_from:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write(self, path, text):
        self.step(path, text)
        assert self.exists(path), path
        text = text.rstrip("\n")
        if path.endswith("/driver_override"):
            self.file(path, text or "(null)")
        elif path.endswith("/driver/unbind"):
            self.detach(text)
        elif path == "/sys/bus/pci/drivers_probe":
            override = self.read(f"/sys/bus/pci/devices/{text}/driver_override")
            driver = override if override != "(null)" else self.native.get(text)
            if driver and self.exists(f"/sys/bus/pci/drivers/{driver}"):
                self.attach(text, driver)
        else:
            self.other_write(path, text)

    def other_write(self, path, text):
        self.file(path, text)

    def replace(self, path, text):
        self.step(path, text)
        super().replace(path, text)

    def chown(self, path, uid, gid):
        self.step(path, f"{uid}:{gid}")
        old = self.stat(path)
        self.owners[path] = (old.st_uid if uid == -1 else uid, old.st_gid if gid == -1 else gid)

    def stat(self, path):
        st = super().stat(path)
        return st and Stat(*self.owners.get(path, (0, 0)), st.st_mode & ~0o777 | self.modes.get(path, 0o600))

    def run(self, *command):
        if command[0] == "modprobe":
            name = command[-1]
            if name not in self.modules:
                return 1, f"modprobe: FATAL: Module {name} not found in directory /lib/modules/6.1.0-made-up"
            self.module(name.replace("-", "_"))
            if "iommu" not in name and name != "vfio":
                self.add_driver(name)
            return 0, ""
        return self.commands.get(os.path.basename(command[0]), (127, "not there"))

    def euid(self):
        return self.uid

    def user(self, name):
        return (self.uid, self.gids) if name is None else super().user(name)

    def access(self, path):
        st = self.stat(path)
        shift = 6 if st.st_uid == self.uid else 3 if st.st_gid in self.gids else 0
        return st.st_mode >> shift & 6 == 6

    def memlock(self):
        return self.limits

    def ipv4(self, interface):
        return list(self.addresses.get(interface, []))

    def held(self, path):
        return path in self.held_disks

    def busy(self, path):
        return path in self.busy_nodes

    def sync(self, fd):
        pass

    def sleep(self, seconds):
        pass

    def steady(self):
        pass

    def deaf(self):
        pass


def run(program, system, *argv):
    """A run of a program's main(): exit code, output, complaints."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = program.main(list(argv), system)
        except Fault as fault:
            code = fault.code
            print(fault, file=sys.stderr)
        except SystemExit as end:
            code = end.code
    return Done(code, out.getvalue(), err.getvalue())


def run_json(program, system, *argv):
    done = run(program, system, *argv, "--json")
    return done.code, json.loads(done.out)


def snapshot(system, *folders):
    """Paths, links and texts below folders: two are equal if nothing has changed."""
    found = {}
    for folder in folders:
        for here, names, files in os.walk(system.at(folder)):
            for name in names + files:
                path = os.path.join(here, name)
                key = os.path.relpath(path, system.root)
                if os.path.islink(path):
                    found[key] = os.readlink(path)
                elif os.path.isfile(path):
                    found[key] = pathlib.Path(path).read_text(encoding="utf-8")
                else:
                    found[key] = None
    return found
