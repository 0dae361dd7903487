#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What Doxygen reads of a header: in ours every comment is documentation, without marks.

  doxygen_filter.py HEADER             the header, with Doxygen's marks
  doxygen_filter.py --missing HEADER   its public functions without a comment, one a line

The first comment describes the file. A comment right above a declaration is the declaration's, and
also that of the declarations that follow without an empty line between; of inline functions also with
one. A comment behind a member is the member's. plx_X_fn() is plx_X() as a function.
"""
import re
import sys

SECTION = re.compile(r"/\* *(-{3,}|clang-format)")
TYPE = re.compile(r"^(typedef )?(struct|enum|union)\b.*\{$")
INLINE = re.compile(r"^static (inline|PLX_ALWAYS_INLINE)\b")
NAME = re.compile(r"\b(plx_\w+)\(")
ESCAPED = re.compile(r"([\\@<>#&%\"])")


def escape(text):
    return ESCAPED.sub(r"\\\1", text)


def words(comment):
    """The lines of a comment, without its frame."""
    body = "".join(comment).strip()
    body = re.sub(r"^/\*+|\*/$", "", body)
    return [re.sub(r"^[ \t]*\* ?", "", line).rstrip() for line in body.split("\n")]


def file_comment(comment):
    """As paragraphs, and what is indented as it stands."""
    out, code = ["/**\n", " * @file\n", " *\n"], False
    for line in words(comment):
        indented = re.match(r"[ \t]{2,}", line) is not None or (code and line.startswith("\t"))
        if indented != code and line:
            out.append(" * @endverbatim\n" if code else " * @verbatim\n")
            code = indented
        out.append(f" * {line if code else escape(line)}\n")
    if code:
        out.append(" * @endverbatim\n")
    return out + [" */\n"]


def mark(comment):
    """A comment above a declaration, marked."""
    if "".join(comment).lstrip().startswith("/**"):
        return comment
    return ["/**\n"] + [f" * {escape(line)}\n" for line in words(comment)] + [" */\n"]


def mark_behind(line):
    found = re.match(r"^(\s*[^\s/].*?)/\* (.*) \*/$", line.rstrip("\n"))
    return f"{found[1]}/**< {escape(found[2])} */\n" if found else line


def declarations(lines):
    """Yields (kind, lines of it): comment, blank, inline, type, decl, other."""
    i = 0
    while i < len(lines):
        start, line = i, lines[i]
        if line.lstrip().startswith("/*"):
            kind = "comment"
            while "*/" not in lines[i]:
                i += 1
        elif not line.strip():
            kind = "blank"
        elif INLINE.match(line) or TYPE.match(line):
            kind = "inline" if INLINE.match(line) else "type"
            while not lines[i].startswith("}"):
                i += 1
        elif line.startswith("#"):
            kind = "other"
            while lines[i].rstrip().endswith("\\"):
                i += 1
        elif re.match(r"^[A-Za-z_]", line) and not line.startswith(("PLX_STATIC_ASSERT", "}")):
            kind = "decl"
            while not re.search(r"[;{]\s*(/\*.*)?$", lines[i]) and i + 1 < len(lines) \
                    and lines[i + 1].strip():
                i += 1
        else:
            kind = "other"
        i += 1
        yield kind, lines[start:i]


def read(text):
    """Returns the marked lines and the public functions that no comment is for."""
    out, missing = [], []
    seen_file, doc, blank, last = False, None, True, None
    parts = list(declarations(text.splitlines(keepends=True)))
    for n, (kind, part) in enumerate(parts):
        following = parts[n + 1][0] if n + 1 < len(parts) else None
        if kind == "comment":
            doc, last = None, kind
            if "SPDX" in part[0] or SECTION.match(part[0].lstrip()):
                out += part
                last = "section"
            elif not seen_file:
                seen_file = True
                out += file_comment(part)
            elif following in ("blank", "comment"):
                out += part
            else:
                doc = mark(part)
                out += doc
        elif kind in ("decl", "inline"):
            name = NAME.search(re.sub(r"\bPLX_\w+\([^)]*\)", "", "".join(part)))
            shared = doc is not None and last != "comment" and \
                (not blank or (kind == "inline" and last == "inline"))
            behind = "/**<" in part[-1]
            if name and name[1].endswith("_fn") and last != "comment" and not shared:
                doc = None
                out.append(f"/** {name[1][:-3]}() as a function, for other languages. */\n")
            elif shared and not behind:
                out += doc
            elif behind:
                doc = None
            elif last != "comment" or doc is None:
                doc = None
                public = kind == "inline" or part[0].startswith("PLX_API")
                if name and public and not name[1].endswith("_"):
                    missing.append(name[1])
            out += part
            last = kind
        elif kind == "type":
            out += [part[0]] + [mark_behind(line) for line in part[1:]]
            last, doc = kind, None
        else:
            out += part
            if kind == "other":
                last, doc = kind, None
        blank = kind == "blank"
    return out, missing


def main(args):
    with open(args[-1], encoding="utf-8") as f:
        out, missing = read(f.read())
    sys.stdout.writelines(f"{name}\n" for name in missing) if "--missing" in args \
        else sys.stdout.writelines(out)


if __name__ == "__main__":
    main(sys.argv[1:])
