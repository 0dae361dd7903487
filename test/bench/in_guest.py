# SPDX-License-Identifier: BSD-3-Clause
"""Exact instructions on NICs behind an IOMMU, in a guest (test/guest): ours, DPDK's, the kernel's."""
import contextlib
import json
import subprocess
import sys

from forward import Failed, TREE

sys.path[:0] = [str(TREE / "test/guest"), str(TREE / "test/app")]
# pylint: disable=wrong-import-position
import guest
import tap

NICS = ("0000:00:10.0", "0000:00:11.0")
PORTS = [f"pci:{nic}" for nic in NICS]
DPDK_ARGS = ["-l", "0", *(w for nic in NICS for w in ("-a", nic)), "--in-memory", "-m", "64", "--no-telemetry"]

# What RX and TX calls may cost a packet in bursts of 32: so many instructions, or so much less than DPDK's.
LIMITS = {"e1000e": 50, "e1000": None, "igb": None, "vmxnet3": None}
TIMES_LESS = {"e1000e": 1.0, "e1000": 1.0, "igb": 2.0, "vmxnet3": 2.0}


@contextlib.contextmanager
def booted(bench, model="e1000e", **options):
    """A guest with two NICs on one wire and huge pages."""
    try:
        with guest.Guest(bench.build, nics=[model, model], **options) as machine:
            machine.run("hugepages 128")
            yield machine
    except guest.Failed as why:
        raise Failed(why) from why


def lines(machine, *command):
    """What a program of ours prints: lines of JSON."""
    out = machine.run(" ".join(["XDG_RUNTIME_DIR=/run", *command]), timeout=300).out
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def ours(machine, program, *args):
    """A benchmark of the build, with both NICs given to vfio-pci."""
    machine.run("".join(f"bind {nic}\n" for nic in NICS))
    return lines(machine, f"/build/test/bench/{program}", *args)


def kernels(machine):
    """Instructions a packet by the kernel's own driver."""
    machine.run("".join(f"bind {nic} e1000e\n" for nic in NICS))
    names = [machine.run(f"ls /sys/bus/pci/devices/{nic}/net").out.strip() for nic in NICS]
    machine.run("".join(f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6\n" for name in names))
    row, = lines(machine, "/build/test/bench/bench-guest-kernel", *names)
    return row["instructions"] / row["packets"]


def calls(machine, program, *args):
    """{(what, burst): instructions a packet}, after what it was compiled with, which is printed."""
    head, *rows = ours(machine, program, *args)
    print("    " + ", ".join(f"{k} {v}" for k, v in head.items()), flush=True)
    for r in rows:
        if r["same"] < 3:
            raise Failed(f"{program}: {r['what']} of {r['burst']}: {r['same']} windows of {r['windows']} agree")
    return {(r["what"], r["burst"]): r["instructions"] / r["packets"] for r in rows}


def mapping(machine):
    """Rows of bench-iommu: {(what, page): row}."""
    return {(r["what"], r["page"]): r for r in ours(machine, "bench-iommu", PORTS[0])}


def cost_of_calls(bench, machine, model):
    """Calls and loops beside DPDK, in one boot. Returns ours."""
    program = bench.build / "test/bench/bench-guest-dpdk"
    pollux = calls(machine, "bench-guest", *PORTS)
    dpdk = calls(machine, program.name, *DPDK_ARGS) if program.exists() else {}
    for key, figure in pollux.items():
        what, burst = key
        goal = TIMES_LESS[model] if burst == 32 and what != "loop" else 1.0
        bench.row(f"guest {model}: {what}, bursts of {burst}", "instr", figure, dpdk.get(key),
                  goal if dpdk else None, "less", "" if dpdk else "SKIP beside it: libdpdk-dev was not there")
    for what in ("rx", "tx") if LIMITS[model] else ():
        bench.row(f"guest {model}: {what}, bursts of 32, the call's limit", "instr", pollux[what, 32],
                  goal=LIMITS[model], better="less")
    return pollux


def same(bench, before, now, what):
    """A row that the loop costs the same in another boot."""
    worst = max(abs(now[key] - figure) for key, figure in before.items())
    bench.row(f"guest e1000e: loop, bursts of 32, {what}", "instr", now["loop", 32],
              why=f"(at most {worst:.2f} from the other boot in any row)")


def cost_of_protection(bench, counted, timed):
    """What mapping takes, by two runs of mapping()."""
    for (what, page), r in counted.items():
        name = f"guest IOMMU: {what} 1 MiB of {'4 KiB' if page == 4096 else '2 MiB'} pages"
        bench.row(name, "instr", r["ticks"] / r["mib"])
        bench.row(f"{name}, emulated", "us", timed[what, page]["ns"] / 1e3 / r["mib"])


def version(machine):
    """What counted: QEMU's version and options, the guest's kernel."""
    head = subprocess.run([machine.program, "--version"], capture_output=True, text=True, check=False).stdout
    print(f"    {head.splitlines()[0] if head else ''}: -cpu max -smp 1 -accel tcg,thread=single "
          f"-icount shift=0; {machine.run('uname -r').out.strip()}", flush=True)


def one_model(model):
    """A group: the calls on two NICs of this model."""
    def group(bench):
        try:
            with booted(bench, model, icount=True, aw_bits=48, iommu="strict") as machine:
                version(machine)
                cost_of_calls(bench, machine, model)
        except tap.Skip as why:
            bench.skip(f"guest {model}", str(why))
    return group


def in_guest(bench):
    """All that is measured on e1000e in the guest: four boots."""
    kernel = {}
    try:
        with booted(bench, icount=True, aw_bits=48, iommu="strict") as machine:
            version(machine)
            pollux = cost_of_calls(bench, machine, "e1000e")
            counted = mapping(machine)
            kernel["iommu.strict=1"] = kernels(machine)
        with booted(bench) as machine:
            cost_of_protection(bench, counted, mapping(machine))
        with booted(bench, icount=True, aw_bits=39, iommu="pt") as machine:
            same(bench, pollux, calls(machine, "bench-guest", *PORTS), "39-bit IOMMU, iommu=pt")
            kernel["iommu=pt"] = kernels(machine)
        with booted(bench, icount=True, iommu="lazy") as machine:
            kernel["iommu.strict=0"] = kernels(machine)
    except tap.Skip as why:
        bench.skip("guest", str(why))
        return
    for mode, figure in kernel.items():
        bench.row(f"guest e1000e of Linux, out and in, {mode}", "instr", figure)
