#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A device is told to read or write where it may not: the IOMMU refuses and reports it, and nobody else
notices. Prints TAP.

usage: test_confinement.py BUILD [SUBSTRING]
"""
import pathlib
import re
import sys
import tempfile
import time

import guest
from image import tap

DEVICES = [f"pci:0000:00:{n:x}.0" for n in (0x10, 0x11, 0x12)]
PAGE = 4096
folder = tempfile.TemporaryDirectory(prefix="plx-guest-")
machine = []
last = [0.0]  # when the last attempt began


def booted():
    """The guest, the same for all; its three devices are nobody's."""
    if not machine:
        build = pathlib.Path(sys.argv[1])
        machine.append(guest.Guest(build, results=folder.name, nics=3, qmp=True, mem=768,
                                   log=build / "guest-kernel/confinement.log"))
        machine[0].run("give 0000:00:10.0 0000:00:11.0 0000:00:12.0")
    return machine[0]


def attempt(scenario, *more, devices=None):
    """Runs a scenario of guest-lab, which found all as it should be. @return read or write, the address, and what
    the kernel's log has of accesses that were refused."""
    g = booted()
    # The kernel's log takes ten of these reports in five seconds, and an attempt makes up to four.
    wait = last[0] + 2.6 - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    last[0] = time.monotonic()
    out = g.run(f"dmesg -C; as_nobody /build/test/guest/guest-lab confine {scenario} "
                f"{' '.join(devices or DEVICES)} {' '.join(more)} && sleep 0.2", timeout=120).out
    assert out.endswith("ok\n"), out
    how, where = re.search(r"^(read|write) 0x([0-9a-f]+)$", out, re.M).groups()
    for said in re.findall(r"^saw: .*", out, re.M):
        print(f"# {said}")
    return how, int(where, 16), g.run("dmar_lines").out


def confined(scenario, *more, devices=None):
    """The first device has tried one access, which the kernel's log has as it was refused, and no other device's."""
    how, where, faults = attempt(scenario, *more, devices=devices)
    page = where // PAGE * PAGE
    line = next((text for text in faults.splitlines() if re.search(
        rf"\[DMA {how.title()}[^]]*\] Request device \[00:10\.0\] fault addr {page:#x} ", text)), None)
    assert line, f"no report of a {how} of {page:#x}:\n{faults}"
    strangers = [text for text in faults.splitlines() if "device [00:10.0]" not in text]
    assert not strangers, strangers
    print(f"# {line[line.index('DMAR'):]}")
    return page


def kernel_text():
    """Where the kernel's own code lies in physical memory."""
    text = booted().run("grep 'Kernel code' /proc/iomem").out
    return int(text.split("-")[0], 16) + 16 * PAGE


def test_an_access_that_is_allowed_shows(_):
    """The other tests would see it: the bytes are there, and nothing is reported."""
    assert attempt("rx-allowed")[2] == ""


def test_write_past_an_arena(_):
    confined("rx-past-arena")


def test_read_past_an_arena(_):
    confined("tx-past-arena")


def test_write_to_another_context(_):
    confined("rx-other-context")


def test_read_of_another_context(_):
    confined("tx-other-context")


def test_write_to_memory_that_is_only_read(_):
    confined("rx-read-only")


def test_write_to_the_kernel(_):
    """The bytes at this address, as QEMU sees them, are the same."""
    where = kernel_text()
    before = booted().qmp.physical(where, PAGE)
    assert len(set(before)) > 16, "that is no code"
    assert confined("rx-kernel", hex(where)) == where
    assert booted().qmp.physical(where, PAGE) == before


def test_read_of_the_kernel(_):
    confined("tx-kernel", hex(kernel_text()))


def test_read_of_a_pool_that_was_not_named(_):
    confined("tx-unnamed-pool", devices=[DEVICES[0] + ",iommu=private", *DEVICES[1:]])


def test_a_ring_out_of_reach_fails(_):
    confined("tx-ring")


def test_an_rx_ring_out_of_reach(_):
    confined("rx-ring")


if __name__ == "__main__":
    try:
        STATUS = tap.run(globals(), sys.argv[2] if len(sys.argv) > 2 else "")
        for g in machine:
            g.__exit__(None)
    except guest.Failed as why:
        print(f"# {why}")
        STATUS = 1
    sys.exit(STATUS)
