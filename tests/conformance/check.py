#!/usr/bin/env python3
"""Runs every conformance case and compares with the list of cases that wait for a feature.

    check.py --bin PATH [--only TEXT] [--list-failing]

`waiting.txt` names, under a line per feature, the cases that are not expected to pass yet. A case that fails and is not
listed fails the run, and so does a listed one that passes or that does not exist: the list only shrinks. Scenarios of
`http` and `cli` are live conversations, so a surprise is tried again: an unlisted one that failed passes when one of
three more tries passes; a listed one that passed counts as passing, whatever more tries would do.
"""
import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
#: More runs of a scenario that surprised.
RETRIES = 3

PASS_LINE = re.compile(r"^(\d+) passed, (\d+) failed$")


def waiting():
    """Case name -> the feature it waits for."""
    cases, feature = {}, None
    for line in open(os.path.join(HERE, "waiting.txt"), encoding="utf-8"):
        line = line.rstrip("\n")
        if not line or line.startswith("//"):
            continue
        if line.startswith("# "):
            feature = line[2:]
        elif line in cases:
            sys.exit(f"waiting.txt names {line} twice")
        else:
            cases[line] = feature
    return cases


def run(command):
    """Runs a runner; returns the failing cases with their lines, and the number that passed."""
    failing, current, passed = {}, None, None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="backslashreplace", cwd=HERE)
    for line in process.stdout:
        line = line.rstrip("\n")
        counted = PASS_LINE.match(line)
        if counted:
            passed = int(counted.group(1))
        elif line.startswith("FAIL "):
            current = failing.setdefault(line[5:], [])
        elif current is not None:
            current.append(line)
    process.wait()
    if passed is None:
        sys.exit(f"{command[0]} ended without a count (exit {process.returncode})")
    return failing, passed


def scenario(name):
    return name.split("/")[0] in ("http", "cli")


def settle(binary, failing, listed):
    """Tries scenarios that failed without being listed again; returns how many passed then."""
    mended = 0
    for name in sorted(n for n in failing if n not in listed and scenario(n)):
        if any(tries(binary, name) for _ in range(RETRIES)):
            del failing[name]
            mended += 1
    return mended


def tries(binary, name):
    """One more run of a scenario alone."""
    command = [sys.executable, os.path.join(HERE, "scenarios.py"), "--bin", binary, "--filter", name]
    return name not in run(command)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="", help="only cases whose name contains this; the list is not checked")
    parser.add_argument("--list-failing", action="store_true", help="print only the names of failing cases")
    args = parser.parse_args()
    failing, passed = {}, 0
    for runner in ("run", "scenarios.py"):
        base = [sys.executable, os.path.join(HERE, runner), "--bin", args.bin, "--filter"]
        found, count = run(base + [args.only])
        passed += count
        failing.update(found)
    listed = waiting()
    if not args.list_failing:
        passed += settle(args.bin, failing, listed)
    if args.list_failing:
        print("\n".join(sorted(failing)))
        return 0
    bad = 0
    for name, lines in sorted(failing.items()):
        if name not in listed:
            bad += 1
            print("FAIL " + name)
            print("\n".join(lines))
    if not args.only:
        for name in sorted(set(listed) - set(failing)):
            bad += 1
            print(f"FAIL {name}\n  it passes (or is gone), and waiting.txt lists it as waiting for: {listed[name]}; take the line "
                  f"{name!r} off waiting.txt")
    print(f"{passed} passed, {bad} failed, {len(set(failing) & set(listed))} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
