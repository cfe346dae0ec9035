"""Several real agents that are one cluster, for the end-to-end checks, the chaos and the benches."""
import http.client
import json
import os
import shutil
import subprocess
import threading
import time

from testagent import CLIENT, ENVIRONMENT, SERVER, Agent, Failed, job, task, wait_for


def need(condition, what):
    if not condition:
        raise Failed(what)


def counted_lines(agent, alloc_id):
    """The numbers that a counting task has printed, in order, from its log over HTTP."""
    status, _, body = agent.request("GET", f"/v1/client/fs/logs/{alloc_id}?task=main&type=stdout&plain=true")
    need(status == 200, f"logs: {status} {body!r}")
    return [int(line) for line in body.decode().split("\n")[:-1]]


def counter_task(pid_file, pause="0.05"):
    """Writes its pid, then 1, 2, 3 ... to its standard output, without end."""
    script = f'echo $$ >"{pid_file}"; n=0; while :; do n=$((n+1)); echo $n; sleep {pause}; done'
    return task("/bin/sh", "-c", script)


def written_pid(path):
    def look():
        try:
            with open(path, encoding="ascii") as file:
                return int(file.read() or 0)
        except FileNotFoundError:
            return 0
    return wait_for(f"{os.path.basename(path)} names a process", look)


def hcl_list(texts):
    return "[" + ", ".join(f'"{t}"' for t in texts) + "]"


def leader_of(agent):
    """The leader's RPC address as this agent knows it, "" when there is none."""
    try:
        return agent.get("/v1/status/leader?stale")
    except (OSError, http.client.HTTPException, Failed):
        return ""


class Certificates:
    """A certificate authority and certificates of it, made by the binary's own commands."""

    def __init__(self, binary, home):
        self.binary, self.home = os.path.abspath(binary), home
        self.run("ca", "create")
        for role in ("server", "client"):
            self.issue(role)

    def run(self, *args):
        done = subprocess.run([self.binary, "tls", *args], cwd=self.home, capture_output=True, text=True, check=False,
                              env={**ENVIRONMENT, "HOME": self.home})
        need(done.returncode == 0, f"tls {args}: {done.stdout}{done.stderr}")

    def issue(self, role):
        """Makes, or makes anew, the certificate of a role."""
        for end in (".pem", "-key.pem"):
            path = os.path.join(self.home, f"global-{role}-nomad{end}")
            if os.path.exists(path):
                os.unlink(path)
        self.run("cert", "create", f"-{role}")

    def block(self, role):
        base = os.path.join(self.home, f"global-{role}-nomad")
        return ("tls {\n  rpc = true\n  verify_server_hostname = true\n"
                f'  ca_file = "{self.home}/nomad-agent-ca.pem"\n  cert_file = "{base}.pem"\n  key_file = "{base}-key.pem"\n}}\n')


class Network:
    """A host of its own for each of `count` agents: a network namespace with one address, all on one bridge.

    A way from one host to another is cut by a false link address, so that packets are lost in silence, as in a real network.
    Needs root; `missing()` says why it cannot be, "" when it can.
    """

    @staticmethod
    def missing():
        if os.geteuid() != 0:
            return "only root makes network namespaces"
        if not shutil.which("ip"):
            return "no ip on PATH (package iproute2)"
        probe = f"drover-probe-{os.getpid()}"
        done = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
        subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
        return done.stderr.strip()

    def __init__(self, count):
        self.tag, self.count, self.cut = f"dr{os.getpid() % 100000}", count, set()
        self.net = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
        try:
            self.ip("link", "add", self.tag, "type", "bridge")
            self.ip("addr", "add", f"{self.net}.254/24", "dev", self.tag)
            self.ip("link", "set", self.tag, "up")
            for n in range(count):
                self.ip("netns", "add", self.name(n))
                self.ip("link", "add", f"{self.name(n)}v", "type", "veth", "peer", "name", "eth0", "netns", self.name(n))
                self.ip("link", "set", f"{self.name(n)}v", "master", self.tag, "up")
                self.within(n, "link", "set", "lo", "up")
                self.within(n, "link", "set", "eth0", "address", self.link(n), "up")
                self.within(n, "addr", "add", f"{self.host(n)}/24", "dev", "eth0")
        except BaseException:
            self.remove()
            raise

    def remove(self):
        for n in range(self.count):
            subprocess.run(["ip", "netns", "del", self.name(n)], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self.tag], capture_output=True, check=False)

    def ip(self, *args):
        done = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
        need(done.returncode == 0, f"ip {' '.join(args)}: {done.stderr}")

    def within(self, n, *args):
        self.ip("-n", self.name(n), *args)

    def name(self, n):
        return f"{self.tag}n{n}"

    def host(self, n):
        return f"{self.net}.{n + 1}"

    def link(self, n):
        return f"02:00:00:00:01:{n + 1:02x}"

    def inside(self, n):
        return ["ip", "netns", "exec", self.name(n)]

    def lose(self, sender, receiver):
        """What `sender` sends to `receiver` is lost from now on."""
        self.cut.add((sender, receiver))
        self.within(sender, "neigh", "replace", self.host(receiver), "lladdr", "02:00:00:00:02:ff", "nud", "permanent", "dev", "eth0")

    def isolate(self, n, one_way=False):
        """Host `n` reaches no other; with `one_way` the others still reach it."""
        for other in range(self.count):
            if other != n:
                self.lose(n, other)
                if not one_way:
                    self.lose(other, n)

    def heal(self):
        for sender, receiver in self.cut:
            self.within(sender, "neigh", "replace", self.host(receiver), "lladdr", self.link(receiver), "nud", "reachable", "dev", "eth0")
        self.cut.clear()


class Cluster:
    """Servers and nodes, each a process of its own. A cluster of `expect` servers begins when all of them are there.

    `network`: each server is on a host of that. `patience`: how long a node may be silent beyond its second. `small_disks`: each
    server's data is on a disk of so many MiB. `known`: how many of the servers the nodes are told of.
    """

    def __init__(self, binary, certificates=None, servers=3, clients=2, log_level="INFO", network=None, patience="1s", small_disks=0,
                 known=None):
        self.servers, join = [], "[]"
        for n in range(servers):
            place = {"patience": patience, **({"host": network.host(n), "inside": network.inside(n)} if network else {})}
            self.servers.append(Agent(binary, config=SERVER, name=f"s{n + 1}", join=join, expect=servers, log_level=log_level, **place))
            join = hcl_list([f"{self.servers[0].host}:{self.servers[0].serf}"])
        addresses = hcl_list(f"{s.host}:{s.rpc}" for s in self.servers[:known])
        self.clients = [Agent(binary, config=CLIENT, name=f"c{n}", servers=addresses, log_level=log_level) for n in range(1, clients + 1)]
        for agents, role in ((self.servers, "server"), (self.clients, "client")) if certificates else ():
            for agent in agents:
                with open(agent.config_path, "a", encoding="utf-8") as file:
                    file.write(certificates.block(role))
        for server in self.servers if small_disks else ():
            os.makedirs(server.data)
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={small_disks}m", "tmpfs", server.data], capture_output=True,
                                  text=True, check=False)
            need(done.returncode == 0, done.stderr)

    def __enter__(self):
        try:
            for agent in self.servers + self.clients:
                agent.start()
            self.wait_for("the servers have a leader", lambda: all(leader_of(s) for s in self.servers))
            self.wait_for("the nodes are ready", lambda: len(self.ready_nodes()) == len(self.clients))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for agent in self.clients + self.servers:
            agent.go_on()
        for agent in self.clients + self.servers:
            agent.__exit__()

    def wait_for(self, what, condition):
        """As the function does, while all agents run; a failure comes with the servers' logs."""
        def look():
            ended = next((a for a in self.servers + self.clients if a.process.poll() is not None), None)
            if ended:
                raise Failed(f"{what}: {ended.name} ended with {ended.process.returncode}:\n{ended.log_tail()}")
            return condition()
        try:
            wait_for(what, look, 60)
        except Failed as failed:
            raise Failed(f"{failed}\n" + "\n".join(f"{s.name}:\n{s.log_tail(25)}" for s in self.servers)) from None

    def ready_nodes(self):
        return [n for n in self.servers[1].get("/v1/nodes") if n["Status"] == "ready"]

    def leader(self, among=None):
        """The server that leads, as a majority of all has it; waits for one. `among`: those that can be asked."""
        def look():
            asked = [s for s in among or self.servers if s.process.poll() is None]
            seen = [a for a in map(leader_of, asked) if a]
            best = max(seen, key=seen.count, default="")
            if seen.count(best) * 2 <= len(self.servers):
                return None
            return next((s for s in asked if best == f"{s.host}:{s.rpc}"), None)
        return wait_for("a leader", look, 60)

    def client_of(self, alloc):
        return next(c for c in self.clients if alloc["NodeName"] == c.name)


class Worker(threading.Thread):
    """Runs while its `with` block does; `over` tells it to end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.over = False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.join()


class Writer(Worker):
    """Registers one job again and again, with a number that rises, and with every one another job of its own. Goes to another
    server when one does not answer, and tries each number until it is acknowledged.

    `acknowledged`: when each try that succeeded was sent and answered, and its number.
    """

    def __init__(self, servers, timeout_s=2):
        super().__init__()
        self.servers, self.timeout_s, self.acknowledged = servers, timeout_s, []
        self.register_index = None  # of the one job as it was acknowledged last; None: not known

    def run(self):
        at, number = 0, 1
        while not self.over:
            sent = time.monotonic()
            try:
                done = self.write(self.servers[at], number)
            except (OSError, http.client.HTTPException):
                done = False
                time.sleep(0.005)
            if done:
                self.acknowledged.append((sent, time.monotonic(), number))
                number += 1
            else:
                at = (at + 1) % len(self.servers)

    def write(self, server, number):
        """Whether the number is acknowledged. A try without an answer may still be applied, even after later numbers: so the one
        job is written on condition of what it replaces, and what it holds is read before another try."""
        name = f"kept-{number}" if number % 2 else "register"
        wanted = {"Job": {**job(name, task("/bin/true"), count=0, kind="batch"), "Meta": {"number": str(number)}}}
        if name == "register":
            if self.register_index is None:
                status, _, body = server.request("GET", "/v1/job/register", timeout=self.timeout_s)
                if status not in (200, 404):
                    return False
                found = json.loads(body) if status == 200 else {"JobModifyIndex": 0, "Meta": {"number": "0"}}
                self.register_index = found["JobModifyIndex"]
                if int(found["Meta"]["number"]) == number:
                    return True
            wanted |= {"EnforceIndex": True, "JobModifyIndex": self.register_index}
            self.register_index = None
        status, _, body = server.request("PUT", "/v1/jobs", wanted, self.timeout_s)
        if status == 200 and name == "register":
            self.register_index = json.loads(body)["JobModifyIndex"]
        return status == 200

    def first_after(self, moment):
        """When the first write that was sent after `moment` was answered, or None."""
        found = None
        for sent, end, _ in reversed(self.acknowledged):
            if sent <= moment:
                break
            found = end
        return found

    def goes_on(self, limit_s=60):
        """Waits until ten more writes are acknowledged that were all sent from now on."""
        moment = time.monotonic()
        wait_for("writes go on", lambda: sum(1 for sent, _, _ in self.acknowledged[-50:] if sent > moment) >= 10, limit_s)

    def missing_at(self, server):
        """The numbers acknowledged that a consistent read at `server` does not show."""
        jobs = {j["ID"]: j for j in server.get("/v1/jobs?prefix=kept-&meta=true")}
        lost = [n for _, _, n in self.acknowledged if n % 2 and f"kept-{n}" not in jobs]
        even = max((n for _, _, n in self.acknowledged if n % 2 == 0), default=0)
        if even and int(server.get("/v1/job/register")["Meta"]["number"]) < even:
            lost.append(even)
        return lost


class Reader(Worker):
    """Reads, consistently, the job that a Writer writes, from any server in turn. `stale`: answers that were older than what was
    acknowledged, or read, before they were asked for."""

    def __init__(self, servers, writer, timeout_s=2):
        super().__init__()
        self.servers, self.writer, self.timeout_s = servers, writer, timeout_s
        self.stale, self.answers = [], {s.name: 0 for s in servers}

    def run(self):
        newest, turn = 0, 0
        while not self.over:
            turn += 1
            server = self.servers[turn % len(self.servers)]
            known = max((n for _, _, n in self.writer.acknowledged[-2:] if n % 2 == 0), default=0)
            known = max(known, newest)
            try:
                status, _, body = server.request("GET", "/v1/job/register", timeout=self.timeout_s)
            except (OSError, http.client.HTTPException):
                continue
            if status != 200:
                continue
            self.answers[server.name] += 1
            newest = int(json.loads(body)["Meta"]["number"])
            if newest < known:
                self.stale.append(f"{server.name} answered {newest} when {known} was known")
            newest = max(newest, known)
