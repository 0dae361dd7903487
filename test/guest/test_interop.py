#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Pollux over VFIO with what others wrote at the other end of the wire: DPDK, the kernel's driver, other guests.

usage: test_interop.py BUILD [PART OF A NAME]
"""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import struct
import sys
import time

import guest
import image  # puts ../app on the path
import captures
import tap

TESTPMD, DPDK = "/build/app/plx-testpmd", "dpdk-testpmd"
OURS, THEIRS = "0000:00:10.0", "0000:00:11.0"
FRAMES = 1000
BUILD = None


# ---- captures ----

def frames(count):
    """UDP over IPv4 of all lengths from 60 to 1514, each with its number; no two are equal."""
    draw = random.Random(4)
    made = []
    for i in range(count):
        size = (60, 1514)[i % 2] if i < 8 else draw.randint(60, 1514)
        ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, i, 0, 64, 17, 0, b"\xc6\x12\0\1",
                                   b"\xc6\x12\0\2"))
        total = sum(struct.unpack("!10H", ip))
        total = (total & 0xffff) + (total >> 16)
        ip[10:12] = struct.pack("!H", ~(total + (total >> 16)) & 0xffff)
        udp = struct.pack("!HHHH", 9, 9, size - 34, 0)
        made.append(bytes.fromhex("020000000001020000000002" "0800") + bytes(ip) + udp +
                    struct.pack("!I", i) + draw.randbytes(size - 46))
    return made


def write_capture(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for p in packets:
            f.write(struct.pack("<IIII", 0, 0, len(p), len(p)) + p)


def arrived(path, sent):
    """All that was sent is in the capture, byte by byte; order is the hub's business when a ring is full."""
    got = sorted(p for p, _ in captures.packets(path))
    assert got == sorted(sent), f"{path.name}: {len(got)} frames of {len(sent)}, " \
        f"{len(set(got) & set(sent))} of them as they were sent"


# ---- what runs in the guests ----

@contextlib.contextmanager
def booted(tmp, name="guest", **options):
    """A guest whose /result is a folder of the test."""
    (tmp / name).mkdir()
    with guest.Guest(BUILD, results=tmp / name, **options) as machine:
        yield machine


def testpmd(*args):
    """Ours, by an ordinary user; a line each second says that it forwards. QEMU wants whole packets in a page."""
    return " ".join(["MEMLOCK=65536 as_nobody", TESTPMD, "--huge 2M", "--stats-period 1",
                     "--total-num-mbufs 4096", "--json /tmp/plx.json", *args])


def dpdk(bdf, *args, vdev=None):
    """DPDK's testpmd, which ends when its standard input does."""
    need(DPDK)
    more = f"--vdev {vdev}" if vdev else ""
    return f"XDG_RUNTIME_DIR=/run {DPDK} -l 0,1 -a {bdf} {more} --in-memory -m 64 --no-telemetry -- " + " ".join(args)


def need(program):
    if not any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.environ["PATH"].split(":")):
        raise tap.Skip(f"{program} is not installed")


def check(path, port, name, count):
    """The results of plx-testpmd have this count."""
    found = json.loads(path.read_text())["ports"][port]
    assert found[name] == count, f"port {port}: {found}, wanted {name} of {count}"


# ---- tests ----

def beside_dpdk(machine, pollux, theirs, ready, until="true"):
    """
    plx-testpmd on one NIC, DPDK's testpmd on the other beside a capture. What DPDK sends before QEMU's NIC
    has done negotiating is lost, whatever its link is said to be: it starts a while after it could.
    ready: a condition for that. until: one for its end, which may print commands for it.
    """
    words = dpdk(THEIRS, "-i", "--forward-mode=io", "--nb-cores=1", "--total-num-mbufs=4096", "--no-flush-rx",
                 vdev=f"net_pcap0,{theirs}")
    machine.run(f"""
        hugepages 64 && give {OURS} && bind {THEIRS} || exit 1
        wait_for() {{ for _ in $(seq 300); do if "$@"; then return 0; fi; sleep 0.2; done; echo "waited for: $*"; }}
        {{
            wait_for grep -qs 'testpmd>' /result/dpdk.log; sleep 1
            wait_for {ready}; echo start
            wait_for test -s /tmp/plx.json
            wait_for sh -c '{until}'; echo stop; echo quit
        }} | {words} >/result/dpdk.log 2>&1 &
        dpdk=$!
        {pollux} >/result/plx.log 2>&1 || {{ cat /result/plx.log; exit 1; }}
        wait $dpdk
        cp /tmp/plx.json /tmp/out.pcap /result""", timeout=200)


def test_dpdk_receives_what_pollux_sends(tmp):
    """A capture out of our NIC, into a capture by DPDK's testpmd: the same frames."""
    sent = frames(FRAMES)
    with booted(tmp, nics=2, aw_bits=48) as machine:
        write_capture(machine.results / "in.pcap", sent)
        pollux = testpmd("--port", "pcap:rx=/result/in.pcap", "--port", f"pci:{OURS}", f"--packets {FRAMES}")
        beside_dpdk(machine, f"wait_for test -e /tmp/started; {pollux}", "tx_pcap=/tmp/out.pcap", "touch /tmp/started",
                    f"echo show port stats all; sleep 0.5; grep -q \"RX-packets: {FRAMES} \" /result/dpdk.log")
        check(machine.results / "plx.json", 1, "tx_packets", FRAMES)
        arrived(machine.results / "out.pcap", sent)


def test_pollux_receives_what_dpdk_sends(tmp):
    """The other direction."""
    sent = frames(FRAMES)
    with booted(tmp, nics=2, aw_bits=48) as machine:
        write_capture(machine.results / "in.pcap", sent)
        pollux = testpmd("--port", f"pci:{OURS}", "--port", "pcap:tx=/tmp/out.pcap", f"--packets {FRAMES}",
                         "--duration 90")
        beside_dpdk(machine, pollux, "rx_pcap=/result/in.pcap", "test -s /result/plx.log")
        check(machine.results / "plx.json", 0, "rx_packets", FRAMES)
        arrived(machine.results / "out.pcap", sent)


def reached(address):
    """Shell words that wait for links at both ends and ARP."""
    return f"for _ in $(seq 60); do busybox ping -c 1 -W 1 {address} >/dev/null && break; done"


def test_the_kernel_pings_pollux(tmp):
    """The kernel's e1000e on one NIC pings plx-testpmd on the other, which answers by itself."""
    with booted(tmp, nics=2) as machine:
        said = machine.run(f"""
            hugepages 32 && give {OURS} && bind {THEIRS} e1000e || exit 1
            {testpmd("--port", f"pci:{OURS}", "--forward-mode icmpecho", "--echo-addr 10.1.1.1")} \\
                >/result/plx.log 2>&1 &
            eth=$(ls /sys/bus/pci/devices/{THEIRS}/net)
            ip address add 10.1.1.2/24 dev $eth && ip link set $eth up
            {reached("10.1.1.1")}
            busybox ping -c 20 -i 0.1 -s 1400 -w 60 10.1.1.1
            kill $(pidof plx-testpmd)
            wait
            cp /tmp/plx.json /result""", timeout=120).out
        assert re.search(r"20 packets transmitted, 20 packets received", said), said
        port, = json.loads((machine.results / "plx.json").read_text())["ports"]
        assert port["rx_packets"] >= 20 and port["tx_packets"] >= 20, port


def wire(tmp, name, near, far, addr):
    """QEMU's words for an e1000e whose frames are datagrams between two sockets."""
    return ["-netdev", f"dgram,id={name},local.type=unix,local.path={tmp}/{near},remote.type=unix,"
            f"remote.path={tmp}/{far}",
            "-device", f"e1000e,netdev={name},addr={addr:x},romfile=,mac=52:54:00:00:{ord(near[0]):02x}:{addr:02x}"]


def start_host(machine, address):
    """A guest whose own kernel drives its NIC."""
    machine.run(f"""
        modprobe e1000e
        eth=$(ls /sys/bus/pci/devices/{OURS}/net)
        ip address add {address}/24 dev $eth && ip link set $eth up""")


def test_testpmd_between_the_kernels_of_two_guests(tmp):
    """Three QEMUs: plx-testpmd over VFIO in the middle one forwards; ping, and a file with its checksum."""
    data = random.Random(5).randbytes(2 << 20)
    one = {"smp": 1, "mem": 512}
    with booted(tmp, "left", qemu=wire(tmp, "n0", "a", "b", 0x10), **one) as left, \
            booted(tmp, "right", qemu=wire(tmp, "n0", "d", "c", 0x10), **one) as right, \
            booted(tmp, "middle", qemu=wire(tmp, "n0", "b", "a", 0x10) + wire(tmp, "n1", "c", "d", 0x11),
                   **one) as middle:
        middle.run(f"""
            hugepages 32 && give {OURS} {THEIRS} || exit 1
            {testpmd("--port", f"pci:{OURS}", "--port", f"pci:{THEIRS}")} \\
                >/result/plx.log 2>&1 &
            for _ in $(seq 150); do grep -q '1.0 s' /result/plx.log && exit 0; sleep 0.2; done
            cat /result/plx.log; exit 1""", timeout=60)
        start_host(left, "10.2.2.1")
        start_host(right, "10.2.2.2")
        left.run(reached("10.2.2.2"), timeout=90)
        said = left.run("busybox ping -c 20 -i 0.1 -w 60 10.2.2.2", timeout=90).out
        assert re.search(r"20 packets transmitted, 20 packets received", said), said
        (left.results / "file").write_bytes(data)
        # with an input that never ends: at its end nc would tell the other one, which would leave
        right.run("mkfifo /tmp/silent; { busybox nc -l -p 5000 0<>/tmp/silent >/tmp/file; echo $? >/tmp/ended; } "
                  ">/tmp/log 2>&1 &")
        time.sleep(1)
        left.run("busybox nc 10.2.2.2 5000 </result/file", timeout=120)
        got = right.run("for i in $(seq 150); do [ -s /tmp/ended ] && break; sleep 0.2; done; "
                        "sha256sum /tmp/file; ls -l /tmp/file; cat /tmp/ended /tmp/log").out
        assert got.split()[0] == hashlib.sha256(data).hexdigest(), got
        middle.run("kill $(pidof plx-testpmd); for i in $(seq 50); do [ -s /tmp/plx.json ] && break; sleep 0.1; done; "
                   "cp /tmp/plx.json /result")
        ports = json.loads((middle.results / "plx.json").read_text())["ports"]
        # the file's segments one way, acknowledgements the other
        assert ports[0]["rx_packets"] == ports[1]["tx_packets"] >= len(data) // 1448, ports
        assert ports[1]["rx_packets"] == ports[0]["tx_packets"] > 20, ports


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv[1])
    sys.exit(tap.run(globals(), *sys.argv[2:3]))
