#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""selftest.py test/checks: each check is silent about a small clean tree and reports each planted
fault. Prints TAP."""
import os
import shutil
import subprocess
import sys
import tempfile

SPDX = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
TABLE = "layers = [\n  ['base', []],\n  ['pci', ['base']],\n  ['ethdev', ['pci']],\n]\n"
OPS = """struct plx_eth_ops {
	int (*open)(int port);
	/* NULL: nothing to do */
	int (*close)(int port);
	/* optional */
	int (*reset)(int port);
	int (*set_mtu)(int port);
};
"""
OFFLOADS = """int plx_rx_offload_name(void)
{
	return "scatter"[0];
}

int plx_tx_offload_name(void)
{
	return "tso"[0];
}
"""
FEATURES = "[operations]\nreset = yes\nset_mtu = no, frames are as they come\n[rx offloads]\nscatter = yes\n"
CLEAN = {
    "meson.build": "# SPDX-License-Identifier: BSD-3-Clause\n",
    "README.md": "# A tree\n",
    "lib/meson.build": "# SPDX-License-Identifier: BSD-3-Clause\n" + TABLE,
    "lib/base/plx_base.h": SPDX + "int plx_base(void);\n",
    "lib/pci/plx_pci.h": SPDX + '#include "plx_base.h"\n',
    "lib/pci/plx_pci_transport.h": SPDX,
    "lib/pci/pci_vfio.c": SPDX + "#include <linux/vfio.h>\n#include <sys/socket.h>\n",
    "lib/ethdev/ethdev_pmd.h": SPDX + '#include "plx_base.h"\n' + OPS,
    "lib/ethdev/offload.c": SPDX + OFFLOADS,
    "lib/ethdev/ethdev_private.h": SPDX,
    "lib/ethdev/meson.build": "# SPDX-License-Identifier: BSD-3-Clause\n"
                              "pmd_headers = files('ethdev_pmd.h')\n",
    "pmd/null/null.c": SPDX + '#include "ethdev_pmd.h"\n#include "plx_pci.h"\n'
                       "static const struct plx_eth_ops ops = {\n\t.open = 0,\n\t.reset = 0,\n};\n",
    "pmd/null/features.ini": FEATURES,
    "pmd/e1000/e1000.h": SPDX,
    "app/testpmd/main.c": SPDX + '#include "plx_pci.h"\n#include <sys/socket.h>\n',
}

# check, what is planted: (file, text appended; a whole table replaces), words of the report
PLANTED = [
    ("layers", "lib/base/plx_base.h", '#include "plx_pci.h"\n', "is not below lib/base"),
    ("layers", "lib/base/base.c", "#include <linux/vfio.h>\n", "transports in lib/pci"),
    ("layers", "lib/ethdev/port.c", '#include "plx_pci.h"\n', "unknown to lib/ethdev"),
    ("layers", "lib/ethdev/port.c", "#include <sys/un.h>\n", "transports in lib/pci"),
    ("layers", "lib/other/plx_other.h", "\n", "not in the table"),
    ("layers", "lib/pci/plx_base.h", "\n", "has a header of this name"),
    ("layers", "lib/meson.build", TABLE.replace("'base', []", "'base', ['pci']"), "not above it"),
    ("layers", "pmd/null/null.c", '#include "e1000.h"\n', "belongs to pmd/e1000"),
    ("layers", "pmd/null/null.c", '#include "../e1000/e1000.h"\n', "belongs to pmd/e1000"),
    ("layers", "pmd/null/null.c", "#include <linux/vfio.h>\n", "transports in lib/pci"),
    ("layers", "pmd/null/null.c", "#include <linux/iommufd.h>\n", "transports in lib/pci"),
    ("layers", "pmd/null/null.c", '#include "plx_pci_transport.h"\n', "no driver knows"),
    ("layers", "pmd/null/null.c", '#include "ethdev_private.h"\n', "private header of lib/ethdev"),
    ("layers", "app/testpmd/main.c", '#include "ethdev_pmd.h"\n', "private header of lib/ethdev"),
    ("layers", "examples/skeleton/main.c", '#include "e1000.h"\n', "belongs to pmd/e1000"),
    ("features", "pmd/null/features.ini", "[tx offloads]\nlro = yes\n", "no tx offload"),
    ("features", "pmd/x/x.c", "static const struct plx_eth_ops ops = {\n};\n", "is missing"),
    ("features", "pmd/null/features.ini", FEATURES.replace("reset = yes\n", ""), "does not say so"),
    ("features", "pmd/null/features.ini", FEATURES.replace("set_mtu = no, ", "set_mtu = no x"), "why"),
    ("features", "pmd/null/features.ini", FEATURES.replace("no, frames are as they come", "yes"),
     "promises it"),
    ("features", "pmd/null/features.ini", FEATURES.replace("set_mtu", "set_ntu"), "is no optional"),
    ("format", "lib/base/base.c", "int  f( void ){return 1;}\n", "base.c"),
    ("longfunc", "lib/base/base.c", "int f(void)\n{\n" + "\n" * 90 + "}\n", "92 lines (at most 90)"),
    ("text", "lib/base/base.c", "/* TO" "DO */\n", "a promise"),
    ("text", "README.md", "see /wor" "k/main\n", "a path of one machine"),
    ("text", "README.md", "see ../sha" "red\n", "outside the tree"),
    ("text", "README.md", "as iss" "ue 2 asks\n", "the tracker"),
    ("text", "README.md", "in the next ses" "sion\n", "how the tree was made"),
    ("text", "README.md", "good enough for n" "ow\n", "a promise"),
    ("text", "lib/base/x.py", "\n\n\n", "no SPDX"),
    ("docs", "README.md", "[a](doc/none.md)\n", "no such file"),
    ("docs", "README.md", "[a](#none)\n# One\n", "no such heading"),
    ("docs", "README.md", "```c\n#include \"plx_base.h\"\nint x = plx_none();\n```\n", "does not compile"),
    ("docs", "lib/pci/plx_pci.h", "/* The file. */\n\nPLX_API\nint plx_x(void);\n", "plx_x() has no comment"),
    ("docs", "test/run.sh", "echo 'gcc | 4 | default | gcc | all'\n", "not in the table"),
]
# The command line's help, and what of a page is wrong about it.
HELP = "#!/bin/sh\necho '  --port DEV  a port'\n"
OPTIONS = [
    ("| `--port DEV` | a port |\n", ".BI \\-\\-port DEV\n", 0, ""),
    ("", ".BI \\-\\-port DEV\n", 1, "testpmd.md: --port is missing"),
    ("| `--port DEV` | a port |\n", "", 1, "testpmd.1: --port is missing"),
    ("| `--port DEV` | with --none |\n", ".BI \\-\\-port DEV\n", 1, "has no --none"),
]
# A shell's commands, in the guide and the man page, and what is wrong with them.
SHELL = "#!/bin/sh\n[ $1 = --commands ] && echo '  set a|b N    it is set'\n"
COMMANDS = [
    ("| `set a\\|b N` | sets |\n", ".B \"set a|b N\"\n", 0, ""),
    ("", ".B \"set a|b N\"\n", 1, "commands.md: command 'set a|b N' is missing"),
    ("| `set a\\|b N` | sets |\n", "", 1, "testpmd.1: command 'set a|b N' is missing"),
    ("| `set a\\|b N` | sets |\n| `go N` | goes |\n", ".B \"set a|b N\"\n", 1, "has no command 'go N'"),
]
# A program's man page, and what is wrong with it.
MAN_HEAD = ".TH X 1\n.SH OPTIONS\n"
MAN_PAGES = [
    (MAN_HEAD + ".TP\n.BI \\-\\-port DEV\nA port.\n", 0, ""),
    (None, 1, "doc/man/plx-x.1: there is none"),
    (MAN_HEAD, 1, "--port is missing"),
    (MAN_HEAD + ".TP\n.BI \\-\\-port DEV\n.TP\n.B \\-\\-none\nIt.\n", 1, "plx-x has no --none"),
    (MAN_HEAD + ".TP\n.BI \\-\\-port DEV\nA \\*[none] port.\n", 1, "doc/man/plx-x.1: "),
]
SYMBOLS = [
    ("void other(void);\nvoid other(void) {}\n", "exports other"),
    ("#include <stdlib.h>\nvoid plx_a(void);\nvoid plx_a(void) { exit(1); }\n", "calls exit"),
    ("#include <stdlib.h>\nvoid plx_a(void);\nvoid plx_a(void) { abort(); }\n", "calls abort"),
    ("#include <assert.h>\nvoid plx_a(int);\nvoid plx_a(int i) { assert(i); }\n", "__assert_fail"),
    ("__attribute__((constructor)) static void f(void) {}\n", "has a constructor"),
    ("static int n;\nint plx_a(void);\nint plx_a(void) { return ++n; }\n", "written: n in .bss"),
    ("__attribute__((visibility(\"hidden\"))) int m = 3;\n", "written: m in .data"),
]
HEADERS = [
    ("int plx_x(size_t n);\n", "not ok"),                              # does not stand alone
    ("struct plx_x { int a; };\n", "not ok"),                          # no guard
    ("#pragma once\nstatic inline int *plx_x(void *p) { return p; }\n", "not ok 3"),    # C++
    ("#pragma once\nstatic inline char plx_x(int i) { return i; }\n", "not ok 1"),      # narrows
]


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def run_check(here, check, *arguments):
    run = subprocess.run([sys.executable, os.path.join(here, check + ".py"), *arguments],
                         capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def with_tree(here, check, name="", text=""):
    with tempfile.TemporaryDirectory() as root:
        for path, content in CLEAN.items():
            write(root, path, content)
        shutil.copy(os.path.join(here, "../../.clang-format"), root)
        if name:
            before = CLEAN.get(name, SPDX if name.endswith((".c", ".h")) else "")
            write(root, name, text if text.startswith(("layers", "[operations]")) else before + text)
        return run_check(here, check, root)


def with_options(here, guide, man, dpdk="| `--x` | `--port` | |\n"):
    with tempfile.TemporaryDirectory() as root:
        write(root, "doc/guide/testpmd-for-dpdk-users.md", dpdk)
        write(root, "doc/guide/testpmd.md", guide)
        write(root, "doc/man/plx-testpmd.1", man)
        write(root, "testpmd", HELP)
        os.chmod(os.path.join(root, "testpmd"), 0o755)
        return run_check(here, "docs", root, os.path.join(root, "testpmd"))


def with_commands(here, guide, man):
    with tempfile.TemporaryDirectory() as root:
        write(root, "doc/guide/testpmd.md", "")
        write(root, "doc/guide/testpmd-commands.md", guide)
        write(root, "doc/man/plx-testpmd.1", man)
        write(root, "testpmd", SHELL)
        os.chmod(os.path.join(root, "testpmd"), 0o755)
        return run_check(here, "docs", root, os.path.join(root, "testpmd"))


def with_man_page(here, page):
    with tempfile.TemporaryDirectory() as root:
        if page is not None:
            write(root, "doc/man/plx-x.1", page)
        write(root, "plx-x", HELP)
        os.chmod(os.path.join(root, "plx-x"), 0o755)
        return run_check(here, "man", root, os.path.join(root, "plx-x"))


def with_library(here, source):
    with tempfile.TemporaryDirectory() as root:
        write(root, "a.c", source)
        so, a, o = (os.path.join(root, n) for n in ("libx.so", "libx.a", "a.o"))
        for command in (["cc", "-O0", "-fPIC", "-c", "-o", o, os.path.join(root, "a.c")],
                        ["cc", "-shared", "-o", so, o], ["ar", "rcs", a, o]):
            subprocess.run(command, check=True)
        return run_check(here, "symbols", so, a)


def with_header(here, text):
    with tempfile.TemporaryDirectory() as root:
        write(root, "plx_x.h", text)
        return run_check(here, "../headers/headers", "-I" + root, os.path.join(root, "plx_x.h"))


def cases(here):
    for check in ("layers", "features", "format", "longfunc", "text", "docs"):
        yield f"{check}: clean tree", with_tree(here, check), 0, ""
    for check, name, text, words in PLANTED:
        yield f"{check}: {name}: {words}", with_tree(here, check, name, text), 1, words
    for guide, man, wanted, words in OPTIONS:
        yield f"docs: options: {words or 'clean'}", with_options(here, guide, man), wanted, words
    words = "for-dpdk-users.md: plx-testpmd has no --none"
    yield f"docs: {words}", with_options(here, *OPTIONS[0][:2], "| `--x` | `--none` | |\n"), 1, words
    for guide, man, wanted, words in COMMANDS:
        yield f"docs: commands: {words or 'clean'}", with_commands(here, guide, man), wanted, words
    for page, wanted, words in MAN_PAGES:
        yield f"man: {words or 'clean'}", with_man_page(here, page), wanted, words
    clean = "static const int n = 3;\nint plx_a(void);\nint plx_a(void) { return n; }\n"
    yield "symbols: clean library", with_library(here, clean), 0, ""
    for source, words in SYMBOLS:
        yield f"symbols: {words}", with_library(here, source), 1, words
    clean = "#pragma once\nstatic inline int plx_x(int i)\n{\n\treturn i + 1;\n}\n"
    yield "headers: clean header", with_header(here, clean), 0, ""
    for text, words in HEADERS:
        yield f"headers: {text.splitlines()[-1]}", with_header(here, text), 1, words


def main(here):
    failed = 0
    number = 0
    for number, (title, (status, output), wanted, words) in enumerate(cases(here), 1):
        title = title.replace("#", "")
        if status == 77:
            print(f"ok {number} - {title} # SKIP {output.strip()}")
            continue
        good = status == wanted and words in output
        failed += not good
        print(f"{'' if good else 'not '}ok {number} - {title}")
        if not good:
            print("# " + f"status {status}: {output}".replace("\n", "\n# "))
    print(f"1..{number}")
    return failed != 0


sys.exit(main(sys.argv[1]))
