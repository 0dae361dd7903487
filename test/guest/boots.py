# SPDX-License-Identifier: BSD-3-Clause
"""Boots that tests share, as each costs seconds: the guest of one kind lives until another kind is asked for."""
import json
import pathlib
import tempfile

import guest

A, B, TALKER = "0000:00:10.0", "0000:00:11.0", "0000:00:12.0"
TWINS = ("0000:03:01.0", "0000:03:02.0")  # behind a bridge to conventional PCI: in one IOMMU group
VIRTIO = "0000:00:17.0"
HOT = "0000:01:00.0"  # behind a root port: it can be pulled out


def e1000e(name, where, mac):
    """QEMU's words for one more on the wire of the first."""
    return ["-netdev", f"hubport,id=net-{name},hubid=1",
            "-device", f"e1000e,id={name},netdev=net-{name},{where},romfile=,mac=52:54:00:00:00:{mac:x}"]


MANY = ["-device", "pcie-root-port,id=rp,chassis=1,slot=1,addr=1c", *e1000e("hot", "bus=rp", 0x1c),
        "-device", "pcie-root-port,id=rp2,chassis=2,slot=2,addr=1d", "-device", "pcie-pci-bridge,id=bridge,bus=rp2",
        *e1000e("twin0", "bus=bridge,addr=1", 0x14), *e1000e("twin1", "bus=bridge,addr=2", 0x15),
        "-netdev", "hubport,id=net-virtio,hubid=2",
        "-device", "virtio-net-pci,addr=17,netdev=net-virtio,romfile=,id=virtio"]
# I/O addresses begin at 4 GiB. So much of the memory that lies there is left alone by the kernel.
TOP, TOP_LEN = 1 << 32, 16 << 20
KINDS = {
    "many": {"nics": 3, "qemu": MANY, "qmp": True, "mem": 3072, "append": f"memmap={TOP_LEN}${TOP:#x}"},
    "wide": {"nics": 2, "aw_bits": 48, "mem": 768},
    "tools": {"nics": 2},
    "conformance": {"nics": 2, "mem": 1536},
    "bare": {"nics": 2, "iommu": None, "mem": 768},
}


class Boots:
    """boots("many") is a guest of that kind; end() ends what runs."""

    def __init__(self, build):
        self.build, self._kind, self._guest, self._lacking = pathlib.Path(build), None, None, None
        self._folder = tempfile.TemporaryDirectory(prefix="plx-guest-")

    def __call__(self, kind):
        if self._kind != kind or self._guest.process.poll() is not None:
            self.end()
            self._guest = self._boot(kind)
            self._kind = kind
        return self._guest

    def _boot(self, kind):
        if self._lacking:  # found out once: it takes as long as a download that fails
            raise guest.tap.Skip(self._lacking)
        try:
            return guest.Guest(self.build, results=pathlib.Path(self._folder.name) / kind,
                               log=self.build / f"guest-kernel/{kind}.log", **KINDS[kind])
        except guest.tap.Skip as why:
            self._lacking = str(why)
            raise

    def finish(self, tests, pick=""):
        """Runs the tests of a program, the guest's own end among them; the exit status."""
        try:
            status = guest.tap.run(tests, pick)
            self.end()
            return status
        except guest.Failed as why:
            print(f"Bail out! {why}".replace("\n", "\n# "))
            return 1

    def end(self):
        """Ends the guest that runs. guest.Failed if its kernel was not well."""
        old, self._guest, self._kind = self._guest, None, None
        if old:
            old.__exit__(None)


def words(*ports, mode="flowgen", more="", period=0):
    """The command line of a testpmd in the guest."""
    return f"/build/app/plx-testpmd {' '.join(f'--port {p}' for p in ports)} --forward-mode {mode} " \
           f"--stats-period {period} {more}"


def testpmd(g, *ports, user="as_nobody", mode="flowgen", more="--duration 0.5", before=""):
    """Runs it to its end; what it wrote as JSON."""
    g.run(f"{before}\nchmod 777 /result; rm -f /result/out.json\n"
          f"{user} {words(*ports, mode=mode, more=more)} --json /result/out.json >/dev/null", timeout=60)
    return json.loads((g.results / "out.json").read_text())


def refused(g, *ports, user="as_nobody", before="", mode="flowgen"):
    """What a testpmd says that must not start; before: a script that prepares it."""
    done = g.run(f"{before}\n{user} {words(*ports, mode=mode, more='--duration 0.1')} >/dev/null", check=False)
    assert done.status == 1, done
    return done.out


def forwards(result, *ports):
    """Both ports of a result of flowgen got what the other sent."""
    for port in result["ports"]:
        assert port["rx_packets"] > 100 and port["tx_packets"] > 100 and port["rx_errors"] == 0, result
    assert [p["device"] for p in result["ports"]] == list(ports), result
