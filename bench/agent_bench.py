#!/usr/bin/env python3
"""What one agent costs and how quick it is: server and client in one process, raw_exec tasks that sleep.

    agent_bench.py --bin build/release/drover [--tasks 50] [--jobs 30]

Prints a line per figure. Memory is read from /proc; times are those of a reader on loopback.
"""
import argparse
import http.client
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import testagent  # noqa: E402

STARTS = 5


def line(what, value, unit):
    print(f"{what:58} {value:12.1f} {unit}", flush=True)


def start_ms(binary, dev):
    """From the start of the process until its node is ready, as an impatient reader sees it."""
    agent = testagent.Agent(binary, dev=dev, log_level="WARN")
    try:
        begin = time.monotonic()
        agent.start()
        while True:
            try:
                if any(n["Status"] == "ready" for n in agent.get("/v1/nodes")):
                    return (time.monotonic() - begin) * 1000
            except (OSError, http.client.HTTPException, testagent.Failed):
                pass
            time.sleep(0.005)
    finally:
        agent.__exit__()


def shims(home):
    """The supervisors of an agent's tasks: processes of drover-shim that name its directory."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as file:
                words = os.readlink(f"/proc/{entry}/exe") + " " + file.read()
        except OSError:
            continue
        if "drover-shim" in words and home in words:
            found.append(int(entry))
    return found


def pss(pid):
    return testagent.status_kib(pid, "Pss", "smaps_rollup")


def per_task(agent, tasks):
    before = pss(agent.process.pid)
    agent.register(testagent.job("many", testagent.task("sleep", "3600"), count=tasks))
    testagent.wait_for("all run", lambda: sum(a["ClientStatus"] == "running" for a in agent.allocs("many")) == tasks, 120)
    time.sleep(1)
    supervisors = shims(agent.home)
    if len(supervisors) != tasks:
        raise testagent.Failed(f"{len(supervisors)} supervisors for {tasks} tasks")
    shim = sum(pss(p) for p in supervisors) / tasks
    grown = (pss(agent.process.pid) - before) / tasks
    line(f"supervisor of a task, PSS, {tasks} running", shim, "KiB")
    line("agent's growth per task, PSS", grown, "KiB")
    line("all that serves one raw_exec task", shim + grown, "KiB")
    line(f"agent resident with {tasks} tasks", testagent.status_kib(agent.process.pid, "VmRSS") / 1024, "MiB")


def to_running(agent, number):
    """Job accepted (the answer of its registration) to running, seen by a blocking reader of its allocations."""
    path = f"/v1/job/quick-{number}/allocations"
    agent.register(testagent.job(f"quick-{number}", testagent.task("sleep", "3600")))
    begin = time.monotonic()
    index = 1
    while True:
        allocs, index = agent.call("GET", f"{path}?index={index}&wait=10s")
        if any(a["ClientStatus"] == "running" for a in allocs):
            return (time.monotonic() - begin) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=30)
    args = parser.parse_args()
    line("binary", os.path.getsize(args.bin) / 1e6, "MB")
    line(f"start to ready, -dev, median of {STARTS}", statistics.median(start_ms(args.bin, True) for _ in range(STARTS)), "ms")
    line(f"start to ready, data directory, median of {STARTS}",
         statistics.median(start_ms(args.bin, False) for _ in range(STARTS)), "ms")
    with testagent.Agent(args.bin, dev=True, log_level="WARN") as agent:
        time.sleep(2)
        line("idle dev agent, resident", testagent.status_kib(agent.process.pid, "VmRSS") / 1024, "MiB")
    with testagent.Agent(args.bin, log_level="WARN") as agent:
        times = [to_running(agent, i) for i in range(args.jobs)]
        line(f"accepted to running, median of {args.jobs}", statistics.median(times), "ms")
        line("accepted to running, slowest", max(times), "ms")
    with testagent.Agent(args.bin, log_level="WARN") as agent:
        per_task(agent, args.tasks)


if __name__ == "__main__":
    main()
