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
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib

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
        self.facts = {}
        self.dpdk = shutil.which(DPDK)
        self.huge = False

    def testpmd(self):
        return str(self.build / "app" / "plx-testpmd")

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

    def keep(self, row):
        """A row, for the table and the file."""
        self.rows.append(row)
        print("   ", text(row), flush=True)


def text(row):
    """A row for people."""
    def figure(x, form):
        return f"{x:{form}}" if x is not None else f"{'-':>{form.split('.')[0]}}"
    out = f"{row['name']:44} {figure(row['pollux'], '10.2f')} {figure(row['dpdk'], '10.2f')}"
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

class Window:
    """How much of a core the busiest thread of a process had, from the first look to the last."""

    def __init__(self, pid):
        self.tasks = pathlib.Path(f"/proc/{pid}/task")
        self.looks = []

    def look(self):
        """Once a period; the process runs."""
        ran = {}
        for task in self.tasks.iterdir():
            try:
                ran[task.name] = int((task / "schedstat").read_text(encoding="utf-8").split()[0])
            except (OSError, ValueError, IndexError):
                pass
        self.looks.append((time.monotonic_ns(), ran))

    def share(self):
        """Of a core, 0 to 1; None where the kernel does not say."""
        if len(self.looks) < 2:
            return None
        (t0, before), (t1, after) = self.looks[0], self.looks[-1]
        most = max((ran - before.get(task, 0) for task, ran in after.items()), default=0)
        return most / (t1 - t0) if most else None


def end(process):
    """As a user would, so that it takes its files away; and in any case."""
    process.terminate()
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()


def periods(command, pattern, ports, seconds):
    """
    Runs a testpmd that prints rates once a second for each port. Two periods are left out; then
    come `seconds` that count. Returns millions of packets a second of all ports, and the core's share.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as p:
        killer = threading.Timer(60, p.kill)
        killer.start()
        window, rates, said = Window(p.pid), [], []
        for line in p.stdout:
            said.append(line)
            rates += [float(x) for x in re.findall(pattern, line)]
            found = len(rates) >= 2 * ports and re.search(pattern, line)
            if found and len(rates) % ports == 0:
                window.look()
            if len(rates) == (seconds + 2) * ports:
                break
        killer.cancel()
        end(p)
    if len(rates) < (seconds + 2) * ports:
        raise Failed(f"{command[0]} did not print its rates:\n{''.join(said[-12:])}")
    return sum(rates[2 * ports:]) / seconds, window.share()


def null_pollux(bench, seconds):
    """plx-testpmd's own lines: both ports in one."""
    return periods([bench.testpmd(), "--port", "null:", "--port", "null:", "--cores",
                    str(last_cpu()), "--total-num-mbufs", str(POOL), "--burst", str(BURST),
                    "--stats-period", "1", "--huge", "2M" if bench.huge else "none"],
                   r"rx ([\d.]+) tx", 2, seconds)


def null_dpdk(bench, seconds):
    """dpdk-testpmd's own lines: a port in each, of packets, not millions."""
    pps, share = periods(dpdk_args(bench, "net_null0", "net_null1") + ["--stats-period", "1"],
                         r"Rx-pps:\s+(\d+)", 2, seconds)
    return pps / 1e6, share


def tsc_mhz():
    """Cycles in a microsecond, as the kernel found them."""
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("bogomips"):
            return float(line.split(":")[1]) / 2
    return None


def bench_null(bench):
    """Packets a second, and what does not depend on who else had the core: cycles a packet."""
    seconds = 2 if bench.quick else 3
    runs = {"ours": [], "theirs": []}
    for _ in range(bench.rounds):
        runs["ours"].append(null_pollux(bench, seconds))
        if bench.dpdk:
            runs["theirs"].append(null_dpdk(bench, seconds))
    no_peer = "" if bench.dpdk else f"SKIP beside it: {DPDK} is not installed"

    def median(whose, figure):
        figures = [figure(*run) for run in runs[whose] if run[1]]
        return statistics.median(figures) if figures else None
    bench.row("null ports, io, 1 core, bursts of 32", "Mpps",
              statistics.median(pps for pps, _ in runs["ours"]),
              statistics.median(pps for pps, _ in runs["theirs"]) if bench.dpdk else None,
              1.5 if bench.dpdk else None, why=no_peer)
    mhz = tsc_mhz()
    if mhz is None or median("ours", lambda pps, share: share) is None:
        bench.skip("null ports: cycles a packet", "the kernel does not tell TSC rate or CPU time")
        return
    bench.row("null ports: cycles a packet", "cycles",
              median("ours", lambda pps, share: share * mhz / pps),
              median("theirs", lambda pps, share: share * mhz / pps),
              1.5 if bench.dpdk else None, "less", no_peer)


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


def packets_of(path):
    """Packets of a capture of this byte order: how many, a sum over lengths and bytes, all whole."""
    data, at, count, total = path.read_bytes(), 24, 0, 0
    head = struct.Struct("<II")
    while at + 16 <= len(data):
        caplen, length = head.unpack_from(data, at + 8)
        total = zlib.crc32(data[at + 8:at + 16 + caplen], total)
        at += 16 + caplen
        count += 1
    return count, total, at == len(data)


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
        wanted, ours, theirs = packets_of(source), [], []
        sides = [(pcap_pollux, ours)] + ([(pcap_dpdk, theirs)] if bench.dpdk else [])
        for i in range(bench.rounds):
            for side, figures in sides:
                figures.append(0.9 * count / side(bench, source, out) / 1e6)
                if i == 0 and packets_of(out) != wanted:
                    raise Failed(f"{side.__name__}: the output has not the packets of the input")
                out.unlink()
    finally:
        shutil.rmtree(folder)
    bench.row("capture to capture", "Mpps", statistics.median(ours),
              statistics.median(theirs) if theirs else None, 2.0 if theirs else None,
              why="" if theirs else f"SKIP beside it: {DPDK} is not installed")


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
        bench.skip("context with two ports opens: qemu e1000e", qemu.missing())
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
    """
    Lines `CASE  ns (ratio)  ...`: DPDK's default first, its other kinds if any, Pollux last. A
    pool's bursts are all of 32.
    """
    p = table_of(bench.build / f"test/bench/bench-{name}")
    found = 0
    for line in p.stdout.splitlines():
        figures = [float(x) for x in re.findall(r"([\d.]+) \( *[\d.]+\)", line)]
        if not figures:
            continue
        found += 1
        case, theirs, why = line.split("  ")[0], figures[:-1], ""
        if not theirs:
            why = "SKIP beside it: libdpdk-dev was not there at build time"
        elif len(theirs) > 1:
            why = f"({min(theirs) / figures[-1]:.2f} x its best kind of ring)"
        goal = 1.0 if theirs and (name == "mempool" or "bursts of 32" in case) else None
        bench.row(f"{name}: {case}", "ns", figures[-1], theirs[0] if theirs else None, goal, "less",
                  why)
    if found == 0:
        raise Failed(f"bench-{name} printed no figures")


def bench_ring(bench):
    bench_micro(bench, "ring")


def bench_mempool(bench):
    bench_micro(bench, "mempool")


def bench_e1000(bench):
    program = bench.build / "test/bench/bench-e1000"
    if not program.exists():
        bench.skip("e1000 in instructions", "bench-e1000 was not built; meson says why")
        return
    for line in table_of(program).stderr.splitlines():
        r = json.loads(line)
        bench.row(f"e1000 {r['what']}, {r['path']}, {r['isa']}, burst {r['burst']}", "instr",
                  r["instructions"])


BENCHES = {"null": bench_null, "pcap": bench_pcap, "open": bench_open, "ring": bench_ring,
           "mempool": bench_mempool, "e1000": bench_e1000}


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
            except (Failed, OSError, RuntimeError, ValueError, subprocess.SubprocessError) as err:
                failed.append(name)
                print(f"    FAILED: {err}", flush=True)
    finally:
        restore_huge(before)
    print(f"\n{'':44} {'Pollux':>10} {'DPDK':>10}")
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
