#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-bind, plx-hugepages and plx-doctor on a kernel of their own, judged by what it then does. Prints TAP.

usage: test_tools.py BUILD [SUBSTRING]
"""
import json
import sys

from boots import A, B, Boots, forwards, refused, testpmd

boots = Boots(sys.argv[1])
PCI = [f"pci:{A}", f"pci:{B}"]
TOOLS = "export PATH=/build/app:/src/usertools:$PATH PYTHONDONTWRITEBYTECODE=1\n"
NET = f"/sys/bus/pci/devices/{A}/net"


def doctor(g, *words):
    """What plx-doctor finds, and its exit code."""
    done = g.run(f"{TOOLS} plx-doctor --json {' '.join(words)} >/result/doctor.json", check=False)
    return json.loads((g.results / "doctor.json").read_text()), done.status


def test_doctor_mends_a_machine(_):
    """The kernel's driver has the NICs, VFIO is not loaded, and nobody may open a thing. The commands that
    plx-doctor names, one round after the other, are all that is done."""
    g = boots("tools")
    g.run(f"bind {A} e1000e; bind {B} e1000e")
    found, status = doctor(g, "--user nobody", A, B)
    assert status == 1 and not found["can_run"], found
    wrong = {c["check"] for c in found["checks"] if c["state"] == "wrong"}
    assert {"modules", "devices"} <= wrong and "iommu" not in wrong, found
    for _ in range(4):
        fixes = list(dict.fromkeys(c["fix"] for c in found["checks"] if c["state"] == "wrong"))
        print("# " + "; ".join(map(str, fixes)))
        g.run(TOOLS + "\n".join(fixes))
        found, status = doctor(g, "--user nobody", A, B)
        if status == 0:
            break
    assert status == 0 and found["can_run"], found
    forwards(testpmd(g, *PCI), *PCI)


def test_doctor_without_an_iommu(_):
    g = boots("bare")
    found, status = doctor(g)
    assert status == 1 and not found["can_run"], found
    assert any(c["check"] == "iommu" and c["state"] == "wrong" for c in found["checks"]), found
    said = refused(g, *PCI, user="")
    assert f"pci:{A}: it is behind no IOMMU" in said and "plx-doctor" in said, said


def test_bind_for_an_owner_and_back(_):
    g = boots("tools")
    g.run(f"{TOOLS} plx-bind restore; bind {A} e1000e; bind {B} e1000e")
    g.run(f"for bdf in {A} {B}; do echo >/sys/bus/pci/devices/$bdf/driver_override; done; rm -rf /run/pollux")
    was = g.run(f"readlink /sys/bus/pci/devices/{A}/driver; cat /sys/bus/pci/devices/{A}/driver_override").out
    g.run(f"{TOOLS} plx-bind bind {A} {B} --owner nobody")
    out = g.run(f"driver {A}; driver {B}; stat -c %U /dev/vfio/$(group {A}) /dev/vfio/$(group {B})").out
    assert out == "vfio-pci\nvfio-pci\nnobody\nnobody\n", out
    forwards(testpmd(g, *PCI), *PCI)
    status = json.loads(g.run(f"{TOOLS} plx-bind status --json").out)
    assert f'"{A}"' in json.dumps(status), status
    g.run(f"{TOOLS} plx-bind restore")
    out = g.run(f"readlink /sys/bus/pci/devices/{A}/driver; cat /sys/bus/pci/devices/{A}/driver_override").out
    assert out == was and "/e1000e\n" in out, out
    assert g.run(f"ls {NET}").out.strip(), "the kernel's interface does not come back"


def test_bind_refuses_what_has_an_address(_):
    g = boots("tools")
    g.run(f"bind {A} e1000e; sleep 0.2; ip address add 192.0.2.1/24 dev $(ls {NET})")
    done = g.run(f"{TOOLS} plx-bind bind {A} {B}", check=False)
    assert done.status == 3 and A in done.out and "192.0.2.1" in done.out, done
    assert g.run(f"driver {A}; driver {B}; ip -brief address show dev $(ls {NET})").out.count("192.0.2.1") == 1
    assert g.run(f"driver {A}").out == "e1000e\n"
    g.run(f"{TOOLS} plx-bind bind {A} --force")
    assert g.run(f"driver {A}").out == "vfio-pci\n"


def test_hugepages_come_and_go(_):
    g = boots("tools")
    g.run(f"{TOOLS} plx-hugepages reserve 32M")
    assert g.run("meminfo HugePages_Free").out == "16\n"
    g.run(f"{TOOLS} plx-hugepages clear")
    assert g.run("meminfo HugePages_Total").out == "0\n"


if __name__ == "__main__":
    sys.exit(boots.finish(globals(), sys.argv[2] if len(sys.argv) > 2 else ""))
