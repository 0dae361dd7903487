#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the synthetic capture files: malformed/, odd/ and big.pcap.

    make-malformed.py [--check]

Without an argument the files, malformed/README.md, malformed/expected.txt and odd/README.md are
written beside this script. With --check nothing is written: the files on disk are compared with what
would be, and a difference is named and fails. Standard library only; the output is the same anywhere.

Formats: the pcap and pcapng drafts of the IETF opsawg (draft-ietf-opsawg-pcap,
draft-ietf-opsawg-pcapng); link types: the tcpdump.org LINKTYPE_ registry.
"""

import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

ETHERNET, RAW, LINUX_SLL, USB_LINUX_MMAPPED = 1, 101, 113, 220
USEC, NSEC, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
SNAPLEN = 262144
START = 1700000000  # seconds; all files begin at this time

# --- Frames ---------------------------------------------------------------------------------


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(number, size=None):
    """UDP in IPv4 in Ethernet, `size` bytes in all (42 at least), right checksums, unlike any other
    number's: UDP source port 1000 + number, payload byte i is (number + i) mod 251."""
    size = 60 + number if size is None else size
    payload = bytes((number + i) % 251 for i in range(size - 42))
    addr = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    length = 8 + len(payload)
    udp = struct.pack(">HHHH", 1000 + number, 9, length, 0)
    udp = udp[:6] + struct.pack(">H", checksum(addr + struct.pack(">HH", 17, length) + udp + payload))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, number, 0x4000, 64, 17, 0) + addr
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    ethernet = bytes.fromhex("02000000000b02000000000a0800")
    return ethernet + ip + udp + payload


def frames(count):
    return [frame(i) for i in range(count)]


# --- pcap -----------------------------------------------------------------------------------


def header(magic=USEC, snaplen=SNAPLEN, link=ETHERNET, major=2, order="<"):
    return struct.pack(order + "IHHiIII", magic, major, 4, 0, 0, snaplen, link)


def record(data, number=0, caplen=None, length=None, order="<", sec=None, sub=None):
    caplen = len(data) if caplen is None else caplen
    length = caplen if length is None else length
    sec = START + number if sec is None else sec
    sub = number if sub is None else sub
    return struct.pack(order + "IIII", sec, sub, caplen, length) + data


def pcap(packets, order="<", **kwargs):
    body = b"".join(record(p, i, order=order) for i, p in enumerate(packets))
    return header(order=order, **kwargs) + body


def then(good, bad):
    """A file with `good` whole packets, and then the bytes `bad`."""
    return pcap(frames(good)) + bad


def modified(packets):
    out = header(MODIFIED)
    for i, p in enumerate(packets):
        out += struct.pack("<IIIIIHBB", START + i, i, len(p), len(p), 2, 8, 0, 0) + p
    return out


# --- pcapng ---------------------------------------------------------------------------------


def pad(data):
    return data + bytes(-len(data) % 4)


def block(kind, body, order="<", total=None, trailer=None):
    total = 12 + len(body) if total is None else total
    trailer = total if trailer is None else trailer
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", trailer)


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + pad(value)


END = option(0, b"")


def shb(order="<", magic=0x1A2B3C4D, major=1, section=-1, options=b""):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", magic, major, 0, section) + options, order)


def idb(link=ETHERNET, snaplen=SNAPLEN, options=b"", order="<"):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def tsresol(value):
    return idb(options=option(9, bytes([value])) + END)


def epb(data, iface=0, stamp=0, caplen=None, length=None, options=b"", order="<"):
    caplen = len(data) if caplen is None else caplen
    length = caplen if length is None else length
    head = struct.pack(order + "IIIII", iface, stamp >> 32, stamp & 0xFFFFFFFF, caplen, length)
    return block(6, head + pad(data) + options, order)


def usec(number):
    return (START + number) * 1000000 + number


def epbs(count, first=0, **kwargs):
    return b"".join(epb(frame(i), stamp=usec(i), **kwargs) for i in range(first, first + count))


def spb(data, length=None, order="<"):
    length = len(data) if length is None else length
    return block(3, struct.pack(order + "I", length) + pad(data), order)


def old_packet_block(data):
    stamp = usec(1)
    head = struct.pack("<HHIIII", 0, 0xFFFF, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(2, head + pad(data))


NG = shb() + idb()  # how an ordinary file begins


def ng(good, bad):
    """A pcapng with `good` whole packets, and then the bytes `bad`."""
    return NG + epbs(good) + bad


# --- The files ------------------------------------------------------------------------------
# malformed: name, least packets, most packets, end, contents, what is wrong, what a reader must do.


def malformed_pcap():
    f2 = frame(2)
    yield ("empty.pcap", 0, 0, "error", b"",
           "no bytes at all", "refuse to open; say that the file is empty")
    yield ("header-3.pcap", 0, 0, "error", header()[:3],
           "ends inside the magic", "refuse to open; file header truncated")
    yield ("header-23.pcap", 0, 0, "error", header()[:23],
           "one byte of the file header is missing", "refuse to open; file header truncated")
    yield ("magic-bad.pcap", 0, 0, "error", pcap(frames(3), magic=0xDEADBEEF),
           "magic 0xdeadbeef", "refuse to open; neither pcap nor pcapng")
    yield ("magic-modified.pcap", 0, 3, "any", modified(frames(3)),
           "magic 0xa1b2cd34: a variant with 24-byte packet headers",
           "read it as that variant, or refuse it by name; never as plain pcap")
    yield ("version-3.pcap", 0, 0, "error", pcap(frames(3), major=3),
           "file version 3.4", "refuse to open; unknown version")
    yield ("link-usb.pcap", 0, 0, "error", pcap(frames(3), link=USB_LINUX_MMAPPED),
           "link type 220 (USB_LINUX_MMAPPED)", "refuse to open: not Ethernet; name the link type")
    yield ("link-sll.pcap", 0, 0, "error",
           pcap([struct.pack(">HHH8sH", 0, 1, 6, bytes.fromhex("02000000000a0000"), 0x800) + p[14:]
                 for p in frames(3)], link=LINUX_SLL),
           "link type 113 (LINUX_SLL): a capture of \"any\" interface",
           "refuse to open: not Ethernet; name the link type")
    yield ("link-raw.pcap", 0, 0, "error", pcap([p[14:] for p in frames(3)], link=RAW),
           "link type 101 (RAW): packets begin with the IP header",
           "refuse to open: not Ethernet; name the link type")
    yield ("packet-header-cut.pcap", 2, 2, "error", then(2, record(f2, 2)[:15]),
           "third packet header has 15 of 16 bytes", "two packets, then the error")
    yield ("packet-data-cut.pcap", 2, 2, "error", then(2, record(f2, 2)[:-1]),
           "the last byte of the third packet is missing", "two packets, then the error")
    yield ("packet-data-none.pcap", 2, 2, "error", then(2, record(f2, 2)[:16]),
           "file ends after the third packet header", "two packets, then the error")
    yield ("caplen-over-file.pcap", 2, 2, "error", then(2, record(f2, 2, caplen=200000)),
           "third packet claims 200000 bytes, fewer than the snap length, more than the file has",
           "two packets, then the error")
    yield ("caplen-ffffffff.pcap", 2, 2, "error", then(2, record(f2, 2, caplen=0xFFFFFFFF)),
           "third packet claims 0xffffffff bytes",
           "two packets, then the error; no allocation of that size, no wrap-around")
    yield ("caplen-7fffffff.pcap", 2, 2, "error", then(2, record(f2, 2, caplen=0x7FFFFFFF)),
           "third packet claims 0x7fffffff bytes", "two packets, then the error")
    yield ("caplen-over-snaplen.pcap", 1, 3, "any",
           header(snaplen=64) + record(frame(0), 0) + record(frame(1, 128), 1) + record(frame(2), 2),
           "second packet has 128 bytes, the file's snap length is 64",
           "one packet, then the error, or all three whole; no buffer is sized by the snap length")
    yield ("len-under-caplen.pcap", 1, 3, "any",
           then(1, record(frame(1), 1, length=20) + record(f2, 2)),
           "second packet: original length 20, captured length 61",
           "one packet, then the error, or all three with their captured lengths")
    yield ("zero-length.pcap", 2, 4, "eof",
           then(1, record(b"", 1) + record(b"", 1, length=60) + record(f2, 2)),
           "second packet: captured 0 of 0 bytes; third: captured 0 of 60 bytes",
           "the two others; the empty ones are skipped or empty packets, never an endless loop")
    yield ("over-64k.pcap", 1, 3, "any", pcap([frame(0), bytes(65536), frame(2)]),
           "second packet has 65536 bytes, more than a data room holds (16-bit lengths wrap to 0)",
           "one packet and then the error, or all three, the large one whole")


def malformed_pcapng_section():
    yield ("ng-byte-order.pcapng", 0, 0, "error", shb(magic=0x12345678) + idb() + epbs(3),
           "byte-order magic 0x12345678", "refuse to open; name the magic")
    yield ("ng-version-2.pcapng", 0, 0, "error", shb(major=2) + idb() + epbs(3),
           "section version 2.0", "refuse to open; unknown version")
    yield ("ng-shb-only-12.pcapng", 0, 0, "error", shb()[:12],
           "ends inside the section header", "refuse to open; truncated")
    yield ("ng-shb-short.pcapng", 0, 0, "error",
           block(0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D)) + idb() + epbs(3),
           "section header block of 16 bytes; 28 is the least", "refuse to open; name the length")
    yield ("ng-no-idb.pcapng", 0, 0, "error", shb() + epbs(3),
           "packets without any interface description", "no packet; the error names interface 0")
    yield ("ng-spb-no-idb.pcapng", 0, 0, "error", shb() + spb(frame(0)),
           "simple packet without any interface description", "no packet; the error")
    yield ("ng-iface-7.pcapng", 2, 2, "error", ng(2, epb(frame(2), iface=7, stamp=usec(2)) + epbs(1, 3)),
           "third packet is of interface 7; the section has one interface",
           "two packets, then the error that names the interface")
    yield ("ng-iface-next-section.pcapng", 2, 2, "error", ng(2, shb() + epbs(1, 2)),
           "a second section without interfaces has a packet of interface 0",
           "two packets, then the error: interfaces end with their section")
    yield ("ng-link-usb.pcapng", 0, 0, "error", shb() + idb(USB_LINUX_MMAPPED) + epbs(3),
           "the only interface has link type 220 (USB_LINUX_MMAPPED)",
           "no packet; the error names the link type")
    yield ("ng-two-links.pcapng", 0, 1, "error",
           shb() + idb() + idb(RAW) + epbs(1) + epb(frame(1)[14:], iface=1, stamp=usec(1)) + epbs(1, 2),
           "interface 0 is Ethernet, interface 1 is RAW; the second packet is of interface 1",
           "the error names interface and link type: at the interface or at its packet")
    yield ("ng-tsresol-2-127.pcapng", 0, 2, "any", shb() + tsresol(0xFF) + epbs(2),
           "if_tsresol 0xff: units of 2^-127 s", "refuse it by name or read on; no shift by 127")
    yield ("ng-tsresol-10-127.pcapng", 0, 2, "any", shb() + tsresol(0x7F) + epbs(2),
           "if_tsresol 0x7f: units of 10^-127 s", "refuse it by name or read on; no division by 0")


def malformed_pcapng_block():
    f2 = epb(frame(2), stamp=usec(2))
    body = f2[8:-4]
    after = epbs(1, 3)
    yield ("ng-length-0.pcapng", 2, 2, "error", ng(2, block(6, body, total=0) + after),
           "block length 0", "two packets, then the error; never an endless loop")
    yield ("ng-length-8.pcapng", 2, 2, "error", ng(2, block(6, body, total=8) + after),
           "block length 8; 12 is the least", "two packets, then the error")
    yield ("ng-length-unaligned.pcapng", 2, 2, "error",
           ng(2, block(6, body + b"\0", total=len(f2) + 1) + after),
           "block length not a multiple of 4", "two packets, then the error")
    yield ("ng-length-huge.pcapng", 2, 2, "error", ng(2, block(6, body, total=0xFFFFFFFC) + after),
           "block length 0xfffffffc", "two packets, then the error; no allocation of that size")
    yield ("ng-trailer.pcapng", 2, 2, "error", ng(2, block(6, body, trailer=len(f2) + 4) + after),
           "the length after the block differs from the one before", "two packets, then the error")
    yield ("ng-cut-body.pcapng", 2, 2, "error", ng(2, f2[:-30]),
           "file ends inside a packet block", "two packets, then the error")
    yield ("ng-cut-trailer.pcapng", 2, 2, "error", ng(2, f2[:-2]),
           "file ends inside the trailing length", "two packets, then the error")
    yield ("ng-cut-head.pcapng", 2, 2, "error", ng(2, f2[:6]),
           "file ends inside type and length of a block", "two packets, then the error")
    yield ("ng-epb-short.pcapng", 2, 2, "error", ng(2, block(6, body[:16]) + after),
           "packet block of 28 bytes; 32 is the least", "two packets, then the error")
    yield ("ng-caplen-over-block.pcapng", 2, 2, "error",
           ng(2, epb(frame(2), caplen=100, stamp=usec(2)) + after),
           "captured length 100 in a block with room for 64",
           "two packets, then the error, though the file has so many bytes")
    yield ("ng-caplen-ffffffff.pcapng", 2, 2, "error",
           ng(2, epb(frame(2), caplen=0xFFFFFFFF, stamp=usec(2)) + after),
           "captured length 0xffffffff (padded to a multiple of 4 it is 0)",
           "two packets, then the error; no wrap-around")
    yield ("ng-spb-over-block.pcapng", 2, 2, "error", ng(2, spb(frame(2), length=1000) + after),
           "simple packet of 1000 bytes, snap length 262144, in a block with room for 64",
           "two packets, then the error")
    yield ("ng-idb-short.pcapng", 0, 0, "error", shb() + block(1, struct.pack("<HH", 1, 0)) + epbs(2),
           "interface description of 16 bytes; 20 is the least", "no packet; the error")
    yield ("ng-option-overrun-idb.pcapng", 0, 0, "error",
           shb() + idb(options=struct.pack("<HH", 2, 400) + b"veth") + epbs(2),
           "interface name (option 2) of 400 bytes in a block with 4 left", "no packet; the error")
    yield ("ng-option-overrun-epb.pcapng", 2, 4, "any",
           ng(2, epb(frame(2), stamp=usec(2), options=struct.pack("<HH", 1, 0xFFFF) + b"text") + after),
           "comment (option 1) of 65535 bytes after the packet, in a block with 4 left",
           "two packets, then the error; or all four if packet options are not looked at")
    yield ("ng-tsresol-empty.pcapng", 0, 2, "any", shb() + idb(options=option(9, b"") + END) + epbs(2),
           "if_tsresol with no value", "refuse it by name, or ignore it; the value is not read")
    yield ("ng-zero-length.pcapng", 2, 3, "eof", ng(1, epb(b"", stamp=usec(1)) + epbs(1, 2)),
           "second packet is empty", "the two others; the empty one is skipped or an empty packet")
    yield ("ng-obsolete-packet.pcapng", 2, 3, "eof", ng(1, old_packet_block(frame(1)) + epbs(1, 2)),
           "second packet is in an obsolete Packet Block (type 2)",
           "two packets (unknown blocks are skipped), or three")


# odd: name, contents, what is odd, what a reader must do.


def odd_pcap():
    yield ("swapped.pcap", pcap(frames(3), order=">"), "big-endian", "swap all header fields")
    yield ("swapped-ns.pcap", pcap(frames(3), order=">", magic=NSEC),
           "big-endian, nanoseconds", "swap all header fields")
    yield ("no-packets.pcap", header(), "a header and no packet", "an end, not an error")
    yield ("snaplen-0.pcap", pcap(frames(3), snaplen=0),
           "snap length 0", "take it as \"no limit\": packets are whole")
    yield ("snaplen-ffffffff.pcap", pcap(frames(3), snaplen=0xFFFFFFFF),
           "snap length 0xffffffff", "allocate nothing of that size")
    yield ("snapped.pcap",
           header(snaplen=64) + b"".join(record(frame(i, 500)[:64], i, length=500) for i in range(3)),
           "64 bytes captured of 500", "deliver the 64 bytes that are there")
    yield ("runts.pcap", pcap([frame(0, 60)[:n] for n in (1, 13, 14, 34, 59)]),
           "frames of 1, 13, 14, 34 and 59 bytes", "deliver them with their lengths")
    yield ("times.pcap",
           header() + record(frame(0), sec=0xFFFFFFFF, sub=999999) + record(frame(1), sec=0, sub=0)
           + record(frame(2), sec=START, sub=4000000000),
           "seconds 0xffffffff, then 0, then 4000000000 microseconds",
           "read as unsigned; time may run backwards; microseconds may exceed a second")
    yield ("fcs.pcap", pcap([p + bytes(4) for p in frames(3)], link=0x24000000 | ETHERNET),
           "link type field 0x24000001: Ethernet, frames end with 4 bytes of FCS",
           "the link type is the low 16 bits; bytes in expected.txt include the FCS")


def odd_pcapng():
    yield ("ng-swapped.pcapng",
           shb(">") + idb(order=">") + epbs(3, order=">"), "big-endian", "swap all fields")
    yield ("ng-no-packets.pcapng", NG, "an interface and no packet", "an end, not an error")
    yield ("ng-sections.pcapng",
           NG + epbs(1) + shb(">") + idb(order=">") + epbs(1, 1, order=">") + NG + epbs(1, 2),
           "three sections: little, big and little-endian",
           "byte order and interfaces begin anew with each section")
    yield ("ng-section-length.pcapng",
           shb(section=len(idb() + epbs(2))) + idb() + epbs(2) + NG + epbs(1, 2),
           "the first section gives its length", "the length is a hint")
    yield ("ng-two-interfaces.pcapng",
           shb() + idb() + tsresol(9) + epbs(1) + epb(frame(1), iface=1, stamp=usec(1) * 1000) + epbs(1, 2),
           "two Ethernet interfaces, microseconds and nanoseconds",
           "each packet's time has the unit of its interface")
    yield ("ng-late-interface.pcapng", NG + epbs(2) + tsresol(9) + epb(frame(2), iface=1, stamp=usec(2) * 1000),
           "an interface described after packets", "interfaces may come at any place")
    for name, value, unit, stamp in (
            ("1s", 0, "1 s", START), ("ms", 3, "10^-3 s", START * 1000), ("ns", 9, "10^-9 s", START * 10**9),
            ("ps", 12, "10^-12 s", START * 10**9), ("2-20", 0x94, "2^-20 s", START << 20),
            ("2-32", 0xA0, "2^-32 s", START << 32), ("2-63", 0xBF, "2^-63 s", 1 << 63)):
        yield (f"ng-tsresol-{name}.pcapng",
               shb() + tsresol(value) + epb(frame(0), stamp=stamp) + epb(frame(1), stamp=stamp),
               f"if_tsresol 0x{value:02x}: units of {unit}", "no overflow, no division by 0")
    yield ("ng-tsoffset.pcapng",
           shb() + idb(options=option(14, struct.pack("<q", START)) + END)
           + epb(frame(0), stamp=0) + epb(frame(1), stamp=1),
           "if_tsoffset: times count from 1700000000 s", "add the offset, or ignore it; read on")
    yield ("ng-unknown-blocks.pcapng",
           NG + epbs(1) + block(0x0BADF00D, b"") + epbs(1, 1) + block(0x80000001, b"local data..")
           + block(5, struct.pack("<III", 0, 0, 0)) + block(4, struct.pack("<HH", 0, 0))
           + block(0x00000BAD, struct.pack("<I", 32473) + b"custom..") + epbs(1, 2),
           "blocks of unknown, local, statistics, name and custom types between packets", "skip them")
    yield ("ng-options.pcapng",
           shb(options=option(1, b"a comment") + END)
           + idb(options=option(2, b"plxd") + option(0x8000, b"local") + option(9, b"\6"))
           + epb(frame(0), stamp=usec(0), options=option(2, b"\1\0\0\0") + option(1, b"seen") + END)
           + epb(frame(1), stamp=usec(1), options=option(1, b"no end of options")),
           "options everywhere, twice without an end-of-options", "step over them")
    yield ("ng-simple.pcapng", NG + b"".join(spb(p) for p in frames(3)),
           "simple packet blocks: no times, no interfaces", "interface 0, time unknown")
    yield ("ng-simple-snapped.pcapng",
           shb() + idb(snaplen=62) + b"".join(spb(frame(i, 100)[:62], length=100) for i in range(3)),
           "simple packets of 100 bytes at snap length 62: 62 are in the file",
           "captured length is the lesser of length and snap length")
    yield ("ng-snaplen-0.pcapng", shb() + idb(snaplen=0) + epbs(2) + spb(frame(2)),
           "snap length 0: no limit", "packets are whole, simple ones too")


# --- Output ---------------------------------------------------------------------------------

MALFORMED_README = """\
# Capture files with faults

Written by `../make-malformed.py`; do not edit. Frames are UDP in Ethernet, frame i has 60 + i bytes and
UDP source port 1000 + i, so that a test can tell which ones it got.

`expected.txt` has the same for programs: file, the least and the most packets that a reader may deliver,
and how it must end: `error` (at open or after the packets; the message names file and fault), `eof`
(no error) or `any`. Where least and most differ, more than one behaviour is sound. In no case may a
reader crash, read outside its buffers, loop, or allocate what the file claims. `readers.txt` tells what
tshark and tcpdump do; they are more lenient in places.

"""

ODD_README = """\
# Unusual capture files without faults

Written by `../make-malformed.py`; do not edit. A reader must deliver all packets, without an error.
The numbers, by tshark, are in `../expected.txt`.

"""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(c) for c in r) + " |" for r in rows]
    return "\n".join(lines) + "\n"


def outputs():
    """All files: name to contents."""
    bad = [*malformed_pcap(), *malformed_pcapng_section(), *malformed_pcapng_block()]
    odd = [*odd_pcap(), *odd_pcapng()]
    out = {"malformed/" + r[0]: r[4] for r in bad}
    out.update({"odd/" + r[0]: r[1] for r in odd})
    out["big.pcap"] = pcap([frame(i, n) for i, n in enumerate((60, 1514, 9014, 16385, 65535))])
    packets = [str(r[1]) if r[1] == r[2] else f"{r[1]}-{r[2]}" for r in bad]
    out["malformed/README.md"] = (MALFORMED_README + table(
        ("file", "what is wrong", "what a reader must do", "packets", "end"),
        [(f"`{r[0]}`", r[5], r[6], p, r[3]) for r, p in zip(bad, packets)])).encode()
    out["malformed/expected.txt"] = "".join(
        ["# file least most end\n"] + [f"{r[0]} {r[1]} {r[2]} {r[3]}\n" for r in bad]).encode()
    out["odd/README.md"] = (ODD_README + table(
        ("file", "what is odd", "what a reader must do"),
        [(f"`{r[0]}`", r[2], r[3]) for r in odd])).encode()
    return out


def read(name):
    try:
        with open(os.path.join(HERE, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: make-malformed.py [--check]")
    check = len(sys.argv) > 1
    differing = [(name, data) for name, data in outputs().items() if read(name) != data]
    for name, data in differing:
        if check:
            print(f"{name}: differs from what make-malformed.py writes", file=sys.stderr)
            continue
        os.makedirs(os.path.dirname(os.path.join(HERE, name)), exist_ok=True)
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(data)
    sys.exit(1 if check and differing else 0)


if __name__ == "__main__":
    main()
