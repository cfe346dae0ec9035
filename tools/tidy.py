#!/usr/bin/env python3
"""The repository's own checks: sizes, unfinished marks, banned words. Exits 1 with one line per finding."""
import re
import subprocess
import sys

MAX_FILE_LINES = 1200
MAX_BLOB_BYTES = 1_000_000
BANNED = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "finish it, or open an issue"),
    (re.compile(r"\bsystem_clock\b"), "take a Clock"),
    (re.compile(r"\bstd::regex\b"), "use RE2"),
    (re.compile(r"#include <iostream>"), "use fmt"),
    (re.compile(r"\bstd::rand\b|\bsrand\("), "take a Random"),
    (re.compile(r"\bsleep_for\(std::chrono|\busleep\("), "wait for the event, not for a time"),
]
# Where a banned word is the thing itself: the real world.
ALLOWED = {
    "system_clock": {"src/net/real_world.cc", "src/drivers/testing_world.h"},
    "usleep(": {"src/drivers/shim_launch.cc", "src/drivers/shim_task_test.cc", "src/isolate/isolate_test.cc"},
}


def tracked():
    return subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.split("\n")


def main():
    findings = []
    for path in tracked():
        if not path or path.startswith("tests/conformance/"):
            continue
        try:
            data = open(path, "rb").read()
        except (FileNotFoundError, IsADirectoryError):
            continue
        if len(data) > MAX_BLOB_BYTES:
            findings.append(f"{path}: {len(data)} bytes; large files do not belong here")
        if not path.endswith((".cc", ".h", ".rs")):
            continue
        lines = data.decode("utf-8", "replace").split("\n")
        if len(lines) > MAX_FILE_LINES:
            findings.append(f"{path}: {len(lines)} lines; what does it hide?")
        if path.endswith(".h") and "#pragma once" not in lines:
            findings.append(f"{path}: no #pragma once")
        for number, line in enumerate(lines, 1):
            for pattern, advice in BANNED:
                found = pattern.search(line)
                if found and path not in ALLOWED.get(found.group(0), ()):
                    findings.append(f"{path}:{number}: {found.group(0)}: {advice}")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
