"""Several real agents that are one cluster, for the end-to-end checks, the chaos and the benches."""
import http.client
import os

from testagent import CLIENT, SERVER, Agent, Failed, wait_for, task


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


class Cluster:
    """Servers and nodes, each a process of its own. A cluster of `expect` servers begins when all of them are there."""

    def __init__(self, binary, certificates=None, servers=3, clients=2, log_level="INFO"):
        first = Agent(binary, config=SERVER, name="s1", join="[]", expect=servers, log_level=log_level)
        join = hcl_list([f"127.0.0.1:{first.serf}"])
        rest = [Agent(binary, config=SERVER, name=f"s{n}", join=join, expect=servers, log_level=log_level) for n in range(2, servers + 1)]
        self.servers = [first] + rest
        addresses = hcl_list(f"127.0.0.1:{s.rpc}" for s in self.servers)
        self.clients = [Agent(binary, config=CLIENT, name=f"c{n}", servers=addresses, log_level=log_level) for n in range(1, clients + 1)]
        for agents, role in ((self.servers, "server"), (self.clients, "client")) if certificates else ():
            for agent in agents:
                with open(agent.config_path, "a", encoding="utf-8") as file:
                    file.write(certificates.block(role))

    def __enter__(self):
        try:
            for agent in self.servers + self.clients:
                agent.start()
            wait_for("the servers have a leader", lambda: all(leader_of(s) for s in self.servers), 60)
            wait_for("the nodes are ready", lambda: len(self.ready_nodes()) == len(self.clients), 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for agent in self.clients + self.servers:
            agent.__exit__()

    def ready_nodes(self):
        return [n for n in self.servers[1].get("/v1/nodes") if n["Status"] == "ready"]

    def leader(self):
        """The server that leads, as the majority of those that can be asked have it; waits for one."""
        def look():
            seen = [a for a in map(leader_of, self.running()) if a]
            best = max(seen, key=seen.count, default="")
            if seen.count(best) * 2 <= len(self.servers):
                return None
            return next((s for s in self.running() if best.endswith(f":{s.rpc}")), None)
        return wait_for("a leader", look, 30)

    def running(self):
        return [s for s in self.servers if s.process.poll() is None]

    def client_of(self, alloc):
        return next(c for c in self.clients if alloc["NodeName"] == f"c{self.clients.index(c) + 1}")
