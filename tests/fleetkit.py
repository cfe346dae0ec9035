"""Builds the fleet tool (tests/conformance/fleet, simulated nodes over the real wire) and runs it against a server."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import testagent

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(ROOT, "tests", "conformance", "fleet")
PROGRAM = os.path.join(ROOT, "build", "fleet", "fleet")
BUILD_TRIES = 3

#: A server without a client; {more} goes into its server block.
SERVER = testagent.COMMON + "server {{\n  enabled = true\n  bootstrap_expect = 1\n{more}}}\n" + \
    testagent.CONFIG[testagent.CONFIG.index("consul {{"):]


def missing():
    """Why the tool cannot be built here, "" when it can: it needs the Go that its go.mod names."""
    go = shutil.which("go")
    if not go:
        return "no go on PATH"
    with open(os.path.join(SOURCE, "go.mod"), encoding="ascii") as file:
        wanted = re.search(r"^go (\d+)\.(\d+)", file.read(), re.M)
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    have = re.match(r"go(\d+)\.(\d+)", said)
    if not have or tuple(map(int, have.groups())) < tuple(map(int, wanted.groups())):
        return f"{said.strip() or 'this go'} is older than go{wanted.group(1)}.{wanted.group(2)}"
    return ""


def build():
    """The program's path. Its two modules come from the module proxy when they are not in the cache."""
    os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
    for _ in range(BUILD_TRIES):
        done = subprocess.run(["go", "build", "-trimpath", "-buildvcs=false", "-o", PROGRAM, "."], cwd=SOURCE,
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return PROGRAM
    raise testagent.Failed(f"go build of {SOURCE}:\n{done.stderr}")


class Server(testagent.Agent):
    """One server that nodes of the fleet join. As a context, nothing of it is left behind. `more`: of its server block, `extra`:
    further blocks, with doubled braces."""

    def __init__(self, binary, more="", extra="", log_level="WARN"):
        super().__init__(binary, config=SERVER + extra, name="fleet", log_level=log_level, more=more)

    def wait_ready(self, limit_s=60):
        """Until it leads: there is no node yet."""
        def leads():
            if self.process.poll() is not None:
                raise testagent.Failed(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                return self.get("/v1/status/leader") != ""
            except (OSError, testagent.Failed):
                return False
        testagent.wait_for("the server leads", leads, limit_s)

    def stop_jobs(self):
        """Nothing real runs."""

    def fleet(self, *args, limit_s=900, quiet=True):
        """One run of the tool against this server: its report."""
        with tempfile.NamedTemporaryFile(dir=self.home, suffix=".json") as report:
            process = self.start_fleet(report.name, *args, quiet=quiet)
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                raise testagent.Failed(f"the fleet was not done in {limit_s} s") from None
            finally:
                end(process)
            if code != 0:
                raise testagent.Failed(f"the fleet ended with {code}")
            return json.load(report)

    def start_fleet(self, report, *args, quiet=True):
        """The tool as a process of its own."""
        command = [PROGRAM, "-servers", f"127.0.0.1:{self.rpc}", "-http", f"http://127.0.0.1:{self.port}",
                   "-server-pids", str(self.process.pid), "-data-dirs", self.data, "-json", report, *map(str, args)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL if quiet else None)


def end(process):
    """Ends the tool; it writes its report when it is told to."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
