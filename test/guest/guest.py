#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Debian's kernel in a QEMU with an emulated IOMMU, under the host's own programs.

As a module: with guest.Guest(build=..., nics=2) as g: print(g.run("dmesg | tail").out)
As a command: guest.py run --nics 2 -- dmesg
"""
import argparse
import atexit
import json
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import image
import qemu_with
from image import tap

QEMU = qemu_with.QEMU
SOURCE = image.HERE.parent.parent
BROKEN = re.compile(rb"Kernel panic|BUG: |Oops: |general protection fault|guest: \w+ cannot be mounted")
DEFAULT = {"smp": 2, "mem": 1024, "aw_bits": 39, "iommu": "nopt", "icount": False, "qmp": False, "device": None}


class Failed(Exception):
    """The guest, or a command in it, did not do what it should; the text has the log's tail."""


class Result:
    """What a command in the guest left: .status and .out (stdout and stderr)."""

    def __init__(self, status, out):
        self.status, self.out = status, out

    def __repr__(self):
        return f"status {self.status}, output:\n{self.out}"


class Qmp:
    """The guest's QMP connection."""

    def __init__(self, path):
        self.events, self._file = [], None
        self._socket = connect(path)
        self._socket.settimeout(20)
        self._file = self._socket.makefile("rw")
        self._line()
        self("qmp_capabilities")

    def _line(self):
        line = json.loads(self._file.readline() or '{"error": "QEMU has gone"}')
        if "event" in line:
            self.events.append(line)
        return line

    def __call__(self, command, **arguments):
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            line = self._line()
            if "error" in line:
                raise Failed(f"QMP {command}: {line['error']}")
            if "return" in line:
                return line["return"]

    def event(self, name, timeout=20):
        """Waits for an event of this name; takes it out of .events."""
        self._socket.settimeout(timeout)
        while True:
            for found in self.events:
                if found["event"] == name:
                    self.events.remove(found)
                    return found
            self._line()

    def physical(self, address, size):
        """size bytes of the guest's physical memory."""
        with tempfile.NamedTemporaryFile(prefix="plx-mem-") as file:
            self("pmemsave", val=address, size=size, filename=file.name)
            return file.read()


def connect(path, limit=10):
    """A connection to QEMU's socket, when it is there."""
    end = time.monotonic() + limit
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(path))
            return sock
        except (FileNotFoundError, ConnectionRefusedError):
            sock.close()
            if time.monotonic() > end:
                raise Failed(f"QEMU does not open {path}") from None
            time.sleep(0.02)


def find_build(start):
    """The build's folder that a path lies in, or None."""
    for folder in (pathlib.Path(start).resolve(), *pathlib.Path(start).resolve().parents):
        if (folder / "build.ninja").exists():
            return folder
    return None


class Guest:
    """A guest that has booted.

    build    the build's folder: /build in the guest; the kernel is kept in it
    results  a folder of the host: /result in the guest, writable; a temporary one by default
    smp, mem (MiB), icount (one CPU whose TSC counts instructions), aw_bits (the IOMMU's width)
    iommu    "nopt", "pt", "strict" or "lazy", as the kernel's own drivers are to use it; None: no IOMMU
             (nopt is strict here, too: an IOMMU that says it is emulated; for lazy it does not)
    nics     so many e1000e, or models' names, on one wire: slots 0x10, 0x11, ... MAC 52:54:00:00:00:10, ...
    qemu     further arguments of QEMU
    device   one that QEMU must have; of nics igb, which not every QEMU has, by itself
    append   further words for the kernel
    show     folders of the host to show at their own path although they lie in /tmp or /run
    boot     seconds it may take to come up
    log      where the kernel's log is to be kept; by default it goes with the guest
    """

    def __init__(self, build, results=None, nics=0, qemu=(), append="", show=(), boot=120, log=None, **options):
        self.options = {**DEFAULT, **options}
        assert set(self.options) == set(DEFAULT), options
        self.build = pathlib.Path(build).resolve()
        device = self.options["device"] or ("igb" if isinstance(nics, (list, tuple)) and "igb" in nics else "e1000e")
        self.program = qemu_with.find(device, self.build / "qemu")
        self.kernel = image.prepare(self.build / "guest-kernel")
        self.process = self.qmp = self._port = None
        self._folder = tempfile.TemporaryDirectory(prefix="plx-guest-")
        self.dir = pathlib.Path(self._folder.name)
        self.results = pathlib.Path(results or self.dir / "result").resolve()
        (self.results / ".plx").mkdir(parents=True, exist_ok=True)
        self.log = pathlib.Path(log or self.dir / "kernel.log").resolve()
        self._mark, self._count = f"plx-{os.urandom(8).hex()}", 0
        (self.results / ".plx/mark").write_text(self._mark + "\n")
        self._pending = b""
        atexit.register(self.stop)
        if threading.current_thread() is threading.main_thread() and \
                signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # what removes files at the end is to run then, too
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            self._start([*self._machine(append, show), *self._nics(nics), *map(str, qemu)])
            if self._until_mark(boot, lambda text: None) != "ready":
                raise Failed("the guest does not speak its protocol")
        except BaseException:
            self.stop()
            raise

    def _machine(self, append, show):
        opt = self.options
        shown = {p for p in (str(pathlib.Path(f).resolve()) for f in (SOURCE, self.build, *show))
                 if p.split("/")[1] in ("tmp", "run")}
        words = ["console=ttyS0", "quiet", "panic=-1", "oops=panic", "no_timer_check", "cryptomgr.notests",
                 f"plx.src={SOURCE}", f"plx.build={self.build}", f"plx.modules={self.kernel / 'modules'}",
                 *(f"plx.show={p}" for p in sorted(shown))]
        devices = []
        if opt["iommu"]:
            words += ["intel_iommu=on", {"pt": "iommu=pt", "nopt": "iommu=nopt", "lazy": "iommu=nopt iommu.strict=0",
                                         "strict": "iommu=nopt iommu.strict=1"}[opt["iommu"]]]
            caching = "off" if opt["iommu"] == "lazy" else "on"
            devices += ["-device", f"intel-iommu,intremap=on,caching-mode={caching},aw-bits={opt['aw_bits']}"]
        if not opt["icount"]:
            # Clocks: the emulated CPUs' counters are the host's own; with ticks that come by themselves one that is lost
            # does not stop a CPU for ever.
            words += ["tsc=reliable", "nohz=off", "highres=off"]
        cpu = ["-accel", "tcg,thread=single", "-icount", "shift=0", "-smp", "1"] if opt["icount"] else \
            ["-accel", "tcg,thread=multi", "-smp", str(opt["smp"])]
        qmp = ["-qmp", f"unix:{self.dir}/qmp,server=on,wait=off"] if opt["qmp"] else []
        share = "security_model=none,multidevs=remap"
        return [self.program, "-machine", "q35,kernel-irqchip=split", *cpu, "-cpu", "max", "-m", str(opt["mem"]),
                "-display", "none", "-nodefaults", "-no-reboot", "-serial", f"file:{self.log}", *qmp,
                "-kernel", str(self.kernel / "vmlinux"), "-initrd", str(self.kernel / "initrd"),
                "-append", " ".join([*words, append]), *devices,
                "-virtfs", f"local,path=/,mount_tag=host,readonly=on,{share}",
                "-virtfs", f"local,path={self.results},mount_tag=result,{share}",
                "-chardev", f"socket,id=plx,path={self.dir}/port,server=on,wait=on",
                "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=plx,name=plx"]

    @staticmethod
    def _nics(nics):
        words = []
        for i, model in enumerate(["e1000e"] * nics if isinstance(nics, int) else nics):
            words += ["-netdev", f"hubport,id=net{i},hubid=1", "-device",
                      f"{model},netdev=net{i},id=nic{i},addr={0x10 + i:x},romfile=,mac=52:54:00:00:00:{0x10 + i:x}"]
        return words

    def _start(self, command):
        with open(self.dir / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(500):
            if (self.dir / "port").exists() or self.process.poll() is not None:
                break
            time.sleep(0.02)
        if self.process.poll() is not None:
            raise Failed(f"QEMU does not start:\n{(self.dir / 'qemu.log').read_text()}")
        self._port = connect(self.dir / "port")
        if self.options["qmp"]:
            self.qmp = Qmp(self.dir / "qmp")

    def tail(self, lines=25):
        """The end of the kernel's log, and what QEMU itself said."""
        texts = [(self.dir / "qemu.log").read_text(errors="replace"),
                 self.log.read_text(errors="replace") if self.log.exists() else ""]
        return "\n".join("\n".join(t.splitlines()[-lines:]) for t in texts)

    def _until_mark(self, seconds, sink):
        """Reads up to the next mark and returns what stands behind it; output before it goes to sink."""
        end, mark = time.monotonic() + seconds, self._mark.encode() + b" "
        while True:
            at = self._pending.find(mark)
            line_end = self._pending.find(b"\n", at)
            if at >= 0 and line_end >= 0:
                sink(self._pending[:at])
                word = self._pending[at + len(mark):line_end].decode()
                self._pending = self._pending[line_end + 1:]
                return word
            ready = len(self._pending) - len(mark) if at < 0 else at
            if ready > 0:
                sink(self._pending[:ready])
                self._pending = self._pending[ready:]
            left = end - time.monotonic()
            if left <= 0:
                raise Failed(f"the guest has not answered for {seconds} s; the end of its log:\n{self.tail()}")
            if select.select([self._port], [], [], min(left, 1))[0]:
                data = self._port.recv(65536)
                if not data:
                    self.process.wait(timeout=10)
                    raise Failed(f"the guest ended; the end of its log:\n{self.tail()}")
                self._pending += data

    def run(self, command, timeout=60, check=True, stream=None):
        """Runs a command (a list of words, or the text of a shell script that has lib.sh) as root.

        timeout: seconds. check: a status other than 0 raises Failed. stream: a binary file that gets
        the output as it comes.
        """
        if not isinstance(command, str):
            command = shlex.join(map(str, command))
        self._count += 1
        name = f"command-{self._count}"
        (self.results / ".plx" / name).write_text(f". /src/test/guest/lib.sh\n{command}\n")
        parts = []

        def sink(data):
            parts.append(data)
            if stream:
                stream.write(data)
                stream.flush()

        self._port.sendall(f"{name} {timeout}\n".encode())
        try:
            status = int(self._until_mark(timeout + 30, sink))
        except Failed as why:
            raise Failed(f"{command}\n{b''.join(parts).decode(errors='replace')}\n{why}") from None
        done = Result(status, b"".join(parts).decode(errors="replace"))
        if check and status != 0:
            late = f" (it had {timeout} s)" if status == 124 else ""
            raise Failed(f"{command}\n{done!r}{late}\nthe end of the log:\n{self.tail(10)}")
        return done

    def stop(self):
        """Ends the guest, whatever it does, and removes what it left."""
        atexit.unregister(self.stop)
        if self.process:
            self.process.kill()
            self.process.wait()
        if self._port:
            self._port.close()
        if self.results.exists():
            shutil.rmtree(self.results / ".plx", ignore_errors=True)
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            broken = BROKEN.search(self.log.read_bytes())
            if broken and kind is None:
                raise Failed(f"the guest's kernel is not well; the end of its log:\n{self.tail(60)}")
        finally:
            self.stop()


def arguments():
    parser = argparse.ArgumentParser(prog="guest.py", description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--build", help="the build's folder (default: the one that COMMAND or . lies in)")
    parser.add_argument("--smp", type=int, default=2)
    parser.add_argument("--icount", action="store_true", help="one CPU, whose TSC counts instructions")
    parser.add_argument("--mem", type=int, default=1024, help="MiB")
    parser.add_argument("--aw-bits", type=int, choices=[39, 48], default=39)
    parser.add_argument("--no-iommu", action="store_true")
    parser.add_argument("--iommu", choices=["pt", "nopt", "strict", "lazy"], default="nopt")
    parser.add_argument("--nics", type=int, default=0, help="so many e1000e on one wire, 00:10.0, 00:11.0, ...")
    parser.add_argument("--device", action="append", default=[], metavar="ARGS", help="QEMU's -device")
    parser.add_argument("--qemu", action="append", default=[], metavar="WORDS", help="words for QEMU")
    parser.add_argument("--with-device", metavar="NAME", help="take a QEMU that has this device")
    parser.add_argument("--append", default="", metavar="TEXT", help="words for the kernel")
    parser.add_argument("--timeout", type=int, default=60, help="seconds for the command")
    parser.add_argument("--qmp", action="store_true", help="print the path of a QMP socket")
    parser.add_argument("--results", help="/result of the guest (default: a temporary folder)")
    parser.add_argument("--log", help="where the kernel's log is kept (default: DIR/guest-kernel/last.log)")
    parser.add_argument("command", nargs="+", help="run as root in the guest")
    return parser.parse_args()


def main():
    opt = arguments()
    build = opt.build or find_build(opt.command[0]) or find_build(".")
    if not build:
        sys.exit("guest.py: which build? --build DIR")
    build = pathlib.Path(build).resolve()
    qemu = [w for text in opt.qemu for w in shlex.split(text)] + [w for d in opt.device for w in ("-device", d)]
    log = opt.log or build / "guest-kernel/last.log"
    command = opt.command[0] if len(opt.command) == 1 else opt.command
    try:
        with Guest(build, results=opt.results, nics=opt.nics, qemu=qemu, append=opt.append, show=[os.getcwd()],
                   log=log, device=opt.with_device, smp=opt.smp, mem=opt.mem, icount=opt.icount,
                   aw_bits=opt.aw_bits, qmp=opt.qmp, iommu=None if opt.no_iommu else opt.iommu) as machine:
            if opt.qmp:
                print(f"qmp: {machine.dir}/qmp", file=sys.stderr)
            return machine.run(command, opt.timeout, check=False, stream=sys.stdout.buffer).status
    except tap.Skip as why:
        print(f"SKIP: {why}", file=sys.stderr)
        return 77
    except Failed as why:
        print(f"guest.py: {why}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
