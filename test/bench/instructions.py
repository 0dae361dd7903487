#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the instructions that bench-e1000 counted do: loads, stores, atomic ones. objdump disassembles.

usage: instructions.py BENCH-E1000 [quick]    a table of all that it counts
       instructions.py --check                each rule on instructions that the assembler makes

In Intel's syntax the destination stands first. A memory operand that is no destination is read; one
that is first is written, read, or both, as the tables below say. An instruction that has one and is in no
table is an error, so that nothing is guessed. An access counts once, whatever its width.
"""
import collections
import json
import re
import subprocess
import sys
import tempfile

# MODIFY comes with both: they are of the same place
LOAD, STORE, MODIFY = 1, 2, 4
COLUMNS = ("instructions", "loads", "stores", "atomics", "mmio_reads", "mmio_writes")
# address computed, hints: no access
NONE = re.compile(r"lea|nop|endbr64|prefetch\w*|v?zeroupper")
# a memory operand in first place that is only written
WRITES = re.compile(r"v?mov\w*|set\w+|v?extract[if]\d+\w*|v?extract[if]128|v?pextr\w|fn?st\w+")
# ... only read
READS = re.compile(r"cmp|test|bt|i?mul|i?div|jmp|v?ptest|v?u?comis[sd]|fld\w*")
# ... read and written
BOTH = re.compile(r"add|adc|sub|sbb|and|or|xor|inc|dec|neg|not|sh[lr]d?|sa[lr]|ro[lr]|bt[crs]|xadd|xchg|"
                  r"cmpxchg\w*")
# the stack, and strings: (without a memory operand of their own, what they do)
IMPLICIT = {"push": STORE, "call": STORE, "pop": LOAD, "ret": LOAD, "leave": LOAD,
            "movs": LOAD | STORE, "stos": STORE, "cmps": LOAD, "scas": LOAD, "lods": LOAD}
PREFIXES = {"lock", "rep", "repz", "repnz", "bnd", "notrack", "data16", "cs", "ds", "es", "rex.W"}
# more than one access, or one that depends on a mask
NEVER = re.compile(r"v?p?gather\w*|v?p?scatter\w*|vp?maskmov\w*|x?save\w*|xrstor\w*|enter")


class Unknown(Exception):
    """An instruction that the tables do not have."""


def memory_operand(operands):
    """(is there one, is it the first)."""
    places = [i for i, o in enumerate(re.split(r",(?![^\[]*\])", operands)) if "[" in o]
    return bool(places), places[:1] == [0]


def explicit(op, operands):
    """What is done to a memory operand that stands there."""
    there, first = memory_operand(operands)
    if not there or NONE.fullmatch(op):
        return 0
    if op == "xchg":
        return LOAD | STORE | MODIFY
    if not first:
        return LOAD
    for table, does in ((WRITES, STORE), (READS, LOAD), (BOTH, LOAD | STORE | MODIFY)):
        if table.fullmatch(op):
            return does
    raise Unknown(f"{op} {operands}")


def classify(text):
    """(LOAD, STORE and MODIFY as bits, is it atomic) of one line of objdump -M intel."""
    words = text.split("#")[0].split("<")[0].split()
    prefixes = set()
    while words and words[0] in PREFIXES:
        prefixes.add(words.pop(0))
    if not words or words[0] == "(bad)":
        raise Unknown(text)
    op, operands = words[0], " ".join(words[1:])
    if NEVER.fullmatch(op):
        raise Unknown(text)
    if op in IMPLICIT:
        does = IMPLICIT[op]
        if op in ("push", "call") and "[" in operands:
            does |= LOAD
        elif op == "pop" and "[" in operands:
            does |= STORE
    else:
        does = explicit(op, operands)
    atomic = "lock" in prefixes or (op == "xchg" and "[" in operands)
    return does, atomic


def disassemble(path, addresses):
    """{address: text}; the first is where an instruction begins, so that all are found."""
    command = ["objdump", "-d", "-w", "-M", "intel", "--no-show-raw-insn",
               f"--start-address={min(addresses)}", f"--stop-address={max(addresses) + 16}", path]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        m = re.match(r"\s*([0-9a-f]+):\t(.*)$", line)
        if m and int(m.group(1), 16) in addresses:
            found[int(m.group(1), 16)] = m.group(2).strip()
    missing = addresses - found.keys()
    if missing:
        raise Unknown(f"{path}: no instruction at {min(missing):#x}")
    return found


def rows(program, *args):
    """Runs bench-e1000; its rows, per packet."""
    p = subprocess.run([program, *args], capture_output=True, text=True, timeout=900, check=False)
    if p.returncode != 0:
        raise Unknown(p.stderr.strip() or f"{program}: exit code {p.returncode}")
    found = [json.loads(line) for line in p.stdout.splitlines()]
    addresses = collections.defaultdict(set)
    for row in found:
        for path, at, _ in row["code"]:
            addresses[path].add(at)
    texts = {path: disassemble(path, at) for path, at in addresses.items()}
    for row in found:
        sums = collections.Counter()
        for path, at, times in row.pop("code"):
            does, atomic = classify(texts[path][at])
            sums["loads"] += times * bool(does & LOAD)
            sums["stores"] += times * bool(does & STORE)
            sums["modifies"] += times * bool(does & MODIFY)
            sums["atomics"] += times * atomic
        row.update({k: sums[k] for k in ("loads", "stores", "modifies", "atomics")})
        row["counts"] = {k: row[k] for k in ("instructions", "loads", "stores", "modifies")}
        for key in COLUMNS:
            row[key] /= row["packets"]
    return found


def callgrind(program, row):
    """
    What callgrind counts for the packets of a row: a run less one that is shorter by them. It takes
    what reads and writes one place for a write alone. Returns (instructions, loads, stores).
    """
    def counts(packets):
        with tempfile.NamedTemporaryFile(prefix="callgrind.") as out:
            p = subprocess.run(
                ["valgrind", "--tool=callgrind", "--cache-sim=yes",
                 f"--callgrind-out-file={out.name}", f"--toggle-collect=region_{row['what']}",
                 program, "native", row["isa"], row["path"], row["what"], str(row["burst"]),
                 str(packets)], capture_output=True, text=True, timeout=120, check=False)
        m = re.search(r"Collected : (\d+) (\d+) (\d+)", p.stderr)
        if p.returncode != 0 or not m:
            raise Unknown(f"callgrind: {p.stderr[-300:]}")
        return [int(x) for x in m.groups()]
    return tuple(b - a for a, b in zip(counts(row["packets"]), counts(2 * row["packets"])))


def agrees(program, row):
    """Does callgrind count the same? Raises Unknown where not. Of rows that do not call the C library:
    under valgrind that believes to be on an older CPU."""
    c = row["counts"]
    ours = (c["instructions"], c["loads"] - c["modifies"], c["stores"])
    theirs = callgrind(program, row)
    if ours != theirs:
        raise Unknown(f"{name(row)}: instructions, loads and stores are {ours}; "
                      f"callgrind counts {theirs}")


HEAD = (f"{'per packet':34} {'instr':>7} {'loads':>7} {'stores':>7} {'atomics':>8} "
        f"{'reg rd':>7} {'reg wr':>7}")


def name(row):
    """What a row counts."""
    return f"{row['what']}, {row['path']}, {row['isa']}, burst {row['burst']}"


def line(row):
    """A row for people."""
    return (f"{name(row):34} {row['instructions']:7.1f} {row['loads']:7.1f} {row['stores']:7.1f} "
            f"{row['atomics']:8.3f} {row['mmio_reads']:7.3f} {row['mmio_writes']:7.3f}")


RULES = """
mov rax, [rbx]            L
mov [rbx], rax            S
movzx eax, word ptr [rbx] L
lea rax, [rbx+8]          -
add [rbx], rax            LS
add rax, [rbx]            L
cmp [rbx], rax            L
cmp dword ptr [rbx], 5    L
test byte ptr [rbx], 1    L
lock cmpxchg [rbx], rcx   LSA
lock xadd [rbx], rax      LSA
xchg [rbx], rax           LSA
xchg rax, [rbx]           LSA
xchg ax, ax               -
push rax                  S
push [rbx]                LS
pop rax                   L
call rax                  S
call [rbx]                LS
ret                       L
leave                     L
jmp [rbx]                 L
jmp rax                   -
rep movsq                 LS
rep stosq                 S
movsd [rbx], xmm1         S
movups xmm1, [rbx]        L
movaps [rbx], xmm1        S
vmovdqu ymm1, [rbx]       L
vmovdqu [rbx], ymm1       S
vmovdqu64 [rbx], zmm1     S
vmovq [rbx], xmm1         S
vextracti128 [rbx], ymm1, 1 S
vextracti64x4 [rbx], zmm1, 1 S
vpextrq [rbx], xmm1, 1    S
vbroadcasti128 ymm1, [rbx] L
vpbroadcastq ymm1, [rbx]  L
vpinsrq xmm1, xmm2, [rbx], 1 L
vinserti128 ymm1, ymm2, [rbx], 1 L
vpaddq ymm1, ymm2, [rbx+rcx*8] L
vpcmpeqd ymm1, ymm2, [rip+16] L
vptest ymm1, [rbx]        L
prefetcht0 [rbx]          -
prefetchw [rbx]           -
nop word ptr [rax+rax*1]  -
endbr64                   -
vzeroupper                -
mfence                    -
sete [rbx]                S
inc qword ptr [rbx]       LS
imul rax, [rbx], 3        L
shl dword ptr [rbx], 2    LS
movbe [rbx], eax          S
movnti [rbx], rax         S
"""


def check():
    """Each rule on what the assembler makes of it; the number that were wrong."""
    rules = [r.rsplit(None, 1) for r in RULES.strip().splitlines()]
    source = ".intel_syntax noprefix\n" + "\n".join(r[0] for r in rules) + "\n"
    with tempfile.NamedTemporaryFile(suffix=".o") as out:
        subprocess.run(["as", "-o", out.name, "-"], input=source, text=True, check=True)
        dump = subprocess.run(["objdump", "-d", "-w", "-M", "intel", "--no-show-raw-insn", out.name],
                              capture_output=True, text=True, check=True).stdout
    texts = [m.group(1) for m in re.finditer(r"^\s+[0-9a-f]+:\t(.*)$", dump, re.M)]
    wrong = abs(len(texts) - len(rules))
    for (source_line, want), text in zip(rules, texts):
        does, atomic = classify(text)
        have = "L" * bool(does & LOAD) + "S" * bool(does & STORE) + "A" * atomic or "-"
        if have != want:
            print(f"{source_line}: {text}: {have} and not {want}")
            wrong += 1
    print(f"{len(rules)} instructions, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(1 if check() else 0)
    print(HEAD)
    for counted in rows(*sys.argv[1:]):
        print(line(counted))
