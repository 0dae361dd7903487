#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""l2fwd.py L2FWD DATA_DIR: examples/l2fwd as it was built against the installed library: what it sends,
byte by byte. Prints nothing, or what is wrong."""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
from captures import packets  # noqa: E402

L2FWD, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 60  # seconds: only a hang takes so long


def run(*args, code=0):
    p = subprocess.run([L2FWD, *map(str, args)], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert p.returncode == code, f"{args}: exit code {p.returncode}\n{p.stdout}{p.stderr}"
    return p


def rewritten(frame, to):
    """The destination of the partner's number, and the source of the port that sent it."""
    return frame[:6] == bytes([2, 0, 0, 0, 0, to]) and frame[6] & 1 == 0


def captures(tmp):
    """Two captures cross, a third comes back out of its own port; runs with one thread and with several."""
    names = ("real.pcap", "big.pcap", "real-ns.pcap")
    want = [packets(DATA / n) for n in names]
    for threads in (1, 2, 3):
        for keep in (False, True):
            outs = [tmp / f"{i}.pcap" for i in range(3)]
            p = run("-t", threads, "-T", 0, *(["-n"] if keep else []),
                    *(f"pcap:rx={DATA / n},tx={out}" for n, out in zip(names, outs)))
            for i, to in ((0, 1), (1, 0), (2, 2)):
                got = packets(outs[to])
                assert len(got) == len(want[i]), f"{names[i]}: {len(got)} of {len(want[i])}"
                for (g, _), (w, _) in zip(got, want[i]):
                    assert g == w if keep else g[12:] == w[12:] and rewritten(g, to)
            assert f"port 0: received {len(want[0])}, sent {len(want[1])}, dropped 0" in p.stdout, p.stdout


def ring(tmp):
    """Capture, ring, capture, on two threads: in order; the end of the input may leave some in the ring."""
    p = subprocess.run([L2FWD, "-n", "-t", "2", f"pcap:rx={DATA / 'real.pcap'}", "ring:a", "ring:a",
                        f"pcap:tx={tmp / 'out.pcap'}"], capture_output=True, text=True, timeout=LIMIT, check=False)
    if "no driver" in p.stderr:   # built without it
        return
    assert p.returncode == 0, p.stderr
    got = packets(tmp / "out.pcap")
    want = [p for p in packets(DATA / "real.pcap") if len(p[0]) <= 1518]   # MTU 1500, and a tag
    assert got and got == want[:len(got)], f"{len(got)} of {len(want)}"


def endless():
    """Null ports, with statistics each second; a signal ends it."""
    for sig in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([L2FWD, "-T", "1", "-t", "2", "null:", "null:", "null:"], text=True,
                              stdout=subprocess.PIPE) as p:
            first = p.stdout.readline()
            p.send_signal(sig)
            rest = p.stdout.read()
            assert p.wait(LIMIT) == 0
        assert re.match(r"port 0: received [1-9]\d*, sent [1-9]\d*, dropped 0  null:", first), first
        # all that came in at 0 left through 1
        received, sent = (int(re.findall(rf"port {i}: received (\d+), sent (\d+)", rest)[-1][i]) for i in (0, 1))
        assert received == sent > 0, rest


def main():
    with tempfile.TemporaryDirectory(prefix="plx-l2fwd-") as tmp:
        captures(pathlib.Path(tmp))
        ring(pathlib.Path(tmp))
    endless()
    assert "null" in run("nul:", code=1).stderr
    for wrong in ((), ("-t", "0", "null:"), ("-t", "2", "null:"), ("-x", "null:")):
        assert "usage: l2fwd" in run(*wrong, code=2).stderr


main()
