"""A real agent on free loopback ports and a temporary directory, for the end-to-end checks and the agent's bench."""
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CONFIG = """
name       = "{name}"
datacenter = "dc1"
data_dir   = "{data}"
bind_addr  = "127.0.0.1"
log_level  = "{log_level}"
disable_update_check = true

advertise {{
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}}
ports {{
  http = {http}
  rpc  = {rpc}
  serf = {serf}
}}
server {{
  enabled          = true
  bootstrap_expect = 1
}}
client {{
  enabled           = true
  network_interface = "lo"
}}
plugin "raw_exec" {{
  config {{
    enabled = true
  }}
}}
consul {{
  # Nobody listens there: a Consul agent that happens to run stays out of this.
  address          = "127.0.0.1:1"
  auto_advertise   = false
  client_auto_join = false
  server_auto_join = false
}}
"""

# Agents that are one thing only, for clusters. {join}: gossip addresses; {servers}: RPC addresses; both are lists of HCL.
COMMON = CONFIG[:CONFIG.index("server {{")]
SERVER = COMMON + """
server {{
  enabled                = true
  bootstrap_expect       = {expect}
  min_heartbeat_ttl      = "1s"
  heartbeat_grace        = "{patience}"
  failover_heartbeat_ttl = "5s"
  server_join {{
    retry_join     = {join}
    retry_interval = "1s"
  }}
}}
""" + CONFIG[CONFIG.index("consul {{"):]
CLIENT = COMMON + """
client {{
  enabled           = true
  network_interface = "lo"
  servers           = {servers}
}}
""" + CONFIG[CONFIG.index('plugin "raw_exec"'):]

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
TERMINAL = ("complete", "failed", "lost")


class Failed(Exception):
    """What went otherwise than it must."""


def free_ports(count, consecutive=False):
    """Loopback ports that nobody listens on, for TCP and UDP alike. They lie below those that the kernel gives to outgoing
    connections: one of these could take a port between this look and the agent's start."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        below = int(file.read().split()[0])
    for _ in range(1000):
        first = random.randrange(10000, below - count) if below > 12000 else 0
        holders = []
        try:
            ports = []
            for i in range(count):
                wanted = ports[0] + i if consecutive and ports else first and (first if not i else random.randrange(10000, below))
                tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                holders += [tcp, udp]
                tcp.bind(("127.0.0.1", wanted))
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
                ports.append(tcp.getsockname()[1])
            return ports
        except OSError:
            continue
        finally:
            for holder in holders:
                holder.close()
    raise Failed(f"no {count} free ports")


def wait_for(what, condition, limit_s=20):
    """The first true value of `condition`; looks every 20 ms."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {limit_s} s")
        time.sleep(0.02)


def alive(pid):
    """Whether the process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status_kib(pid, key, file="status"):
    """A figure of /proc/PID/status or smaps_rollup, in KiB."""
    with open(f"/proc/{pid}/{file}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def task(command, *args, driver="raw_exec", **more):
    """A task of a job in the API's shape."""
    return {"Name": "main", "Driver": driver, "Config": {"command": command, "args": list(args)},
            "Resources": {"CPU": 20, "MemoryMB": 16}, **more}


def job(name, one_task, kind="service", count=1, **group):
    """A job of one group with one task, without checks of health or rescheduling."""
    return {"ID": name, "Name": name, "Type": kind, "Datacenters": ["dc1"],
            "TaskGroups": [{"Name": "group", "Count": count, "Tasks": [one_task],
                            "ReschedulePolicy": {"Attempts": 0, "Unlimited": False}, **group}]}


class Agent:
    """Server and client in one process. `with Agent(binary) as agent`: nothing of it is left behind.

    `host`: another address than loopback's, with `inside`, the command that runs one where it is.
    """

    def __init__(self, binary, dev=False, log_level="INFO", config=CONFIG, name="e2e", host="127.0.0.1", inside=(), **more):
        self.binary, self.dev, self.name = os.path.abspath(binary), dev, name
        self.host, self.inside = host, list(inside)
        self.home = tempfile.mkdtemp(prefix="drover-e2e-")
        self.data = os.path.join(self.home, "data")
        self.log_path = os.path.join(self.home, "agent.log")
        self.config_path = os.path.join(self.home, "agent.hcl")
        self.port, self.rpc, self.serf = free_ports(3)
        self.process = None
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(config.replace("127.0.0.1", host).format(name=name, data=self.data, log_level=log_level, http=self.port,
                                                                rpc=self.rpc, serf=self.serf, **more))

    @classmethod
    @contextlib.contextmanager
    def started(cls, binary, **more):
        """An agent that need not become a node."""
        agent = cls(binary, **more)
        try:
            agent.start()
            yield agent
        finally:
            agent.__exit__()

    def __enter__(self):
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop_jobs()
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.kill_leftovers()
        for mount in self.mounts():
            subprocess.run(["umount", "-l", mount], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- processes

    def start(self):
        """Starts the process and returns at once."""
        command = self.inside + [self.binary, "agent"] + (["-dev"] if self.dev else []) + ["-config", self.config_path]
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env={**ENVIRONMENT, "HOME": self.home, "TMPDIR": self.home},
                                        start_new_session=True)
        log.close()

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        """The process stands still, its connections stay; its tasks go on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)

    def log_tail(self, lines=15):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def wait_ready(self, limit_s=60):
        """Until a server leads and the node is ready."""
        def ready():
            if self.process.poll() is not None:
                raise Failed(f"the agent ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                nodes = self.get("/v1/nodes")
            except (OSError, http.client.HTTPException, Failed):
                return False
            return any(n["Status"] == "ready" for n in nodes)
        wait_for("the node is ready", ready, limit_s)

    def leftovers(self):
        """Processes other than the agent that work in, or name, this agent's directory."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) in (os.getpid(), self.process.pid if self.process else 0):
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read()
                with open(f"/proc/{entry}/environ", "rb") as file:
                    words += file.read()
                cwd = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if self.home.encode() in words or cwd.startswith(self.home):
                found.append(int(entry))
        return found

    def kill_leftovers(self):
        for pid in self.leftovers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def mounts(self):
        with open("/proc/self/mounts", encoding="utf-8") as file:
            points = [line.split()[1] for line in file]
        return [p for p in reversed(points) if p.startswith(self.home)]

    # ---- HTTP

    def request(self, verb, path, body=None, timeout=30):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(verb, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, verb, path, body=None, timeout=30):
        """(decoded answer, X-Nomad-Index); other statuses than 200 are failures."""
        status, headers, data = self.request(verb, path, body, timeout)
        if status != 200:
            raise Failed(f"{verb} {path}: {status} {data.decode(errors='replace').strip()}")
        return json.loads(data), int(headers.get("X-Nomad-Index") or 0)

    def get(self, path):
        return self.call("GET", path)[0]

    def register(self, a_job):
        return self.call("PUT", "/v1/jobs", {"Job": a_job})[0]

    def allocs(self, job_id):
        return self.get(f"/v1/job/{job_id}/allocations")

    def wait_alloc(self, job_id, status="running", limit_s=30):
        """The job's allocation once it has this client status."""
        def look():
            for a in self.allocs(job_id):
                if a["ClientStatus"] == status:
                    return a
                if a["ClientStatus"] in TERMINAL and status == "running":
                    raise Failed(f"{job_id}: the allocation is {a['ClientStatus']}: {json.dumps(a['TaskStates'])[:1500]}")
            return None
        return wait_for(f"{job_id}: an allocation is {status}", look, limit_s)

    def stop_jobs(self):
        """Stops what still runs, so that nothing is left when the agent is gone."""
        try:
            for j in self.get("/v1/jobs"):
                if not j.get("Stop"):
                    self.call("DELETE", f"/v1/job/{j['ID']}")
            wait_for("all tasks end", lambda: all(a["ClientStatus"] in TERMINAL for a in self.get("/v1/allocations")), 10)
        except (OSError, http.client.HTTPException, Failed):
            pass

    # ---- command line

    def cli(self, *args, timeout=60):
        """A finished command: .returncode, .stdout, .stderr"""
        return subprocess.run([self.binary, *args], cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False,
                              env={**ENVIRONMENT, "HOME": self.home, "NOMAD_ADDR": f"http://{self.host}:{self.port}"})
