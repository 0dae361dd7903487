#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tally.py RESULTS LOG.json...: appends one line a test case of meson's test logs to RESULTS:
`pass|fail|skip <tab> name <tab> why`. A TAP test has as many cases as it printed; a test that
failed without a failed case (crash, timeout, plan not kept) is one failed case."""
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")
SKIP = re.compile(r"^(.*?)#\s*skip\S*\s*(.*)$", re.I)


def tap_cases(test, output):
    for line in output.splitlines():
        found = CASE.match(line)
        if not found:
            continue
        name = f"{test}: {found.group(3).strip() or found.group(2)}"
        skipped = SKIP.match(found.group(3))
        if found.group(1):
            yield "fail", name, ""
        elif skipped:
            yield "skip", f"{test}: {skipped.group(1).strip()}", skipped.group(2)
        else:
            yield "pass", name, ""


def cases(test):
    name = test["name"].split(":", 1)[-1].split(" / ")[-1]
    output = test.get("stdout", "")
    result = test["result"]
    found = list(tap_cases(name, output)) if re.search(r"^1\.\.\d", output, re.M) else []
    bad = result in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS")
    if bad and not any(kind == "fail" for kind, _, _ in found):
        found.append(("fail", name, f"{result.lower()}, exit status {test.get('returncode')}"))
    if not found:
        why = output.strip().splitlines()[-1:] or [""]
        kind = "skip" if result == "SKIP" else "pass"
        reason = re.sub(r"^(SKIP:|1\.\.0\s*#\s*skip\S*)\s*", "", why[0], flags=re.I)
        found = [(kind, name, reason if kind == "skip" else "")]
    return found


def main(results, logs):
    with open(results, "a", encoding="utf-8") as out:
        for log in logs:
            with open(log, encoding="utf-8", errors="replace") as f:
                for line in f:
                    for case in cases(json.loads(line)):
                        out.write("\t".join(part.replace("\t", " ") for part in case) + "\n")


main(sys.argv[1], sys.argv[2:])
