#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same plx-testpmd over every transport to two NICs on one wire. Prints TAP.

usage: test_transports.py TESTPMD DATA_DIR VFU_NICS [SUBSTRING]
"""
import contextlib
import pathlib
import re
import subprocess
import sys

import qemu
import tap
import wire

TESTPMD, DATA, VFU_NICS = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


class Nics:
    """Two models of the 82574L behind vfio-user, in a process of their own."""

    def __init__(self, folder):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [VFU_NICS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.ports = [f"vfio-user:{folder}/{i}" for i in range(2)]

    def end(self):
        """Ends them as one would; they tell what the client did wrong."""
        out, _ = self.process.communicate("", timeout=wire.LIMIT)
        assert self.process.returncode == 0 and out == "", out

    def kill(self):
        """Ends them by surprise."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@contextlib.contextmanager
def nics(folder):
    n = Nics(folder)
    try:
        yield n
    finally:
        if n.process.returncode is None:
            n.kill()


def test_over_qemu_with_its_ram(tmp):
    with qemu.two_nics() as m:
        wire.through(TESTPMD, DATA, tmp, *(f"qemu:{m.qtest},slot={s},ram={m.ram}" for s in (2, 3)))


def test_over_qemu_with_attached_memory(tmp):
    with qemu.two_nics() as m:
        wire.through(TESTPMD, DATA, tmp, *(f"qemu:{m.qtest},slot={s},qmp={m.qmp}" for s in (2, 3)))


def test_over_vfio_user(tmp):
    with nics(tmp) as n:
        wire.through(TESTPMD, DATA, tmp, *n.ports)
        # once more, with the devices as the first run left them
        wire.through(TESTPMD, DATA, tmp, *(p + ",mmap=off" for p in n.ports))
        n.end()


def start(n, *args):
    """testpmd, with packets going round."""
    p = subprocess.Popen([TESTPMD, "--port", n.ports[0], "--port", n.ports[1], "--forward-mode", "txonly",
                          "--stats-period", "0.1", *args], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in p.stdout:
        sent = re.search(r"tx (\d+\.\d+) ", line)
        if sent and float(sent[1]) > 0:
            return p
    raise AssertionError(p.stderr.read())


def test_a_server_that_is_killed_under_traffic_ends_it_with_1(tmp):
    with nics(tmp) as n:
        p = start(n)
        n.kill()
        _, err = p.communicate(timeout=wire.LIMIT)
        assert p.returncode == 1, err
        assert "the server closed the connection" in err and "is gone with its device" in err, err
    # it runs again: so does testpmd
    with nics(tmp) as n:
        wire.through(TESTPMD, DATA, tmp, *n.ports)
        n.end()


def test_a_client_that_is_killed_leaves_a_device_that_can_be_used(tmp):
    with nics(tmp) as n:
        for _ in range(3):
            p = start(n)
            p.kill()
            p.communicate()
        wire.through(TESTPMD, DATA, tmp, *n.ports)
        n.end()


def test_a_second_program_is_told_that_there_is_another(tmp):
    with nics(tmp) as n:
        p = start(n)
        r = subprocess.run([TESTPMD, "--port", n.ports[0] + ",limit=300ms", "--stats-period", "0"],
                           capture_output=True, text=True, timeout=wire.LIMIT, check=False)
        assert r.returncode == 1 and "another program (or context) has it" in r.stderr, r.stderr
        p.terminate()
        _, err = p.communicate(timeout=wire.LIMIT)
        assert p.returncode == 0, err


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[4:]))
