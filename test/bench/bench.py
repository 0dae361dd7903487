#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""All benchmarks: Pollux beside DPDK where that is installed, alternating in one run, medians.

usage: bench.py [--quick] [--build DIR] [--json FILE] [--plot FILE.png] [NAME...]

NAME is null, pcap, open, ring, mempool or e1000; without one, all. A row says what was measured,
the ratio and the goal. Exit code 1 when a program fails; a goal that is missed is printed, no more.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
SHM = pathlib.Path("/dev/shm")
HUGE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
DPDK = "dpdk-testpmd"
POOL, BURST = 4096, 32


class Failed(Exception):
    """A benchmark's program did not do its work."""


class Bench:
    """What the benchmarks share: options, and the rows so far."""

    def __init__(self, args):
        self.quick = args.quick
        self.rounds = 3 if args.quick else 5
        self.build = pathlib.Path(args.build).resolve() if args.build else make_build()
        self.rows = []
        self.dpdk = shutil.which(DPDK)
        self.huge = False

    def testpmd(self):
        return str(self.build / "app" / "plx-testpmd")

    def row(self, name, unit, pollux, dpdk=None, goal=None, better="more", why=""):
        """Prints and keeps a row; the ratio says how many times as good Pollux is."""
        ratio = None
        if dpdk:
            ratio = pollux / dpdk if better == "more" else dpdk / pollux
        row = {"name": name, "unit": unit, "pollux": pollux, "dpdk": dpdk, "ratio": ratio,
               "goal": goal, "why": why}
        if goal is not None:
            value = ratio if dpdk else pollux
            if dpdk is None and better == "more":
                row["met"] = None
            else:
                row["met"] = value >= goal if dpdk else value <= goal
        self.rows.append(row)
        print("   ", text(row), flush=True)


def text(row):
    """A row for people."""
    out = f"{row['name']:42} {row['pollux']:10.2f}"
    out += f" {row['dpdk']:10.2f}" if row["dpdk"] else f" {'-':>10}"
    out += f" {row['unit']:8}"
    out += f" {row['ratio']:6.2f} x" if row["ratio"] else " " * 9
    if row["goal"] is not None and row.get("met") is not None:
        sign = ">=" if row["ratio"] else "<="
        out += f"  goal {sign} {row['goal']}: {'met' if row['met'] else 'MISSED'}"
    return out + (f"  {row['why']}" if row["why"] else "")


def make_build():
    """A release build of its own, in the tree."""
    build = TREE / "build-bench"
    print(f"building {build} ...", flush=True)
    if not (build / "build.ninja").exists():
        subprocess.run(["meson", "setup", build, TREE, "--buildtype=release", "-Dbenchmarks=true"],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build], check=True, stdout=subprocess.DEVNULL)
    return build


def facts(bench):
    """What the figures depend on."""
    cpu = "?"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    def version(*cmd):
        try:
            out = subprocess.run(cmd, capture_output=True, text=True, check=True).stdout
            return out.splitlines()[0] if out else "?"
        except (OSError, subprocess.CalledProcessError):
            return "not installed"
    print(f"cpu {cpu}, {os.cpu_count()} of them; Linux {platform.release()}; "
          f"{version('cc', '--version')}; DPDK {version('pkg-config', '--modversion', 'libdpdk')}; "
          f"load {os.getloadavg()[0]:.1f}; huge pages: {'yes' if bench.huge else 'no'}")


def dpdk_args(bench, *vdevs):
    """dpdk-testpmd as it stands beside plx-testpmd: one forwarding core, the same pool and burst."""
    memory = ["-m", "256", "--in-memory"] if bench.huge else ["-m", "256", "--no-huge"]
    args = [DPDK, "-l", "0-1", *memory, "--no-pci", "--no-telemetry"]
    for vdev in vdevs:
        args += ["--vdev", vdev]
    return args + ["--", "--forward-mode=io", "--nb-cores=1", f"--total-num-mbufs={POOL}",
                   f"--burst={BURST}", "--auto-start"]


def last_cpu():
    return max(os.sched_getaffinity(0))


# ---- null: packets a second of the io loop ----

def null_pollux(bench, seconds):
    """Packets a second, the first second left out; and cycles a packet."""
    p = subprocess.run([bench.testpmd(), "--port", "null:", "--port", "null:", "--cores",
                        str(last_cpu()), "--total-num-mbufs", str(POOL), "--burst", str(BURST),
                        "--stats-period", "1", "--duration", str(seconds + 1.2),
                        "--huge", "auto" if bench.huge else "none"],
                       capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in p.stdout.splitlines() if " s |" in line][1:]
    if p.returncode != 0 or not lines:
        raise Failed(p.stderr or p.stdout)
    pps = [sum(float(x) for x in re.findall(r"rx ([\d.]+) tx", line)) for line in lines]
    cycles = [float(re.search(r"([\d.]+) cycles/packet", line).group(1)) for line in lines]
    return statistics.mean(pps), statistics.mean(cycles)


def null_dpdk(bench, seconds):
    """The same from dpdk-testpmd's own lines, the first second left out."""
    with subprocess.Popen(dpdk_args(bench, "net_null0", "net_null1") + ["--stats-period", "1"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as p:
        rates, begin = [], time.monotonic()
        for line in p.stdout:
            m = re.search(r"Rx-pps:\s+(\d+)", line)
            if m:
                rates.append(int(m.group(1)) / 1e6)
            if len(rates) >= 2 * (seconds + 2) or time.monotonic() - begin > 60:
                break
        p.kill()
    # two ports a period; the first shows no rate yet, the second is warm-up
    pairs = [a + b for a, b in zip(rates[0::2], rates[1::2])][2:]
    if not pairs:
        raise Failed("dpdk-testpmd printed no rates")
    return statistics.mean(pairs)


def bench_null(bench):
    seconds = 2 if bench.quick else 3
    ours, theirs, cycles = [], [], []
    for _ in range(bench.rounds):
        pps, cpp = null_pollux(bench, seconds)
        ours.append(pps)
        cycles.append(cpp)
        if bench.dpdk:
            theirs.append(null_dpdk(bench, seconds))
    bench.row("null ports, io, 1 core, bursts of 32", "Mpps", statistics.median(ours),
              statistics.median(theirs) if theirs else None, 1.5 if theirs else None,
              why="" if theirs else f"SKIP beside DPDK: no {DPDK}")
    bench.row("null ports: cycles a packet", "cycles", statistics.median(cycles))


# ---- pcap: capture to capture ----

def big_capture(path, count):
    """count packets, those of the shipped capture that fit 1514 bytes, again and again."""
    data = (TREE / "test/data/real.pcap").read_bytes()
    records, at = [], 24
    while at + 16 <= len(data):
        caplen, length = struct.unpack_from("<II", data, at + 8)
        if caplen == length <= 1514:
            records.append(data[at:at + 16 + caplen])
        at += 16 + caplen
    once = b"".join(records)
    with open(path, "wb") as f:
        f.write(data[:24])
        for _ in range(count // len(records)):
            f.write(once)
    return count // len(records) * len(records)


def growth(process, path, size, limit=120):
    """
    Seconds in which the output grows from 5 to 95 % of its size: start-up and the end, which differ
    between the programs, are outside, on both sides alike.
    """
    begin = end = None
    start = time.monotonic()
    while time.monotonic() - start < limit:
        try:
            now = path.stat().st_size
        except FileNotFoundError:
            now = 0
        t = time.monotonic()
        if begin is None and now >= size * 0.05:
            begin = t
        if now >= size * 0.95:
            end = t
            break
        if process.poll() is not None and now < size * 0.95:
            break
        time.sleep(0.0005)
    if begin is None or end is None:
        raise Failed("the output did not grow to its size")
    return end - begin


def pcap_pollux(bench, source, out):
    with subprocess.Popen([bench.testpmd(), "--port", f"pcap:rx={source}", "--port",
                           f"pcap:tx={out}", "--cores", str(last_cpu()), "--stats-period", "0",
                           "--total-num-mbufs", str(POOL), "--burst", str(BURST)],
                          stdout=subprocess.DEVNULL) as p:
        seconds = growth(p, out, source.stat().st_size)
        if p.wait(60) != 0 or out.stat().st_size != source.stat().st_size:
            raise Failed("plx-testpmd lost packets")
    return seconds


def pcap_dpdk(bench, source, out):
    with subprocess.Popen(dpdk_args(bench, f"net_pcap0,rx_pcap={source},tx_pcap={out}")
                          + ["--port-topology=loop", "--no-flush-rx"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as p:
        seconds = growth(p, out, source.stat().st_size)
        time.sleep(0.5)
        p.stdin.write("\n")  # testpmd ends at a key, and flushes
        p.stdin.close()
        p.wait(60)
        if out.stat().st_size != source.stat().st_size:
            raise Failed(f"{DPDK} lost packets")
    return seconds


def bench_pcap(bench):
    folder = SHM / f"plx-bench-{os.getpid()}"
    folder.mkdir()
    try:
        source, out = folder / "in.pcap", folder / "out.pcap"
        count = big_capture(source, 1_000_000 if bench.quick else 2_000_000)
        ours, theirs = [], []
        for _ in range(bench.rounds):
            ours.append(0.9 * count / pcap_pollux(bench, source, out) / 1e6)
            out.unlink()
            if bench.dpdk:
                theirs.append(0.9 * count / pcap_dpdk(bench, source, out) / 1e6)
                out.unlink()
    finally:
        shutil.rmtree(folder)
    bench.row("capture to capture", "Mpps", statistics.median(ours),
              statistics.median(theirs) if theirs else None, 2.0 if theirs else None,
              why="" if theirs else f"SKIP beside DPDK: no {DPDK}")


# ---- the others are programs of their own ----

def bench_open(bench):
    sys.path.insert(0, str(TREE / "test/app"))
    import qemu  # pylint: disable=import-outside-toplevel
    program = bench.build / "test/bench/bench-open"
    cases = [("null", "null:", "null:"),
             ("pcap", f"pcap:rx={TREE}/test/data/real.pcap", "pcap:tx=/dev/null")]
    for name, a, b in cases:
        bench.row(f"context with two ports opens: {name}", "ms", opens(bench, program, a, b),
                  goal=20, better="less")
    if qemu.missing():
        print("    SKIP context with two e1000e:", qemu.missing())
        return
    folder = SHM / f"plx-bench-{os.getpid()}"
    folder.mkdir()
    try:
        with qemu.Machine(folder, *qemu.two_e1000e()) as m:
            a, b = (f"qemu:{m.qtest},slot={slot},ram={m.ram}" for slot in (2, 3))
            bench.row("context with two ports opens: qemu e1000e", "ms",
                      opens(bench, program, a, b), goal=20, better="less")
    finally:
        shutil.rmtree(folder)


def opens(bench, program, a, b):
    return statistics.median(
        float(subprocess.run([program, a, b], check=True, capture_output=True, text=True,
                             timeout=60).stdout) for _ in range(bench.rounds))


def table_of(program):
    """Runs a program that prints a table of its own."""
    p = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=600, check=False)
    if p.returncode != 0:
        raise Failed(p.stderr)
    print("    " + p.stdout.replace("\n", "\n    "), flush=True)
    return p


def bench_micro(bench, name):
    """Rows `CASE  ns (ratio)  ...`, first column DPDK's default, last Pollux."""
    p = table_of(bench.build / f"test/bench/bench-{name}")
    for line in p.stdout.splitlines():
        figures = re.findall(r"([\d.]+) \( *([\d.]+)\)", line)
        if len(figures) < 2:
            continue
        case = line.split("  ")[0]
        goal = 1.0 if "32" in case else None
        bench.row(f"{name}: {case}", "ns", float(figures[-1][0]), float(figures[0][0]), goal, "less")


def bench_ring(bench):
    bench_micro(bench, "ring")


def bench_mempool(bench):
    bench_micro(bench, "mempool")


def bench_e1000(bench):
    program = bench.build / "test/bench/bench-e1000"
    if not program.exists():
        print("    SKIP: bench-e1000 was not built (x86-64, libcapstone-dev)")
        return
    for line in table_of(program).stderr.splitlines():
        r = json.loads(line)
        bench.row(f"e1000 {r['what']}, {r['path']}, {r['isa']}, burst {r['burst']}", "instr",
                  r["instructions"])


BENCHES = {"null": bench_null, "pcap": bench_pcap, "open": bench_open, "ring": bench_ring,
           "mempool": bench_mempool, "e1000": bench_e1000}


def reserve_huge(bench):
    """200 huge pages for both sides while it runs, where that may be done. Returns how many were."""
    try:
        before = HUGE.read_text(encoding="utf-8")
        if int(before) < 200:
            HUGE.write_text("200", encoding="utf-8")
        bench.huge = int(HUGE.read_text(encoding="utf-8")) >= 200
        return before
    except (OSError, ValueError):
        return None


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
    bench, failed = Bench(args), []
    before = reserve_huge(bench)
    try:
        facts(bench)
        for name in args.names or BENCHES:
            print(f"==> {name}", flush=True)
            try:
                BENCHES[name](bench)
            except (Failed, OSError, subprocess.SubprocessError) as err:
                failed.append(name)
                print(f"    FAILED: {err}", flush=True)
    finally:
        if before is not None:
            HUGE.write_text(before, encoding="utf-8")
    print(f"\n{'':42} {'Pollux':>10} {'DPDK':>10}")
    for row in bench.rows:
        print(text(row))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(bench.rows, indent=1), encoding="utf-8")
    if args.plot:
        plot(bench, args.plot)
    if failed:
        print("failed:", ", ".join(failed))
    return 1 if failed or not bench.rows else 0


if __name__ == "__main__":
    sys.exit(main())
