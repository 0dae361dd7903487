# SPDX-License-Identifier: BSD-3-Clause
"""The benchmarks that are programs of their own: opening, rings and pools, packets, instructions."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import instructions
from forward import Failed, SHM, TREE


def run_program(program, *args):
    """What it prints, or Failed with why not."""
    p = subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=900, check=False)
    if p.returncode != 0:
        raise Failed(f"{program}: exit code {p.returncode}: {p.stderr.strip()}")
    return p.stdout


# ---- open ----

def opens(bench, name, *ports):
    """Milliseconds; also the best, which waited least for a core."""
    program = bench.build / "test/bench/bench-open"
    runs = [tuple(map(float, run_program(program, *ports, str(time.monotonic_ns())).split())) for _ in range(5)]
    ms, first, _ = zip(*runs)
    bench.row(f"context with two ports opens: {name}", "ms", statistics.median(ms), goal=20,
              better="less", why=f"(best {min(ms):.1f})")
    bench.row(f"process start to first packet, link time apart: {name}", "ms", statistics.median(first), goal=200,
              better="less", why=f"(best {min(first):.1f})")


def opening(bench):
    """From nothing to two started ports."""
    sys.path.insert(0, str(TREE / "test/app"))
    import qemu  # pylint: disable=import-outside-toplevel
    import tap  # pylint: disable=import-outside-toplevel
    opens(bench, "null", "null:", "null:")
    opens(bench, "pcap", f"pcap:rx={TREE}/test/data/real.pcap", "pcap:tx=/dev/null")
    try:
        with qemu.two_nics(SHM) as m:
            opens(bench, "qemu e1000e",
                  *(f"qemu:{m.qtest},slot={slot},ram={m.ram}" for slot in (2, 3)))
    except tap.Skip as why:
        bench.skip("context with two ports opens: qemu e1000e", str(why))


# ---- ring, mempool, net ----

# What stands beside DPDK's default, where anything does.
OTHER_KINDS = {"ring": "its best kind of ring",
               "net": "the better of DPDK and DPDK for this CPU"}


def micro(bench, name):
    """
    Lines `CASE  ns (ratio)  ...`: DPDK's default first, its other kinds if any, Pollux last. A
    pool's bursts are all of 32.
    """
    found = 0
    for line in run_program(bench.build / f"test/bench/bench-{name}").splitlines():
        figures = [float(x) for x in re.findall(r"([\d.]+) \( *[\d.]+\)", line)]
        if not figures:
            continue
        found += 1
        case, theirs, why = line.split("  ")[0], figures[:-1], ""
        if not theirs:
            why = "SKIP beside it: libdpdk-dev was not there at build time"
        elif len(theirs) > 1:
            why = f"({min(theirs) / figures[-1]:.2f} x {OTHER_KINDS.get(name, 'the best of the others')})"
        goal = 1.0 if theirs and (name in ("mempool", "net") or "bursts of 32" in case) else None
        bench.row(f"{name.replace('_', ' ')}: {case}", "ns", figures[-1], theirs[0] if theirs else None, goal, "less",
                  why)
    if found == 0:
        raise Failed(f"bench-{name} printed no figures")


def ring(bench):
    """Pointers through a ring."""
    micro(bench, "ring")


def ring_port(bench):
    """Packets between two ports of the ring driver."""
    micro(bench, "ring_port")


def tap(bench):
    """Packets through a TAP interface, in a namespace that the program makes."""
    if os.geteuid() != 0:
        bench.skip("tap", "a network namespace takes root")
    elif not os.path.exists("/dev/net/tun"):
        bench.skip("tap", "there is no /dev/net/tun")
    elif not (bench.build / "test/bench/bench-tap").exists():
        bench.skip("tap", "the tap driver was not built")
    else:
        micro(bench, "tap")


def mempool(bench):
    """Objects from and to a pool."""
    micro(bench, "mempool")


def net(bench):
    """Checksums, Toeplitz, the parser."""
    micro(bench, "net")


# ---- e1000 ----

def e1000(bench):
    """Exact instructions; what callgrind can count is compared with it."""
    program = bench.build / "test/bench/bench-e1000"
    if not program.exists():
        bench.skip("e1000 in instructions", "bench-e1000 was not built; meson says why")
        return
    if not shutil.which("objdump"):
        bench.skip("e1000 in instructions", "objdump (binutils) is not installed")
        return
    print("    on a fake 82574L with descriptors written in advance, not on a NIC\n"
          f"    {instructions.HEAD}", flush=True)
    rows = instructions.rows(program, *(["quick"] if bench.quick else []))
    for r in rows:
        print("   ", instructions.line(r))
        bench.keep({"name": f"e1000 {instructions.name(r)}", "unit": "instr", "dpdk": None,
                    "pollux": r["instructions"], "ratio": None, "goal": None, "met": None,
                    "why": "", **{k: r[k] for k in instructions.COLUMNS}}, quiet=True)
    if not shutil.which("valgrind"):
        bench.skip("e1000: the same by callgrind", "valgrind is not installed")
        return
    for r in rows:
        if (r["what"], r["path"], r["burst"]) == ("rx", "plain", 32):
            instructions.agrees(program, r)
            print(f"    callgrind counts the same instructions, loads and stores of "
                  f"{instructions.name(r)}", flush=True)
