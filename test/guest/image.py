# SPDX-License-Identifier: BSD-3-Clause
"""Debian's kernel and an initramfs for the guest, made once in a folder of the build.

The package is downloaded and unpacked, never installed. apt checks it against Debian's signed lists.
"""
import fcntl
import lzma
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../app"))
import tap  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
META = "linux-image-amd64"
# What the guest needs before it has the host's root; all other modules lie there.
FIRST = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")
BUSYBOX = "/bin/busybox"
LIMIT = 300  # seconds for a download, or another command


def words(*command, cwd=None, env=None):
    """What a command prints; tap.Skip with its last words if it fails or does not end."""
    name = " ".join([command[0], *[w for w in command[1:] if w.isalpha()][:1]])
    try:
        done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise tap.Skip(f"{name}: not done after {LIMIT} s") from None
    if done.returncode != 0:
        raise tap.Skip(f"{name}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


def own_lists(folder, sources="/etc/apt/sources.list.d/debian.sources"):
    """apt's options for lists and caches in a folder: any user may then fetch them anew."""
    if not os.path.exists(sources):
        sources = "/etc/apt/sources.list"
    for name in ("lists/partial", "cache/archives/partial"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    pathlib.Path(folder, "status").touch()
    options = (f"Dir::State={folder}", f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache",
               f"Dir::State::status={folder}/status", f"Dir::Etc::sourcelist={sources}",
               "Dir::Etc::sourceparts=-", "APT::Sandbox::User=", "Acquire::Languages=none")
    return [word for option in options for word in ("-o", option)]


def download(folder):
    """The file of the package that linux-image-amd64 depends on now, downloaded into folder."""
    def fetch(options):
        found = re.search(r"Depends: (linux-image-\S+-amd64)\b",
                          words("apt-cache", *options, "depends", META))
        if not found:
            raise tap.Skip(f"apt knows no package that {META} depends on")
        words("apt-get", "-q", *options, "download", found[1], cwd=folder)
        deb, = pathlib.Path(folder).glob(f"{found[1]}_*.deb")
        name = words("dpkg-deb", "-f", str(deb), "Package").strip()
        if name != found[1]:
            raise tap.Skip(f"{deb.name} is {name}")
        return deb
    try:
        return fetch(["-o", "APT::Sandbox::User="])
    except tap.Skip:  # no lists on this machine, or old ones: lists of our own
        options = own_lists(f"{folder}/apt")
        words("apt-get", "-q", *options, "update")
        return fetch(options)


def needs(modules, name):
    """The files of a module and of what it needs, by modules.dep."""
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        if pathlib.Path(file).stem.replace("-", "_") == name:
            return [file, *others.split()]
    raise tap.Skip(f"the kernel package has no module {name}")


def decompress(bzimage, file):
    """The kernel out of its bzImage: QEMU starts it as it is (PVH), and no emulated CPU unpacks it."""
    data = bzimage.read_bytes()
    start, size = struct.unpack_from("<II", data, 0x248)  # Documentation/x86/boot.rst: payload_offset
    start += (data[0x1f1] + 1) * 512
    file.write_bytes(lzma.LZMADecompressor().decompress(data[start:start + size]))


def unpack(deb, new):
    """Kernel and modules of the package into the folder new."""
    tree = new / "tree"
    words("dpkg-deb", "-x", str(deb), str(tree))
    kernel, = (tree / "boot").glob("vmlinuz-*")
    release = kernel.name.partition("-")[2]
    words("depmod", "-b", str(tree), release)
    decompress(kernel, new / "vmlinux")
    (tree / "lib/modules").rename(new / "modules")
    shutil.rmtree(tree)
    (new / "release").write_text(release)
    return new / "modules" / release


def initramfs(modules, file):
    """busybox, the first modules, and init.sh as /init."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        root = pathlib.Path(folder)
        for name in ("bin", "modules", "proc", "sys", "dev", "host", "rw", "root"):
            (root / name).mkdir()
        shutil.copy(BUSYBOX, root / "bin/busybox")
        shutil.copy(HERE / "init.sh", root / "init")
        (root / "init").chmod(0o755)
        order = []
        for name in FIRST:
            order += [f for f in reversed(needs(modules, name)) if f not in order]
        for path in order:
            shutil.copy(modules / path, root / "modules")
        (root / "modules/order").write_text("".join(f"{pathlib.Path(p).name}\n" for p in order))
        names = "\n".join(sorted(str(p.relative_to(root)) for p in root.rglob("*")))
        with open(file, "wb") as out:
            subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], input=f"{names}\n".encode(),
                           stdout=out, cwd=root, check=True)


def prepare(cache):
    """The folder with vmlinux, initrd and modules/, made if it is not there; tap.Skip says why not."""
    cache = pathlib.Path(cache)
    for command in ("apt-get", "dpkg-deb", "depmod", "cpio", BUSYBOX):
        if shutil.which(command) is None and shutil.which(f"/sbin/{command}") is None:
            raise tap.Skip(f"{command} is not installed")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / "kernel/vmlinux").exists():
            shutil.rmtree(cache / "kernel", ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                new = pathlib.Path(folder) / "kernel"
                new.mkdir()
                unpack(download(folder), new)
                new.rename(cache / "kernel")
        kernel = cache / "kernel"
        initrd = kernel / "initrd"
        sources = (HERE / "init.sh", HERE / "image.py")
        if not initrd.exists() or any(s.stat().st_mtime > initrd.stat().st_mtime for s in sources):
            initramfs(kernel / "modules" / (kernel / "release").read_text(), kernel / "initrd.new")
            (kernel / "initrd.new").rename(initrd)
    return kernel
