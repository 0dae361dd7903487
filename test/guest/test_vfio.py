#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Programs of ordinary users drive devices by VFIO, in a guest. Prints TAP.

usage: test_vfio.py BUILD [KILLS [SUBSTRING]]
"""
import hashlib
import random
import re
import sys
import time

from boots import A, B, HOT, TALKER, TOP, TOP_LEN, TWINS, VIRTIO, Boots, forwards, refused, testpmd, words

KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
boots = Boots(sys.argv[1])
LAB = "/build/test/guest/guest-lab"
PCI = [f"pci:{A}", f"pci:{B}"]


def many():
    """The guest with an IOMMU of 39 bits and all the devices; A and B are nobody's."""
    g = boots("many")
    g.run(f"give {A} {B}; hugepages 0")
    return g


# ---- traffic ----

def test_an_ordinary_user_without_hugepages(_):
    g = many()
    done = g.run(f"as_nobody grep -E '^(Cap|NoNew)' /proc/self/status; as_nobody sh -c 'ulimit -l'")
    assert len(re.findall(r"Cap\w+:\t0{16}", done.out)) == 5 and "NoNewPrivs:\t1" in done.out, done
    assert done.out.endswith("\n8192\n"), done
    forwards(testpmd(g, *PCI), *PCI)


def test_an_ordinary_user_with_hugepages(_):
    g = many()
    watch = "hugepages 16; ( while [ $(meminfo HugePages_Free) = 16 ]; do sleep 0.1; done; echo yes >/result/taken ) &"
    forwards(testpmd(g, *PCI, before=watch, more="--huge 2M --duration 1"), *PCI)
    assert (g.results / "taken").read_text() == "yes\n"
    assert g.run("meminfo HugePages_Free; hugepages 0").out == "16\n"


def test_private_io_address_spaces(_):
    """Memory that both devices reach is locked once for each of their address spaces."""
    g = many()
    ports = [f"{p},iommu=private" for p in PCI]
    forwards(testpmd(g, *ports, before="MEMLOCK=20000"), *ports)


def test_two_contexts_in_one_process(_):
    g = many()
    assert g.run(f"as_nobody {LAB} contexts {' '.join(PCI)}").out == "ok\n"
    g.run(f"hugepages 16; as_nobody {LAB} contexts {' '.join(PCI)}; hugepages 0")


def test_two_programs_on_two_devices(_):
    g = many()
    first = words(PCI[0], mode="rxonly", more="--packets 100 --duration 40 --json /result/rx.json")
    g.run(f"chmod 777 /result; $nobody {first} >/dev/null & first=$!\n"
          f"$nobody {words(PCI[1], mode='txonly', more='--duration 40')} >/dev/null & second=$!\n"
          "wait $first && kill -INT $second && wait $second")
    text = (g.results / "rx.json").read_text()
    assert int(re.search(r'"rx_packets": (\d+)', text)[1]) >= 100, text


def test_two_devices_of_one_group(_):
    g = many()
    ports = [f"pci:{t}" for t in TWINS]
    g.run(f"give {' '.join(TWINS)}; [ $(group {TWINS[0]}) = $(group {TWINS[1]}) ]")
    forwards(testpmd(g, *ports), *ports)


def test_every_type_of_interrupt(_):
    out = many().run(f"as_nobody {LAB} irq {PCI[0]}").out
    for name in ("MSI-X, 2 of 5", "MSI, 1 of 1", "INTx, 1 of 1"):
        assert f"pci:{A}: {name} vectors: ok\n" in out, out


def test_sleeping_until_there_are_packets(_):
    out = many().run(f"hugepages 16; as_nobody {LAB} wait {' '.join(PCI)}; hugepages 0").out
    assert out == "2 queues, a vector each\nok\n", out


def test_time_to_first_packet(_):
    """Printed, not judged: an emulated CPU is many times slower than any other (test/bench judges it natively)."""
    g = many()
    begin = r"$(sed 's/\([0-9]*\)\.\([0-9]*\) .*/\1\20000000/' /proc/uptime)"
    for pages in (0, 16):
        out = g.run(f"hugepages {pages}; for i in 1 2 3; do as_nobody /build/test/guest/guest-open {' '.join(PCI)} "
                    f"{begin} || exit 1; done; hugepages 0").out
        runs = [tuple(map(float, line.split())) for line in out.splitlines()]
        assert len(runs) == 3 and all(0 < opened <= first for opened, first, _ in runs), out
        print(f"# {pages} huge pages: process start to first packet, link time apart, "
              f"{', '.join(f'{first:.0f}' for _, first, _ in runs)} ms")


# ---- what is refused, and how it is said ----

def test_without_a_chown(_):
    g = many()
    said = refused(g, *PCI, before=f"chown root /dev/vfio/$(group {A})")
    assert re.search(rf"pci:{A}: /dev/vfio/\d+: permission denied: it belongs to user 0, group 0, mode 0600, and this "
                     rf"process is user 65534; as root: plx-bind bind {A} --owner USER\n", said), said


def test_a_device_of_the_kernel(_):
    said = refused(many(), *PCI, before=f"bind {A} e1000e")
    assert f"pci:{A}: it is bound to the kernel's driver e1000e: run `plx-bind bind {A}`" in said, said


def test_a_device_of_nobody(_):
    said = refused(many(), *PCI, before=f"echo {A} >/sys/bus/pci/devices/{A}/driver/unbind")
    assert f"pci:{A}: it is bound to no driver: run `plx-bind bind {A}`" in said, said


def test_a_device_of_another_program(_):
    g = many()
    first = words(PCI[0], mode="rxonly", more="--duration 40")
    said = refused(g, PCI[0], before=f"$nobody {first} >/dev/null & echo $! >/tmp/pid; opened $!")
    g.run("kill -INT $(cat /tmp/pid); while [ -e /proc/$(cat /tmp/pid) ]; do sleep 0.1; done")
    assert re.search(r"/dev/vfio/\d+ is open in another process", said), said


def test_a_device_that_is_not_there(_):
    said = refused(many(), "pci:0000:00:0f.7")
    assert "pci:0000:00:0f.7: this machine has no such device" in said, said


def test_a_group_that_is_not_viable(_):
    """Its other function has a driver of the kernel."""
    g = many()
    said = refused(g, f"pci:{TWINS[0]}", before=f"give {TWINS[0]}; bind {TWINS[1]} e1000e")
    assert re.search(rf"IOMMU group \d+ of {TWINS[0]} is not viable: .*{TWINS[1]}.*e1000e.*plx-bind bind {TWINS[1]}",
                     said), said


def test_too_little_memory_may_be_locked(_):
    """The limit that the message asks for is enough."""
    g = many()
    said = refused(g, *PCI, before="MEMLOCK=1024")
    need = re.search(r"RLIMIT_MEMLOCK is 1024 KiB.*ulimit -l (\d+)", said)
    assert need, said
    for _ in range(8):  # a message knows of what is mapped up to there
        done = g.run(f"MEMLOCK={need[1]} as_nobody {words(*PCI, more='--duration 0.1')} >/dev/null", check=False)
        if done.status == 0:
            return
        need = re.search(r"ulimit -l (\d+)", done.out)
        assert need, done
    raise AssertionError(f"no limit is enough: {done}")


def test_virtio_that_passes_by_the_iommu(_):
    """Without VIRTIO_F_ACCESS_PLATFORM the device takes I/O addresses for physical ones: it would write what
    lies there. It is refused untouched: no status was written, it may not access memory, and where the program's
    first I/O address (4 GiB) would be, the guest's memory is as it was."""
    g = many()
    before = g.qmp.physical(TOP, TOP_LEN)
    said = refused(g, f"pci:{VIRTIO}", before=f"give {VIRTIO}")
    assert "ACCESS_PLATFORM" in said and "iommu_platform=on" in said, said
    assert g.run(f"master {VIRTIO}").out == "0\n"
    assert g.qmp.physical(TOP, TOP_LEN) == before


def test_an_iommu_of_48_bits(_):
    g = boots("wide")
    g.run(f"give {A} {B}")
    forwards(testpmd(g, *PCI), *PCI)
    ports = [f"{p},iommu=private" for p in PCI]
    forwards(testpmd(g, *ports, before="hugepages 16; MEMLOCK=20000", more="--huge 2M --duration 0.5"), *ports)


# ---- devices and programs that go ----

def leaves(g, how, ports, device):
    """A testpmd between two ports; how() takes one away: testpmd says so and goes on to its end."""
    g.run("rm -f /result/out; touch /result/out\n"
          f"$nobody {words(*ports, more='--duration 5', period=1)} >/result/out 2>/result/err & echo $! >/tmp/pid\n"
          "while ! grep -q Mpps /result/out; do [ -e /proc/$! ] || exit 1; sleep 0.1; done")
    how()
    g.run("while [ -e /proc/$(cat /tmp/pid) ]; do sleep 0.1; done")
    said = (g.results / "err").read_text()
    assert f"(pci:{device})" in said and "is gone with its device" in said, said
    assert "average burst" in (g.results / "out").read_text(), said


def test_removal_by_sysfs(_):
    g = many()
    leaves(g, lambda: g.run(f"echo 1 >/sys/bus/pci/devices/{B}/remove"), PCI, B)
    g.run(f"[ ! -e /sys/bus/pci/devices/{B} ]; echo 1 >/sys/bus/pci/rescan; give {B}")
    forwards(testpmd(g, *PCI), *PCI)


def test_removal_by_hot_unplug(_):
    g = many()
    g.run(f"give {HOT}")
    leaves(g, lambda: g.qmp("device_del", id="hot"), [PCI[0], f"pci:{HOT}"], HOT)
    g.qmp.event("DEVICE_DELETED")
    g.run(f"[ ! -e /sys/bus/pci/devices/{HOT} ]")


def digests(g, pages):
    return [hashlib.sha256(g.qmp.physical(a, n)).digest() for a, n in pages]


def test_killed_at_any_moment(_):
    """kill -9 in the middle of traffic, while another NIC goes on sending to the dead program's.

    After it neither device may access memory, nothing is pinned, all huge pages are free, the pages that the
    program had (they lie in the pool now, nobody's) are the same some time later, and the IOMMU has reported no
    access. A program that lives shows that a change of its pages is seen."""
    g = many()
    g.run(f"hugepages 16; bind {TALKER} e1000e && sleep 0.1\n"
          f"talker=$(ls /sys/bus/pci/devices/{TALKER}/net); ip link set $talker up\n"
          f"{LAB} send $talker >/dev/null 2>&1 & echo $! >/tmp/talker; sleep 2")
    command = words(*PCI, more="--huge 2M --duration 100")
    start = f"$nobody {command} >/dev/null 2>&1 & pid=$!\n"
    pinned = int(g.run("pinned").out)
    faults = g.run("dmar_lines").out
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    print(f"# seed {seed}")
    try:
        began = time.monotonic()
        g.run(f"{start} echo $pid >/tmp/pid; while [ $({LAB} pages $pid | wc -l) -lt 4 ]; do sleep 0.1; done\n"
              f"{LAB} pages $pid >/result/pages", timeout=30)
        longest = 2 * (time.monotonic() - began)  # a kill comes before, while and after it starts
        g.run("sleep 2")
        pages = [tuple(map(int, line.split())) for line in (g.results / "pages").read_text().splitlines()]
        assert pages, "the program has no huge pages"
        first = digests(g, pages)
        time.sleep(0.3)
        assert digests(g, pages) != first, "memory that a device writes to does not change"
        g.run("kill -9 $(cat /tmp/pid)")
        seen = 0
        for kill in range(KILLS):
            out = g.run(f"{start} sleep {dice.uniform(0, longest):.3f}; {LAB} pages $pid >/result/pages; kill -9 $pid\n"
                        f"wait $pid 2>/dev/null; echo $?; master {A}; master {B}; pinned; meminfo HugePages_Free").out.split()
            assert out[-5:] == ["137", "0", "0", str(pinned), "16"], (kill, out)  # 137: it lived until it was killed
            pages = [tuple(map(int, line.split())) for line in (g.results / "pages").read_text().splitlines()]
            seen += len(pages)
            first = digests(g, pages)
            time.sleep(0.3)
            assert digests(g, pages) == first, f"kill {kill}: something writes to pages that nobody has"
            if KILLS > 10 or kill % 3 == 2:  # the short run leaves it to the next victim to be alive when it is killed
                testpmd(g, *PCI, more="--huge 2M --packets 100")
        testpmd(g, *PCI, more="--huge 2M --packets 100")
        assert seen > 0, "all were killed before they had memory"
        assert g.run("dmar_lines").out == faults
        print(f"# {KILLS} kills, {seen} pages of 2 MiB watched")
    finally:
        g.run(f"kill $(cat /tmp/talker) $(cat /tmp/pid); hugepages 0; bind {TALKER} vfio-pci", check=False)


if __name__ == "__main__":
    sys.exit(boots.finish(globals(), sys.argv[3] if len(sys.argv) > 3 else ""))
