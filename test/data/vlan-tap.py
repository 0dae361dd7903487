#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A VLAN interface for kernels built without 802.1Q: vlan-tap.py DEVICE TAP ID[,ID...]

Makes the TAP interface and carries its frames over DEVICE with the tags written, outermost
first. Two or more ids give an 802.1ad outer tag. make-capture.sh uses it, so that the tagged
part of the capture does not depend on the kernel's configuration. Ends on SIGTERM.
"""

import errno
import fcntl
import os
import select
import socket
import struct
import sys

ETH_P_ALL = 3
ETH_P_8021Q = 0x8100
ETH_P_8021AD = 0x88A8
IFF_TAP, IFF_NO_PI, TUNSETIFF = 0x0002, 0x1000, 0x400454CA
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def open_packet(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((device, ETH_P_ALL))
    return s


def receive(sock):
    """One frame as it was on the wire: the kernel takes the outer tag out and tells it apart."""
    frame, anc, _, addr = sock.recvmsg(65535, 64)
    if addr[2] == PACKET_OUTGOING:
        return b""
    for level, kind, data in anc:
        if level != SOL_PACKET or kind != PACKET_AUXDATA:
            continue
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
        if status & TP_STATUS_VLAN_VALID:
            if not status & TP_STATUS_VLAN_TPID_VALID:
                tpid = ETH_P_8021Q
            return frame[:12] + struct.pack(">HH", tpid, tci) + frame[12:]
    return frame


def deliver(tap, frame):
    try:
        os.write(tap, frame)
    except OSError as e:
        if e.errno != errno.EIO:  # the interface is not up yet: nobody would hear it
            raise


def main():
    device, tap_name, ids = sys.argv[1], sys.argv[2], [int(i) for i in sys.argv[3].split(",")]
    tpids = [ETH_P_8021AD] * (len(ids) - 1) + [ETH_P_8021Q]
    tags = b"".join(struct.pack(">HH", t, i) for t, i in zip(tpids, ids))
    tap, sock = open_tap(tap_name), open_packet(device)
    end = 12 + len(tags)
    while True:
        ready, _, _ = select.select([tap, sock], [], [])
        if tap in ready:
            frame = os.read(tap, 65535)
            sock.send(frame[:12] + tags + frame[12:])
        if sock in ready:
            frame = receive(sock)
            if frame[12:end] == tags:
                deliver(tap, frame[:12] + frame[end:])


if __name__ == "__main__":
    main()
