# SPDX-License-Identifier: BSD-3-Clause
"""The benchmarks that run plx-testpmd and dpdk-testpmd: null ports, and capture to capture.

Both programs are watched from outside and alike: the packets they count (plx-testpmd in its statistics
file, dpdk-testpmd in its telemetry), and the CPU time of their threads as the kernel counts it.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

TREE = pathlib.Path(__file__).resolve().parents[2]
SHM = pathlib.Path("/dev/shm")
DPDK = "dpdk-testpmd"
POOL, BURST = 4096, 32
PREFIX = f"plx-bench-{os.getpid()}"


class Failed(Exception):
    """A benchmark's program did not do its work."""


def cpus():
    """One CPU for the program's main thread, and the one that forwards."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextlib.contextmanager
def running(command):
    """A program, with what it printed in .said(); it is ended here whatever happens."""
    with tempfile.TemporaryFile("w+") as out:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out,
                              text=True) as p:
            def said():
                out.seek(0)
                return f"{command[0]}:\n" + "\n".join(out.read().splitlines()[-12:])
            p.said = said
            try:
                yield p
            finally:
                stop(p)


def stop(process):
    """As a user would, so that it takes its files away; and in any case."""
    for end in (process.terminate, process.kill):
        if process.poll() is None:
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


# ---- packets that were received ----

class PolluxCounters:
    """The file of --stats-file, as plx_stats.h says."""

    def __init__(self):
        self.path = SHM / f"{PREFIX}.stats"

    def ready(self):
        """Is it complete?"""
        return self.path.exists() and self.path.stat().st_size >= 128

    def received(self):
        """Of all RX queues."""
        data, total = self.path.read_bytes(), 0
        at, used = struct.unpack_from("=I", data, 20)[0], struct.unpack_from("=Q", data, 80)[0]
        while at < min(used, len(data)):
            _, _, size, live, n, strings, length, values = struct.unpack_from("=8I", data, at)
            names = data[at + strings:at + strings + length].split(b"\0")
            if live and b"rxq" in names[0]:
                total += struct.unpack_from(f"={n}Q", data, at + values)[names.index(b"packets") - 1]
            at += size
        return total

    def close(self):
        """plx-testpmd removes the file; one that was killed does not."""
        self.path.unlink(missing_ok=True)


class DpdkCounters:
    """DPDK's telemetry socket."""

    def __init__(self, ports):
        base = pathlib.Path("/var/run" if os.geteuid() == 0 else
                            os.environ.get("XDG_RUNTIME_DIR") or "/tmp")
        self.dir, self.ports, self.sock = base / "dpdk" / PREFIX, ports, None

    def ready(self):
        """Does it answer, and are the ports there?"""
        if self.sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.settimeout(20)
            try:
                sock.connect(str(self.dir / "dpdk_telemetry.v2"))
            except OSError:
                sock.close()
                return False
            sock.recv(4096)
            self.sock = sock
        return len(self.ask("/ethdev/list") or []) == self.ports

    def ask(self, command):
        """The value in the answer."""
        self.sock.send(command.encode())
        return json.loads(self.sock.recv(65536)).popitem()[1]

    def received(self):
        """Of all ports."""
        return sum(self.ask(f"/ethdev/stats,{i}")["ipackets"] for i in range(self.ports))

    def close(self):
        """DPDK leaves its folder."""
        if self.sock is not None:
            self.sock.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def cpu_ns(pid):
    """
    CPU time of a process, exact at this moment: the clock that clock_getcpuclockid(3) gives. Its main
    thread sleeps, so this is the thread that forwards.
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def pollux_args(bench, *ports, mode="io"):
    """One forwarding core, the same pool, burst and pages as beside it."""
    args = [str(bench.build / "app" / "plx-testpmd"), "--cores", str(cpus()[1]),
            "--forward-mode", mode,
            "--total-num-mbufs", str(POOL), "--burst", str(BURST), "--stats-period", "0",
            "--huge", "2M" if bench.huge else "none", "--stats-file", str(PolluxCounters().path)]
    for port in ports:
        args += ["--port", port]
    return args


def dpdk_args(bench, *vdevs, mode="io"):
    """The same of DPDK; its main thread sleeps, as that of plx-testpmd."""
    args = [DPDK, "--lcores", f"0@{cpus()[0]},1@{cpus()[1]}", "-m", "256", "--no-pci",
            "--in-memory", "--file-prefix", PREFIX]
    if not bench.huge:
        args.append("--no-huge")
    for vdev in vdevs:
        args += ["--vdev", vdev]
    return args + ["--", f"--forward-mode={mode}", "--nb-cores=1", f"--total-num-mbufs={POOL}",
                   f"--burst={BURST}", "--auto-start"]


def begun(process, counters, least):
    """Waits until it has received that many packets."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        if counters.ready() and counters.received() >= least:
            return
        time.sleep(0.005)
    raise Failed(f"it does not forward: {process.said()}")


# ---- null: packets a second of the io loop ----

def rate(command, counters, seconds):
    """
    Half a second of traffic is left out, then come seconds that count. Returns packets for each
    nanosecond of CPU time, and for each that passed.
    """
    def look():
        return counters.received(), cpu_ns(p.pid), time.monotonic_ns()
    try:
        with running(command) as p:
            begun(p, counters, 1_000_000)
            time.sleep(0.5)
            before = look()
            time.sleep(seconds)
            packets, cpu, passed = (b - a for a, b in zip(before, look()))
            if p.poll() is not None or packets == 0 or cpu == 0:
                raise Failed(f"it does not forward: {p.said()}")
    finally:
        counters.close()
    return packets / cpu, packets / passed


def tsc_ghz():
    """Cycles in a nanosecond, as the kernel found them."""
    for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("bogomips"):
            return float(line.split(":")[1]) / 2000
    return None


def beside(bench, what, pollux, dpdk, goal):
    """
    A row of what one core does while it has it, so that other programs' share of it does not matter.
    Returns the rates of the rounds.
    """
    seconds = 1.5 if bench.quick else 3
    sides = {"pollux": lambda: rate(pollux, PolluxCounters(), seconds)}
    if bench.dpdk:
        sides["dpdk"] = lambda: rate(dpdk, DpdkCounters(2), seconds)
    runs = bench.alternate(sides)
    mpps = {side: [1e3 * cpu for cpu, _ in r] for side, r in runs.items()}
    clock = [1e3 * statistics.median(x for _, x in r) for r in runs.values()]
    bench.compare(f"{what}: a core's packets", "Mpps", mpps, goal, why=
                  "(by the clock " + " and ".join(f"{x:.1f}" for x in clock) + ")")
    return mpps


def null(bench):
    """Two ports without a device, io."""
    mpps = beside(bench, "null ports, io, bursts of 32", pollux_args(bench, "null:", "null:"),
                  dpdk_args(bench, "net_null0", "net_null1"), 1.5)
    ghz = tsc_ghz()
    if ghz is None:
        bench.skip("null ports: cycles a packet", "the kernel does not tell the TSC's rate")
        return
    bench.compare("null ports: cycles a packet", "cycles",
                  {side: [1e3 * ghz / x for x in r] for side, r in mpps.items()}, None, "less")


def sound_capture(path):
    """The packets of TCP and UDP over IPv4 in the shipped capture whose checksums are right."""
    data, at, kept = (TREE / "test/data/real.pcap").read_bytes(), 24, []

    def total(*parts):
        words = b"".join(p + b"\0" * (len(p) % 2) for p in parts)
        return sum(struct.unpack(f"!{len(words) // 2}H", words)) % 0xffff
    while at + 16 <= len(data):
        caplen, length = struct.unpack_from("<II", data, at + 8)
        p = data[at + 16:at + 16 + caplen]
        if caplen == length <= 1514 and p[12:15] == b"\x08\0\x45" and p[23] in (6, 17):
            l4 = p[34:14 + struct.unpack_from("!H", p, 16)[0]]
            pseudo = p[26:34] + struct.pack("!HH", p[23], len(l4))
            if total(p[14:34]) == 0 and total(pseudo, l4) == 0:
                kept.append(data[at:at + 16 + caplen])
        at += 16 + caplen
    path.write_bytes(data[:24] + b"".join(kept))


def modes(bench):
    """
    Modes that work on headers. Packets of null ports are zeros on both sides, which is enough for
    macswap; to csum they are not IP, so it has a second row with packets that have checksums.
    """
    for mode, what in (("macswap", ""), ("csum", ", packets that are not IP")):
        beside(bench, f"null ports, {mode}{what}", pollux_args(bench, "null:", "null:", mode=mode),
               dpdk_args(bench, "net_null0", "net_null1", mode=mode), 1.5)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=SHM) as folder:
        source = pathlib.Path(folder) / "in.pcap"
        sound_capture(source)
        for mode in ("io", "csum"):
            ours = [f"pcap:rx={source},loop=0,preload=1"] * 2
            theirs = [f"net_pcap{i},rx_pcap={source},infinite_rx=1" for i in range(2)]
            beside(bench, f"a capture from memory, {mode}", pollux_args(bench, *ours, mode=mode),
                   dpdk_args(bench, *theirs, mode=mode), 1.5 if mode == "csum" else None)


# ---- pcap: capture to capture ----

def big_capture(path, count):
    """About count packets, those of the shipped capture that fit 1514 bytes, again and again."""
    data = (TREE / "test/data/real.pcap").read_bytes()
    records, at = [], 24
    while at + 16 <= len(data):
        caplen, length = struct.unpack_from("<II", data, at + 8)
        if caplen == length <= 1514:
            records.append(data[at:at + 16 + caplen])
        at += 16 + caplen
    times = -(-count // len(records))
    with open(path, "wb") as f:
        f.write(data[:24])
        for _ in range(times):
            f.write(b"".join(records))
    return times * len(records)


def packets_of(path):
    """Packets of a capture of this byte order: how many, a sum over lengths and bytes, all whole."""
    data, at, count, total = path.read_bytes(), 24, 0, 0
    head = struct.Struct("<II")
    while at + 16 <= len(data):
        caplen, _ = head.unpack_from(data, at + 8)
        total = zlib.crc32(data[at + 8:at + 16 + caplen], total)
        at += 16 + caplen
        count += 1
    return count, total, at == len(data)


def growth(process, path, size):
    """
    What the output grew (1: to its size), in how many nanoseconds of CPU time, and how many that
    passed, from about 5 to 95 % of it: start-up and end, which differ, are outside on both sides.
    None: this program was kept from looking in time.
    """
    looks, limit = [], time.monotonic() + 120
    while time.monotonic() < limit and process.poll() is None:
        now = path.stat().st_size if path.exists() else 0
        if now >= size * (0.95 if looks else 0.05):
            looks.append((now / size, cpu_ns(process.pid), time.monotonic_ns()))
            if len(looks) == 2:
                grown, cpu, passed = (b - a for a, b in zip(*looks))
                return (grown, cpu, passed) if grown > 0.5 else None
        time.sleep(0.0005)
    if process.poll() == 0:
        return None
    raise Failed(f"the output did not grow to its size: {process.said()}")


def copy(command, source, out, stays):
    """One run, complete. Returns the share of the packets for a nanosecond: of CPU time, of the clock."""
    size = source.stat().st_size
    for _ in range(5):
        with running(command) as p:
            grew = growth(p, out, size)
            if stays:  # testpmd of DPDK forwards until a key is pressed
                limit = time.monotonic() + 20
                while out.stat().st_size < size * 0.999 and time.monotonic() < limit:
                    time.sleep(0.01)
                time.sleep(0.3)
                p.stdin.write("\n")
                p.stdin.close()
            if p.wait(60) != 0 or out.stat().st_size != size:
                raise Failed(f"packets are lost: {p.said()}")
        if grew is not None:
            return grew[0] / grew[1], grew[0] / grew[2]
        out.unlink()
    raise Failed("the machine is too busy for the output to be watched")


def pcap(bench):
    """Both read one file and write another, on a tmpfs; what they write is compared with it."""
    folder = SHM / PREFIX
    if shutil.disk_usage(SHM).free < 2 << 30:
        bench.skip("capture to capture", f"{SHM} has less than 2 GiB free")
        return
    folder.mkdir()
    source, out = folder / "in.pcap", folder / "out.pcap"
    sides = {"pollux": (pollux_args(bench, f"pcap:rx={source}", f"pcap:tx={out}"), False)}
    if bench.dpdk:
        sides["dpdk"] = (dpdk_args(bench, f"net_pcap0,rx_pcap={source},tx_pcap={out}")
                         + ["--port-topology=loop", "--no-flush-rx"], True)
    try:
        count = big_capture(source, 2_000_000 if bench.quick else 4_000_000)
        wanted, seen = packets_of(source), set()
        shutil.copyfile(source, out)  # the pages of outputs have been some file's before
        out.unlink()

        def run(side):
            try:
                figures = copy(sides[side][0], source, out, sides[side][1])
                if side not in seen and packets_of(out) != wanted:
                    raise Failed(f"{side}: the output has not the packets of the input")
                seen.add(side)
                return figures
            finally:
                out.unlink(missing_ok=True)
        runs = bench.alternate({side: lambda side=side: run(side) for side in sides})
    finally:
        shutil.rmtree(folder)
        PolluxCounters().close()
        DpdkCounters(1).close()
    clock = [1e3 * count * statistics.median(x for _, x in r) for r in runs.values()]
    bench.compare("capture to capture: a core's packets", "Mpps",
                  {side: [1e3 * count * x for x, _ in r] for side, r in runs.items()}, 2.0, why=
                  "(by the clock " + " and ".join(f"{x:.2f}" for x in clock) + ")")


if __name__ == "__main__":
    sys.exit("bench.py runs these")
