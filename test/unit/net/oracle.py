#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""lib/net beside tshark and scapy: headers, lengths, checksums and hashes of the same packets. TAP.

usage: oracle.py NET_SEE DATA_DIR [SUBSTRING]

tshark looks at the captures of DATA_DIR and at packets made by scapy; scapy says what it has put into
those. Toeplitz is computed here, with integers as long as the key.
"""
import importlib
import importlib.util
import ipaddress
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../../app"))
# pylint: disable=wrong-import-position,no-member
import captures
import tap
from tap import Skip

SEE, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
MADE = 60  # packets of each kind

FIELDS = """frame.number frame.protocols eth.type vlan.etype ip.hdr_len ip.len ip.proto ip.flags.mf
ip.frag_offset ip.checksum.status ipv6.plen tcp.hdr_len tcp.checksum.status udp.length udp.checksum.status
udp.checksum icmp.checksum.status icmpv6.checksum.status sctp.checksum.status ip.src ip.dst ipv6.src
ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport sctp.srcport sctp.dstport""".split()
CHECKS = ["ip.check_checksum", "tcp.check_checksum", "udp.check_checksum"]
OFF = ["ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "tcp.analyze_sequence_numbers"]

PTYPE_L2 = {"vlan": 2, "arp": 3}
PTYPE_L4 = {"tcp": 1, "udp": 2, "sctp": 4, "icmp": 5}
TUNNEL = {"ip": 1, "gre": 2, "vxlan": 3, "nvgre": 4, "geneve": 5, "gpe": 6}


def see(packets, piece=0):
    """What net-see says, a dictionary of integers for each packet."""
    data = b"".join(struct.pack("<I", len(p)) + p for p in packets)
    done = subprocess.run([SEE, str(piece)], input=data, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(packets)
    return [{k: int(v) for k, v in (w.split("=") for w in line.split())} for line in lines]


def see_all(packets):
    """The same, after all ways to cut them have said the same."""
    seen = see(packets)
    for piece in (1, 13, 64):
        for number, (a, b) in enumerate(zip(seen, see(packets, piece)), 1):
            assert a == b, f"packet {number} in segments of {piece}: {diff(a, b)}"
    return seen


def diff(a, b):
    return ", ".join(f"{k} {a.get(k)} {b.get(k)}" for k in a if a.get(k) != b.get(k))


def tshark(path):
    """Rows of FIELDS, the first occurrence of each in a packet, as {field: text}."""
    if shutil.which("tshark") is None:
        raise Skip("tshark is not installed")
    cmd = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
    for field in FIELDS:
        cmd += ["-e", field]
    for name in CHECKS:
        cmd += ["-o", name + ":TRUE"]
    for name in OFF:
        cmd += ["-o", name + ":FALSE"]
    # so that nothing but the headers is looked at, and no port means a protocol
    out = subprocess.run(cmd, capture_output=True, text=True, timeout=200, check=True,
                         env={**os.environ, "HOME": "/nonexistent"}).stdout
    return [dict(zip(FIELDS, line.split("\t"))) for line in out.splitlines()]


def write_pcap(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, p in enumerate(packets):
            f.write(struct.pack("<IIII", number, 0, len(p), len(p)) + p)


def toeplitz(tuple_):
    """The hash as it is defined: the key's 32 bits at each bit of the input that is 1."""
    key, bits = int.from_bytes(KEY, "big"), 8 * len(KEY)
    result = 0
    for i in range(8 * len(tuple_)):
        if tuple_[i // 8] >> (7 - i % 8) & 1:
            result ^= key >> (bits - 32 - i) & 0xffffffff
    return result


def address(text):
    """An IPv4 or IPv6 address as bytes."""
    return ipaddress.ip_address(text).packed


# tshark's checksum status: 0 bad, 1 good, 2 unverified, 3 not there
STATUS = {"0": 0, "1": 1}


def want_of_tshark(row, size):
    """What we should see in a packet without a tunnel, after tshark's row."""
    names = row["frame.protocols"].split(":")
    names = [n for n in names if n not in ("ethertype", "data")]
    tags = names.count("vlan") + names.count("ieee8021ad")
    want = {"hdr.tags": tags, "hdr.l2_len": 14 + 4 * tags}
    at = 14 + 4 * tags
    rest = names[names.index("eth") + 1 + tags:]
    if not rest or rest[0] not in ("ip", "ipv6"):
        want |= {"hdr.version": 0, "hdr.l3_len": 0}
        if rest and rest[0] == "arp":
            want["ptype"] = PTYPE_L2["arp"]
        return want
    want["hdr.l3_off"] = at
    want["hdr.version"] = 4 if rest[0] == "ip" else 6
    fragment = False
    if rest[0] == "ip":
        want["hdr.proto"] = int(row["ip.proto"])
        want["hdr.l3_len"] = int(row["ip.hdr_len"])
        want["hdr.l3_ok"] = STATUS[row["ip.checksum.status"]]
        fragment = row["ip.flags.mf"] in ("1", "True") or int(row["ip.frag_offset"]) > 0
        bytes_ = int(row["ip.len"]) - want["hdr.l3_len"]
        src, dst = row["ip.src"], row["ip.dst"]
    else:
        fragment = "ipv6.fraghdr" in rest
        bytes_ = None
        src, dst = row["ipv6.src"], row["ipv6.dst"]
    want["hdr.frag"] = int(fragment)
    rest = [n for n in rest[1:] if not n.startswith("ipv6.")]
    layer4 = rest[0] if rest and not fragment else ""
    tuple_ = address(src) + address(dst)
    if layer4 in ("tcp", "udp", "sctp"):
        tuple_ += struct.pack(">HH", int(row[layer4 + ".srcport"]), int(row[layer4 + ".dstport"]))
        want["hdr.l4_len"] = {"tcp": int(row["tcp.hdr_len"] or 0), "udp": 8, "sctp": 12}[layer4]
        if layer4 == "udp":
            bytes_ = int(row["udp.length"])
    elif layer4 in ("icmp", "icmpv6"):
        want["hdr.l4_len"] = 8
    else:
        want["hdr.l4_len"] = 0
    if layer4 and row.get(layer4 + ".checksum.status", "") in STATUS:
        want["hdr.l4_ok"] = STATUS[row[layer4 + ".checksum.status"]]
        if layer4 == "udp" and row["udp.checksum"] == "0x0000":
            want["hdr.l4_ok"] = 1
    if bytes_ is not None and bytes_ <= size - at:
        want["hdr.l4_bytes"] = bytes_
    want["hash"] = toeplitz(tuple_)
    return want


def compare(name, number, want, have):
    for key, value in want.items():
        assert have[key] == value, f"{name}, packet {number}: {key} is {have[key]}, not {value}: {have}"


def compare_tshark(name, path, packets):
    """How many checksums of layer 4 tshark gave an opinion of: {right: n, wrong: n}."""
    rows = tshark(path)
    assert len(rows) == len(packets), f"{name}: {len(rows)} rows, {len(packets)} packets"
    opinions = {0: 0, 1: 0}
    for number, (row, have, data) in enumerate(zip(rows, see_all(packets), packets), 1):
        want = want_of_tshark(row, len(data))
        compare(name, number, want, have)
        if "hdr.l4_ok" in want:
            opinions[want["hdr.l4_ok"]] += 1
    return opinions


def test_captures_as_tshark_sees_them(_):
    """Traffic of real programs; some frames have the partial checksums of TSO, which are wrong."""
    for name in ("real.pcap", "real-ns.pcap", "real-ns.pcapng"):
        opinions = compare_tshark(name, str(DATA / name), [p for p, _ in captures.packets(DATA / name)])
        if name == "real.pcap":
            assert opinions[1] > 900 and opinions[0] > 5, opinions


def scapy():
    """The modules of scapy that make packets."""
    try:
        from scapy import packet
        from scapy.config import conf
    except ImportError as err:
        raise Skip("scapy is not installed (Debian: python3-scapy)") from err
    del packet
    conf.verb = 0
    made = {}
    for module in ("l2", "inet", "inet6", "sctp", "vxlan"):
        made.update(vars(importlib.import_module("scapy.layers." + module)))
    made.update(vars(importlib.import_module("scapy.contrib.geneve")))
    made["Raw"] = importlib.import_module("scapy.packet").Raw
    return made


class Maker:
    """Random packets, the same in each run, and what is in them."""

    def __init__(self):
        self.s = scapy()
        self.r = random.Random(1)

    def ether(self):
        packet, want = self.s["Ether"](dst="02:00:00:00:00:01", src="02:00:00:00:00:02"), {}
        want["tags"] = self.r.choice([0, 0, 1, 2])
        for _ in range(want["tags"]):
            packet = packet / self.s["Dot1Q"](vlan=self.r.randrange(4095))
        want["l2_len"] = 14 + 4 * want["tags"]
        return packet, want

    def v4(self):
        r = self.r
        packet = self.s["IP"](src=f"10.{r.randrange(256)}.0.{r.randrange(1, 255)}", dst="192.168.3.4",
                              id=r.randrange(65536), tos=r.randrange(256))
        words = r.choice([0, 0, 1, 3, 10])
        if words:
            packet.options = [self.s["IPOption_NOP"]()] * (4 * words - 1) + [self.s["IPOption_EOL"]()]
        return packet, {"version": 4, "l3_len": 20 + 4 * words, "l3_ok": 1}

    def v6(self):
        r, size = self.r, 40
        packet = self.s["IPv6"](src=f"fd00::{r.randrange(1, 65536):x}", dst="fd00:1::7", fl=r.randrange(1 << 20))
        for kind in r.choice([[], [], ["hop"], ["dst"], ["rh0"], ["rh4"], ["hop", "dst"], ["hop", "rh0", "dst"]]):
            count = r.randrange(1, 4)
            hops = [f"fd00:2::{r.randrange(1, 65536):x}" for _ in range(count)]
            if kind == "hop":
                packet, size = packet / self.s["IPv6ExtHdrHopByHop"](options=[self.s["PadN"](optdata=b"\0" * 4)]), size + 8
            elif kind == "dst":
                packet, size = packet / self.s["IPv6ExtHdrDestOpt"](options=[self.s["PadN"](optdata=b"\0" * 12)]), size + 16
            elif kind == "rh0":
                packet = packet / self.s["IPv6ExtHdrRouting"](addresses=hops, segleft=r.randrange(count + 1))
                size += 8 + 16 * count
            else:
                packet = packet / self.s["IPv6ExtHdrSegmentRouting"](addresses=hops, segleft=count - 1,
                                                                    lastentry=count - 1)
                size += 8 + 16 * count
        return packet, {"version": 6, "l3_len": size, "l3_ok": 1}

    def ip(self):
        return self.r.choice([self.v4, self.v6])()

    def layer4(self, version, kinds=("tcp", "udp", "sctp", "icmp", "nocksum")):
        r, load = self.r, self.r.randbytes(self.r.choice([0, 1, 2, 17, 100, 1001]))
        kind = r.choice(kinds)
        # ports of no protocol that tshark knows
        ports = {"sport": r.randrange(50000, 60000), "dport": r.randrange(50000, 60000)}
        if kind == "tcp":
            words = r.choice([0, 0, 1, 3, 10])
            packet = self.s["TCP"](**ports, seq=r.randrange(1 << 32), options=[("NOP", None)] * 4 * words)
            want = {"l4_len": 20 + 4 * words, "proto": 6}
        elif kind == "sctp":
            packet = self.s["SCTP"](**ports, tag=r.randrange(1 << 32)) / self.s["SCTPChunkData"](data=load[:16])
            load, want = b"", {"l4_len": 12, "proto": 132}
        elif kind == "icmp":
            if version == 4:
                packet, want = self.s["ICMP"](id=r.randrange(65536), seq=r.randrange(65536)), {"l4_len": 8, "proto": 1}
            else:
                packet = self.s["ICMPv6EchoRequest"](id=r.randrange(65536), data=load)
                load, want = b"", {"l4_len": 8, "proto": 58}
        elif kind == "nocksum" and version == 4:
            packet, want = self.s["UDP"](**ports, chksum=0), {"l4_len": 8, "proto": 17}
        else:
            packet, want = self.s["UDP"](**ports), {"l4_len": 8, "proto": 17}
        if load:
            packet = packet / self.s["Raw"](load)
        return packet, want | {"l4_ok": 1, "frag": 0, "bad": 0, "short": 0}

    def plain(self):
        """A packet without a tunnel, as bytes, and what we should see of it."""
        ether, want = self.ether()
        ip, add = self.ip()
        want |= add
        layer4, add = self.layer4(want["version"])
        want |= add
        data = bytes(ether / ip / layer4)
        want["l4_bytes"] = len(data) - want["l2_len"] - want["l3_len"]
        return data, want

    def tunnel(self, kind):
        """A packet in a tunnel of that kind: bytes, what is inside, what is outside, its number."""
        ether, outside = self.ether()
        ip, add = self.ip()
        outside |= add
        inner_ip, inside = self.ip()
        layer4, add = self.layer4(inside["version"])
        inside |= add
        inner = inner_ip / layer4
        if kind in ("vxlan", "geneve", "nvgre") or self.r.randrange(2) and kind == "gre":
            inner_ether, add = self.ether()
            inner, inside = inner_ether / inner, inside | add
        frame = "l2_len" in inside
        before, shell = 0, self.s["Raw"](b"")
        if kind == "vxlan":
            shell, before = self.s["UDP"](sport=50000, dport=4789) / self.s["VXLAN"](vni=9, flags=8), 16
        elif kind == "geneve":
            options = self.r.randbytes(4 * self.r.randrange(2))
            if options:
                options = bytes([1, 2, 3, 1]) + options
            shell = self.s["UDP"](sport=50000, dport=6081) / self.s["GENEVE"](vni=9, optionlen=len(options) // 4,
                                                                           proto=0x6558)
            before = 16 + len(options)
            if options:
                shell = self.s["UDP"](sport=50000, dport=6081) / self.s["Raw"](
                    bytes(self.s["GENEVE"](vni=9, optionlen=len(options) // 4, proto=0x6558)) + options)
        elif kind in ("gre", "nvgre"):
            bits = 1 if kind == "nvgre" else 0
            proto = 0x6558 if frame else 0x800 if inside["version"] == 4 else 0x86dd
            extra = {"key_present": 1, "key": 77} if bits else self.r.choice(
                [{}, {"seqnum_present": 1, "seqence_number": 5}, {"chksum_present": 1}])
            shell, before = self.s["GRE"](proto=proto, **extra), 4 + 4 * bool(extra)
        inside["l2_len"] = before + inside.get("l2_len", 0)
        inside.setdefault("tags", 0)
        packet = ether / ip / inner if kind == "ip" else ether / ip / shell / inner
        if kind == "ip":
            inside["l2_len"] = 0
        data = bytes(packet)
        outside |= {"l4_ok": 1, "l4_len": 8, "proto": 17} if kind in ("vxlan", "geneve") else {"l4_len": 0}
        inside["l4_bytes"] = len(data) - sum(outside[k] + inside[k] for k in ("l2_len", "l3_len"))
        return data, inside, outside, TUNNEL[kind]


def level(name, want):
    return {f"{name}.{k}": v for k, v in want.items()}


def test_packets_as_scapy_made_them(_):
    maker = Maker()
    made = [maker.plain() for _ in range(8 * MADE)]
    for number, ((_, want), have) in enumerate(zip(made, see_all([p for p, _ in made])), 1):
        compare("scapy", number, level("hdr", want), have)


def test_a_changed_byte_is_a_wrong_checksum(_):
    maker = Maker()
    made, changed = [maker.plain() for _ in range(4 * MADE)], []
    for data, want in made:
        start = want["l2_len"] + want["l3_len"] + want["l4_len"]
        if start < len(data) and data[start - 2:start] != b"\0\0":
            at = maker.r.randrange(start, len(data))
            changed.append(data[:at] + bytes([data[at] ^ 1 << maker.r.randrange(8)]) + data[at + 1:])
    assert len(changed) > MADE
    for number, have in enumerate(see_all(changed), 1):
        assert have["hdr.l4_ok"] == 0 and have["hdr.l3_ok"] == 1, f"packet {number}: {have}"


def test_tunnels_as_scapy_made_them(_):
    maker = Maker()
    for kind in ("vxlan", "geneve", "gre", "nvgre", "ip"):
        made = [maker.tunnel(kind) for _ in range(2 * MADE)]
        for number, (row, have) in enumerate(zip(made, see_all([row[0] for row in made])), 1):
            want = level("hdr", row[1]) | level("outer", row[2])
            compare(kind, number, want, have)
            assert have["ptype"] >> 12 & 0xf == row[3], f"{kind}, packet {number}: {have}"


def test_packets_of_scapy_as_tshark_sees_them(tmp):
    maker = Maker()
    packets = [maker.plain()[0] for _ in range(8 * MADE)]
    # every fifth with a byte that is wrong
    for i in range(0, len(packets), 5):
        packets[i] = packets[i][:-1] + bytes([packets[i][-1] ^ 0x10])
    path = tmp / "made.pcap"
    write_pcap(path, packets)
    opinions = compare_tshark("made", path, packets)
    assert opinions[0] > MADE and opinions[1] > 4 * MADE, opinions


# scapy may be the system's Python's alone.
SYSTEM = "/usr/bin/python3"
if importlib.util.find_spec("scapy") is None and os.access(SYSTEM, os.X_OK) and not os.environ.get("ORACLE_AGAIN"):
    os.execve(SYSTEM, [SYSTEM, *sys.argv], {**os.environ, "ORACLE_AGAIN": "1"})
sys.exit(tap.run(globals(), *sys.argv[3:]))
