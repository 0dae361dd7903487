# SPDX-License-Identifier: BSD-3-Clause
"""A QEMU whose CPU is halted, for the device models alone: the Python side of test/qtest."""
import contextlib
import pathlib
import shutil
import subprocess
import tempfile
import time

import tap

QEMU = "qemu-system-x86_64"


class Machine:
    """A q35 with 256 MiB: .qtest, .qmp and .ram are the paths that `qemu:` takes."""

    def __init__(self, folder, *devices):
        self.dir = pathlib.Path(folder)
        self.qtest, self.qmp, self.ram = (self.dir / n for n in ("qtest", "qmp", "ram"))
        halt = bytearray(65536)
        halt[0xfff0:0xfff4] = b"\xfa\xf4\xeb\xfd"  # cli; hlt; jmp back
        (self.dir / "halt.bin").write_bytes(halt)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [QEMU, "-accel", "tcg", "-machine", "q35,memory-backend=ram",
             "-m", "256M,slots=32,maxmem=64G", "-nodefaults", "-display", "none",
             "-bios", self.dir / "halt.bin", "-qtest", f"unix:{self.qtest},server=on,wait=off",
             "-qtest-log", "/dev/null", "-qmp", f"unix:{self.qmp},server=on,wait=off",
             "-object", f"memory-backend-file,id=ram,share=on,size=256M,mem-path={self.ram}",
             *devices], stdin=subprocess.DEVNULL)
        for _ in range(1000):
            if self.qtest.exists() and self.qmp.exists():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.stop()
        raise RuntimeError("QEMU does not start")

    def stop(self):
        """Ends it, whatever it does."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def two_nics(where=None, model="e1000e"):
    """Two NICs on one wire, in slots 2 and 3; skips the test without QEMU. where: for its files."""
    if shutil.which(QEMU) is None:
        raise tap.Skip(f"{QEMU} is not installed")
    with tempfile.TemporaryDirectory(prefix="plx-qemu-", dir=where) as folder, Machine(
            folder, "-netdev", "hubport,id=n0,hubid=1", "-netdev", "hubport,id=n1,hubid=1",
            "-device", f"{model},netdev=n0,addr=2,romfile=,mac=52:54:00:00:00:02",
            "-device", f"{model},netdev=n1,addr=3,romfile=,mac=52:54:00:00:00:03") as machine:
        yield machine
