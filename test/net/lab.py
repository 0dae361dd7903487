# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of this folder share: namespaces with veth pairs, plx-testpmd, real programs."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "app"))
# pylint: disable=wrong-import-position
import tap
from tap import Skip

LIMIT = 60  # seconds: only a hang takes so long


def need(*programs):
    """Skips the test without them."""
    for name in programs:
        if shutil.which(name) is None:
            raise Skip(f"{name} is not installed")


def run(*args, check=True, **kwargs):
    """A program to its end."""
    done = subprocess.run([str(a) for a in args], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT, check=False, **kwargs)
    assert not check or done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def until(true, what, limit=20):
    """Waits for something that takes milliseconds."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.01)


class Host:
    """A network namespace of its own, with one address."""

    def __init__(self, lab, interface, address):
        self.pid = lab.start("unshare", "-n", "sleep", "1000").pid
        mine = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(f"/proc/{self.pid}/ns/net") != mine, "a namespace")
        self.interface, self.address = interface, address
        run("ip", "link", "set", "dev", interface, "netns", self.pid)
        with contextlib.suppress(AssertionError):  # a kernel without IPv6
            self.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
        self.run("ip", "link", "set", "dev", "lo", "up")
        self.run("ip", "address", "add", f"{address}/24", "dev", interface)
        self.run("ip", "link", "set", "dev", interface, "up")

    def command(self, *args):
        """The command that runs args there."""
        return ["nsenter", "-t", str(self.pid), "-n", *map(str, args)]

    def run(self, *args, check=True):
        return run(*self.command(*args), check=check)


class Lab:
    """Interfaces and programs of one test, which end with it."""

    def __init__(self, testpmd, folder):
        self.testpmd, self.folder, self.children, self.pairs = testpmd, folder, [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
            child.wait()
        for name in self.pairs:
            run("ip", "link", "del", "dev", name, check=False)

    def start(self, *args, **kwargs):
        """A program that goes on; it is killed when the lab ends."""
        kwargs = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                  "stderr": subprocess.DEVNULL, **kwargs}
        child = subprocess.Popen([str(a) for a in args], **kwargs)  # pylint: disable=R1732
        self.children.append(child)
        return child

    def pair(self, a, b, queues=1):
        """A veth pair, up."""
        many = ["numtxqueues", str(queues), "numrxqueues", str(queues)]
        run("ip", "link", "add", "name", a, *many, "type", "veth", "peer", "name", b, *many)
        self.pairs.append(a)
        for name in (a, b):
            run("ip", "link", "set", "dev", name, "up")

    def two_hosts(self, queues=1):
        """Hosts a and b, each at the far end of an interface of the program's: ma, mb."""
        self.pair("ma", "va", queues)
        self.pair("mb", "vb", queues)
        return Host(self, "va", "10.9.0.1"), Host(self, "vb", "10.9.0.2")

    def forward(self, *args):
        """plx-testpmd, forwarding: it has opened and started its ports."""
        stats = self.folder / f"stats{len(self.children)}"
        with open(self.folder / "pmd.log", "w", encoding="utf-8") as log:
            pmd = self.start(self.testpmd, *args, "--stats-period", "0", "--stats-file", stats,
                             stdout=log, stderr=log)
        until(lambda: pmd.poll() is not None or "rxq" in text(stats), "plx-testpmd is up")
        assert pmd.poll() is None, self.said()
        time.sleep(0.2)
        assert pmd.poll() is None, self.said()
        return pmd

    def said(self):
        """What plx-testpmd printed."""
        return text(self.folder / "pmd.log")


def text(path):
    """A file's text, "" without one."""
    try:
        return path.read_bytes().decode("latin-1")
    except OSError:
        return ""


def end(pmd, lab, code=0):
    """Ends plx-testpmd as a user does."""
    pmd.send_signal(signal.SIGINT)
    assert pmd.wait(LIMIT) == code, lab.said()


def ping(host, address, count=20):
    """All echoes come back; ping asks again while the last ones are late, for which it hardly waits."""
    need("ping")
    out = host.run("ping", "-n", "-c", count, "-i", "0.05", "-w", "20", address, check=False).stdout
    sent, received = (int(n) for n in re.search(r"(\d+) packets transmitted, (\d+) received", out).groups())
    assert received >= count and sent - received <= 1, out


def reachable(host, address, limit=20):
    """Waits until an echo comes back."""
    until(lambda: host.run("ping", "-n", "-c", 1, "-W", "1", address, check=False).returncode == 0,
          f"{address} answers", limit)


def iperf(lab, client, server, *args):
    """iperf3 from client to server: its result."""
    need("iperf3")
    lab.start(*server.command("iperf3", "-s", "-1"))
    until(lambda: ":5201" in server.run("ss", "-Hltn").stdout, "iperf3 listens")
    done = client.run("iperf3", "-c", server.address, "-t", "2", "-J", *args, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["end"]


def fetch(lab, client, server, size):
    """curl gets size bytes from a web server: they are the same bytes."""
    need("curl")
    data = os.urandom(size)
    (lab.folder / "data").write_bytes(data)
    lab.start(*server.command(sys.executable, "-m", "http.server", "8080"), cwd=lab.folder)
    until(lambda: ":8080" in server.run("ss", "-Hltn").stdout, "the web server listens")
    out = lab.folder / "got"
    client.run("curl", "-s", "-S", "-m", LIMIT - 10, "-o", out, f"http://{server.address}:8080/data")
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(data).digest()
