"""What must hold in a cluster while a minority of its servers is killed, stands still, is cut off or has a full disk: writes go
on, none that was acknowledged is lost, no consistent read is stale, no healthy task is touched. Part of tests/end-to-end.
"""
import contextlib
import itertools
import os
import signal
import time

from testagent import Failed, alive, job, task, wait_for
from testcluster import Cluster, Network, Reader, Writer, counted_lines, counter_task, leader_of, need, written_pid

CHECKS = []
SMALL_DISK_MIB = 64
FAT_BYTES = 400_000


def check(function):
    CHECKS.append(function)
    return function


class Skipped(Exception):
    """The machine has not what the check needs; says what."""


@contextlib.contextmanager
def traffic(cluster):
    """One writer and one reader at all servers; at the end, nothing is lost anywhere and nothing was stale."""
    with Writer(cluster.servers) as writer, Reader(cluster.servers, writer) as reader:
        writer.goes_on()
        yield writer, reader
        writer.goes_on()
    need(not reader.stale, f"{len(reader.stale)} stale reads, such as: {reader.stale[:2]}")
    need(sum(reader.answers.values()) > 0, "nothing was read")
    for server in cluster.servers:
        lost = wait_for(f"{server.name} answers", lambda s=server: answer(writer.missing_at, s), 60)[0]
        need(not lost, f"{len(lost)} of {len(writer.acknowledged)} acknowledged writes are lost at {server.name}: {lost[:3]}")


def answer(function, *args):
    """(its value,), or None while servers cannot answer."""
    try:
        return (function(*args),)
    except (OSError, Failed):
        return None


def caught_up(server, writer):
    """Waits until a server that was away has, by itself, the newest write that is acknowledged now."""
    newest = max(n for _, _, n in writer.acknowledged if n % 2)
    wait_for(f"{server.name} is back", lambda: leader_of(server) and server.request("GET", f"/v1/job/kept-{newest}?stale")[0] == 200, 60)


def others(cluster, *away):
    return [s for s in cluster.servers if s not in away]


class Steady:
    """A task that counts; `untouched` fails when it was replaced, restarted, or has a gap."""

    def __init__(self, cluster):
        server = cluster.servers[0]
        self.pid_file = os.path.join(cluster.clients[0].home, "pid")
        server.register(job("steady", counter_task(self.pid_file)))
        self.alloc = server.wait_alloc("steady")
        self.pid = written_pid(self.pid_file)

    def untouched(self, cluster):
        need(alive(self.pid), "the healthy task died")
        need(written_pid(self.pid_file) == self.pid, "the healthy task was started again")
        server = cluster.servers[0]
        seen = wait_for("its allocation is shown", lambda: answer(server.allocs, "steady"), 30)[0]
        need([a["ID"] for a in seen] == [self.alloc["ID"]], f"the healthy allocation was replaced: {len(seen)} allocations")
        need(seen[0]["ClientStatus"] == "running" and seen[0]["DesiredStatus"] == "run",
             f"it is {seen[0]['ClientStatus']}, wanted {seen[0]['DesiredStatus']}")
        lines = wait_for("its log is read", lambda: answer(counted_lines, server, self.alloc["ID"]), 30)[0]
        need(lines == list(range(1, len(lines) + 1)), "the healthy task's log has a gap")


def fill_disk(server):
    """Writes into the server's small disk until no byte is left."""
    path = os.path.join(server.data, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    return path


def write_fat_jobs(servers, until):
    """More than a log has room for ahead of its end, as its zeros are written before they are needed."""
    numbers = itertools.count()

    def written():
        if until():
            return True
        number = next(numbers)
        fat = {**job("fat", task("/bin/true"), count=0, kind="batch"), "Meta": {"number": str(number), "fat": "x" * FAT_BYTES}}
        with contextlib.suppress(OSError, Failed):
            servers[number % len(servers)].call("PUT", "/v1/jobs", {"Job": fat}, timeout=5)
        return False
    # By time, not by number: they are refused at once, and one try to hand leadership over takes two elections.
    wait_for("the leader with a full disk leads no more", written, 60)


def led_by_another(servers, leader):
    """Whether one of the servers follows another leader than this one."""
    return any(leader_of(s) not in ("", f"{leader.host}:{leader.rpc}") for s in servers)


@check
def a_minority_of_three_fails_in_every_way(binary):
    """The leader of three is killed, stands still, has a full disk."""
    small = SMALL_DISK_MIB if os.geteuid() == 0 else 0
    with Cluster(binary, clients=1, patience="60s", small_disks=small) as cluster:
        steady = Steady(cluster)
        with traffic(cluster) as (writer, _):
            for fault, mend in (("kill9", "start"), ("pause", "go_on")):
                leader = cluster.leader()
                getattr(leader, fault)()
                writer.goes_on()
                cluster.leader(among=others(cluster, leader))
                getattr(leader, mend)()
                caught_up(leader, writer)
            if small:
                leader = cluster.leader()
                ballast = fill_disk(leader)
                write_fat_jobs(cluster.servers, lambda: led_by_another(others(cluster, leader), leader))
                need("no space left on device" in leader.log_tail(400).lower(), f"its log does not say why:\n{leader.log_tail(30)}")
                writer.goes_on()
                need(leader.process.poll() is None, f"the full disk ended the server:\n{leader.log_tail(30)}")
                os.unlink(ballast)
                caught_up(leader, writer)
        steady.untouched(cluster)


def fill(servers, away):
    """Fills the disks of `away`, of which the first leads; ends when another leads. What is to be removed again."""
    ballast = [fill_disk(server) for server in away]
    rest = [s for s in servers if s not in away]
    write_fat_jobs(servers, lambda: led_by_another(rest, away[0]))
    return ballast


@check
def a_minority_of_five_fails_in_every_way(binary):
    """The leader of five and another one are killed, stand still, are cut off, have full disks, at the same time."""
    network = None if Network.missing() else Network(5)
    small = SMALL_DISK_MIB if os.geteuid() == 0 else 0
    try:
        with Cluster(binary, servers=5, clients=0, network=network, small_disks=small) as cluster:
            def all_of(away, action):
                for server in away:
                    getattr(server, action)()
            faults = [(lambda away: all_of(away, "kill9"), lambda away: all_of(away, "start")),
                      (lambda away: all_of(away, "pause"), lambda away: all_of(away, "go_on"))]
            if network:
                faults.append((lambda away: [network.isolate(cluster.servers.index(s)) for s in away], lambda _: network.heal()))
            if small:
                faults.append((lambda away: ballast.extend(fill(cluster.servers, away)), lambda _: [os.unlink(b) for b in ballast]))
            ballast = []
            with traffic(cluster) as (writer, _):
                for fault, mend in faults:
                    leader = cluster.leader()
                    away = [leader, others(cluster, leader)[0]]
                    fault(away)
                    writer.goes_on()
                    cluster.leader(among=others(cluster, *away))
                    mend(away)
                    for server in away:
                        caught_up(server, writer)
    finally:
        if network:
            network.remove()


@check
def a_server_that_is_cut_off_serves_nothing_stale(binary):
    """The leader is cut off, both ways and one way only; then a follower, whose return must not depose the leader."""
    if why := Network.missing():
        raise Skipped(why)
    network = Network(3)
    try:
        with Cluster(binary, clients=0, network=network) as cluster:
            with traffic(cluster) as (writer, reader):
                for one_way in (False, True):
                    leader = cluster.leader()
                    network.isolate(cluster.servers.index(leader), one_way)
                    writer.goes_on()
                    cluster.leader(among=others(cluster, leader))
                    status, _, body = leader.request("GET", "/v1/job/register", timeout=30)
                    need(status != 200, f"a leader that is cut off answers a consistent read: {body[:100]!r}")
                    network.heal()
                    caught_up(leader, writer)
                leader = cluster.leader()
                follower = others(cluster, leader)[0]
                term = leader.get("/v1/agent/self")["stats"]["raft"]["term"]
                network.isolate(cluster.servers.index(follower))
                wait_for("the follower sees no leader", lambda: not leader_of(follower), 30)
                writer.goes_on()
                network.heal()
                caught_up(follower, writer)
                need(leader.get("/v1/agent/self")["stats"]["raft"]["term"] == term, "its return deposed the leader")
    finally:
        network.remove()


@check
def a_paused_leader_never_acts_twice(binary):
    """The leader stands still while it places work; another one takes over; the old one wakes up with its plans in hand."""
    with Cluster(binary, clients=1, patience="60s") as cluster:
        for number in range(3):
            leader = cluster.leader()
            rest = others(cluster, leader)
            name, count = f"placed-{number}", 6
            leader.register(job(name, task("/bin/sleep", "10000"), count=count))
            leader.pause()
            cluster.leader(among=rest)
            wait_for(f"{name} is placed", lambda: len(rest[0].allocs(name)) >= count, 60)
            leader.go_on()
            wait_for("the old leader follows", lambda: leader_of(leader) not in ("", f"{leader.host}:{leader.rpc}")
                     and leader_of(leader) == leader_of(rest[0]), 60)
            wait_for("all run", lambda: [a["ClientStatus"] for a in leader.allocs(name)].count("running") == count, 60)
            allocs = rest[0].allocs(name)
            need(len(allocs) == count, f"{len(allocs)} allocations, not {count}")
            need(len({a["Name"] for a in allocs}) == count, "two allocations have one name")
            need(all(a["DesiredStatus"] == "run" for a in allocs), "allocations were stopped")


@check
def a_leader_that_is_told_to_stop_ends_well(binary):
    """SIGTERM: leadership moves, the process ends by itself, and says so."""
    with Cluster(binary, clients=0) as cluster:
        for _ in range(2):
            leader = cluster.leader()
            leader.process.send_signal(signal.SIGTERM)
            code = leader.process.wait(60)
            need(code == 1 and "shutdown complete" in leader.log_tail(), f"ended with {code}:\n{leader.log_tail()}")
            cluster.leader(among=others(cluster, leader))
            leader.start()
            wait_for("it is back", lambda: leader_of(leader) != "", 60)


@check
def a_node_changes_server_and_comes_back(binary):
    """A node that was told of one server works on when that one goes. One that is silent for a while is disconnected: its work
    is placed elsewhere at once, and when it is back it is as if nothing had been."""
    with Cluster(binary, clients=2, patience="2s", known=1) as cluster:
        servers = cluster.servers
        # The first node is the better one, so that its allocation is kept when it is back.
        group = {"MaxClientDisconnect": 3600 * 10**9,
                 "Affinities": [{"LTarget": "${node.unique.name}", "RTarget": "c1", "Operand": "=", "Weight": 100}]}
        pid_file = os.path.join(cluster.clients[0].home, "pid")
        servers[1].register(job("far", counter_task(pid_file), **group))
        first = servers[1].wait_alloc("far")
        node = cluster.client_of(first)
        need(node is cluster.clients[0], "the allocation is not where its affinity is")
        pid = written_pid(pid_file)

        servers[0].kill9()
        cluster.leader(among=servers[1:])
        wait_for("both nodes are ready without the server that they knew", lambda: len(cluster.ready_nodes()) == 2, 60)
        after = job("after", task("/bin/sleep", "10000"), kind="system")
        del after["TaskGroups"][0]["ReschedulePolicy"]
        servers[1].register(after)
        wait_for("they take work", lambda: [a["ClientStatus"] for a in servers[1].allocs("after")].count("running") == 2, 60)
        servers[0].start()
        wait_for("the server is back", lambda: leader_of(servers[0]) != "", 60)

        node.pause()
        wait_for("the node is disconnected", lambda: servers[1].get(f"/v1/node/{first['NodeID']}")["Status"] == "disconnected", 60)
        def statuses():
            return {a["ID"]: (a["ClientStatus"], a["DesiredStatus"]) for a in servers[1].allocs("far")}
        wait_for("its allocation is unknown and another one runs", lambda: statuses().get(first["ID"]) == ("unknown", "run")
                 and ("running", "run") in statuses().values(), 60)
        need(alive(pid), "the task of a silent node died")
        node.go_on()
        wait_for("the node is ready again", lambda: len(cluster.ready_nodes()) == 2, 60)
        wait_for("the first one runs on and the other is stopped", lambda: statuses()[first["ID"]] == ("running", "run")
                 and sum(wanted == "run" for _, wanted in statuses().values()) == 1, 60)
        need(alive(pid), "the task that ran all the while died")
        lines = counted_lines(servers[1], first["ID"])
        need(lines == list(range(1, len(lines) + 1)), "it was started again, or its log has a gap")


@check
def servers_that_stood_still_blame_no_node(binary):
    """All servers stand still for longer than a node may be silent, as when their machines are suspended: the node is not down for
    it, and its task goes on."""
    with Cluster(binary, clients=1, patience="1s") as cluster:
        steady = Steady(cluster)
        began = time.monotonic()
        for server in cluster.servers:
            server.pause()
        wait_for("a node's time is up", lambda: time.monotonic() - began > 5)
        for server in cluster.servers:
            server.go_on()
        cluster.leader()
        server = cluster.servers[0]
        server.register(job("after", task("/bin/sleep", "10000")))
        server.wait_alloc("after")
        events = [e["Message"] for e in server.get(f"/v1/node/{steady.alloc['NodeID']}")["Events"]]
        need("Node heartbeat missed" not in events, f"the node was marked down: {events}")
        steady.untouched(cluster)
