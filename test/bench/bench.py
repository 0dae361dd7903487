#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""All benchmarks: Pollux beside DPDK where that is installed, alternating in one run, medians.

usage: bench.py [--quick] [--build DIR] [--json FILE] [--plot FILE.png] [NAME...]

NAME is null, modes, pcap, open, ring, ring_port, tap, mempool, net, e1000, af_packet, af_xdp, guest or guest_MODEL; without
one, all. A row says what was measured, the ratio and the goal. Exit code 1 when a program fails; a goal that is missed is printed, no more.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import forward
import in_guest
import instructions
import programs
import veth
from forward import DPDK, Failed, TREE

HUGE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
BENCHES = {"null": forward.null, "modes": forward.modes, "pcap": forward.pcap, "open": programs.opening,
           "ring": programs.ring, "ring_port": programs.ring_port, "tap": programs.tap, "mempool": programs.mempool,
           "net": programs.net, "e1000": programs.e1000, "af_packet": veth.af_packet,
           "af_xdp": veth.af_xdp, "guest": in_guest.in_guest,
           **{f"guest_{model}": in_guest.one_model(model) for model in ("e1000", "igb", "vmxnet3")}}


class Bench:
    """What the benchmarks share: options, and the rows so far."""

    def __init__(self, args):
        self.quick = args.quick
        self.rounds = 3 if args.quick else 5
        self.build = pathlib.Path(args.build).resolve() if args.build else make_build()
        self.rows = []
        self.facts = {}
        self.dpdk = shutil.which(DPDK)
        self.huge = False

    def alternate(self, sides):
        """Runs each side in turn, as often as there are rounds. Returns {side: [what it returned]}."""
        found = {side: [] for side in sides}
        for _ in range(self.rounds):
            for side, run in sides.items():
                found[side].append(run())
        return found

    def compare(self, name, unit, found, goal, better="more", why=""):
        """A row of the medians of found["pollux"] and, where it was measured, found["dpdk"]."""
        if not self.dpdk:
            why = f"SKIP beside it: {DPDK} is not installed"
        self.row(name, unit, statistics.median(found["pollux"]),
                 statistics.median(found["dpdk"]) if self.dpdk else None,
                 goal if self.dpdk else None, better, why)

    def row(self, name, unit, pollux, dpdk=None, goal=None, better="more", why=""):
        """
        Prints and keeps a row; the ratio says how many times as good Pollux is. A goal is of the
        ratio; of a row that has nothing beside it by nature ("less"), it is of the figure itself.
        """
        ratio = met = None
        if dpdk:
            ratio = pollux / dpdk if better == "more" else dpdk / pollux
        if goal is not None:
            met = ratio >= goal if dpdk else pollux <= goal
        self.keep({"name": name, "unit": unit, "pollux": pollux, "dpdk": dpdk, "ratio": ratio,
                   "goal": goal, "met": met, "why": why})

    def skip(self, name, why):
        """A row that cannot be measured here."""
        self.keep({"name": name, "unit": "", "pollux": None, "dpdk": None, "ratio": None,
                   "goal": None, "met": None, "why": f"SKIP: {why}"})

    def keep(self, row, quiet=False):
        """A row, for the table and the file."""
        self.rows.append(row)
        if not quiet:
            print("   ", text(row), flush=True)


def text(row):
    """A row for people."""
    def figure(x, form):
        return f"{x:{form}}" if x is not None else f"{'-':>{form.split('.')[0]}}"
    out = f"{row['name']:52} {figure(row['pollux'], '10.2f')} {figure(row['dpdk'], '10.2f')}"
    out += f" {row['unit']:8}" + (f" {row['ratio']:8.2f} x" if row["ratio"] else " " * 11)
    if row["met"] is not None:
        sign = ">=" if row["ratio"] else "<="
        out += f"  goal {sign} {row['goal']}: {'met' if row['met'] else 'MISSED'}"
    return (out + (f"  {row['why']}" if row["why"] else "")).rstrip()


def make_build():
    """A release build of its own, in the tree."""
    build = TREE / "build-bench"
    print(f"building {build} ...", flush=True)
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build, TREE, "--buildtype=release", "-Dbenchmarks=true"],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build], check=True, stdout=subprocess.DEVNULL)
    return build


def build_options(build):
    """What matters of how it was built."""
    try:
        options = json.loads((build / "meson-info/intro-buildoptions.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "unknown"
    wanted = ("buildtype", "optimization", "b_lto", "b_sanitize", "c_args", "pool_debug")
    return ", ".join(f"{o['name']}={o['value']}" for o in options if o["name"] in wanted)


def facts(bench):
    """What the figures depend on."""
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break

    def version(*cmd):
        try:
            out = subprocess.run(cmd, capture_output=True, text=True, check=True).stdout
            return out.splitlines()[0] if out else "unknown"
        except (OSError, subprocess.CalledProcessError):
            return "not installed"
    load = os.getloadavg()[0]
    bench.facts = {"cpu": cpu, "cpus": os.cpu_count(), "linux": platform.release(),
                   "compiler": version("cc", "--version"),
                   "dpdk": version("pkg-config", "--modversion", "libdpdk"),
                   "build": build_options(bench.build), "rounds": bench.rounds,
                   "huge_pages": bench.huge, "load": load}
    for name, value in bench.facts.items():
        print(f"{name:10} {value}")
    if load > 0.5:
        print("           the machine does other things: wall times mean little")


def reserve_huge(bench):
    """200 huge pages for both sides while it runs, where that may be. Returns how many were."""
    try:
        before = HUGE.read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        if int(before) < 200:
            HUGE.write_text("200", encoding="utf-8")
        bench.huge = int(HUGE.read_text(encoding="utf-8")) >= 200
    except (OSError, ValueError):
        pass
    return before


def restore_huge(before):
    """Puts the number back."""
    if before is not None and HUGE.read_text(encoding="utf-8") != before:
        HUGE.write_text(before, encoding="utf-8")


def plot(bench, path):
    rows = [r for r in bench.rows if r["ratio"]]
    data = "\n".join(f'"{r["name"]}" {r["ratio"]:.3f}' for r in rows)
    script = (f'set terminal pngcairo size 1000,{120 + 24 * len(rows)}; set output "{path}"\n'
              'set title "times as fast as DPDK"; set logscale x; set grid x; unset key\n'
              f'set yrange [-1:{len(rows)}]; set lmargin 50; set arrow from 1,-1 to 1,{len(rows)} '
              f'nohead lw 2\n$d << EOD\n{data}\nEOD\n'
              'plot $d using 2:0:ytic(1) with points pt 7 ps 1.5\n')
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds, shorter")
    parser.add_argument("--build", help="a build with -Dbenchmarks=true (else one is made)")
    parser.add_argument("--json", help="the rows as JSON")
    parser.add_argument("--plot", help="the ratios as a picture (gnuplot)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(BENCHES))
    args = parser.parse_args()
    for name in args.names:
        if name not in BENCHES:
            parser.error(f"no benchmark '{name}'; there are: {' '.join(BENCHES)}")
    # so that a time limit, too, puts things back
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench, failed = Bench(args), []
    before = reserve_huge(bench)
    try:
        facts(bench)
        for name in args.names or BENCHES:
            print(f"==> {name}", flush=True)
            try:
                BENCHES[name](bench)
            except (Failed, instructions.Unknown, OSError, RuntimeError, ValueError,
                    subprocess.SubprocessError) as err:
                failed.append(name)
                print(f"    FAILED: {err}", flush=True)
    finally:
        restore_huge(before)
    print(f"\n{'':52} {'Pollux':>10} {'DPDK':>10}")
    for row in bench.rows:
        print(text(row))
    if args.json:
        result = {"machine": bench.facts, "failed": failed, "rows": bench.rows}
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    if args.plot:
        try:
            plot(bench, args.plot)
        except (OSError, subprocess.SubprocessError) as err:
            print("no picture:", err)
    if failed:
        print("failed:", ", ".join(failed))
    return 1 if failed or not bench.rows else 0


if __name__ == "__main__":
    sys.exit(main())
