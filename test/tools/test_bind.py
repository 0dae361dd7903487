#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-bind on made-up machines: what it shows, what it refuses, what it does, and back. Prints TAP.

usage: test_bind.py TESTPMD [SUBSTRING]
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
import tap  # noqa: E402 pylint: disable=wrong-import-position,import-error
from machine import (  # noqa: E402 pylint: disable=wrong-import-position
    AUDIO, BRIDGE, DRIVERS, NVME, TOOLS, Machine, System, load, run, run_json, snapshot)

TESTPMD = sys.argv[1]
bind = load("plx-bind")
A, B, C = "0000:03:00.0", "0000:03:00.1", "0000:04:00.0"
WATCHED = ("/sys", "/dev", "/run")


def two_nics(tmp, group_b="8", fail_from=None):
    """Two NICs of one card that nobody uses."""
    m = Machine(tmp)
    m.fail_from = fail_from
    m.device(A, group="7", driver="e1000e", name="eth1", node=1)
    m.device(B, group=group_b, driver="e1000e", name="eth2")
    return m


def ok(m, *argv):
    done = run(bind, m, *argv)
    assert done.code == 0, (argv, done)
    return done


def refused(m, word, *argv):
    """Is refused for one reason, with nothing changed; its text."""
    before, writes = snapshot(m, *WATCHED), len(m.writes)
    code, out = run_json(bind, m, *argv)
    assert code == 3 == out["exit"], out
    assert {r["reason"] for r in out["refused"]} == {word}, out
    assert len(m.writes) == writes and not out["changed"]
    before.pop("run/pollux", None)
    after = {k: v for k, v in snapshot(m, *WATCHED).items() if not k.startswith("run/pollux") and k != "run"}
    assert after == {k: v for k, v in before.items() if k != "run" and not k.startswith("run/pollux")}
    return " / ".join(r["text"] for r in out["refused"])


def driver(m, bdf):
    return m.link(f"/sys/bus/pci/devices/{bdf}/driver")


def override(m, bdf):
    return m.read(f"/sys/bus/pci/devices/{bdf}/driver_override")


# --- binding -------------------------------------------------------------------------------------

def test_bind_and_restore(tmp):
    m = two_nics(tmp)
    before = snapshot(m, "/sys/bus", "/sys/devices", "/sys/class", "/dev")
    done = ok(m, "bind", A)
    assert f"{A}: e1000e -> vfio-pci (/dev/vfio/7)" in done.out
    assert (driver(m, A), override(m, A), driver(m, B)) == ("vfio-pci", "vfio-pci", "e1000e")
    assert m.exists("/sys/module/vfio_iommu_type1")
    done = ok(m, "restore")
    assert f"{A}: vfio-pci -> e1000e (eth1)" in done.out
    m.file("/sys/bus/pci/drivers/vfio-pci/unbind", "")
    after = snapshot(m, "/sys/bus", "/sys/devices", "/sys/class", "/dev")
    assert {k: v for k, v in after.items() if "vfio-pci" not in k} == before
    assert "nothing to restore" in ok(m, "restore").out
    assert json.loads(m.read("/run/pollux/bind.json")) == {"version": 1, "devices": {}}


def test_names(tmp):
    """All the ways to name a device."""
    m = two_nics(tmp)
    m.device(C, NVME, "9", "nvme", "nvme0")
    m.disk("nvme0n1", C, "259:0", ("nvme0n1p1", "259:1"))
    for text, bdf in (("03:00.0", A), ("3:0.1", B), ("0:3:0.1", B), ("eth1", A), ("nvme0", C), ("nvme0n1", C),
                      ("nvme0n1p1", C), ("/dev/nvme0n1", C)):
        code, out = run_json(bind, m, "bind", "-n", text)
        assert code == 0 and [c["bdf"] for c in out["changed"]] == [bdf], (text, out)
    for text, want in (("5:0.0", "there is no PCI device 0000:05:00.0"), ("eth9", "no network interface"),
                       ("03:00", "no network interface"), ("../x", "is no PCI address")):
        done = run(bind, m, "bind", text)
        assert done.code == 1 and want in done.err, done
    m.folder("/sys/devices/virtual/net/br0")
    m.symlink("/sys/devices/virtual/net/br0", "/sys/class/net/br0")
    assert "br0: is no PCI device" in run(bind, m, "bind", "br0").err


def test_restore_by_interface(tmp):
    """The interface has gone with its driver, its name is remembered."""
    m = two_nics(tmp)
    ok(m, "bind", "eth1", "eth2")
    assert not m.list("/sys/class/net")
    ok(m, "restore", "eth2")
    assert (driver(m, A), driver(m, B)) == ("vfio-pci", "e1000e")


def test_first_state_is_remembered(tmp):
    m = two_nics(tmp)
    m.add_driver("uio_pci_generic")
    ok(m, "bind", A)
    ok(m, "unbind", A)
    assert driver(m, A) is None
    ok(m, "bind", "--driver", "uio_pci_generic", A)
    ok(m, "bind", A)
    assert "before: e1000e eth1" in ok(m, "status").out
    ok(m, "restore", A)
    assert (driver(m, A), override(m, A)) == ("e1000e", "(null)")
    # nothing is remembered of a device that had vfio-pci before
    ok(m, "bind", A)
    m.replace("/run/pollux/bind.json", "{}")
    writes = len(m.writes)
    done = ok(m, "bind", A)
    assert "has vfio-pci already" in done.out and len(m.writes) == writes and "{}" == m.read("/run/pollux/bind.json")
    ok(m, "restore", A)   # what the kernel chooses
    assert (driver(m, A), override(m, A)) == ("e1000e", "(null)")


def test_no_driver_before(tmp):
    m = Machine(tmp)
    m.device(A, group="7")
    ok(m, "bind", A)
    ok(m, "restore")
    assert (driver(m, A), override(m, A)) == (None, "(null)")
    # it was taken at boot, before its driver was there
    m.native[A] = "e1000e"
    ok(m, "bind", A)
    m.add_driver("e1000e")
    assert "would go from vfio-pci to the kernel's choice" in ok(m, "restore", "-n", "--kernel").out
    ok(m, "restore", "--kernel")
    assert (driver(m, A), override(m, A)) == ("e1000e", "(null)")
    ok(m, "restore", "--kernel", A)   # has it
    assert driver(m, A) == "e1000e"


def test_other_device_in_the_slot(tmp):
    m = two_nics(tmp)
    ok(m, "bind", A)
    m.file(f"/sys/devices/pci0000:00/{A}/device", "0x1533")
    _, out = run_json(bind, m, "restore")
    assert out["changed"] == []


def test_owner(tmp):
    m = two_nics(tmp, "7")
    done = ok(m, "bind", A, B, "--owner", "65534:12")
    assert m.owners == {"/dev/vfio/7": (65534, 12)}
    assert "/dev/vfio/7: belongs to nobody" in done.out
    # for a device that is bound already, and with the group left as it is
    ok(m, "bind", A, "--owner", "1")
    assert m.owners["/dev/vfio/7"] == (1, 12)
    k = two_nics(tmp / "k", "7")
    k.cdev = True
    ok(k, "bind", A, B, "--owner", "65534:12")
    assert k.owners == {f"/dev/vfio/{node}": (65534, 12) for node in ("7", "devices/vfio0", "devices/vfio1")}
    assert run(bind, m, "bind", A, "--owner", "no-such-user").code == 2
    assert run(bind, m, "bind", A, "--owner", "0:no-such-group").code == 2
    done = run(bind, m, "bind", B, "--driver", "e1000e", "--owner", "1")
    assert done.code == 2 and "no files below /dev/vfio" in done.err


def test_node_does_not_appear(tmp):
    """No device manager, and no devtmpfs."""
    m = two_nics(tmp)
    before = snapshot(m, "/sys/devices", "/dev")
    m.nodes = False
    code, out = run_json(bind, m, "bind", A, "--owner", "1")
    assert code == 1 and "/dev/vfio/7 has not appeared" in out["error"], out
    assert snapshot(m, "/sys/devices", "/dev") == before and driver(m, A) == "e1000e"
    ok(m, "bind", A)   # root needs no node to be given


def test_group(tmp):
    """A program gets a whole group or nothing."""
    m = two_nics(tmp, "7")
    m.device("0000:00:1c.0", BRIDGE, "7", "pcieport")
    m.device(C, AUDIO, "7")   # nobody drives it: the kernel does not mind
    text = refused(m, "group", "bind", A)
    assert f"{B} (e1000e) is in the same IOMMU group 7" in text and "0000:00:1c.0" not in text
    ok(m, "bind", A, B)
    ok(m, "restore")
    ok(m, "bind", "--group", A)
    assert [driver(m, b) for b in (A, B, C, "0000:00:1c.0")] == ["vfio-pci"] * 3 + ["pcieport"]
    assert "in its group, too" in ok(m, "status").out
    ok(m, "restore")
    assert [driver(m, b) for b in (A, B, C)] == ["e1000e", "e1000e", None]
    # a driver that does no DMA into the kernel
    ok(m, "bind", A, B)
    code, out = run_json(bind, m, "status", A)
    assert code == 0 and out["devices"][0]["group_viable"]
    ok(m, "restore")
    # a bridge to another kind of bus is a device like others: it matters if it has a driver
    m.device("0000:00:1f.0", 0x060100, "7", "lpc_ich")
    m.device("0000:00:00.0", 0x060000, "7")
    assert "0000:00:1f.0 (lpc_ich)" in refused(m, "group", "bind", A, B)
    ok(m, "bind", "--group", A)
    assert driver(m, "0000:00:1f.0") == "vfio-pci" and driver(m, "0000:00:00.0") is None


def test_group_member_in_use(tmp):
    m = two_nics(tmp, "7")
    m.addresses["eth2"] = ["192.0.2.1/24"]
    assert "eth2 has the address" in refused(m, "address", "bind", "--group", A)


def test_no_iommu(tmp):
    m = Machine(tmp)
    m.device(A, driver="e1000e", name="eth1")
    assert "no IOMMU group" in refused(m, "no-iommu", "bind", A)
    assert run(bind, m, "bind", "--force", A).code == 3
    m.add_driver("uio_pci_generic")
    ok(m, "bind", "--driver", "uio_pci_generic", A)   # its user's business


def test_bridge(tmp):
    m = Machine(tmp)
    m.device("0000:00:1c.0", BRIDGE, "7", "pcieport")
    for command in ("bind", "unbind"):
        refused(m, "pci-bridge", command, "0:1c.0")


def test_modules(tmp):
    m = two_nics(tmp)
    m.modules.clear()
    before = snapshot(m, "/sys", "/dev")
    code, out = run_json(bind, m, "bind", A)
    assert code == 1 and "Module vfio-pci not found" in out["error"] and "6.1.0-made-up" in out["error"]
    assert snapshot(m, "/sys", "/dev") == before and not m.writes
    m.modules.add("vfio-pci")
    code, out = run_json(bind, m, "bind", A)
    assert code == 1 and "vfio_iommu_type1 cannot be loaded" in out["error"] and driver(m, A) == "e1000e"
    m.file("/dev/iommu", "")   # iommufd does without it
    ok(m, "bind", A)
    # the module's name for the driver's
    ok(m, "restore")
    ok(m, "bind", "--driver", "vfio_pci", A)
    assert driver(m, A) == "vfio-pci"


def test_driver_refuses(tmp):
    """A probe that fails silently, and one that fails with an error."""
    m = two_nics(tmp)
    before = snapshot(m, "/sys/devices", "/dev")
    m.refuses.add((B, "vfio-pci"))
    err = run(bind, m, "bind", A, B).err
    assert f"plx-bind: {B}: vfio-pci did not take it" in err and err.endswith("everything is as it was\n"), err
    code, out = run_json(bind, m, "bind", A, B)
    assert code == 1 and f"{B}: vfio-pci did not take it" in out["error"]
    assert sorted(out["put_back"]) == [A, B] and not out["not_put_back"]
    assert snapshot(m, "/sys/devices", "/dev") == before
    assert json.loads(m.read("/run/pollux/bind.json"))["devices"] == {}


def test_every_write_fails_once(tmp):
    """One device given to a user, another one too: wherever it fails, all is as it was."""
    m = two_nics(tmp / "count")
    ok(m, "bind", A, B, "--owner", "65534")
    steps = len(m.writes)
    assert steps >= 10
    for n in range(steps):
        m = two_nics(tmp / str(n))
        before = snapshot(m, "/sys/devices", "/sys/class", "/dev")
        m.fail = {n}
        code, out = run_json(bind, m, "bind", A, B, "--owner", "65534")
        assert code == 1 and not out["not_put_back"], (n, m.writes, out)
        assert "Input/output error" in out["error"]
        assert snapshot(m, "/sys/devices", "/sys/class", "/dev") == before, (n, m.writes)
        assert not m.owners and not json.loads(m.read("/run/pollux/bind.json") or '{"devices": {}}')["devices"]
        m.fail.clear()
        ok(m, "bind", A, B, "--owner", "65534")
        ok(m, "restore")
        assert (driver(m, A), driver(m, B)) == ("e1000e", "e1000e")


def test_restore_fails_once(tmp):
    """Back to the program's side, with its owner."""
    for n in range(99):
        m = two_nics(tmp / str(n))
        ok(m, "bind", A, B, "--owner", "65534")
        before, owners = snapshot(m, "/sys/devices", "/sys/class", "/dev"), dict(m.owners)
        m.writes.clear()
        m.fail = {n}
        code, out = run_json(bind, m, "restore")
        if len(m.writes) <= n:
            assert code == 0 and n > 5
            break
        last = m.writes[n][0] == "/run/pollux/bind.json"   # all is restored, only the note of it remains
        assert code == 1 and not out["not_put_back"], out
        if not last:
            assert snapshot(m, "/sys/devices", "/sys/class", "/dev") == before and m.owners == owners, (n, m.writes)
        m.fail.clear()
        ok(m, "restore")
        assert (driver(m, A), driver(m, B)) == ("e1000e", "e1000e")


def test_every_write_fails_for_good(tmp):
    """Then it says what it could not put back, and restore does it later."""
    m = two_nics(tmp / "count")
    ok(m, "bind", A, B, "--owner", "65534")
    codes = set()
    for n in range(len(m.writes)):
        k = two_nics(tmp / str(n))
        k.fail_from = n
        code, out = run_json(bind, k, "bind", A, B, "--owner", "65534")
        codes.add(code)
        k.writes.clear()
        stuck = [p["what"] for p in out["not_put_back"]]
        texts = run(bind, two_nics(tmp / f"{n}-text", fail_from=n), "bind", A, B, "--owner", "65534").err
        assert all(f"plx-bind: {what}: could not be" in texts for what in stuck), texts
        assert code in (1, 4) and (code == 4) == bool(out["not_put_back"]), out
        k.fail_from = None
        ok(k, "restore")
        assert (driver(k, A), driver(k, B)) == ("e1000e", "e1000e"), (n, k.writes)
    assert codes == {1, 4}


def test_interrupted(tmp):
    m = two_nics(tmp)
    before = snapshot(m, "/sys/devices", "/dev")
    attach = m.attach

    def ctrl_c(bdf, name):
        if bdf == B and name == "vfio-pci":
            raise KeyboardInterrupt
        attach(bdf, name)

    m.attach = ctrl_c
    code, out = run_json(bind, m, "bind", A, B)
    assert code == 1 and out["error"] == "interrupted" and snapshot(m, "/sys/devices", "/dev") == before


def test_memory_cannot_be_written(tmp):
    m = two_nics(tmp)
    m.file("/run/pollux", "")   # no folder
    done = run(bind, m, "bind", A)
    assert done.code == 1 and "could not be remembered" in done.err and driver(m, A) == "e1000e"


def test_memory_damaged(tmp):
    for text in ("{", "[]", '{"devices": {"0000:03:00.0": 1}}', '{"devices": {"0000:03:00.0": {"ids": "8086:10d3"}}}'):
        m = two_nics(tmp / str(abs(hash(text))))
        m.file("/run/pollux/bind.json", text)
        done = run(bind, m, "restore")
        assert done.code == 1 and "/run/pollux/bind.json is damaged" in done.err, (text, done)


def test_dry_run_and_ordinary_user(tmp):
    m = two_nics(tmp)
    m.uid = 1000
    before = snapshot(m, *WATCHED)
    for command in ("bind", "unbind", "restore"):
        done = run(bind, m, command, A)
        assert done.code == 1 and "needs root" in done.err, done
    assert "would go from e1000e to vfio-pci" in ok(m, "bind", "-n", A).out
    assert "would go from e1000e to no driver" in ok(m, "unbind", "-n", A).out
    assert "cannot be seen" in ok(m, "status").out
    assert snapshot(m, *WATCHED) == before and not m.writes


def test_usage(tmp):
    m = two_nics(tmp)
    for argv in (("bind",), ("unbind",), ("bund", A), ("--json",), ("bind", "--drivers", "x", A)):
        assert run(bind, m, *argv).code == 2, argv
    assert ok(m).out == ok(m, "status").out


# --- in use --------------------------------------------------------------------------------------

ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def test_routes_and_addresses(tmp):
    m = two_nics(tmp)
    for row, word, want in (
            ("eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", "default-route", "default route"),
            ("eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "route", "a route goes through eth1")):
        m.file("/proc/net/route", ROUTES + row)
        assert want in refused(m, word, "bind", A)
        ok(m, "bind", "-n", B)
    m.file("/proc/net/route", ROUTES + "eth1\t000200C0\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0")   # unreachable
    ok(m, "bind", "-n", A)
    m.file("/proc/net/ipv6_route", " ".join(["0" * 32, "00", "0" * 32, "00", "fe80" + "0" * 28, "400", "1", "0",
                                             "00000003", "eth1"]))
    assert "IPv6" in refused(m, "default-route", "bind", A)
    m.file("/proc/net/ipv6_route", " ".join(["ff" + "0" * 30, "08", "0" * 32, "00", "0" * 32, "100", "1", "0",
                                             "00000001", "eth1"]))
    ok(m, "bind", "-n", A)
    m.file("/proc/net/if_inet6", "fe800000000000005054fffffe123456 02 40 20 80 eth1")
    assert "fe80::5054:ff" in refused(m, "address", "bind", A)
    m.file("/proc/net/if_inet6", "")
    m.addresses["eth1"] = ["192.0.2.1/24"]
    assert "eth1 has the address 192.0.2.1/24" in refused(m, "address", "bind", A)
    refused(m, "address", "unbind", A)
    done = ok(m, "bind", "--force", A)
    assert driver(m, A) == "vfio-pci" and "--force: it is taken all the same" in done.err


def test_upper_devices(tmp):
    m = two_nics(tmp)
    for i, (name, kind, file) in enumerate((("bond0", "bond", "bonding/mode"), ("br0", "bridge", "bridge/x"),
                                            ("team0", "upper-device", "x"), ("eth1.5", "vlan", "uevent"))):
        m.file(f"/sys/devices/virtual/net/{name}/{file}", "DEVTYPE=vlan" if file == "uevent" else "1")
        m.symlink(f"/sys/devices/virtual/net/{name}", f"/sys/class/net/{name}")
        link = m.real("/sys/class/net/eth1") + f"/upper_{name}"
        m.symlink(f"/sys/devices/virtual/net/{name}", link)
        assert f"eth1 is part of {name} ({kind})" in refused(m, kind, "bind", A), i
        assert "--force takes devices that are in use" in run(bind, m, "bind", A).err
        pathlib.Path(m.at(link)).unlink()
    ok(m, "bind", A)
    ok(m, "restore")
    ok(m, "bind", "--driver", "e1000e", A)   # has it: nothing to do, and nothing that stays
    assert override(m, A) == "(null)"


def test_up(tmp):
    """Nothing says by whom: a socket of packets, a macvlan in a container's namespace."""
    m = two_nics(tmp)
    flags = m.real("/sys/class/net/eth1") + "/flags"
    m.file(flags, "0x1003")   # up, broadcast, multicast
    assert "ip link set eth1 down" in refused(m, "up", "bind", A)
    refused(m, "up", "unbind", A)
    m.addresses["eth1"] = ["192.0.2.1/24"]
    refused(m, "address", "bind", A)   # and no more than that
    m.addresses.clear()
    m.file(flags, "0x1002")
    ok(m, "bind", A)


def test_other_namespaces(tmp):
    m = Machine(tmp)
    m.device(A, group="7", driver="e1000e")   # its interface is not here
    m.process(1, "init")
    ok(m, "bind", "-n", A)
    m.process(4711, "container", net="net:[2]")
    assert "another network namespace, as process 4711 (container) is" in refused(m, "namespace", "bind", A)


def test_virtual_functions(tmp):
    m = two_nics(tmp)
    m.file(m.real(f"/sys/bus/pci/devices/{A}") + "/sriov_numvfs", "2")
    assert "2 virtual functions" in refused(m, "virtual-functions", "bind", A)


def nvme(tmp):
    m = Machine(tmp)
    m.device(A, NVME, "7", "nvme", "nvme0")
    m.disk("nvme0n1", A, "259:0", ("nvme0n1p1", "259:1"), ("nvme0n1p2", "259:2"))
    return m


def mounts(*rows):
    return "\n".join(f"36 35 {devno} / {point} rw,relatime shared:1 - {fs} {source} rw"
                     for devno, point, fs, source in rows)


def test_nvme_bind(tmp):
    m = nvme(tmp)
    m.file("/proc/self/mountinfo", mounts(("8:1", "/", "ext4", "/dev/sda1")))
    assert "nvme -> vfio-pci" in ok(m, "bind", "nvme0").out
    assert "(nvme0)" in ok(m, "restore", "nvme0").out


def test_mounted(tmp):
    m = nvme(tmp)
    for rows, word, want in (
            ([("259:1", "/srv/my\\040data", "xfs", "/dev/nvme0n1p1")], "mounted", "is mounted at /srv/my data"),
            ([("259:2", "/", "ext4", "/dev/root")], "root-disk", "nvme0n1p2 has the root file system"),
            # btrfs has a number of its own
            ([("0:30", "/home", "btrfs", "/dev/nvme0n1p2")], "mounted", "nvme0n1p2 is mounted at /home")):
        m.file("/proc/self/mountinfo", mounts(*rows))
        assert want in refused(m, word, "bind", A)
        assert want in ok(m, "status").out
    m.file("/proc/self/mountinfo", "")
    m.process(99, "pod", mnt="mnt:[2]")
    m.file("/proc/99/mountinfo", mounts(("259:1", "/data", "xfs", "/dev/nvme0n1p1")))
    assert "in the mount namespace of process 99 (pod)" in refused(m, "mounted", "bind", A)


def test_swap(tmp):
    m = nvme(tmp)
    m.file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p2 partition 1 0 -2")
    assert "nvme0n1p2 is swap space" in refused(m, "swap", "bind", A)


def stack(m, below, volume, kind, **files):
    folder = f"/sys/devices/virtual/block/{volume}"
    m.file(f"{folder}/dev", "253:0")
    for file, text in files.items():
        m.file(f"{folder}/{kind}/{file}", text)
    m.folder(f"{folder}/{kind}")
    m.folder(f"{folder}/holders")
    m.symlink(folder, f"/sys/class/block/{volume}")
    m.symlink(folder, f"/sys/class/block/{below}/holders/{volume}")
    m.file(f"/dev/{volume}", "")


def test_volumes(tmp):
    for name, kind, files, word in (("dm-0", "dm", {"name": "vg-root", "uuid": "LVM-abc"}, "lvm"),
                                    ("dm-0", "dm", {"name": "secret", "uuid": "CRYPT-LUKS2-1"}, "dm"),
                                    ("md0", "md", {"level": "raid1"}, "md"), ("bcache0", "bcache", {}, "holder")):
        m = nvme(tmp / word)
        stack(m, "nvme0n1p1", name, kind, **files)
        assert "nvme0n1p1 is part of" in refused(m, word, "bind", A)
    # a volume on a RAID that has the root: said first
    m = nvme(tmp / "deep")
    stack(m, "nvme0n1p1", "md0", "md")
    stack(m, "md0", "dm-3", "dm", name="vg-root", uuid="LVM-abc")
    m.file("/proc/self/mountinfo", mounts(("253:0", "/", "ext4", "/dev/mapper/vg-root")))
    pathlib.Path(m.at("/sys/devices/virtual/block/md0/dev")).write_text("9:0\n", encoding="ascii")
    _, out = run_json(bind, m, "bind", A)
    assert [r["reason"] for r in out["refused"]] == ["root-disk", "md", "lvm"]
    assert out["refused"][0]["text"] == ("nvme0n1p1 is part of the RAID md0: md0 is part of the LVM volume vg-root "
                                         "(dm-3): dm-3 has the root file system")


def test_multipath(tmp):
    """The namespace belongs to the subsystem; the controller has a hidden path to it."""
    m = Machine(tmp)
    m.device(A, NVME, "7", "nvme", "nvme0")
    m.disk("nvme0c0n1", A, "259:7")
    m.folder("/sys/devices/virtual/nvme-subsystem/nvme-subsys0")
    m.disk("nvme0n1", "/sys/devices/virtual/nvme-subsystem/nvme-subsys0", "259:0", ("nvme0n1p1", "259:1"))
    ok(m, "bind", "-n", A)
    m.file("/proc/self/mountinfo", mounts(("259:1", "/srv", "xfs", "/dev/nvme0n1p1")))
    assert "nvme0n1p1 is mounted at /srv" in refused(m, "mounted", "bind", A)


def test_held_and_open(tmp):
    m = nvme(tmp)
    m.held_disks.add("/dev/nvme0n1p1")
    assert "held by one alone" in refused(m, "held", "bind", A)
    m.held_disks.clear()
    for node in ("/dev/nvme0n1", "/dev/ng0n1", "/dev/nvme0", "/dev/nvme0n1p2"):
        k = nvme(tmp / node[5:])
        k.process(77, "dd", [node])
        assert f"{node} is open in process 77 (dd)" in refused(k, "open", "bind", A)


def test_vfio_open(tmp):
    m = two_nics(tmp, "7")
    ok(m, "bind", A, B)
    m.process(77, "plx-testpmd", ["/dev/vfio/7", "/dev/vfio/vfio"])
    for argv in (("restore",), ("unbind", A), ("bind", "--driver", "e1000e", B)):
        assert "/dev/vfio/7 is open in process 77 (plx-testpmd)" in refused(m, "vfio-open", *argv)
    assert "in use: /dev/vfio/7 is open" in ok(m, "status").out
    ok(m, "bind", A)   # has it already
    done = ok(m, "unbind", "--force", A)
    assert "waits until that program closes it" in done.err
    k = two_nics(tmp / "k")
    ok(k, "bind", A)
    k.busy_nodes.add("/dev/vfio/7")
    assert "cannot be seen from here" in refused(k, "vfio-open", "restore")


# --- what it shows -------------------------------------------------------------------------------

def test_status(tmp):
    m = two_nics(tmp)
    m.device(C, AUDIO, "9")
    m.file("/usr/share/misc/pci.ids",
           "# x\n8086  Intel\n\t10d3  82574L\x1b Gigabit\n\t\t1234 5678  no\n1af4  Red Hat\nC 02")
    m.commands["plx-testpmd"] = (0, DRIVERS)
    bind.pci.shutil.which = lambda name: f"/usr/bin/{name}"
    shown = ok(m, "status").out
    line = next(x for x in shown.splitlines() if x.startswith(A))
    assert re.split(r"  +", line) == [A, "8086:10d3", "e1000e", "7", "1", "e1000", "eth1", "Intel 82574L? Gigabit"]
    assert C not in shown and C in ok(m, "status", "--all").out
    ok(m, "bind", A, "--owner", "65534")
    assert "/dev/vfio/7 nobody" in ok(m, "status").out
    code, out = run_json(bind, m, "status")
    assert code == 0 and out["version"] == 1 and [d["bdf"] for d in out["devices"]] == [A, B]
    # other programs read these: members are added, not taken away
    assert list(out["devices"][0]) == [
        "bdf", "class", "class_code", "vendor", "device", "subvendor", "subdevice", "vendor_name", "name", "driver",
        "driver_override", "iommu_group", "no_iommu", "group_devices", "group_viable", "numa_node", "interfaces",
        "controllers", "disks", "in_use", "pollux_driver", "pollux_drivers_known", "before", "nodes"]
    assert out["devices"][0] == {
        "bdf": A, "class": "net", "class_code": "020000", "vendor": "8086", "device": "10d3", "subvendor": "1af4",
        "subdevice": "1100", "vendor_name": "Intel", "name": "82574L? Gigabit", "driver": "vfio-pci",
        "driver_override": "vfio-pci", "iommu_group": "7", "no_iommu": False, "group_devices": [],
        "group_viable": True, "numa_node": 1, "interfaces": [], "controllers": [], "disks": [], "in_use": [],
        "pollux_driver": "e1000", "pollux_drivers_known": True, "before": {"driver": "e1000e", "names": ["eth1"]},
        "nodes": [{"path": "/dev/vfio/7", "user": "nobody", "mode": "0600"}]}
    _, out = run_json(bind, m, "restore", "-n")
    assert list(out) == ["version", "command", "dry_run", "changed", "unchanged", "refused", "owned", "error",
                         "put_back", "not_put_back", "exit"]
    bind.pci.shutil.which = lambda name: None
    assert "plx-testpmd was not found" in ok(m, "status").out


def test_drivers_of_testpmd(_):
    """The source of what Pollux drives."""
    drivers = json.loads(subprocess.run([TESTPMD, "--drivers"], capture_output=True, check=True).stdout)["drivers"]
    assert {tuple(d) for d in drivers} == {tuple(d) for d in json.loads(DRIVERS)["drivers"]}
    named = {d["name"]: d for d in drivers}
    assert named["null"]["pci"] == [] and named["null"]["class"] == "net" and named["null"]["help"]
    if "e1000" in named:
        ids = {(row["vendor"], row["device"]) for row in named["e1000"]["pci"]}
        assert {("8086", "100e"), ("8086", "100f"), ("8086", "10d3"), ("8086", "10c9")} <= ids, ids


def test_this_machine(_):
    """Nothing made up: the program itself, and addresses by rtnetlink."""
    done = subprocess.run([sys.executable, "-B", TOOLS / "plx-bind", "status", "--all", "--json"], capture_output=True,
                          text=True, check=False, timeout=60)
    if "kernel has no PCI" in done.stderr:
        raise tap.Skip("no PCI here")
    assert done.returncode == 0 and json.loads(done.stdout)["version"] == 1, done
    assert System().ipv4("no-such-interface") == []
    if shutil.which("ip"):
        for name in System().list("/sys/class/net"):
            said = subprocess.run(["ip", "-4", "-o", "addr", "show", "dev", name], capture_output=True, text=True,
                                  check=True).stdout
            assert System().ipv4(name) == re.findall(r"inet (\S+)", said), name


if __name__ == "__main__":
    sys.exit(tap.run(globals(), sys.argv[2] if len(sys.argv) > 2 else ""))
