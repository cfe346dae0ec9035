"""What operators do to a cluster: servers die, are replaced and cleaned up; snapshots go from one server to all. Part of
tests/end-to-end.
"""
import http.client
import json
import os
import shutil
import socket
import time
import urllib.parse

from testagent import SERVER, Agent, alive, job, task, wait_for
from testcluster import Cluster, hcl_list, leader_of, need, written_pid

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def ran(agent, *args):
    """The output of a command that must do."""
    done = agent.cli(*args)
    need(done.returncode == 0, f"{' '.join(args)}: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout


def peers(agent):
    """Name -> whether it votes, of the log's configuration."""
    return {p["Node"]: p["Voter"] for p in agent.get("/v1/operator/raft/configuration")["Servers"]}


def size(agent):
    """Of the log's configuration; servers that gossip does not know all have one name."""
    return len(agent.get("/v1/operator/raft/configuration")["Servers"])


def health(agent):
    status, _, body = agent.request("GET", "/v1/operator/autopilot/health")
    return (b'"Healthy": true' in body or b'"Healthy":true' in body) and status == 200


def answer(agent, path):
    """What the agent says, None while it cannot."""
    try:
        status, _, body = agent.request("GET", path)
    except (OSError, http.client.HTTPException):
        return None
    return json.loads(body) if status in (200, 429) else None


def same_everywhere(agent):
    """All servers have the same state."""
    wait_for("the state's hashes are equal", lambda: agent.cli("operator", "state-hash").returncode == 0, 30)


def settle_fast(server):
    """New servers prove themselves for a second only."""
    ran(server, "operator", "autopilot", "set-config", "-server-stabilization-time=1s")
    need("ServerStabilizationTime = 1s" in ran(server, "operator", "autopilot", "get-config"), "the setting is not shown")
    wait_for("all is well", lambda: health(server), 30)


@check
def servers_are_added_replaced_and_removed(binary):
    """A fourth server joins and is promoted once it is stable. One that lost its disk comes back under its old name and address as a
    new one. One that is dead is removed by hand."""
    with Cluster(binary, clients=0) as cluster:
        first, second, third = cluster.servers
        settle_fast(first)
        for number in range(5):
            first.register(job(f"kept-{number}", task("/bin/true"), count=0))
        with Agent.started(binary, config=SERVER, name="s4", join="[]", expect=0, patience="1s") as new:
            wait_for("it can be told to join", lambda: new.cli("server", "join", f"127.0.0.1:{first.serf}").returncode == 0)
            wait_for("it votes", lambda: peers(first).get("s4.global"), 60)
            need("s4.global" in ran(new, "server", "members"), "it does not know itself")
            need("s4.global" in ran(new, "operator", "raft", "list-peers"), "it is not listed")
            need(len(new.get("/v1/jobs?prefix=kept-&stale")) == 5, "it lacks jobs")
            need(health(first) and "healthy" in ran(new, "operator", "autopilot", "health").lower(), "its health is not shown")

            old_id = third.get("/v1/agent/self")["member"]["Tags"]["id"]
            third.kill9()
            shutil.rmtree(third.data)
            third.start()
            wait_for("it is back with all there is", lambda: leader_of(third) and len(third.get("/v1/jobs?prefix=kept-&stale")) == 5, 60)
            ids = wait_for("its old self is gone", lambda: (found := {p["ID"] for p in first.get("/v1/operator/raft/configuration")["Servers"]})
                           and old_id not in found and found, 60)
            need(len(ids) == 4, f"the configuration is {ids}")
            wait_for("it votes", lambda: peers(first).get("s3.global"), 60)
            same_everywhere(new)

            second.kill9()
            wait_for("another leads", lambda: leader_of(new) not in ("", f"127.0.0.1:{second.rpc}"), 30)
            ran(new, "operator", "raft", "remove-peer", f"-peer-address=127.0.0.1:{second.rpc}")
            need("127.0.0.1:" + str(second.rpc) not in ran(new, "operator", "raft", "list-peers"), "it is still there")
            new.register(job("after", task("/bin/true"), count=0))
            same_everywhere(new)


@check
def a_server_that_gossip_has_forgotten_is_cleaned_up(binary):
    """One of three dies for good, and the others come back without what gossip remembered of it: it leaves the configuration by
    itself. Not while the minimum needs it: then once a new server votes in its place."""
    with Cluster(binary, clients=0) as cluster:
        first, second, third = cluster.servers
        settle_fast(first)
        ran(first, "operator", "autopilot", "set-config", "-min-quorum=3")
        for server in cluster.servers:
            server.kill9()
        for server in (first, second):
            shutil.rmtree(os.path.join(server.data, "server", "serf"))
            server.start()
        wait_for("two of three lead", lambda: leader_of(first) and leader_of(second), 60)

        def unknown():
            shown = answer(first, "/v1/operator/autopilot/health")
            return shown and [s for s in shown["Servers"] or [] if s["Name"] == "(unknown)" and not s["Healthy"]]
        wait_for("nobody knows the third", unknown, 60)
        looked = time.monotonic()
        # Longer than autopilot takes from one act to the next.
        wait_for("autopilot has acted", lambda: time.monotonic() - looked > 12 or size(first) < 3, 30)
        need(size(first) == 3, f"the dead one was taken out though three are needed: {peers(first)}")
        with Agent.started(binary, config=SERVER, name="s4", join=hcl_list([f"127.0.0.1:{first.serf}"]), expect=0, patience="1s") as new:
            wait_for("the new one votes and the dead one is cleaned up", lambda: peers(first) == {"s1.global": True, "s2.global": True, "s4.global": True}, 60)
            wait_for("all is well again", lambda: health(first), 30)
            same_everywhere(new)


@check
def a_dead_server_is_cleaned_up(binary):
    """One of three dies for good and a new one joins: the dead one leaves the configuration by itself. Takes as long as gossip does to
    find a server dead."""
    with Cluster(binary, clients=0) as cluster:
        first = cluster.servers[0]
        settle_fast(first)
        cluster.servers[2].kill9()
        with Agent.started(binary, config=SERVER, name="s4", join=hcl_list([f"127.0.0.1:{first.serf}"]), expect=0, patience="1s") as new:
            wait_for("the new one votes", lambda: peers(first).get("s4.global"), 60)
            wait_for("the dead one is cleaned up", lambda: set(peers(first)) == {"s1.global", "s2.global", "s4.global"}, 120)
            wait_for("all is well again", lambda: health(first), 30)
            same_everywhere(new)


a_dead_server_is_cleaned_up.slow = True


@check
def a_snapshot_goes_to_every_server(binary):
    """Saved at a follower, inspected, restored at another one after all has changed: every server has what was saved, also after all
    of them were killed."""
    with Cluster(binary, clients=0) as cluster:
        leader = cluster.leader()
        one, other = (s for s in cluster.servers if s is not leader)
        for number in range(5):
            one.register(job(f"kept-{number}", task("/bin/true"), count=0))
        archive = os.path.join(one.home, "backup.snap")
        need("State file written to" in ran(one, "operator", "snapshot", "save", archive), "it is not told where it is")
        need("Version" in ran(one, "operator", "snapshot", "inspect", archive), "it cannot be inspected")
        need('"kept-4"' in ran(one, "operator", "snapshot", "state", archive), "the job is not in it")
        for number in range(5):
            ran(one, "job", "stop", "-purge", "-detach", f"kept-{number}")
        one.register(job("later", task("/bin/true"), count=0))
        ran(other, "operator", "snapshot", "restore", archive)

        def jobs(server):
            return {j["ID"] for j in server.get("/v1/jobs?stale")}
        wanted = {f"kept-{n}" for n in range(5)}
        for server in cluster.servers:
            wait_for(f"{server.name} has what was saved", lambda s=server: leader_of(s) and jobs(s) == wanted, 30)
        wait_for("writes go on", lambda: one.request("PUT", "/v1/jobs", {"Job": job("after", task("/bin/true"), count=0)})[0] == 200, 30)
        same_everywhere(one)
        for server in cluster.servers:
            server.kill9()
        for server in cluster.servers:
            server.start()
        for server in cluster.servers:
            wait_for(f"{server.name} still has it", lambda s=server: leader_of(s) and jobs(s) == wanted | {"after"}, 60)
        same_everywhere(one)


def open_exec(agent, alloc_id, script):
    """A websocket with a command beside the task, as far as the request."""
    query = urllib.parse.urlencode({"task": "main", "tty": "false", "command": json.dumps(["/bin/sh", "-c", script])})
    connection = socket.create_connection((agent.host, agent.port), 10)
    connection.sendall(f"GET /v1/client/allocation/{alloc_id}/exec?{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode())
    return connection


@check
def an_exec_ends_with_its_caller(binary):
    """A command beside a task is silent when whoever asked for it goes away, at the node itself or through a server: it ends, and
    neither agent keeps a descriptor of it."""
    with Cluster(binary, clients=1) as cluster:
        server, node = cluster.servers[0], cluster.clients[0]
        server.register(job("steady", task("/bin/sleep", "10000")))
        alloc = server.wait_alloc("steady")["ID"]

        def descriptors(agent):
            return len(os.listdir(f"/proc/{agent.process.pid}/fd"))
        for agent in (node, server):
            before = {a: descriptors(a) for a in (node, server)}
            pid_files = [os.path.join(node.home, f"pid-{agent.name}-{n}") for n in range(5)]
            sessions = [open_exec(agent, alloc, f'echo $$ >"{f}"; exec sleep 10000') for f in pid_files]
            pids = [written_pid(f) for f in pid_files]
            for session in sessions:
                session.close()
            wait_for(f"the commands by {agent.name} end", lambda p=pids: not any(map(alive, p)), 20)
            # Connections between the agents come and go by themselves: a few more are no leak of five.
            wait_for("the descriptors are given back", lambda b=before: all(descriptors(a) <= b[a] + 3 for a in b), 20)
        need(server.wait_alloc("steady")["ID"] == alloc, "the task was touched")
