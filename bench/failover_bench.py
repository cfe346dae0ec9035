#!/usr/bin/env python3
"""From the death of the leader to the next acknowledged write: three real servers, one writer that goes to another server
when one does not answer.

    failover_bench.py --bin build/release/drover [--kills 20] [--servers 3]

A write is a job without tasks, over HTTP. The leader is killed with SIGKILL at any moment between or within writes; the write
that counts was sent after that. Before the next kill the dead server is back and has all the log.
"""
import argparse
import http.client
import json
import os
import random
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
from testagent import Failed, job, task, wait_for  # noqa: E402
from testcluster import Cluster, leader_of  # noqa: E402

WRITE_TIMEOUT_S = 2
REFERENCE_S = (3.7, 4.2, 6.5)  # min, median, max of 6


class Writer(threading.Thread):
    """Writes without end; `acknowledged` has when each attempt that succeeded was sent and answered, and its job."""

    def __init__(self, servers):
        super().__init__(daemon=True)
        self.servers, self.acknowledged, self.tried, self.over = servers, [], 0, False
        self.start()

    def run(self):
        at = 0
        while not self.over:
            name = f"written-{self.tried % 500}"
            self.tried += 1
            body = json.dumps({"Job": job(name, task("/bin/true"), count=0, kind="batch")})
            sent = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.servers[at].port, timeout=WRITE_TIMEOUT_S)
            try:
                connection.request("PUT", "/v1/jobs", body)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.append((sent, time.monotonic(), name))
                else:
                    at = (at + 1) % len(self.servers)
            except (OSError, http.client.HTTPException):
                at = (at + 1) % len(self.servers)
                time.sleep(0.005)
            finally:
                connection.close()

    def first_after(self, moment):
        return next((end for sent, end, _ in reversed_until(self.acknowledged, moment)), None)


def reversed_until(acknowledged, moment):
    """What was sent after `moment`, oldest first."""
    first = len(acknowledged)
    while first > 0 and acknowledged[first - 1][0] > moment:
        first -= 1
    return acknowledged[first:]


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
        writer = Writer(cluster.servers)
        wait_for("writes go through", lambda: len(writer.acknowledged) > 20, 60)
        took = []
        for number in range(args.kills):
            took.append(one_kill(cluster, writer))
            print(f"  kill {number + 1}: {took[-1]:.3f} s", file=sys.stderr, flush=True)
        writer.over = True
        writer.join()
        idle = sorted(end - sent for sent, end, _ in writer.acknowledged)
        names = {j["ID"] for j in cluster.leader().get("/v1/jobs?prefix=written-")}
        lost = {name for _, _, name in writer.acknowledged} - names
        if args.keep_logs:
            for server in cluster.servers:
                os.makedirs(args.keep_logs, exist_ok=True)
                os.replace(server.log_path, os.path.join(args.keep_logs, f"s{cluster.servers.index(server) + 1}.log"))
    print(f"leader killed to the next acknowledged write, {args.servers} servers, {len(took)} kills: median "
          f"{statistics.median(took):.2f} s, best {min(took):.2f} s, worst {max(took):.2f} s "
          f"(reference: median {REFERENCE_S[1]}, best {REFERENCE_S[0]}, worst {REFERENCE_S[2]})")
    print(f"  {len(writer.acknowledged)} writes acknowledged, {len(lost)} of their jobs lost; a write takes "
          f"{statistics.median(idle) * 1000:.1f} ms; load average {os.getloadavg()[0]:.1f}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
