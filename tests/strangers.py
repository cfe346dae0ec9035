"""What a cluster must refuse in words while it works on: nonsense on its port, certificates that are none, servers that are not its
own, damaged logs. Part of tests/end-to-end.
"""
import os
import shutil
import socket
import subprocess
import tempfile

from testagent import CLIENT, ENVIRONMENT, SERVER, Agent, Failed, job, task, wait_for
from testcluster import Certificates, Cluster, hcl_list, leader_of, need

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def said(agent, *words):
    """Whether one line of the agent's log has all the words."""
    with open(agent.log_path, encoding="utf-8", errors="replace") as file:
        return any(all(w in line for w in words) for line in file)


def says(agent, *words, limit_s=30):
    wait_for(f"{agent.name} says {words}", lambda: said(agent, *words), limit_s)


def goes_on(cluster, name):
    """A write at every server; nobody else votes."""
    for number, server in enumerate(cluster.servers):
        server.register(job(f"{name}-{number}", task("/bin/true"), count=0))
    peers = cluster.servers[0].get("/v1/operator/raft/configuration")["Servers"]
    own = {f"{s.name}.global" for s in cluster.servers}
    need({p["Node"] for p in peers} == own, f"the log's configuration is {[p['Node'] for p in peers]}")


class Stranger(Agent):
    """A server, or a node, that wants to join `at` and must not."""

    def __init__(self, binary, name, at, tls="", config=SERVER, expect=3):
        place = {"servers": hcl_list([f"127.0.0.1:{at.rpc}"])} if config == CLIENT else \
            {"join": hcl_list([f"127.0.0.1:{at.serf}"]) if at else "[]", "expect": expect, "patience": "1s"}
        super().__init__(binary, config=config, name=name, log_level="INFO", **place)
        with open(self.config_path, "a", encoding="utf-8") as file:
            file.write(tls)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill9()  # it has nothing to end well
        super().__exit__()


@check
def nonsense_on_the_port_of_servers_is_told(binary):
    """Each connection is ended, and the log says who was refused and why."""
    with Cluster(binary, clients=0) as cluster:
        server = cluster.servers[1]
        hello = b"\x02DRVRAFT1" + bytes(7) + b"\x09"
        for sent, words in (
                (b"GET / HTTP/1.1\r\n\r\n", ("unrecognized RPC byte", "byte=71")),
                (b"\x09", ("unrecognized RPC byte", "byte=9")),
                (b"\x04\x16\x03\x01nothing", ("TLS connection attempted, server not configured for TLS",)),
                (b"\x02DRVRAFT9" + bytes(8), ("a raft connection of another kind of server was refused",)),
                (hello + b"\xff\xff\xff\xff", ("a raft message is too large", "bytes=4294967295")),
                (b"\x06\x63\x00\x00\x00" + b"\xff" * 8, ("multiplexed connection ended", "invalid protocol version")),
                (b"\x06\x00\x07\x00\x00" + b"\xff" * 8, ("multiplexed connection ended", "invalid message type")),
                (b"\x01\xc1\xc1\xc1", ("RPC error", "msgpack"))):
            with socket.create_connection(("127.0.0.1", server.rpc), 5) as connection:
                own = connection.getsockname()[1]
                connection.sendall(sent)
                connection.settimeout(20)
                try:
                    need(connection.recv(1) == b"", f"{sent!r} is answered")
                except ConnectionResetError:
                    pass
            says(server, f"remote_addr=127.0.0.1:{own}", *words)
        # A message that never ends: cut off at its limit, at no more memory than that.
        with socket.create_connection(("127.0.0.1", server.rpc), 5) as connection:
            own = connection.getsockname()[1]
            connection.settimeout(20)
            try:
                connection.sendall(b"\x01\x82\xa3Seq\x01\xadServiceMethod\xdb\xff\xff\xff\xff")
                for _ in range(200):
                    connection.sendall(b"x" * (1 << 20))
                raise Failed("a message of 200 MiB is read")
            except (ConnectionResetError, BrokenPipeError):
                pass
        says(server, f"remote_addr=127.0.0.1:{own}", "a message of more than")
        goes_on(cluster, "after")


def sign(home, name, names, days):
    """A certificate of the authority in `home` for the server's key there, with these names, that ends in so many days."""
    with open(os.path.join(home, "names"), "w", encoding="ascii") as file:
        file.write("subjectAltName=" + ",".join(f"DNS:{n}" for n in names))
    for args in (("req", "-new", "-key", "global-server-nomad-key.pem", "-subj", f"/CN={names[0]}", "-out", "asked"),
                 ("x509", "-req", "-in", "asked", "-CA", "nomad-agent-ca.pem", "-CAkey", "nomad-agent-ca-key.pem", "-CAcreateserial",
                  "-days", str(days), "-extfile", "names", "-out", name)):
        done = subprocess.run(["openssl", *args], cwd=home, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        need(done.returncode == 0, f"openssl {args[0]}: {done.stderr}")
    return os.path.join(home, name)


def tls(authority, certificate, key):
    return ("tls {\n  rpc = true\n  verify_server_hostname = true\n"
            f'  ca_file = "{authority}"\n  cert_file = "{certificate}"\n  key_file = "{key}"\n}}\n')


@check
def certificates_that_are_none_are_told(binary):
    """Servers and nodes whose certificate is of another authority, expired, of another region or role, or missing come to nothing;
    the leader and they themselves say why."""
    with tempfile.TemporaryDirectory(prefix="drover-e2e-tls-") as home, tempfile.TemporaryDirectory(prefix="drover-e2e-tls-") as other:
        good = Certificates(binary, home)
        Certificates(binary, other)
        authority, key = f"{home}/nomad-agent-ca.pem", f"{home}/global-server-nomad-key.pem"
        foreign = tls(f"{other}/nomad-agent-ca.pem", f"{other}/global-server-nomad.pem", f"{other}/global-server-nomad-key.pem")
        kinds = {
            "authority": (foreign, "x509: certificate signed by unknown authority"),
            "expired": (tls(authority, sign(home, "old.pem", ["server.global.nomad"], -1), key), "x509: certificate has expired or is not yet valid"),
            "region": (tls(authority, sign(home, "eu.pem", ["server.eu.nomad"], 1), key), "not server.global.nomad"),
            "role": (tls(authority, f"{home}/global-client-nomad.pem", f"{home}/global-client-nomad-key.pem"), "not server.global.nomad"),
            "plain": ("", "EOF|reset"),
        }
        with Cluster(binary, good, clients=0) as cluster:
            leader = cluster.leader()
            strangers = [Stranger(binary, name, leader, block) for name, (block, _) in kinds.items()]
            node = Stranger(binary, "node", leader, foreign, config=CLIENT)
            try:
                for s in strangers + [node]:
                    s.start()
                for stranger in strangers:
                    for words in kinds[stranger.name][1].split("|"):
                        if said(leader, f"peer={stranger.name}.global", words):
                            break
                    else:
                        says(leader, f"peer={stranger.name}.global", "server does not say who it is", kinds[stranger.name][1].split("|")[0])
                    says(stranger, "connection refused")
                says(node, "error registering", "x509: certificate signed by unknown authority")
                goes_on(cluster, "after")
                need(not leader.get("/v1/nodes"), "a node of another authority is registered")
            finally:
                for s in strangers + [node]:
                    s.__exit__()


@check
def servers_that_are_not_its_own_are_told(binary):
    """A server of another cluster, one of a name that is taken, a node of another region: refused in words, and both clusters keep
    what they have."""
    with Cluster(binary, clients=0) as cluster:
        leader = cluster.leader()
        leader.register(job("ours", task("/bin/true"), count=0))
        with Stranger(binary, "alien", None, expect=1) as alien:
            wait_for("the other cluster has a leader", lambda: leader_of(alien))
            wait_for("it takes jobs", lambda: alien.request("PUT", "/v1/jobs", {"Job": job("theirs", task("/bin/true"), count=0)})[0] == 200)
            for one, other in ((alien, leader), (leader, alien)):
                def refused(one=one, other=other):
                    done = one.cli("server", "join", f"127.0.0.1:{other.serf}")
                    return done.returncode == 1 and "belongs to another cluster of region global" in done.stdout + done.stderr
                wait_for("joining is refused in words", refused)
            need([m["Name"] for m in alien.get("/v1/agent/members")["Members"]] == ["alien.global"], "the pools are mixed")
            need([j["ID"] for j in alien.get("/v1/jobs")] == ["theirs"], "the other cluster has other jobs")
        with Stranger(binary, cluster.servers[1].name, cluster.servers[0]) as twin:
            says(twin, "Node name conflicts with another node", "Names must be unique!")
        with Stranger(binary, "node", leader, 'region = "eu"\n', config=CLIENT) as node:
            says(node, "error registering", "No path to region")
        done = leader.cli("job", "status", "-region", "nowhere")
        need(done.returncode == 1 and "No path to region" in done.stderr, f"-region nowhere: {done.stdout}{done.stderr}")
        goes_on(cluster, "after")
        need(leader.get("/v1/job/ours")["ID"] == "ours" and leader.request("GET", "/v1/job/theirs")[0] == 404, "the jobs are mixed")


def raft_dir(server):
    return os.path.join(server.data, "server", "raft")


def newest_log(server):
    folder = os.path.join(raft_dir(server), "log")
    return os.path.join(folder, max(n for n in os.listdir(folder) if n.startswith("log-")))


def harm(path, change):
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        change(content)
        file.seek(0)
        file.truncate()
        file.write(content)


@check
def a_damaged_log_stops_its_server_only(binary):
    """A torn tail is cut by itself. A bit in the middle stops the server with the file, the offset and what to do; what it says to do
    brings the server back. A damaged archive changes nothing."""
    with Cluster(binary, clients=0) as cluster:
        leader = cluster.leader()
        victim = next(s for s in cluster.servers if s is not leader)
        for number in range(30):
            leader.register(job(f"kept-{number}", task("/bin/true"), count=0))
        wait_for("it has it all", lambda: len(victim.get("/v1/jobs?prefix=kept-&stale")) == 30)
        victim.kill9()

        def tear(content):
            end = (len(content.rstrip(b"\0")) + 64) // 8 * 8
            content[end:end + 150] = b"\x5a" * 150
        harm(newest_log(victim), tear)
        victim.start()
        wait_for("it is back", lambda: leader_of(victim) and len(victim.get("/v1/jobs?prefix=kept-&stale")) == 30, 30)

        victim.kill9()

        def flip(content):
            content[len(content.rstrip(b"\0")) // 2] ^= 16
        harm(newest_log(victim), flip)
        victim.start()
        need(victim.process.wait(30) == 1, f"it ended with {victim.process.returncode}")
        tail = victim.log_tail(30)
        for words in (newest_log(victim), "is damaged at offset", "move", "join again as a new server"):
            need(words in tail, f"it does not say \"{words}\":\n{tail}")
        shutil.move(raft_dir(victim), raft_dir(victim) + ".damaged")
        os.unlink(os.path.join(victim.data, "server", "node-id"))
        victim.start()
        wait_for("the new one has it all", lambda: leader_of(victim) and len(victim.get("/v1/jobs?prefix=kept-&stale")) == 30, 60)

        archive = os.path.join(leader.home, "backup.snap")
        done = leader.cli("operator", "snapshot", "save", archive)
        need(done.returncode == 0, f"snapshot save: {done.stdout}{done.stderr}")
        index = leader.get("/v1/jobs?prefix=kept-")
        size = os.path.getsize(archive)
        for name, change in (("cut", lambda c: c.__delitem__(slice(size // 2, None))), ("flipped", lambda c: c.__setitem__(size // 2, c[size // 2] ^ 1)),
                             ("empty", lambda c: c.clear())):
            bad = os.path.join(leader.home, name)
            shutil.copy(archive, bad)
            harm(bad, change)
            done = leader.cli("operator", "snapshot", "restore", bad)
            need(done.returncode == 1 and "failed to restore from snapshot: " in done.stderr, f"{name}: {done.returncode} {done.stdout}{done.stderr}")
        need(leader.get("/v1/jobs?prefix=kept-") == index, "a damaged archive changed the state")


@check
def a_damaged_snapshot_of_the_log_is_told(binary):
    """Without a snapshot that goes with its log a server ends and says what to do."""
    with Cluster(binary, clients=0) as cluster:
        server, leader = cluster.servers[2], cluster.servers[0]
        with open(server.config_path, "a", encoding="utf-8") as file:
            file.write('server { raft_snapshot_interval = "100ms" raft_snapshot_threshold = 5 raft_trailing_logs = 3 }\n')
        server.kill9()
        server.start()
        wait_for("it knows a leader again", lambda: leader_of(server), 60)
        wait_for("another leads", lambda: leader_of(leader), 60)
        folder = os.path.join(raft_dir(server), "snapshots")
        count = 0

        def two():
            nonlocal count
            leader.register(job(f"kept-{count}", task("/bin/true"), count=0))
            count += 1
            return len([n for n in os.listdir(folder) if not n.startswith("tmp-")]) == 2 and count > 30
        wait_for("there are two snapshots", two, 60)
        server.kill9()
        for name in os.listdir(folder):
            state = os.path.join(folder, name, "state")
            if os.path.exists(state):
                harm(state, lambda c: c.__setitem__(len(c) // 2, c[len(c) // 2] ^ 1))
        server.start()
        need(server.process.wait(30) == 1, f"it ended with {server.process.returncode}")
        tail = server.log_tail(30)
        for words in ("does not match its checksum", "not readable", "move " + raft_dir(server), "join again as a new server"):
            need(words in tail, f"it does not say \"{words}\":\n{tail}")
