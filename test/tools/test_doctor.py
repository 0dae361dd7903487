#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-doctor on made-up machines: a good one, and that one broken in each way. Prints TAP.

Each fault is one change of the good machine; the check that is to find it must, no other may, and what the doctor says
mends it is tried where a made-up machine can.

usage: test_doctor.py [SUBSTRING]
"""
import json
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
import tap  # noqa: E402 pylint: disable=wrong-import-position,import-error
from machine import (  # noqa: E402 pylint: disable=wrong-import-position
    AUDIO, BRIDGE, DRIVERS, TOOLS, Machine, load, run, run_json)

doctor, bind = load("plx-doctor"), load("plx-bind")
doctor.pci.shutil.which = lambda name: f"/usr/bin/{name}"
A, B = "0000:03:00.0", "0000:04:00.0"
NOBODY = 65534
G = 1 << 30


def good(tmp, owner="65534"):
    """All is well: two NICs, one of them given to a user who runs the doctor."""
    m = Machine(tmp)
    m.commands["plx-testpmd"] = (0, DRIVERS)
    m.device(A, group="7", driver="e1000e", name="eth1", node=0)
    m.device(B, group="8", driver="e1000e", name="eth2", node=0)
    m.file("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 intel_iommu=on quiet")
    m.file("/proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx")
    m.file("/proc/interrupts", " 24: 0 1 IR-PCI-MSI 1-edge eth0")
    m.file("/proc/self/status", "CapEff:\t0000000000000000")
    m.file("/proc/meminfo", "Hugepagesize: 2048 kB")
    m.folder("/sys/class/iommu/dmar0")
    m.file("/sys/firmware/acpi/tables/DMAR", "x")
    m.file("/dev/vfio/vfio", "")
    m.file("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"")
    m.file("/lib/modules/6.1.0-made-up/modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko: x\n"
           "kernel/drivers/vfio/vfio_iommu_type1.ko.xz: x")
    for base in ("/sys/kernel/mm/hugepages", "/sys/devices/system/node/node0/hugepages"):
        m.file(f"{base}/hugepages-2048kB/nr_hugepages", "64")
        m.file(f"{base}/hugepages-2048kB/free_hugepages", "64")
    m.file("/sys/devices/system/cpu/isolated", "2-3")
    m.file("/sys/devices/system/cpu/online", "0-3")
    m.file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance")
    done = run(bind, m, "bind", A, "--owner", owner)
    assert done.code == 0, done
    m.uid, m.gids = NOBODY, {NOBODY}
    return m


def remove(m, path):
    pathlib.Path(m.at(path)).unlink()


def examine(m, *argv):
    """{check: [(state, text, fix)]}, whether it can run, and all of it."""
    code, out = run_json(doctor, m, *argv)
    found = {}
    for f in out["checks"]:
        found.setdefault(f["check"], []).append((f["state"], f["text"], f["fix"]))
    assert code == (0 if out["can_run"] else 1)
    assert out["can_run"] == all(f["state"] != "wrong" for f in out["checks"])
    return found, out["can_run"], out


def only(m, check, state, *wants, argv=()):
    """This check says so, all others that all is well; the finding's remedy."""
    _, can_run, out = examine(m, *argv)
    bad = [f for f in out["checks"] if f["state"] != "ok"]
    assert [(f["check"], f["state"]) for f in bad] == [(check, state)], json.dumps(bad, indent=1)
    for want in wants:
        assert want in bad[0]["text"] + " / " + (bad[0]["fix"] or ""), bad
    assert can_run == (state == "warning")
    return bad[0]["fix"]


def test_good(tmp):
    m = good(tmp)
    found, can_run, out = examine(m)
    assert can_run and {state for rows in found.values() for state, _, _ in rows} == {"ok"}, found
    assert f"{A} (8086:10d3, e1000) is ready: /dev/vfio/7" in found["devices"][0][1]
    assert f"{B} (8086:10d3, e1000) is not for programs" in found["devices"][1][1]
    assert "(dmar0), 2 groups" in found["iommu"][0][1]
    assert "vfio-pci, vfio_iommu_type1 are loaded; devices are reached by their groups" in found["modules"][0][1]
    assert list(out) == ["version", "user", "can_run", "checks", "unseen"] and out["version"] == 1
    assert list(out["checks"][0]) == ["check", "state", "device", "text", "fix"]
    assert out["user"] == "nobody" and any("root sees them" in text for text in out["unseen"])
    done = run(doctor, m)
    assert done.code == 0 and done.out.endswith("Pollux can drive PCI devices as nobody\n"), done
    m.uid = 0
    assert examine(m)[2]["unseen"] == []


def no_groups(m):
    for bdf in (A, B):
        remove(m, f"/sys/devices/pci0000:00/{bdf}/iommu_group")
    for group in ("7", "8"):
        (pathlib.Path(m.at(f"/sys/kernel/iommu_groups/{group}"))).rename(m.at(f"/sys/{group}"))
    remove(m, f"/sys/devices/pci0000:00/{A}/driver")


def test_iommu(tmp):
    """Each reason why there may be none."""
    for i, (change, want, fix) in enumerate((
            (lambda m: m.file("/proc/cmdline", "quiet"), "the kernel does not use it", "sed -i 's/^GRUB_CMDLINE_LINUX"),
            (lambda m: m.file("/proc/cmdline", "intel_iommu=off"), "switched off by 'intel_iommu=off'", "take 'intel_"),
            (lambda m: m.file("/proc/cmdline", "iommu=off"), "switched off by 'iommu=off'", "take 'iommu=off'"),
            (lambda m: remove(m, "/sys/firmware/acpi/tables/DMAR"), "the firmware describes none", "firmware's setup"),
            (lambda m: (remove(m, "/sys/firmware/acpi/tables/DMAR"), m.file(
                "/proc/cpuinfo", "vendor_id : GenuineIntel\nflags : fpu hypervisor")),
             "this virtual machine has no IOMMU", "-device intel-iommu"),
            (lambda m: None, "the kernel did not start it", "dmesg"))):
        m = good(tmp / str(i))
        no_groups(m)
        change(m)
        found, can_run, _ = examine(m)
        state, text, mend = found["iommu"][0]
        assert (state, can_run) == ("wrong", False) and want in text and fix in mend, (text, mend)
        assert found["devices"][0][2] is None   # binding would not help
    for i, (vendor, word, want) in enumerate((
            ("AuthenticAMD", "amd_iommu=off", "switched off by 'amd_iommu=off'"),
            ("HygonGenuine", "x", "did not start it"))):
        m = good(tmp / f"amd{i}")
        no_groups(m)
        remove(m, "/sys/firmware/acpi/tables/DMAR")
        m.file("/sys/firmware/acpi/tables/IVRS", "x")
        m.file("/proc/cpuinfo", f"vendor_id : {vendor}")
        m.file("/proc/cmdline", word)
        assert want in examine(m)[0]["iommu"][0][1]
    m = good(tmp / "no-grub")
    no_groups(m)
    m.file("/proc/cmdline", "")
    remove(m, "/etc/default/grub")
    assert "add 'intel_iommu=on' to the kernel's command line" in examine(m)[0]["iommu"][0][2]
    m = good(tmp / "override")
    m.file("/proc/cmdline", "pcie_acs_override=downstream")
    only(m, "iommu", "warning", "pcie_acs_override=downstream makes groups smaller")


def test_no_iommu_mode(tmp):
    m = good(tmp)
    path = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
    m.file(path, "Y")
    assert only(m, "no-iommu", "warning", "no-IOMMU mode is on") == f"echo N > {path}"
    m.file("/sys/kernel/iommu_groups/7/name", "vfio-noiommu")
    m.file("/dev/vfio/noiommu-7", "")
    found, can_run, _ = examine(m, A)
    assert not can_run and "without an IOMMU" in found["groups"][0][1]


def test_modules(tmp):
    m = good(tmp)
    (pathlib.Path(m.at("/sys/module/vfio_iommu_type1"))).rmdir()
    fix = only(m, "modules", "wrong", "not loaded: vfio_iommu_type1")
    assert fix == "modprobe -a vfio_iommu_type1"
    m.run(*fix.split())
    assert examine(m)[1]
    (pathlib.Path(m.at("/sys/module/vfio_iommu_type1"))).rmdir()
    m.file("/dev/iommu", "")   # iommufd does it, too
    assert examine(m)[1] and examine(m)[0]["modules"][0][1] == "vfio-pci, iommufd are loaded"
    remove(m, "/dev/iommu")
    m.file("/lib/modules/6.1.0-made-up/modules.dep", "kernel/x.ko:")
    only(m, "modules", "wrong", "has no module vfio_iommu_type1", "cloud")


def test_interrupts(tmp):
    m = good(tmp)
    m.file("/proc/interrupts", " 24: 0 1 PCI-MSI 1-edge eth0")
    only(m, "interrupts", "wrong", "no program have a device", "x2APIC")
    m.file("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y")
    only(m, "interrupts", "warning", "a device can raise any interrupt")
    m.file("/proc/interrupts", " 24: 0 1 IR-PCI-MSI 1-edge eth0")
    only(m, "interrupts", "warning", "allow_unsafe_interrupts is on all the same", "echo N >")
    m.file("/proc/interrupts", "")
    for vendor in ("AuthenticAMD", "HygonGenuine"):
        m.file("/proc/cpuinfo", f"vendor_id : {vendor}")
        assert examine(m)[0]["interrupts"][0][0] == "warning"
    m.file("/proc/cpuinfo", "Processor : ARM")
    assert "interrupts" not in examine(m)[0]


def test_not_bound(tmp):
    m = good(tmp)
    m.uid = 0
    run(bind, m, "restore")
    m.uid = NOBODY
    found, can_run, _ = examine(m)
    assert not can_run and [f[0] for f in found["devices"]] == ["wrong", "wrong"]
    fix = found["devices"][0][2]
    assert fix == f"plx-bind bind --owner nobody {A}"
    m.uid = 0
    assert run(bind, m, *fix.split()[1:]).code == 0
    m.uid = NOBODY
    assert examine(m)[1]
    # by the name that its interface had
    assert examine(m, "eth1")[0]["devices"][0] == examine(m, A)[0]["devices"][0]
    # the other one was named
    found, can_run, _ = examine(m, A, B)
    assert not can_run and [f[0] for f in found["devices"]] == ["ok", "wrong"]
    m.addresses["eth2"] = ["192.0.2.1/24"]
    text, fix = examine(m, B)[0]["devices"][0][1:]
    assert "e1000e has it, not vfio-pci; it is in use: eth2 has the address" in text and fix is None


def test_permissions(tmp):
    m = good(tmp, owner="0")
    fix = only(m, "permissions", "wrong", "/dev/vfio/7 may not be opened by nobody: it belongs to root, mode 0600",
               argv=(A,))
    m.uid = 0
    assert run(bind, m, *fix.split()[1:]).code == 0
    m.uid = NOBODY
    assert examine(m, A)[1]
    # by the group of the file, or as root
    m.owners["/dev/vfio/7"], m.modes["/dev/vfio/7"] = (0, 12), 0o660
    assert not examine(m, A)[1]
    m.gids = {12, NOBODY}
    assert examine(m, A)[1]
    m.gids = {NOBODY}
    assert examine(m, A, "--user", "root")[1]
    m = good(tmp / "node")
    remove(m, "/dev/vfio/7")
    only(m, "permissions", "wrong", "/dev/vfio/7 is not there", "devtmpfs", argv=(A,))
    m = good(tmp / "container")
    m.modes["/dev/vfio/vfio"] = 0o600
    only(m, "permissions", "wrong", "/dev/vfio/vfio may not be opened", "chmod 0666")
    # a device's own file and iommufd do as well
    m = good(tmp / "cdev", owner="0")
    m.file("/dev/vfio/devices/vfio0", "")
    m.file(f"/sys/devices/pci0000:00/{A}/vfio-dev/vfio0/dev", "510:0")
    m.file("/dev/iommu", "")
    m.owners["/dev/vfio/devices/vfio0"] = (NOBODY, 0)
    assert not examine(m, A)[1]
    m.modes["/dev/iommu"] = 0o666
    assert examine(m, A)[1]


def test_groups(tmp):
    m = good(tmp)
    c = "0000:03:00.1"
    m.device("0000:00:1c.0", BRIDGE, "7", "pcieport")
    m.device(c, AUDIO, "7", "snd_x")
    found, can_run, _ = examine(m, A)
    assert not can_run and f"group 7 cannot be used: {c} still has a driver" in found["groups"][0][1]
    fix = found["groups"][0][2]
    assert fix == f"plx-bind bind --group --owner nobody {A}"
    m.uid = 0
    assert run(bind, m, *fix.split()[1:]).code == 0
    m.uid = NOBODY
    only(m, "acs", "warning", f"shares IOMMU group 7 with {c}", argv=(A,))


def test_acs(tmp):
    """Root sees which bridge does not keep devices apart."""
    def config(control):
        capabilities = {0x100: 0x0001 | 0x148 << 20, 0x148: 0x000d | (0x148 if control is None else 0) << 20}
        data = bytearray(4096)
        for at, header in capabilities.items():
            struct.pack_into("<I", data, at, header if control is not None else header & ~0xffff | 1)
        struct.pack_into("<H", data, 0x14e, control or 0)
        return bytes(data)

    for i, (control, lacks) in enumerate(((0x1d, False), (0x5f, False), (0x00, True), (0x11, True), (None, True))):
        m = Machine(tmp / str(i))
        m.commands["plx-testpmd"] = (0, DRIVERS)
        real = m.device("0000:00:1c.0", BRIDGE, "7", "pcieport", ids="8086:a298")
        m.device(A, group="7", driver="vfio-pci", parent="0000:00:1c.0/")
        m.device("0000:03:00.1", AUDIO, group="7", ids="8086:a170", parent="0000:00:1c.0/")
        pathlib.Path(m.at(f"{real}/config")).write_bytes(config(control))
        text = examine(m)[0]["acs"][0][1]
        assert ("the bridge 0000:00:1c.0 does not keep them apart" in text) == lacks, (control, text)
        pathlib.Path(m.at(f"{real}/config")).write_bytes(config(control)[:64])   # what users see
        assert "apart" not in examine(m)[0]["acs"][0][1]


def test_vfio_in_use(tmp):
    m = good(tmp)
    m.process(77, "plx-testpmd", ["/dev/vfio/7"])
    only(m, "devices", "warning", "open in process 77 (plx-testpmd)")


def test_memlock(tmp):
    m = good(tmp)
    m.limits = (64 << 10, 64 << 10)
    only(m, "memlock", "wrong", "nobody may lock 64K", "needs up to 8M", "nobody - memlock", "limits.d")
    m.limits = (64 << 10, G)
    assert only(m, "memlock", "wrong") == "ulimit -l $(ulimit -H -l)"
    m.file("/proc/self/status", "CapEff:\t0000000000004000")
    assert "CAP_IPC_LOCK" in examine(m)[0]["memlock"][0][1]
    m.file("/proc/self/status", "CapEff:\t0000000000000000")
    m.limits = (m.NO_LIMIT, m.NO_LIMIT)
    assert "any amount of memory (ulimit -l)" in examine(m)[0]["memlock"][0][1]
    m.limits = (64 << 10, 64 << 10)
    m.uid = 0   # root looks, for the user
    assert examine(m, "--user", "root")[0]["memlock"][0][0] == "ok"


def test_memlock_of_others(tmp):
    """From a process of the user, or what a login would give."""
    m = good(tmp)
    m.uid = 0
    found, can_run, out = examine(m, "--user", "nobody")
    assert can_run and "memlock" not in found and "how much memory nobody may lock" in out["unseen"][0]
    for text, want in (("* hard memlock 64", "wrong"), ("* - memlock 16384", "ok"),
                       ("nobody - memlock unlimited", "ok"),
                       ("nobody - memlock 64\n* - memlock 16384", "wrong"), ("@nogroup - memlock 64", "wrong"),
                       ("# nobody - memlock 64\n* soft nofile 5\n* soft memlock 8192", "ok")):
        m.file("/etc/security/limits.conf", text)
        state, said, _ = examine(m, "--user", "nobody")[0]["memlock"][0]
        assert state == want and "at the next login" in said, (text, said)
    m.file("/etc/security/limits.d/9.conf", "nobody - memlock 64")
    assert not examine(m, "--user", "nobody")[1]
    m.process(77, "x")
    m.file("/proc/77/limits", "Limit Soft Hard Units\nMax locked memory         8388608              unlimited   bytes")
    m.owners["/proc/77"] = (NOBODY, 0)
    assert "may lock 8M of memory (as process 77" in examine(m, "--user", "nobody")[0]["memlock"][0][1]


def test_hugepages(tmp):
    m = good(tmp)
    for base in ("/sys/kernel/mm/hugepages", "/sys/devices/system/node/node0/hugepages"):
        m.file(f"{base}/hugepages-2048kB/free_hugepages", "0")
    assert only(m, "hugepages", "warning", "no huge page is free") == "plx-hugepages reserve 256M"
    m.file("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "5")
    m.file("/sys/devices/system/node/node1/cpulist", "2-3")
    m.file("/sys/devices/system/node/node0/cpulist", "0-1")
    only(m, "hugepages", "warning", "no huge page is free on node 0", "--node 0")
    shutil.rmtree(m.at("/sys/kernel/mm/hugepages"))
    only(m, "hugepages", "warning", "this kernel has no huge pages")


def test_numa(tmp):
    m = good(tmp)
    m.folder("/sys/devices/system/node/node1/hugepages")
    m.file("/sys/devices/system/node/node0/cpulist", "")
    only(m, "numa", "warning", "node 0, which has no CPU", argv=(A,))
    m.file("/sys/devices/system/node/node0/cpulist", "0-3")
    assert "attached to node 0, CPUs 0-3" in examine(m)[0]["numa"][0][1]
    m.file(f"/sys/devices/pci0000:00/{A}/numa_node", "-1")
    only(m, "numa", "warning", "does not say to which of 2 NUMA nodes", argv=(A,))


def test_cpus(tmp):
    m = good(tmp)
    m.file("/sys/devices/system/cpu/isolated", "")
    only(m, "cpus", "warning", "no CPU is isolated", "isolcpus=3 nohz_full=3")
    m.file("/sys/devices/system/cpu/isolated", "3")
    m.file("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
    only(m, "cpus", "warning", "may be slowed down (scaling governor of cpu1: powersave)", "echo performance | tee")


def test_no_device(tmp):
    m = good(tmp)
    m.file(f"/sys/devices/pci0000:00/{A}/device", "0x1533")
    m.file(f"/sys/devices/pci0000:00/{B}/device", "0x1533")
    m.uid = 0
    run(bind, m, "restore", A)
    found, can_run, _ = examine(m)
    assert not can_run and "no PCI device that Pollux drives" in found["devices"][0][1]


def test_usage(tmp):
    m = good(tmp)
    assert run(doctor, m, "--user", "no-such-user").code == 2
    assert run(doctor, m, "--what").code == 2
    assert "no PCI device 0000:09:00.0" in run(doctor, m, "9:0.0").err
    done = run(doctor, m, B)
    assert done.code == 1 and "mend:  plx-bind bind --owner nobody 0000:04:00.0" in done.out, done
    assert done.out.endswith("Pollux cannot drive PCI devices as nobody: 1 thing is wrong\n")


def test_nothing_is_there(tmp):
    """A container without most of /sys and /proc: it says what is wrong, and does not fall over."""
    m = Machine(tmp)
    m.uid = 1000
    found, can_run, out = examine(m)
    assert not can_run and found["iommu"][0][0] == "wrong" and len(out["unseen"]) == 2


def test_this_machine(_):
    done = subprocess.run([sys.executable, "-B", TOOLS / "plx-doctor", "--json"], capture_output=True, text=True,
                          check=False, timeout=60)
    if "kernel has no PCI" in done.stderr:
        raise tap.Skip("no PCI here")
    out = json.loads(done.stdout)
    assert done.returncode == (0 if out["can_run"] else 1) and out["version"] == 1, done


if __name__ == "__main__":
    sys.exit(tap.run(globals(), sys.argv[1] if len(sys.argv) > 1 else ""))
