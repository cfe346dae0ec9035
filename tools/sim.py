#!/usr/bin/env python3
"""sim.py BINARY JOBS ARGS...: runs the simulator; many seeds are shared out to JOBS processes."""

import subprocess
import sys


def option(args, name, default):
    return int(args[args.index(name) + 1]) if name in args else default


def main():
    binary, jobs, args = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    seeds = option(args, "-seeds", 100)
    if "-seed" in args or "-trace" in args or jobs < 2 or seeds < 2 * jobs:
        return subprocess.call([binary, *args])
    first = option(args, "-first", 1)
    share = [seeds * i // jobs for i in range(jobs + 1)]
    runs = [
        subprocess.Popen([binary, "-first", str(first + share[i]), "-seeds", str(share[i + 1] - share[i])])
        for i in range(jobs)
    ]
    return max(run.wait() for run in runs)


if __name__ == "__main__":
    sys.exit(main())
