# SPDX-License-Identifier: BSD-3-Clause
"""
The benchmarks of the drivers for the kernel's interfaces: plx-testpmd and dpdk-testpmd on veth pairs, in a
network namespace that each run makes and that ends with it.

    tx       the program sends (txonly) on a; what arrives at b the kernel drops and counts
    rx       plx-testpmd sends on b by af_packet, for both sides alike; the program receives (rxonly) on a
    forward  the same traffic comes in on a, goes through the program (io) to c, and arrives at d

Packets are counted by the kernel at the far end, or for rx by the program; the CPU time is that of the
program's busiest thread, with what the kernel does in its name. The sender has the other core.
"""
import contextlib
import ctypes
import os
import pathlib
import statistics
import subprocess
import time

from forward import POOL, DpdkCounters, Failed, PolluxCounters, cpus, dpdk_args, pollux_args, running

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def namespace():
    """This thread, and the programs it starts, in a network namespace with the pairs a-b and c-d."""
    with open("/proc/self/ns/net", "rb") as home:
        if LIBC.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            no_ipv6 = pathlib.Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
            if no_ipv6.exists():
                no_ipv6.write_text("1", encoding="ascii")
            for pair in ("a", "b"), ("c", "d"):
                ip("link", "add", "name", f"v{pair[0]}", "type", "veth", "peer", "name",
                   f"v{pair[1]}")
                for end in pair:
                    ip("link", "set", "dev", f"v{end}", "up")
            yield
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


def ip(*args):
    """ip(8)"""
    subprocess.run(["ip", *args], check=True, capture_output=True)


def arrived(name, column=1):
    """Packets that an interface has received (column 9: sent), as the kernel counts."""
    for line in pathlib.Path("/proc/thread-self/net/dev").read_text("ascii").splitlines():
        if line.strip().startswith(name + ":"):
            return int(line.split(":")[1].split()[column])
    raise Failed(f"no interface {name}")


def received(counters):
    """What the program counts; DPDK's answers nothing before the port is started."""
    try:
        return counters.received()
    except TypeError:
        return 0


def sender(bench):
    """What sends on vb, for both sides alike."""
    return [str(bench.build / "app" / "plx-testpmd"), "--port", "af_packet:vb", "--forward-mode",
            "txonly", "--txpkts", "64", "--cores", str(cpus()[0]), "--stats-period", "0",
            "--huge", "none"]


def thread_ns(pid):
    """CPU time of each thread; those that do control work are not the one that is measured."""
    return {task.name: int((task / "schedstat").read_text("ascii").split()[0])
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def window(process, count, seconds):
    """Half a second of traffic is left out, then come seconds that count: packets for a
    nanosecond of CPU time and of the clock, and what was sent to it by the clock."""
    limit = time.monotonic() + 60
    while count() < 10_000:
        if time.monotonic() > limit or process.poll() is not None:
            raise Failed(f"no packets come: {process.said()}")
        time.sleep(0.01)
    time.sleep(0.5)
    before = count(), time.monotonic_ns(), thread_ns(process.pid), arrived("vb", 9)
    time.sleep(seconds)
    packets, passed = count() - before[0], time.monotonic_ns() - before[1]
    cpu = max(ns - before[2].get(tid, 0) for tid, ns in thread_ns(process.pid).items())
    if process.poll() is not None or packets == 0 or cpu == 0:
        raise Failed(f"no packets come: {process.said()}")
    return packets / cpu, packets / passed, (arrived("vb", 9) - before[3]) / passed


def measure(bench, command, counters, what, seconds):
    """One run."""
    try:
        with namespace():
            if what == "tx":
                with running(command) as p:
                    return window(p, lambda: arrived("vb"), seconds)
            with running(command) as p:
                limit = time.monotonic() + 60
                while not counters.ready():
                    if time.monotonic() > limit or p.poll() is not None:
                        raise Failed(f"it does not start: {p.said()}")
                    time.sleep(0.01)
                count = (lambda: received(counters)) if what == "rx" else lambda: arrived("vd")
                with running(sender(bench)):
                    return window(p, count, seconds)
    finally:
        counters.close()


def rows(bench, driver):
    """Three rows of a driver."""
    mode = {"tx": "txonly", "rx": "rxonly", "forward": "io"}
    seconds = 1.5 if bench.quick else 3
    if os.geteuid() != 0:
        bench.skip(f"{driver} on veth pairs", "it takes root")
        return
    def with_pool(args):
        """DPDK's net_af_xdp keeps 2048 mbufs and more a queue."""
        return [a.replace(str(POOL), "16384") if a.endswith(str(POOL)) else a for a in args]
    for what, does in mode.items():
        names = ("va", "vc") if what == "forward" else ("va",)
        pollux = with_pool([*pollux_args(bench, *(f"{driver}:{n}" for n in names), mode=does),
                            "--txpkts", "64"])
        dpdk = dpdk_args(bench, *(f"net_{driver}{i},iface={n}" for i, n in enumerate(names)))
        dpdk = with_pool([f"--forward-mode={does}" if a.startswith("--forward-mode") else a
                          for a in dpdk])
        sides = {"pollux": lambda pollux=pollux, what=what: measure(
            bench, pollux, PolluxCounters(), what, seconds)}
        if bench.dpdk:
            sides["dpdk"] = lambda dpdk=dpdk + ["--txpkts=64"], what=what, n=len(names): measure(
                bench, dpdk, DpdkCounters(n), what, seconds)
        runs = bench.alternate(sides)
        cpu, clock, offered = ({side: [1e3 * x[i] for x in r] for side, r in runs.items()}
                               for i in range(3))

        def middle(figures):
            return " and ".join(f"{statistics.median(x):.2f}" for x in figures.values())
        # a sender is always busy; others poll in vain when the traffic is less than they can do
        name = f"{driver} on a veth, 64 bytes, {what}: "
        if what == "tx":
            bench.compare(name + "a core's packets", "Mpps", cpu, 1.0,
                          why=f"(by the clock {middle(clock)})")
        else:
            bench.compare(name + "packets", "Mpps", clock, 1.0,
                          why=f"(of {middle(offered)} sent to it)")


def af_packet(bench):
    """Packet sockets with mapped rings."""
    rows(bench, "af_packet")


def af_xdp(bench):
    """AF_XDP sockets, which copy on a veth."""
    rows(bench, "af_xdp")
