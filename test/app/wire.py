# SPDX-License-Identifier: BSD-3-Clause
"""A capture through two NICs on one wire: what every transport to them has to bring over unchanged."""
import json
import struct
import subprocess

from captures import packets

LIMIT = 120  # seconds: only a hang takes so long


def frames_for_nics(data):
    """Frames of a real capture that a NIC sends at the usual MTU: no jumbo frames, none of TSO."""
    return [p for p, length in packets(data / "real.pcap") if len(p) == length <= 1514]


def write_capture(path, frames):
    """Writes a pcap file of these frames."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for p in frames:
            f.write(struct.pack("<IIII", 0, 0, len(p), len(p)) + p)


def arguments(a, b, source, out):
    """testpmd's: capture -> NIC a -> wire -> NIC b -> capture. The rings have room for all."""
    return ["--port", a, "--port", f"pcap:rx={source}", "--port", b, "--port", f"pcap:tx={out}",
            "--rxd", "2048", "--stats-period", "0", "--json", "-"]


def check(result, frames, out):
    """Every frame came, in order, padded to 60 bytes as a NIC does; result: the JSON of the run."""
    got = [p for p, _ in packets(out)]
    assert got == [p.ljust(60, b"\0") for p in frames], f"{len(got)} of {len(frames)} frames"
    assert [p["driver"] for p in result["ports"]] == ["e1000", "pcap", "e1000", "pcap"]
    assert result["total"]["tx_dropped"] == 0


def through(testpmd, data, folder, a, b):
    """Runs it here, and checks."""
    source, out = folder / "in.pcap", folder / "out.pcap"
    frames = frames_for_nics(data)
    write_capture(source, frames)
    r = subprocess.run([testpmd, *arguments(a, b, source, out)], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=False)
    assert r.returncode == 0, r.stderr
    check(json.loads(r.stdout), frames, out)
