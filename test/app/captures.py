# SPDX-License-Identifier: BSD-3-Clause
"""Reads pcap and pcapng files, independently of libpcap: the oracle of the tests beside it."""
import struct


def _pcap(data):
    """Yields (bytes, wire length) of each whole packet."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        _, _, caplen, length = struct.unpack_from(order + "IIII", data, at)
        if at + 16 + caplen > len(data):
            return
        yield data[at + 16:at + 16 + caplen], length
        at += 16 + caplen


def _pcapng(data):
    order, at, snaplens = "<", 0, []
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            snaplens = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or size % 4 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        if kind == 1:
            snaplens.append(struct.unpack_from(order + "I", body, 4)[0])
        elif kind == 6:
            caplen, length = struct.unpack_from(order + "II", body, 12)
            yield body[20:20 + caplen], length
        elif kind == 3:
            length = struct.unpack_from(order + "I", body, 0)[0]
            caplen = min(length, snaplens[0] or length, len(body) - 4)
            yield body[4:4 + caplen], length
        at += size


def packets(path):
    """The packets of a capture, [(bytes, wire length)]."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(_pcapng(data))
    return list(_pcap(data))
