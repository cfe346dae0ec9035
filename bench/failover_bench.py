#!/usr/bin/env python3
"""From the death of the leader to the next acknowledged write: three real servers, one writer that goes to another server
when one does not answer.

    failover_bench.py --bin build/release/drover [--kills 20] [--servers 3]

A write is a job without tasks, over HTTP. The leader is killed with SIGKILL at any moment between or within writes; the write
that counts was sent after that. Before the next kill the dead server is back and has all the log.
"""
import argparse
import http.client
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
from testagent import Failed, wait_for  # noqa: E402
from testcluster import Cluster, Writer, leader_of  # noqa: E402

REFERENCE_S = (3.7, 4.2, 6.5)  # min, median, max of 6


def applied(server):
    try:
        return int(server.get("/v1/agent/self")["stats"]["raft"]["applied_index"])
    except (OSError, http.client.HTTPException, Failed, KeyError):
        return 0


def one_kill(cluster, writer):
    """Seconds from the kill to the answer of the next write."""
    old = cluster.leader()
    time.sleep(random.uniform(0.1, 0.5))
    moment = time.monotonic()
    old.kill9()
    answered = wait_for("a write is acknowledged", lambda: writer.first_after(moment), 60)
    old.start()
    mark = max(applied(s) for s in cluster.servers if s is not old)
    wait_for("the old leader has the log", lambda: applied(old) >= mark, 60)
    wait_for("one leader for all", lambda: len({leader_of(s) for s in cluster.servers}) == 1, 60)
    return answered - moment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--keep-logs", help="a folder for the servers' logs")
    args = parser.parse_args()
    with Cluster(args.bin, servers=args.servers, clients=0) as cluster:
        took = []
        with Writer(cluster.servers) as writer:
            wait_for("writes go through", lambda: len(writer.acknowledged) > 20, 60)
            for number in range(args.kills):
                took.append(one_kill(cluster, writer))
                print(f"  kill {number + 1}: {took[-1]:.3f} s", file=sys.stderr, flush=True)
        idle = sorted(end - sent for sent, end, _ in writer.acknowledged)
        lost = writer.missing_at(cluster.leader())
        if args.keep_logs:
            for server in cluster.servers:
                os.makedirs(args.keep_logs, exist_ok=True)
                os.replace(server.log_path, os.path.join(args.keep_logs, f"s{cluster.servers.index(server) + 1}.log"))
    print(f"leader killed to the next acknowledged write, {args.servers} servers, {len(took)} kills: median "
          f"{statistics.median(took):.2f} s, best {min(took):.2f} s, worst {max(took):.2f} s "
          f"(reference: median {REFERENCE_S[1]}, best {REFERENCE_S[0]}, worst {REFERENCE_S[2]})")
    print(f"  {len(writer.acknowledged)} writes acknowledged, {len(lost)} of them lost; a write takes "
          f"{statistics.median(idle) * 1000:.1f} ms; load average {os.getloadavg()[0]:.1f}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
