#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The forwarding modes of plx-testpmd, capture in, capture out. Prints TAP.

Packets are made with scapy; what comes out is judged by scapy and by tshark, which were written by
others. Debian's Python has scapy, so this is run with that one.

usage: test_modes.py TESTPMD DATA_DIR [SUBSTRING]
"""
import ipaddress
import json
import logging
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import qemu
import tap
from captures import packets
from tap import Skip

logging.getLogger("scapy").setLevel(logging.ERROR)
try:
    # pylint: disable=no-name-in-module
    from scapy.all import (ARP, Dot1AD, Dot1Q, Ether, GRE, ICMP, IP, IPOption_NOP, IPv6,
                           IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                           IPv6ExtHdrRouting, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA,
                           ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, PadN, Raw, SCTP,
                           SCTPChunkData, TCP, UDP)
    from scapy.layers.vxlan import VXLAN
    from scapy.contrib.geneve import GENEVE
    SCAPY = None
except ImportError:
    SCAPY = "scapy is not installed (python3-scapy)"

TREE = pathlib.Path(__file__).resolve().parents[2]
TESTPMD, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 120  # seconds: only a hang takes so long
A, B = "02:00:00:00:aa:01", "02:00:00:00:bb:02"


def run(*args, code=0):
    """One run to its end."""
    p = subprocess.run([TESTPMD, *map(str, args), "--stats-period", "0"], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=False)
    assert p.returncode == code, f"exit code {p.returncode}, not {code}\n{p.stdout}\n{p.stderr}"
    return p


def result(*args):
    """The JSON of a run that must work."""
    return json.loads(run(*args, "--json", "-").stdout)


def write(path, frames, gap_us=1):
    """A capture of these frames: bytes, or what scapy makes bytes of."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            frame = bytes(frame)
            f.write(struct.pack("<IIII", i * gap_us // 1000000, i * gap_us % 1000000,
                                len(frame), len(frame)) + frame)


def forward(tmp, mode, frames, *args):
    """What comes out of these frames, and the JSON."""
    source, out = tmp / "in.pcap", tmp / "out.pcap"
    write(source, frames)
    out.unlink(missing_ok=True)
    r = result("--port", f"pcap:rx={source}", "--port", f"pcap:tx={out}", "--forward-mode", mode,
               *args)
    return [p for p, _ in packets(out)], r


def echo(tmp, frames, *args):
    """The answers to these frames, out of the port that they came in through, and the counters."""
    source, out = tmp / "in.pcap", tmp / "out.pcap"
    write(source, frames)
    out.unlink(missing_ok=True)
    r = result("--port", f"pcap:rx={source},tx={out}", "--forward-mode", "icmpecho", *args)
    return [p for p, _ in packets(out)], r["counters"]


def need_tshark():
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed")


def wrong_checksums(path, *more):
    """Packets of a capture with a checksum that tshark calls wrong: [(number, what)]."""
    fields = ["ip.checksum.status", "tcp.checksum.status", "udp.checksum.status",
              "sctp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", *more]
    cmd = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.number"]
    for name in ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum"):
        cmd += ["-o", f"{name}:TRUE"]
    cmd += ["-o", "sctp.checksum:CRC32C", "-o", "tcp.desegment_tcp_streams:FALSE",
            "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    for f in fields:
        cmd += ["-e", f]
    out = subprocess.run(cmd, capture_output=True, text=True, check=True, timeout=LIMIT).stdout
    bad = []
    for line in out.splitlines():
        number, *status = line.split("\t")
        for name, value in zip(fields, status):
            # 0: wrong; 1: right; 2: not checked; 3: there is none
            if "0" in value.split(","):
                bad.append((int(number), name))
    return bad


def capture_frames(name="real.pcap"):
    return [p for p, _ in packets(DATA / name)]


# ---- macswap, mac ----

def test_macswap_and_mac_of_any_length(tmp):
    frames = [bytes(range(n)) for n in range(1, 80)]
    for size in (192, 2176):
        got, _ = forward(tmp, "macswap", frames, "--mbuf-size", size)
        assert got == [f[6:12] + f[:6] + f[12:] if len(f) >= 12 else f for f in frames], size
        got, _ = forward(tmp, "mac", frames, "--eth-peer", "1,0a:0B:0c:0d:0e:0f", "--mbuf-size", size)
        for g, f in zip(got, frames):
            assert g[12:] == f[12:] and len(g) == len(f)
            assert len(f) < 12 or g[:6] == bytes.fromhex("0a0b0c0d0e0f"), g.hex()


# ---- 5tswap ----

def swap_cases():
    """(frame, what 5tswap makes of it)."""
    out, e, s = [], Ether(src=A, dst=B), Ether(src=B, dst=A)
    v4, w4 = dict(src="192.0.2.1", dst="198.51.100.7"), dict(src="198.51.100.7", dst="192.0.2.1")
    v6, w6 = dict(src="2001:db8::1", dst="2001:db8:1::7"), dict(src="2001:db8:1::7", dst="2001:db8::1")
    pay = Raw(b"payload of some bytes")
    for tags in ([], [Dot1Q(vlan=5, prio=3)], [Dot1AD(vlan=7), Dot1Q(vlan=5)]):
        def stack(base, *layers):
            p = base
            for layer in [*tags, *layers]:
                p = p / layer.copy()
            return p
        for opts in ([], [IPOption_NOP()] * 8):
            i, o = IP(**v4, options=opts), IP(**w4, options=opts)
            out += [(stack(e, i, TCP(sport=1000, dport=80, flags="PA"), pay),
                     stack(s, o, TCP(sport=80, dport=1000, flags="PA"), pay)),
                    (stack(e, i, UDP(sport=53, dport=4000), pay), stack(s, o, UDP(sport=4000, dport=53), pay)),
                    (stack(e, i, UDP(sport=53, dport=4000, chksum=0), pay),
                     stack(s, o, UDP(sport=4000, dport=53, chksum=0), pay)),
                    (stack(e, i, ICMP(), pay), stack(s, o, ICMP(), pay)),
                    (stack(e, i, SCTP(sport=1, dport=2)), stack(s, o, SCTP(sport=1, dport=2))),
                    (stack(e, IP(**v4, frag=3, proto=17), pay), stack(s, IP(**w4, frag=3, proto=17), pay))]
        first = stack(e, IP(**v4, flags="MF"), UDP(sport=53, dport=4000, len=3000, chksum=0x1234), pay)
        out.append((first, stack(s, IP(**w4, flags="MF"), UDP(sport=4000, dport=53, len=3000,
                                                            chksum=0x1234), pay)))
        for exts in ([], [IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])],
                     [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrDestOpt()],
                     [IPv6ExtHdrFragment(offset=0, m=0, id=5)]):
            i, o = IPv6(**v6), IPv6(**w6)
            out += [(stack(e, i, *exts, TCP(sport=1000, dport=80), pay),
                     stack(s, o, *exts, TCP(sport=80, dport=1000), pay)),
                    (stack(e, i, *exts, UDP(sport=7, dport=8), pay),
                     stack(s, o, *exts, UDP(sport=8, dport=7), pay)),
                    (stack(e, i, *exts, ICMPv6EchoRequest(data=b"x")),
                     stack(s, o, *exts, ICMPv6EchoRequest(data=b"x")))]
        out += [(stack(e, IPv6(**v6), IPv6ExtHdrFragment(offset=8, m=1, nh=17), pay),
                 stack(s, IPv6(**w6), IPv6ExtHdrFragment(offset=8, m=1, nh=17), pay)),
                # its checksum is over another destination: addresses and ports stay
                (stack(e, IPv6(**v6), IPv6ExtHdrRouting(addresses=["2001:db8::99"]), UDP(sport=7, dport=8)),
                 stack(s, IPv6(**v6), IPv6ExtHdrRouting(addresses=["2001:db8::99"]), UDP(sport=7, dport=8))),
                (stack(e, ARP()), stack(s, ARP()))]
    return [(bytes(a), bytes(b)) for a, b in out]


def test_5tswap_swaps_addresses_and_ports(tmp):
    cases = swap_cases()
    for args in ((), ("--mbuf-size", 192), ("--burst", 1)):
        got, _ = forward(tmp, "5tswap", [a for a, _ in cases], *args)
        for i, (g, (a, b)) in enumerate(zip(got, cases)):
            assert g == b, f"case {i}, {args}: {Ether(a)!r}\n{a.hex()}\n{g.hex()}\n{b.hex()}"
        assert len(got) == len(cases)


def test_5tswap_keeps_checksums_right(tmp):
    need_tshark()
    frames = [a for a, _ in swap_cases()] + capture_frames()
    write(tmp / "before.pcap", frames)
    forward(tmp, "5tswap", frames)
    assert wrong_checksums(tmp / "out.pcap") == wrong_checksums(tmp / "before.pcap")


def test_5tswap_twice_is_nothing(tmp):
    for name in ("real.pcap", "big.pcap"):
        frames = capture_frames(name)
        once, _ = forward(tmp, "5tswap", frames, "--mbuf-size", 300)
        twice, _ = forward(tmp, "5tswap", once)
        assert twice == frames and once != frames


# ---- txonly, flowgen ----

def check_made(frame, src, dst, sport=9, dport=9):
    """A packet of txonly or flowgen: right in all headers."""
    p = Ether(frame)
    assert (p[IP].src, p[IP].dst, p[UDP].sport, p[UDP].dport) == (src, dst, sport, dport), repr(p)
    again = p.copy()
    del again[IP].chksum, again[IP].len, again[UDP].len
    assert bytes(again) == frame, repr(p)
    assert p[UDP].chksum == 0 and bytes(p[UDP].payload).strip(b"\0") == b""


def test_txonly_packets_are_as_asked(tmp):
    out = tmp / "out.pcap"
    for segs, more in (("60", ()), ("42", ()), ("1514", ()), ("64,1,1,500", ("--mbuf-size", 700)),
                       ("100,65,9", ("--burst", 1)), (",".join(["64"] * 23), ())):
        r = result("--port", f"pcap:tx={out}", "--forward-mode", "txonly", "--packets", 777,
                   "--txpkts", segs, "--tx-ip", "192.0.2.9,203.0.113.8", "--tx-udp", "1024,5000",
                   "--eth-peer", "0,00:11:22:33:44:55", *more)
        got = [p for p, _ in packets(out)]
        assert len(got) == r["total"]["tx_packets"] == 777
        for p in got[::100]:
            assert len(p) == sum(map(int, segs.split(","))), segs
            assert p[:6].hex() == "001122334455"
            check_made(p, "192.0.2.9", "203.0.113.8", 1024, 5000)


def test_txonly_multi_flow_has_256_sources(tmp):
    out = tmp / "out.pcap"
    result("--port", f"pcap:tx={out}", "--forward-mode", "txonly", "--packets", 1024,
           "--txonly-multi-flow", "--txpkts", "64,64")
    sources = [Ether(p)[IP].src for p, _ in packets(out)]
    assert all(sources.count(s) == 4 for s in set(sources)) and len(set(sources)) == 256
    for p, src in zip((p for p, _ in packets(out)), sources):
        check_made(p, src, "198.18.0.2")


def test_flowgen_sweeps_destinations(tmp):
    out = tmp / "out.pcap"
    for flows, clones, n in ((7, 0, 700), (1024, 0, 5000), (3, 2, 1000), (1, 0, 64)):
        r = result("--port", f"pcap:tx={out}", "--forward-mode", "flowgen", "--packets", n,
                   "--flowgen-flows", flows, "--flowgen-clones", clones, "--tx-ip",
                   "198.18.0.1,198.18.255.250")
        got = [p for p, _ in packets(out)]
        assert len(got) == n == r["total"]["tx_packets"]
        base = ipaddress.ip_address("198.18.255.250")
        for i, p in enumerate(got):
            dst = str(base + i // (clones + 1) % flows)
            assert Ether(p)[IP].dst == dst, (i, flows, clones)
            if i % 61 == 0:
                check_made(p, "198.18.0.1", dst)


def test_flowgen_counts_what_comes_in(tmp):
    out = tmp / "out.pcap"
    r = result("--port", f"pcap:rx={DATA / 'real.pcap'},tx={out}", "--forward-mode", "flowgen",
               "--packets", 100000)
    assert r["total"]["tx_packets"] == 100000 and r["total"]["rx_packets"] == 1244


def test_flowgen_is_exact_over_several_queues(_):
    for mode in ("flowgen", "txonly"):
        r = result("--port", "null:", "--port", "null:", "--rxq", 2, "--txq", 3, "--nb-cores", 2,
                   "--forward-mode", mode, "--packets", 12345)
        assert r["total"]["tx_packets"] == 12345, mode


# ---- noisy ----

NOISE = ["--noisy-lkup-memory", 1, "--noisy-lkup-num-reads", 3, "--noisy-lkup-num-writes", 2,
         "--noisy-lkup-num-reads-writes", 1]


def test_noisy_keeps_packets_and_their_order(tmp):
    frames = capture_frames()
    for size in (0, 1, 31, 64, 1000, 5000):
        for more in ((), ("--noisy-tx-sw-buffer-flushtime", 1), NOISE, ("--burst", 1)):
            got, r = forward(tmp, "noisy", frames, "--noisy-tx-sw-buffer-size", size, *more)
            assert got == frames, f"buffer of {size}, {more}: {len(got)} packets"
            assert r["total"]["tx_dropped"] == 0


def test_noisy_forwards_as_other_modes(tmp):
    frames = capture_frames()
    for mode in ("io", "mac", "macswap", "5tswap"):
        want, _ = forward(tmp, mode, frames)
        got, _ = forward(tmp, "noisy", frames, "--noisy-forward-mode", mode, *NOISE,
                         "--noisy-tx-sw-buffer-size", 100)
        assert got == want, mode


def test_noisy_sends_in_time_what_it_holds(tmp):
    """Packets come every 100 us; without the time nothing goes out before the end."""
    write(tmp / "slow.pcap", [b"x" * 60] * 8000, gap_us=100)
    for more, sent in (((), False), (("--noisy-tx-sw-buffer-flushtime", 5), True)):
        p = subprocess.run([TESTPMD, "--port", f"pcap:rx={tmp / 'slow.pcap'},speed=real", "--port",
                            f"pcap:tx={tmp / 'out.pcap'}", "--forward-mode", "noisy",
                            "--noisy-tx-sw-buffer-size", "9000", *map(str, more), "--stats-period", "0.2",
                            "--duration", "0.7"], capture_output=True, text=True, timeout=LIMIT,
                           check=True)
        rates = re.findall(r"port 1: rx \S+ tx (\S+) Mpps", p.stdout)
        assert len(rates) >= 2 and any(float(r) > 0 for r in rates) == sent, p.stdout


def test_noisy_goes_on_when_it_holds_all_mbufs(tmp):
    for name in ("real.pcap", "big.pcap"):
        frames = capture_frames(name)
        got, r = forward(tmp, "noisy", frames, "--noisy-tx-sw-buffer-size", 5000,
                         "--total-num-mbufs", 1100)
        assert got == frames and r["total"]["tx_dropped"] == 0, name


# ---- icmpecho ----

V4 = dict(src="192.0.2.1", dst="192.0.2.77")
V6 = dict(src="2001:db8::1", dst="2001:db8::77")
TAGS = [[], [("Q", 5)], [("AD", 7), ("Q", 5)]]


def tagged(base, tags):
    for kind, vlan in tags:
        base = base / (Dot1Q(vlan=vlan, prio=2) if kind == "Q" else Dot1AD(vlan=vlan))
    return base


def solicited(target):
    """The group that a solicitation is sent to."""
    low = ipaddress.ip_address(target).packed[-3:].hex()
    return f"ff02::1:ff{low[:2]}:{low[2:]}", f"33:33:ff:{low[:2]}:{low[2:4]}:{low[4:]}"


def solicitation(target, src="2001:db8::1", tags=(), options=None, **ip):
    group, mac = solicited(target)
    p = tagged(Ether(src=A, dst=ip.pop("mac", mac)), tags)
    p = p / IPv6(**{"src": src, "dst": group, "hlim": 255, **ip}) / ICMPv6ND_NS(tgt=target)
    for o in [ICMPv6NDOptSrcLLAddr(lladdr=A)] if options is None else options:
        p = p / o
    return p


def test_icmpecho_answers_pings(tmp):
    asked, want = [], []
    for tags in TAGS:
        for size in (0, 1, 18, 56, 1000, 1472):
            data = bytes(i & 0xff for i in range(size))
            e, s = tagged(Ether(src=A, dst=B), tags), tagged(Ether(src=B, dst=A), tags)
            asked += [e / IP(**V4, ttl=3, id=77) / ICMP(id=5, seq=size) / data,
                      e / IPv6(**V6, hlim=1) / ICMPv6EchoRequest(id=6, seq=size, data=data)]
            want += [s / IP(src=V4["dst"], dst=V4["src"], ttl=64, id=77) /
                     ICMP(type=0, id=5, seq=size) / data,
                     s / IPv6(src=V6["dst"], dst=V6["src"], hlim=64) /
                     ICMPv6EchoReply(id=6, seq=size, data=data)]
    for args in ((), ("--mbuf-size", 256), ("--burst", 1)):
        got, counters = echo(tmp, asked, *args)
        assert got == [bytes(p) for p in want], args
        assert counters["echo_replies"] == len(asked) and counters["ignored"] == 0
    padded = bytes(asked[0]).ljust(60, b"\xee")
    got, _ = echo(tmp, [padded])
    assert got == [bytes(want[0]).ljust(60, b"\xee")]


def test_icmpecho_answers_arp(tmp):
    out = []
    for tags in TAGS:
        p = tagged(Ether(src=A, dst="ff:ff:ff:ff:ff:ff"), tags)
        out.append(bytes(p / ARP(hwsrc=A, psrc="192.0.2.1", pdst="192.0.2.77")).ljust(60, b"\0"))
    got, counters = echo(tmp, out)
    assert len(got) == 3 and counters["arp_replies"] == 3
    for g, tags in zip(got, TAGS):
        p = Ether(g)
        a = p[ARP]
        assert p.dst == A and p.src == a.hwsrc and a.op == 2 and len(g) == 60
        assert (a.psrc, a.pdst, a.hwdst) == ("192.0.2.77", "192.0.2.1", A)
        assert [layer.vlan for layer in (p.getlayer(Dot1AD), p.getlayer(Dot1Q)) if layer] == \
            [vlan for _, vlan in tags]


def test_icmpecho_answers_neighbour_solicitations(tmp):
    cases = [solicitation("2001:db8::77", tags=tags, options=options) for tags in TAGS
             for options in (None, [], [ICMPv6NDOptSrcLLAddr(lladdr=A)] * 3)]
    cases.append(solicitation("2001:db8::77", dst="2001:db8::77", mac=B))
    for args in ((), ("--mbuf-size", 256)):
        got, counters = echo(tmp, cases, *args)
        assert len(got) == len(cases) == counters["nd_replies"], (counters, args)
        for g in got:
            p = Ether(g)
            assert p.dst == A and p[IPv6].src == "2001:db8::77" and p[IPv6].dst == "2001:db8::1"
            assert p[IPv6].hlim == 255 and p[IPv6].plen == 32
            na = p[ICMPv6ND_NA]
            assert (na.R, na.S, na.O, na.tgt) == (0, 1, 1, "2001:db8::77")
            assert na[ICMPv6NDOptDstLLAddr].lladdr == p.src
            again = p.copy()
            del again[ICMPv6ND_NA].cksum
            assert bytes(again) == g
        if shutil.which("tshark"):
            assert not wrong_checksums(tmp / "out.pcap")


def test_icmpecho_does_not_answer_all(tmp):
    e = Ether(src=A, dst=B)
    silent = [
        e / IP(**V4) / ICMP(type=0), e / IP(**V4) / ICMP(type=13), e / IP(**V4) / ICMP(code=1),
        e / IP(**V4, flags="MF") / ICMP() / ("x" * 64), e / IP(**V4, frag=2) / ICMP(),
        e / IP(src="192.0.2.1", dst="224.0.0.1") / ICMP(),
        e / IP(src="192.0.2.1", dst="255.255.255.255") / ICMP(),
        e / IP(src="0.0.0.0", dst="192.0.2.77") / ICMP(),
        e / IP(src="224.1.1.1", dst="192.0.2.77") / ICMP(),
        Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / IP(**V4) / ICMP(),
        e / IP(**V4) / UDP() / "x", e / IP(**V4) / TCP(), e / IP(**V4, len=100) / ICMP(),
        e / IPv6(src="::", dst="2001:db8::77") / ICMPv6EchoRequest(),
        e / IPv6(src="2001:db8::1", dst="ff02::1") / ICMPv6EchoRequest(),
        e / IPv6(**V6) / IPv6ExtHdrFragment(m=1) / ICMPv6EchoRequest(),
        e / IPv6(**V6) / ICMPv6EchoReply(), e / IPv6(**V6) / ICMPv6ND_NA(),
        e / IP(**V4) / GRE() / IP(**V4) / ICMP(),
        e / ARP(op=2, hwsrc=A, psrc="192.0.2.1", pdst="192.0.2.77"),
        e / ARP(hwsrc=A, psrc="0.0.0.0", pdst="192.0.2.77"),
        e / ARP(hwsrc=A, psrc="192.0.2.77", pdst="192.0.2.77"),
        e / ARP(hwsrc=A, psrc="192.0.2.1", pdst="224.0.0.1"),
        e / ARP(hwsrc=A, psrc="192.0.2.1", pdst="0.0.0.0"),
        e / ARP(hwtype=6, hwsrc=A, psrc="192.0.2.1", pdst="192.0.2.77"),
        solicitation("2001:db8::77", hlim=254), solicitation("ff02::5"),
        solicitation("2001:db8::77", src="::", options=[]),
        solicitation("2001:db8::77", src="::"),
        solicitation("2001:db8::77", options=[Raw(b"\x01\x00" + b"\0" * 6)]),
        solicitation("2001:db8::77", options=[Raw(b"\x01\x02" + b"\0" * 6)]),
        solicitation("2001:db8::77", options=[Raw(b"\x01")]),
        bytes(e / ARP())[:20], bytes(e / IP(**V4) / ICMP())[:40], b"", b"x" * 13]
    silent = [bytes(p) for p in silent if bytes(p)]
    got, counters = echo(tmp, silent)
    assert not got, [Ether(g) for g in got]
    assert counters["ignored"] == len(silent), counters


def test_icmpecho_counts_bad_checksums(tmp):
    e = Ether(src=A, dst=B)
    ns = bytearray(bytes(solicitation("2001:db8::77")))
    ns[56] ^= 1
    got, counters = echo(tmp, [e / IP(**V4, chksum=1) / ICMP(), e / IP(**V4) / ICMP(chksum=1),
                               e / IPv6(**V6) / ICMPv6EchoRequest(cksum=1), bytes(ns)])
    assert not got and counters["bad_ip_cksum"] == 1 and counters["bad_l4_cksum"] == 3, counters


def test_icmpecho_for_some_addresses(tmp):
    e = Ether(src=A, dst=B)
    mine, other = "192.0.2.77", "192.0.2.78"
    mine6, other6 = "2001:db8::77", "2001:db8::78"
    asked = [p for four, six in ((mine, mine6), (other, other6)) for p in (
        e / IP(src="192.0.2.1", dst=four) / ICMP(), e / IPv6(src="2001:db8::1", dst=six) / ICMPv6EchoRequest(),
        e / ARP(hwsrc=A, psrc="192.0.2.1", pdst=four), e / ARP(hwsrc=A, psrc="0.0.0.0", pdst=four),
        solicitation(six), solicitation(six, src="::", options=[]))]
    got, counters = echo(tmp, asked, "--echo-addr", f"{mine},{mine6}")
    assert len(got) == 6 and counters["ignored"] == 6, counters
    probe = Ether(got[5])
    # who has no address yet is answered through all (RFC 4861, 7.2.4)
    assert probe.dst == "33:33:00:00:00:01" and probe[IPv6].dst == "ff02::1"
    assert probe[ICMPv6ND_NA].S == 0 and probe[ICMPv6ND_NA].tgt == mine6


# ---- csum ----

def zeroed(p):
    """The same packet with its checksums to be computed anew by scapy: its bytes are the oracle."""
    q = p.copy()
    layer = q
    while layer:
        for name in ("chksum", "cksum"):
            if name in getattr(layer, "fields", {}):
                if not (isinstance(layer, UDP) and layer.chksum == 0):
                    del layer.fields[name]
        layer = layer.payload
    return q


def csum_cases():
    """Packets with right checksums: plain ones, and tunnels."""
    e, pay = Ether(src=A, dst=B), [Raw(bytes(range(n & 0xff)) * (1 + n // 256)) for n in (0, 1, 7, 64, 1001)]
    i4, i6 = IP(**V4), IPv6(**V6)
    plain, tunnels = [], []
    for p in pay:
        for ip in (i4, IP(**V4, options=[IPOption_NOP()] * 4), i6, i6 / IPv6ExtHdrHopByHop()):
            for base in (e, e / Dot1Q(vlan=9)):
                plain += [base / ip / TCP(sport=5, dport=6, options=[("MSS", 1400)]) / p,
                          base / ip / UDP(sport=5, dport=6) / p,
                          base / ip / SCTP(sport=5, dport=6, tag=7) / SCTPChunkData(data=bytes(p) or b"z")]
    inner = [e / i4 / TCP() / "abc", e / i6 / UDP(sport=1, dport=2) / "abcd",
             e / i4 / UDP(sport=1, dport=2) / "odd", e / i6 / TCP() / "x"]
    for o in (IP(src="203.0.113.1", dst="203.0.113.2"), IPv6(src="2001:db8:f::1", dst="2001:db8:f::2")):
        for p in inner:
            for ck in ({}, {"chksum": 0}):
                if ck and isinstance(o, IPv6):
                    continue
                tunnels += [e / o / UDP(sport=4000, dport=4789, **ck) / VXLAN(vni=5, flags=8) / p,
                            e / o / UDP(sport=4000, dport=6081, **ck) / GENEVE(vni=5) / p]
            tunnels += [e / o / GRE(proto=0x6558) / p, e / o / GRE() / p[1].copy(),
                        e / o / p[1].copy()]
    return [Ether(bytes(p)) for p in plain], [Ether(bytes(p)) for p in tunnels]


def spoil(frame, where):
    """The frame with the checksum of the layers in where wrong."""
    p = frame.copy()
    for cls, nb in where:
        layer = p.getlayer(cls, nb)
        if layer is not None and hasattr(layer, "chksum") and layer.chksum:
            layer.chksum ^= 0x5555
    return p


def test_csum_repairs_what_is_wrong(tmp):
    need_tshark()
    plain, _ = csum_cases()
    layers = [(c, 1) for c in (IP, TCP, UDP, SCTP)]
    bad = [spoil(p, layers) for p in plain]
    v4 = sum(IP in p for p in plain)
    for args in ((), ("--mbuf-size", 192), ("--csum", "all=sw", "--burst", 1)):
        got, r = forward(tmp, "csum", bad, *args)
        for g, w in zip(got, plain):
            assert g == bytes(w), f"{args}: {w!r}\n{g.hex()}\n{bytes(w).hex()}"
        assert not wrong_checksums(tmp / "out.pcap")
        assert r["counters"]["bad_ip_cksum"] == v4, r["counters"]
        assert r["counters"]["bad_l4_cksum"] == len(plain), r["counters"]
    got, r = forward(tmp, "csum", plain)
    assert got == [bytes(p) for p in plain] and not any(r["counters"].values())


def test_csum_repairs_tunnels(tmp):
    need_tshark()
    _, tunnels = csum_cases()
    outer = [(IP, 1), (UDP, 1)]
    every = outer + [(IP, 2), (UDP, 2), (TCP, 1)]
    for args in (("--parse-tunnel",), ("--parse-tunnel", "--mbuf-size", 192)):
        bad = [spoil(p, every) for p in tunnels]
        got, r = forward(tmp, "csum", bad, *args)
        for g, w in zip(got, tunnels):
            assert g == bytes(w), f"{args}: {w!r}\n{g.hex()}\n{bytes(w).hex()}"
        assert not wrong_checksums(tmp / "out.pcap")
        assert all(r["counters"].values()), r["counters"]
    # without the option what is in a tunnel is payload, and outer checksums are over it as it is
    bad = [spoil(p, [(IP, 2), (TCP, 1)]) for p in tunnels if TCP in p and UDP not in p]
    got, r = forward(tmp, "csum", bad)
    assert got == [bytes(p) for p in bad], "inner headers were touched"


def test_csum_leaves_what_cannot_be_known(tmp):
    e = Ether(src=A, dst=B)
    keep = [e / IP(**V4) / UDP(chksum=0) / "none", e / IP(**V4, flags="MF") / UDP(chksum=5, len=900) / "frag",
            e / IP(**V4, frag=5, proto=6) / ("x" * 40), e / IP(**V4, len=900) / TCP(chksum=5) / "cut",
            e / IPv6(**V6) / IPv6ExtHdrFragment(m=1, nh=17) / UDP(chksum=5), e / ARP(), e / ("z" * 50),
            e / IP(**V4) / UDP(chksum=5, len=900) / "cut", e / IP(**V4) / ICMP(chksum=5),
            e / IP(**V4, proto=6) / "short"]
    got, r = forward(tmp, "csum", keep)
    for g, w in zip(got, keep):
        assert g == bytes(w), repr(w)
    assert len(got) == len(keep) and not any(r["counters"].values()), r["counters"]


def test_csum_of_the_shipped_captures(tmp):
    need_tshark()
    for name in ("real.pcap", "big.pcap"):
        for size in (192, 2176):
            forward(tmp, "csum", capture_frames(name), "--mbuf-size", size, "--parse-tunnel")
            assert not wrong_checksums(tmp / "out.pcap"), name


def over_the_wire(tmp, frames, *args):
    """Capture, e1000e, wire, e1000e, capture: the first NIC sends what csum made."""
    source, out = tmp / "in.pcap", tmp / "out.pcap"
    write(source, frames)
    out.unlink(missing_ok=True)
    with qemu.two_nics() as m:
        r = result("--port", f"pcap:rx={source}", "--port", f"qemu:{m.qtest},slot=2,ram={m.ram}",
                   "--port", f"qemu:{m.qtest},slot=3,ram={m.ram}", "--port", f"pcap:tx={out}",
                   "--rxd", 2048, "--forward-mode", "csum", *args)
    return [p for p, _ in packets(out)], r


def test_csum_by_the_device(tmp):
    plain, tunnels = csum_cases()
    want = [bytes(p).ljust(60, b"\0") for p in plain + tunnels]
    bad = [spoil(p, [(c, 1) for c in (IP, TCP, UDP)]) for p in plain] + tunnels
    for args in (("--parse-tunnel",), ("--csum", "all=sw", "--parse-tunnel"), ("--csum", "ip=sw,tcp=sw")):
        got, r = over_the_wire(tmp, bad, *args)
        assert len(got) == len(want), (args, len(got), r["ports"])
        for g, w in zip(got, want):
            assert g == w, f"{args}: {Ether(w)!r}\n{g.hex()}\n{w.hex()}"
        assert r["counters"]["bad_ip_cksum"] >= sum(IP in p for p in plain)


def test_csum_of_bad_packets_from_the_wire_is_counted(tmp):
    """What the receiving device says is wrong."""
    source, out = tmp / "in.pcap", tmp / "out.pcap"
    plain, _ = csum_cases()
    bad = [spoil(p, [(TCP, 1), (UDP, 1)]) for p in plain if SCTP not in p]
    write(source, bad)
    with qemu.two_nics() as m:
        r = result("--port", f"pcap:rx={source}", "--port", f"qemu:{m.qtest},slot=2,ram={m.ram}",
                   "--port", f"qemu:{m.qtest},slot=3,ram={m.ram}", "--port", f"pcap:tx={out}",
                   "--rxd", 2048, "--forward-mode", "csum")
    assert r["counters"]["bad_l4_cksum"] == len(bad), r["counters"]
    assert [p for p, _ in packets(out)] == [bytes(p).ljust(60, b"\0") for p in plain if SCTP not in p]


# ---- --rss ----

def test_rss_without_a_device_for_it_is_said_once(_):
    p = run("--port", "null:", "--rxq", 2, "--txq", 2, "--rss", "ip,udp", "--packets", 100)
    lines = [line for line in p.stderr.splitlines() if "RSS" in line]
    assert len(lines) == 1 and "null:" in lines[0] and "2 RX queues" in lines[0], p.stderr
    assert not run("--port", "null:", "--rss", "tcp", "--packets", 100).stderr


def test_rss_spreads_flows_over_queues(tmp):
    """Two NICs on a wire send each other packets to many addresses."""
    stats = tmp / "run.stats"
    with qemu.two_nics() as m:
        for fields, queues in (("ip", 2), ("tcp,udp", 1)):
            with subprocess.Popen([TESTPMD, "--port", f"qemu:{m.qtest},slot=2,ram={m.ram}", "--port",
                                   f"qemu:{m.qtest},slot=3,ram={m.ram}", "--forward-mode", "flowgen", "--rxq",
                                   "2", "--txq", "2", "--rss", fields, "--stats-file", stats,
                                   "--stats-period", "0.1", "--duration", "30"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
                used, limit = {}, time.monotonic() + 20
                while sum(used.values()) < 3000 and time.monotonic() < limit and p.poll() is None:
                    time.sleep(0.1)
                    used = queue_packets(stats)
                p.send_signal(signal.SIGINT)
                err = p.communicate(timeout=LIMIT)[1]
            assert p.returncode == 0 and not err, err
            # these NICs cannot hash UDP: with TCP alone, UDP comes through one queue
            assert sum(n > 0 for n in used.values()) == 2 * queues, (fields, used)


def queue_packets(stats):
    """Received packets by queue, from the statistics file of a program that runs."""
    p = subprocess.run([sys.executable, TREE / "usertools" / "plx-stats", "show", "--json", stats],
                       capture_output=True, text=True, timeout=LIMIT, check=False)
    if p.returncode != 0:
        return {}
    return {o["name"]: o["counters"]["packets"] for program in json.loads(p.stdout)["programs"]
            for o in program["objects"] if "rxq" in o["name"]}


# ---- all ----

def mutated(seed, count):
    """Packets of the shipped captures and of these tests with bytes changed, cut, repeated."""
    rng = random.Random(seed)
    plain, tunnels = csum_cases()
    pool = capture_frames() + [bytes(p) for p in plain + tunnels] + [a for a, _ in swap_cases()]
    out = []
    for _ in range(count):
        p = bytearray(rng.choice(pool)[:2000])
        for _ in range(rng.choice((0, 1, 2, 8))):
            at = rng.randrange(min(len(p), 120))
            p[at] = rng.choice((0, 1, 0xff, p[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
        how = rng.randrange(4)
        if how == 0:
            del p[rng.randrange(1, len(p)):]
        elif how == 1:
            p += bytes(rng.randrange(256) for _ in range(rng.randrange(64)))
        elif how == 2 and len(p) > 14:
            p[14:14] = rng.choice((b"\x81\x00\0\1", b"\x88\xa8\0\2")) * rng.randrange(10)
        out.append(bytes(p))
    return out + [bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200))) for _ in range(count // 10)]


MODES = [("macswap",), ("mac",), ("5tswap",), ("noisy", "--noisy-forward-mode", "5tswap",
         "--noisy-tx-sw-buffer-size", 77), ("csum",), ("csum", "--parse-tunnel"), ("icmpecho",),
         ("rxonly",), ("io",)]


def test_any_bytes_through_every_mode(tmp):
    source, out = tmp / "in.pcap", tmp / "out.pcap"
    for seed, size in ((1, 192), (2, 256), (3, 2176)):
        frames = mutated(seed, 4000)
        write(source, frames)
        for mode, *more in MODES:
            r = result("--port", f"pcap:rx={source},tx={out}", "--forward-mode", mode, *more,
                       "--mbuf-size", size)
            assert r["total"]["rx_packets"] == len(frames), mode
            got = [p for p, _ in packets(out)]
            if mode not in ("icmpecho", "rxonly"):
                assert [len(p) for p in got] == [len(p) for p in frames], mode


def test_csum_agrees_with_tshark_on_any_bytes(tmp):
    """Where tshark sees a whole packet, its checksums are right now."""
    need_tshark()
    frames = mutated(11, 3000)
    write(tmp / "before.pcap", frames)
    forward(tmp, "csum", frames, "--parse-tunnel")
    before, after = wrong_checksums(tmp / "before.pcap"), wrong_checksums(tmp / "out.pcap")
    # ICMP is not csum's; some of what is cut tshark judges all the same
    after = [x for x in after if "icmp" not in x[1]]
    before = [x for x in before if "icmp" not in x[1]]
    new = set(after) - set(before)
    assert not new, sorted(new)[:20]
    assert len(after) < len(before) / 4, (len(before), len(after))


def test_packets_is_exact_in_every_mode(_):
    for mode, *more in MODES:
        for n in (1, 33, 5000):
            r = result("--port", "null:", "--port", "null:", "--forward-mode", mode, *more, "--packets", n)
            assert r["total"]["rx_packets"] == n, mode
            if mode not in ("icmpecho", "rxonly"):
                assert r["total"]["tx_packets"] == n, (mode, r["total"])


def test_modes_change_while_packets_flow(tmp):
    """Nothing is lost that was received, whatever mode comes after which."""
    names = ["io", "mac", "macswap", "5tswap", "csum", "noisy", "rxonly", "txonly", "flowgen", "icmpecho"]
    rng = random.Random(5)
    order = [n for _ in range(6) for n in rng.sample(names, len(names))] + ["io"]
    commands = tmp / "commands"
    commands.write_text("start\n" + "".join(f"set fwd {n}\nsleep 10ms\n" for n in order) + "quit\n", encoding="utf-8")
    r = result("--port", "null:", "--port", "null:", "--rxq", 2, "--txq", 2, "--nb-cores", 2,
               "--noisy-tx-sw-buffer-size", 300, "--noisy-lkup-memory", 1, "--noisy-lkup-num-reads", 1,
               "--cmdline-file", commands, "-i")
    assert r["total"]["rx_packets"] > 0 and r["total"]["tx_packets"] > 0
    for p in r["ports"]:
        assert p["rx_nombuf"] == 0 == p["tx_dropped"], p


WRONG = [
    (["--txpkts", "41"], "--txpkts 41: 41 must be 42 to 65535"),
    (["--txpkts", "64,0"], "0 must be 1 to 65535"), (["--txpkts", "64,,"], "--txpkts 64,,"),
    (["--txpkts", "60000,60000"], "the longest is 65535"), (["--txpkts", "x"], "--txpkts x"),
    (["--txpkts", ",".join(["64"] * 65)], "more than 64 segments"),
    (["--tx-ip", "1.2.3.4"], "must be SRC,DST"), (["--tx-ip", "1.2.3,1.2.3.4"], "is not an IPv4 address"),
    (["--tx-ip", "1.2.3.4,1.2.3.4,5"], "must be SRC,DST"), (["--tx-udp", "65536"], "65536 must be 0 to 65535"),
    (["--tx-udp", "1,2,3"], "must be SRC[,DST]"), (["--eth-peer", "0"], "must be PORT,XX:XX"),
    (["--eth-peer", "32,00:11:22:33:44:55"], "32 must be 0 to 31"),
    (["--eth-peer", "0,00:11:22:33:44"], "must be PORT,XX"), (["--eth-peer", "0,00:11:22:33:44:55:66"], "must be PORT"),
    (["--eth-peer", "0,00:11:22:33:44: 5"], "must be PORT,XX"),
    (["--flowgen-flows", "0"], "must be 1 to"), (["--flowgen-clones", "x"], "is not a number"),
    (["--noisy-forward-mode", "csum"], "must be one of io mac macswap 5tswap"),
    (["--noisy-tx-sw-buffer-size", "-1"], "is not a number"), (["--noisy-lkup-memory", "70000"], "must be 0 to"),
    (["--csum", "ip"], "must be WHAT=HOW"), (["--csum", "ip=no"], "must be one of auto sw hw"),
    (["--csum", "icmp=sw"], "must be one of ip udp tcp sctp outer-ip"),
    (["--tso-segsz", "70000"], "must be 0 to 65535"), (["--echo-addr", "1.2.3.4,x"], "'x' is not an IPv4 or IPv6"),
    (["--echo-addr", ",".join(["::1"] * 17)], "more than 16 addresses"),
    (["--rss", "ip,sctp"], "must be one of ip udp tcp"), (["--rss", "i" * 100], "is too long"),
]
FAILING = [
    (["--forward-mode", "csum", "--csum", "ip=hw"], "--csum ip=hw: null: does not compute it: give ip=sw"),
    (["--forward-mode", "csum", "--csum", "all=hw"], "does not compute it"),
    (["--forward-mode", "csum", "--tso-segsz", "1000"], "does not cut TCP"),
    (["--forward-mode", "csum", "--tunnel-tso-segsz", "1000"], "needs --parse-tunnel"),
    (["--forward-mode", "txonly", "--txpkts", "3000"], "give --mbuf-size 3128"),
    (["--forward-mode", "txonly", "--txpkts", "1000,1000"], "give a larger --mtu"),
    (["--forward-mode", "flowgen", "--txpkts", "3000"], "give --mbuf-size 3128"),
]


def test_wrong_options_are_named(_):
    for args, text in WRONG:
        p = run("--port", "null:", *args, code=2)
        assert text in p.stderr, f"{args}: {p.stderr}"
    for args, text in FAILING:
        p = run("--port", "null:", *args, "--duration", 1, code=1)
        assert text in p.stderr, f"{args}: {p.stderr}"


def main():
    if SCAPY:
        print(f"1..0 # SKIP {SCAPY}")
        return 0
    return tap.run(globals(), *sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
