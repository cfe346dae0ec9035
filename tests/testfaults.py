"""Checks of full and closed disks, of signals, and of bad requests, for tests/end-to-end."""
import http.client
import json
import os
import signal
import socket
import subprocess

from chaos import Skipped
from testagent import ENVIRONMENT, Agent, alive, job, task, wait_for
from testcluster import counted_lines, counter_task, need, written_pid

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class SmallDisk:
    """A file system of its own in an agent's data directory. Agent.__exit__ unmounts it."""

    def __init__(self, agent, below, options):
        self.path = os.path.join(agent.data, below).rstrip("/")
        self.ballast = os.path.join(self.path, "ballast")
        os.makedirs(self.path, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            agent.__exit__()
            raise Skipped(f"file systems cannot be mounted: {done.stderr.strip()}")

    def fill(self):
        """Not a byte is left."""
        file = os.open(self.ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        os.write(file, b"x" * size)
                except OSError:
                    pass
        finally:
            os.close(file)

    def free(self):
        os.truncate(self.ballast, 0)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True)


def small_job(name, one_task, **more):
    one_task["LogConfig"] = {"MaxFiles": 2, "MaxFileSizeMB": 1}
    return job(name, one_task, EphemeralDisk={"SizeMB": 10}, **more)


def log_of(agent):
    with open(agent.log_path, encoding="utf-8") as file:
        return file.read()


def config_of(agent):
    with open(agent.config_path, encoding="utf-8") as file:
        return file.read()


def configure(agent, text):
    with open(agent.config_path, "w", encoding="utf-8") as file:
        file.write(text)


# ---- disks

def holds(agent, kept, refused):
    """Every job that was acknowledged is there, and none that was refused."""
    names = {j["ID"] for j in agent.get("/v1/jobs")}
    need(names >= set(kept), f"{len(set(kept) - names)} acknowledged jobs are lost")
    need(not names & set(refused), f"refused jobs are there: {names & set(refused)}")


@check
def a_full_log_refuses_and_recovers(binary):
    """The server's disk is full: writes are refused with the disk's error, reads go on, tasks run; nothing that was
    acknowledged is lost and nothing that was refused appears, over a restart on the full disk and a kill -9 too."""
    agent = Agent(binary)
    disk = SmallDisk(agent, "server", "size=24m")
    with agent:
        pid_file = os.path.join(agent.home, "pid")
        agent.register(job("runs-on", counter_task(pid_file)))
        running = agent.wait_alloc("runs-on")
        pid = written_pid(pid_file)
        disk.fill()
        kept, refused = [], []
        for number in range(20000):
            name = f"job-{number}"
            status, _, body = agent.request("PUT", "/v1/jobs", {"Job": job(name, task("/bin/true"), count=0)})
            if status == 200:
                kept.append(name)
                continue
            need(status == 500 and b"no space left on device" in body, f"refused with {status} {body!r}")
            if b"whether this takes effect is open" not in body:
                refused.append(name)
            if len(refused) == 3:
                break
        need(len(refused) == 3, f"{len(kept)} jobs fit on a full disk")
        need(agent.process.poll() is None, f"the agent ended:\n{agent.log_tail()}")
        need(agent.get("/v1/job/runs-on")["Status"] == "running", "reads fail")
        need(alive(pid), "the task died")
        log = log_of(agent)
        need(log.count("no room for the log") == 1, "it is told once in the log")

        agent.kill9()
        agent.start()
        agent.wait_ready()
        holds(agent, kept, refused)
        status, _, body = agent.request("PUT", "/v1/jobs", {"Job": job("too-early", task("/bin/true"), count=0)})
        need(status in (200, 500), f"{status} {body!r}")

        disk.free()

        def accepted():
            return agent.request("PUT", "/v1/jobs", {"Job": job("after", task("/bin/true"), count=0)})[0] == 200
        wait_for("writes are taken again", accepted)
        need(alive(pid), "the task died")
        need(agent.wait_alloc("runs-on")["ID"] == running["ID"], "the allocation was replaced")
        agent.kill9()
        agent.start()
        agent.wait_ready()
        holds(agent, [*kept, "after"], refused)


@check
def a_full_client_state_fails_new_tasks_only(binary):
    """The client's state directory is full: running tasks go on, new ones fail and say why, and once there is room
    both new work and what could not be written down are as if nothing had been."""
    agent = Agent(binary)
    disk = SmallDisk(agent, "client", "size=8m")
    with agent:
        pid_file = os.path.join(agent.home, "pid")
        agent.register(small_job("runs-on", counter_task(pid_file)))
        running = agent.wait_alloc("runs-on")
        pid = written_pid(pid_file)
        disk.fill()
        agent.register(small_job("fails", task("/bin/sleep", "1000"),
                                 RestartPolicy={"Attempts": 0, "Mode": "fail", "Interval": 60 * 10**9, "Delay": 10**9}))
        failed = agent.wait_alloc("fails", "failed")
        events = [e["DisplayMessage"] for e in failed["TaskStates"]["main"]["Events"]]
        need(any("no space left on device" in e for e in events), f"no event says why: {events}")
        need(alive(pid), "the running task died")
        disk.free()
        agent.register(small_job("after", task("/bin/sleep", "1000")))
        agent.wait_alloc("after")
        wait_for("the state is written", lambda: "the client's state is written again" in log_of(agent))
        agent.kill9()
        agent.start()
        agent.wait_ready()
        need(agent.wait_alloc("runs-on")["ID"] == running["ID"] and alive(pid), "the running task was not taken back")
        agent.wait_alloc("after")
        need(agent.wait_alloc("fails", "failed")["ID"] == failed["ID"], "the failed allocation ran again")


@check
def an_agent_starts_over_a_full_client_state(binary):
    """Killed and started while its state directory is full, the agent takes its tasks back all the same."""
    agent = Agent(binary)
    disk = SmallDisk(agent, "client", "size=8m")
    with agent:
        pid_file = os.path.join(agent.home, "pid")
        agent.register(small_job("runs-on", counter_task(pid_file)))
        running = agent.wait_alloc("runs-on")
        pid = written_pid(pid_file)
        disk.fill()
        agent.kill9()
        agent.start()
        agent.wait_ready()
        need(agent.wait_alloc("runs-on")["ID"] == running["ID"] and alive(pid), "the running task was not taken back")
        disk.free()
        agent.register(small_job("after", task("/bin/sleep", "1000")))
        agent.wait_alloc("after")


@check
def full_allocation_directories_lose_output_only(binary):
    """The disk of the allocations is full: a task goes on although its output finds no room, an allocation whose
    directories cannot be made fails and says why, and with room both output and work are there again."""
    agent = Agent(binary)
    disk = SmallDisk(agent, "alloc", "size=64m,nr_inodes=60")
    with agent:
        pid_file = os.path.join(agent.home, "pid")
        agent.register(small_job("talks", counter_task(pid_file, "0.01")))
        alloc = agent.wait_alloc("talks")
        pid = written_pid(pid_file)
        wait_for("some lines", lambda: len(counted_lines(agent, alloc["ID"])) > 5)
        disk.fill()
        extra = []
        try:
            while True:
                extra.append(os.path.join(disk.path, f"empty-{len(extra)}"))
                os.close(os.open(extra[-1], os.O_CREAT | os.O_WRONLY))
        except OSError:
            extra.pop()
        agent.register(small_job("fails", task("/bin/sleep", "1000"),
                                 RestartPolicy={"Attempts": 0, "Mode": "fail", "Interval": 60 * 10**9, "Delay": 10**9}))
        failed = agent.wait_alloc("fails", "failed")
        details = json.dumps(agent.get(f"/v1/allocation/{failed['ID']}"))
        need("no space left on device" in details, f"nothing says why: {details[-1500:]}")
        size = os.stat(os.path.join(disk.path, alloc["ID"], "alloc", "logs", "main.stdout.0")).st_size
        need(alive(pid), "the running task died")
        need(agent.process.poll() is None, f"the agent ended:\n{agent.log_tail()}")
        for path in extra:
            os.remove(path)
        disk.free()
        grown = size + 400
        wait_for("output is kept again", lambda: os.stat(os.path.join(disk.path, alloc["ID"], "alloc", "logs", "main.stdout.0")).st_size > grown, 60)
        numbers = counted_lines_loosely(agent, alloc["ID"])
        need(numbers == sorted(numbers), "the output is out of order")
        agent.register(small_job("after", task("/bin/sleep", "1000")))
        agent.wait_alloc("after")


def counted_lines_loosely(agent, alloc_id):
    """The whole numbers of the log: a line that met the full disk may be cut."""
    _, _, body = agent.request("GET", f"/v1/client/fs/logs/{alloc_id}?task=main&type=stdout&plain=true")
    lines = [line for line in body.decode(errors="replace").split("\n") if line.isdigit()]
    return [int(line) for line in lines[:5]] + [int(line) for line in lines[-5:]]


@check
def a_read_only_data_directory_is_told(binary):
    """On a read-only file system the agent does not start and names the directory."""
    for below in ("", "server", "client"):
        agent = Agent(binary)
        try:
            disk = SmallDisk(agent, below, "size=16m")
            disk.remount("ro")
            done = subprocess.run([agent.binary, "agent", "-config", agent.config_path], cwd=agent.home, capture_output=True,
                                  text=True, timeout=60, check=False, env={**ENVIRONMENT, "HOME": agent.home})
            said = done.stdout + done.stderr
            need(done.returncode == 1, f"{below}: exit code {done.returncode}, not 1:\n{said}")
            need("read-only file system" in said and disk.path in said, f"{below}: the error does not say it:\n{said}")
        finally:
            agent.__exit__()


@check
def every_port_in_use_is_told(binary):
    """Whichever of the three ports is taken, the agent says which, and nothing was written."""
    for which in ("port", "rpc", "serf"):
        agent = Agent(binary)
        try:
            with socket.socket() as holder:
                holder.bind(("127.0.0.1", getattr(agent, which)))
                holder.listen()
                done = subprocess.run([agent.binary, "agent", "-config", agent.config_path], cwd=agent.home, capture_output=True,
                                      text=True, timeout=60, check=False, env={**ENVIRONMENT, "HOME": agent.home})
                said = done.stdout + done.stderr
                need(done.returncode == 1, f"{which}: exit code {done.returncode}, not 1:\n{said}")
                need("address already in use" in said and str(getattr(agent, which)) in said, f"{which}: the error does not say it:\n{said}")
                need(not os.path.exists(os.path.join(agent.data, "server", "raft")), f"{which}: something was written before")
        finally:
            agent.__exit__()


# ---- signals

def stopped_with(agent, number, code):
    agent.process.send_signal(number)
    got = agent.process.wait(40)
    need(got == code, f"exit code {got}, not {code}:\n{agent.log_tail()}")
    return log_of(agent)


@check
def signals_end_the_agent_as_configured(binary):
    """SIGINT and SIGTERM end it at once with 1, or leave first with 0 where leave_on_* says so; tasks run on either way."""
    for number, word, key in ((signal.SIGINT, "interrupt", "leave_on_interrupt"), (signal.SIGTERM, "terminated", "leave_on_terminate")):
        for leaves in (False, True):
            agent = Agent(binary)
            configure(agent, config_of(agent) + (f"{key} = true\n" if leaves else ""))
            with agent:
                pid_file = os.path.join(agent.home, "pid")
                agent.register(job("runs-on", counter_task(pid_file)))
                agent.wait_alloc("runs-on")
                pid = written_pid(pid_file)
                log = stopped_with(agent, number, 0 if leaves else 1)
                need(f"Caught signal: {word}" in log, f"{word} is not told")
                need(("Gracefully shutting down agent..." in log) == leaves, f"{word}: leaving is {leaves}")
                need(alive(pid), f"{word}: the task ended with the agent")
                agent.start()
                agent.wait_ready()
                need(alive(pid), f"{word}: the task ended with the next agent")


@check
def a_second_signal_ends_a_slow_leave(binary):
    """drain_on_shutdown waits for the tasks; a second signal does not."""
    agent = Agent(binary)
    drain = 'network_interface = "lo"\n  drain_on_shutdown {\n    deadline = "1h"\n  }'
    configure(agent, config_of(agent).replace('network_interface = "lo"', drain) + "leave_on_interrupt = true\n")
    with agent:
        agent.register(job("slow", task("/bin/sh", "-c", "trap '' TERM INT; while :; do sleep 1; done", KillTimeout=25 * 10**9)))
        agent.wait_alloc("slow")
        agent.process.send_signal(signal.SIGINT)
        wait_for("it leaves", lambda: "Gracefully shutting down agent..." in log_of(agent))
        need(agent.process.poll() is None, "it did not wait for the drain")
        agent.process.send_signal(signal.SIGINT)
        need(agent.process.wait(20) == 1, f"exit code {agent.process.returncode}:\n{agent.log_tail()}")


@check
def hangup_reloads_the_configuration(binary):
    """SIGHUP takes log level and response headers anew; a configuration with a fault changes nothing."""
    with Agent(binary) as agent:
        good = config_of(agent)

        def header():
            return agent.request("GET", "/v1/status/leader")[1].get("X-Told")
        need(header() is None and "[DEBUG]" not in log_of(agent), "before")
        configure(agent, good.replace('"INFO"', '"DEBUG"') + 'http_api_response_headers {\n  X-Told = "yes"\n}\n')
        agent.process.send_signal(signal.SIGHUP)
        wait_for("the header is there", lambda: header() == "yes")
        need("Caught signal: hangup" in log_of(agent) and "Reloading configuration..." in log_of(agent), f"not told:\n{agent.log_tail()}")
        wait_for("debug lines", lambda: agent.register(job("probe", task("/bin/true"), count=0)) and "[DEBUG]" in log_of(agent))
        for broken in (good + "nonsense = 1\n", good.replace('"INFO"', '"LOUD"'), good + "server {"):
            before = log_of(agent).count("Failed to reload configs")
            configure(agent, broken)
            agent.process.send_signal(signal.SIGHUP)
            wait_for("the fault is told", lambda: log_of(agent).count("Failed to reload configs") > before)
            need(agent.process.poll() is None and header() == "yes", "a faulty configuration was taken")
        configure(agent, good)
        agent.process.send_signal(signal.SIGHUP)
        wait_for("the header is gone", lambda: header() is None)


# ---- requests and commands

@check
def bad_requests_are_told(binary):
    """Methods, bodies and ids that are wrong: the status, and words that help."""
    with Agent(binary) as agent:
        agent.register(job("ab-one", task("/bin/sleep", "1000")))
        agent.register(job("ab-two", task("/bin/true"), count=0))
        agent.wait_alloc("ab-one")
        nobody = "11111111-2222-3333-4444-555555555555"
        for verb, path, body, status, words in (
                ("PATCH", "/v1/jobs", None, 405, "Invalid method"),
                ("DELETE", "/v1/nodes", None, 405, "Invalid method"),
                ("GET", "/v1/system/gc", None, 405, "Invalid method"),
                ("PUT", "/v1/jobs", b"", 400, "Request body is empty"),
                ("PUT", "/v1/jobs", b"{", 400, "unexpected EOF"),
                ("PUT", "/v1/jobs", b'{"Job": 1}', 400, "cannot unmarshal number into Go struct field"),
                ("PUT", "/v1/jobs", b'{"Job": {"ID": "x"}}', 500, "Missing job task groups"),
                ("GET", f"/v1/allocation/{nobody}", None, 404, "alloc not found"),
                ("GET", f"/v1/node/{nobody}", None, 404, "node not found"),
                ("GET", f"/v1/evaluation/{nobody}", None, 404, "eval not found"),
                ("GET", f"/v1/deployment/{nobody}", None, 404, "deployment not found"),
                ("GET", "/v1/job/nobody", None, 404, "job not found"),
                ("GET", f"/v1/client/fs/ls/{nobody}", None, 404, "nknown allocation"),
                ("GET", "/v1/jobs?index=x", None, 400, "Invalid index"),
                ("GET", "/v1/jobs?wait=soon", None, 400, "Invalid wait time"),
                ("GET", "/v1/nowhere", None, 404, "")):
            connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=30)
            connection.request(verb, path, body)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            connection.close()
            need(answer.status == status and words in text, f"{verb} {path} {body!r}: {answer.status} {text!r}")
        for args, words in (
                (("job", "stop", "ab-"), 'Prefix "ab-" matched multiple jobs'),
                (("job", "stop", "nobody"), "No job(s) with prefix or ID"),
                (("alloc", "status", "ffffffff-ffff"), "No allocation(s) with prefix"),
                (("alloc", "status", "a"), "Identifier must contain at least two characters"),
                (("node", "status", "ffffffff-ffff"), "No node(s) with prefix"),
                (("eval", "status", "ffffffff-ffff"), "No evaluation(s) with prefix"),
                (("job", "run", "/nowhere.hcl"), "no such file or directory")):
            done = agent.cli(*args)
            need(done.returncode == 1 and words in done.stdout + done.stderr, f"{args}: {done.returncode} {done.stdout}{done.stderr}")


@check
def oversize_bodies_do_not_hurt(binary):
    """A job as large as the limit of its source is taken, a body without end is not, and the agent stays small."""
    with Agent(binary) as agent:
        large = job("large", task("/bin/true"), count=0, Meta={"text": "x" * 4_000_000})
        status, _, body = agent.request("PUT", "/v1/jobs", {"Job": large})
        need(status in (200, 413, 500), f"{status} {body[:200]!r}")
        connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=60)
        connection.putrequest("PUT", "/v1/jobs")
        connection.putheader("Content-Length", str(10**12))
        connection.endheaders()
        try:
            for _ in range(2000):
                connection.send(b"[" * 65536)
        except OSError:
            pass  # it was cut off
        connection.close()
        need(agent.process.poll() is None, f"the agent ended:\n{agent.log_tail()}")
        agent.register(job("after", task("/bin/true"), count=0))


@check
def a_missing_program_is_told(binary):
    """The allocation fails, and its event names the program."""
    with Agent(binary) as agent:
        agent.register(job("absent", task("/no/such/program"), kind="batch",
                           RestartPolicy={"Attempts": 0, "Mode": "fail", "Interval": 60 * 10**9, "Delay": 10**9}))
        failed = agent.wait_alloc("absent", "failed")
        events = {e["Type"]: e["DisplayMessage"] for e in failed["TaskStates"]["main"]["Events"]}
        need('binary "/no/such/program" could not be found' in events.get("Driver Failure", ""), f"events: {events}")
        need(not agent.leftovers(), "something of it is left")
