#!/usr/bin/env python3
"""Simulated nodes over the real wire against one real server: what placing, running and losing work costs.

    fleet_bench.py --bin build/release/drover [--nodes 5000] [--jobs 100] [--only placement,services,readers,lifecycle,loss]

Prints each figure beside the reference's, measured with the same tool on the same kind of machine (two shared cores), where the
shape is the same: 5,000 nodes with a connection each, 100 batch jobs of 1,000. The tool is tests/conformance/fleet and needs Go.
"""
import argparse
import os
import resource
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import fleetkit  # noqa: E402
from testagent import Failed, status_kib, wait_for  # noqa: E402

WATCHERS = 2000
READERS = 50_000
#: Files that the tool and the server have open besides the readers' connections.
OTHER_FILES = 1000
LOG_PREFIX = "log-"


def show(what, value, unit, reference=""):
    text = "-" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    print(f"{what:62} {text:>12} {unit:12} {('reference ' + reference) if reference else ''}".rstrip(), flush=True)


def rss(server):
    return status_kib(server.process.pid, "VmRSS") * 1024


def written_log_bytes(server):
    """Bytes of the log's files up to the last that is not zero: they are written with zeros ahead."""
    folder, total = os.path.join(server.data, "server", "raft", "log"), 0
    for name in os.listdir(folder):
        if name.startswith(LOG_PREFIX):
            with open(os.path.join(folder, name), "rb") as file:
                total += len(file.read().rstrip(b"\0"))
    return total


def timed(function):
    begin = time.monotonic()
    value = function()
    return time.monotonic() - begin, value


def watchers(server, count, path, reference):
    report = server.fleet("-load", "watch", "-watchers", count, "-path", path, "-hold", "15s", "-duration", "180s")["watch"]
    early = "" if report["ended_early"] == 0 else f" ({report['ended_early']} ended early)"
    show(f"memory of each of {count:,} readers that wait, {path}{early}", report["rss_bytes_per_watcher"] / 1024, "KiB", reference)


def readers(binary, _):
    """The price of a blocked reader, HTTP and connection included, on a server that has done nothing else: as many as one address and
    the limit of open files allow, 50,000 at most."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low, high = map(int, file.read().split())
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    count = min(READERS, files - OTHER_FILES, high - low - OTHER_FILES)
    for path in ("/v1/jobs?prefix=none", "/v1/evaluations"):
        with fleetkit.Server(binary) as server:
            # Something there is to wait for the next of: a query after index 0 is answered at once.
            server.fleet("-load", "batch", "-jobs", 1, "-count", 1, "-settle", "1s", "-stall", "2s", "-duration", "20s")
            watchers(server, count, path, "224 KiB")


def placement(binary, args):
    """Baseline sections 2, 6 and 7: everything with all allocations in state."""
    with fleetkit.Server(binary) as server:
        idle = rss(server)
        nodes = server.start_fleet(os.path.join(server.home, "nodes.json"), "-nodes", args.nodes, "-nodes-per-conn", 1, "-register-rate",
                                   2000, "-cpu", 4000, "-mem", 16384, "-disk", 400000, "-hold", "20m", "-duration", "20m")
        try:
            took, _ = timed(lambda: wait_for("the nodes are ready", lambda: ready(server) == args.nodes, 300))
            show(f"{args.nodes:,} nodes ready", took, "s", "6.6-12")
            time.sleep(3)
            show("server memory per connected idle node", (rss(server) - idle) / args.nodes / 1024, "KiB", "about 240")
            before = rss(server)
            got = server.fleet("-load", "batch", "-jobs", args.jobs, "-count", 1000, "-settle", "5s", "-stall", "120s", "-duration", "15m")
            bulk, per = got["bulk"], got["per_alloc"]
            total = args.jobs * 1000
            if bulk["allocs_ran"] != total:
                print(f"  only {bulk['allocs_placed']} placed and {bulk['allocs_ran']} running of {total}")
            show("placed, whole", bulk["placed_per_s"], "/s", "475")
            show("placed, best 5 s", bulk.get("placed_per_s_best_5s"), "/s", "963")
            show("all submitted", bulk["submitted_s"], "s", "2.2")
            show("all running", bulk.get("running_s"), "s", "212")
            show("server processor time per allocation, pending to running", per["server_cpu_ms"], "ms", "2.14")
            show("log entries per allocation, pending to running", per["raft_entries"], "", "1.00")
            show("server memory per allocation, at work", (rss(server) - before) / total / 1024, "KiB", "35.8")
            show("server memory, all in all", rss(server) / 2**20, "MiB", "4,770")
            took, answer = timed(lambda: server.request("GET", "/v1/allocations", timeout=120))
            show(f"GET /v1/allocations ({len(answer[2]) / 1e6:,.0f} MB; reference 224 MB)", took, "s", "3.8")
            watchers(server, WATCHERS, "/v1/allocations?prefix=00", "170 KiB, and room left by the work before is used first")
            with tempfile.TemporaryDirectory(dir=server.home) as folder:
                archive = os.path.join(folder, "state.snap")
                took, done = timed(lambda: server.cli("operator", "snapshot", "save", archive, timeout=300))
                if done.returncode == 0:
                    show(f"operator snapshot save ({os.path.getsize(archive) / 2**20:,.0f} MiB; reference 31)", took, "s", "9.5")
                else:
                    print(f"operator snapshot save: {done.stderr.strip()}")
        finally:
            fleetkit.end(nodes)
        server.kill9()
        begin = time.monotonic()
        server.start()
        wait_for("the server reads again", lambda: server.process.poll() is None and reads(server), 120)
        show("kill -9 and start with all of it, until a consistent read", time.monotonic() - begin, "s", "19.2")
        show("server memory after that", rss(server) / 2**20, "MiB", "1,460")


def reads(server):
    try:
        return len(server.get("/v1/jobs")) > 0
    except (OSError, Failed):
        return False


def ready(server):
    try:
        return sum(n["Status"] == "ready" for n in server.get("/v1/nodes"))
    except (OSError, Failed):
        return 0


#: Baseline section 1: nodes, what the tool is told of nodes and tasks, and the reference's figures: placed/s, whole and best 5 s,
#: processor time per allocation.
SERVICES = (
    (1000, ("-cpu", 16000, "-mem", 32768, "-classes", "small,large"), (), "353, 272", "800, 400", "3.4, 4.3"),
    (5000, ("-cpu", 16000, "-mem", 32768, "-classes", "small,large"), (), "63, 71", "400, 344", "12.6, 12.4"),
    (5000, ("-cpu", 4000), ("-task-cpu", 1900), "254", "551", "6.1"),
)


def services(binary, _):
    """Baseline section 1, the rows without constraints: 10 service jobs of 1,000 with deployments."""
    for nodes, node_args, task_args, whole, best, cpu in SERVICES:
        with fleetkit.Server(binary) as server:
            fleet = server.start_fleet(os.path.join(server.home, "nodes.json"), "-nodes", nodes, "-nodes-per-conn", 1, "-register-rate", 2000,
                                       "-disk", 400000, *node_args, "-hold", "20m", "-duration", "20m")
            try:
                wait_for("the nodes are ready", lambda: ready(server) == nodes, 300)
                got = server.fleet("-load", "service", "-jobs", 10, "-count", 1000, *task_args, "-settle", "15s", "-duration", "5m")
            finally:
                fleetkit.end(fleet)
        of = f"10 x 1,000 services on {nodes:,} nodes{', two tasks fill one' if task_args else ''}: "
        show(of + "placed", got["bulk"]["placed_per_s"], "/s", whole)
        show(of + "best 5 s", got["bulk"].get("placed_per_s_best_5s"), "/s", best)
        show(of + "processor time", got["per_alloc"]["server_cpu_ms"], "ms", cpu)


def lifecycle(binary, _):
    """Baseline section 2, the table of log entries: 5,000 batch allocations from pending to complete on 500 nodes."""
    with fleetkit.Server(binary, more="  raft_snapshot_threshold = 1000000\n") as server:
        before = written_log_bytes(server)
        got = server.fleet("-nodes", 500, "-nodes-per-conn", 1, "-load", "batch", "-jobs", 10, "-count", 500, "-batch-duration", "4s",
                           "-settle", "8s", "-cpu", 4000, "-mem", 16384, "-duration", "5m")
        count = got["bulk"]["allocs_ran"]
        # Registration of the nodes is outside the interval that `raft_entries` spans, but not outside the bytes: 500 of them.
        show("log entries per allocation, pending to complete", got["per_alloc"]["raft_entries"], "", "1.25")
        show("log bytes per allocation, nodes' registration included", (written_log_bytes(server) - before) / count, "bytes",
             "7,600 on disk, 4,900 in entries")


def loss(binary, args):
    """Baseline section 5: a twentieth of the nodes falls silent."""
    with fleetkit.Server(binary) as server:
        got = server.fleet("-nodes", args.nodes, "-nodes-per-conn", 1, "-register-rate", 2000, "-cpu", 4000, "-load", "service", "-jobs",
                           10, "-count", 1000, "-task-cpu", 1200, "-kill-fraction", 0.05, "-settle", "15s", "-stall", "120s",
                           "-duration", "12m", limit_s=900)
        lost = got["loss"]
        show(f"{lost['nodes_killed']} nodes fall silent: the first is down after", lost.get("first_down_s"), "s", "11.0")
        show("all are down after", lost.get("all_down_s"), "s", "163.1")
        show(f"what they ran ({lost['allocs_lost']} allocations) runs elsewhere after", lost.get("replacements_running_s"), "s", "not measured")


STEPS = {"placement": placement, "services": services, "readers": readers, "lifecycle": lifecycle, "loss": loss}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--jobs", type=int, default=100, help="of 1,000 allocations each")
    parser.add_argument("--only", default=",".join(STEPS))
    args = parser.parse_args()
    if why := fleetkit.missing():
        print(f"fleet_bench: skipped, {why}; the fleet tool is written in Go")
        return 0
    fleetkit.build()
    for name in args.only.split(","):
        print(f"-- {name} (load average {os.getloadavg()[0]:.1f})", flush=True)
        STEPS[name](args.bin, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
