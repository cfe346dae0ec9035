"""The metrics that dashboards look for: one agent does everything once, and what it shows is compared with `metrics.txt`."""
import base64
import os
import re
import socket
import time

from testagent import CONFIG, Agent, Failed, job, task, wait_for

CHECKS = []
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.txt")
TELEMETRY = """
telemetry {{
  prometheus_metrics         = true
  publish_allocation_metrics = true
  publish_node_metrics       = true
  collection_interval        = "1s"
  disable_hostname           = true
}}
"""
VOLUME = {"Volumes": [{"ID": "x", "Name": "x", "PluginID": "p",
                       "RequestedCapabilities": [{"AccessMode": "single-node-writer", "AttachmentMode": "file-system"}]}]}
VARIABLE = {"Path": "x", "Namespace": "default", "Items": {"a": "b"}}

#: What is read, and then what is written. {alloc}, {node}, {eval}, {deployment}, {service}: ids. Refusals count like answers.
READS = """
/v1/jobs /v1/job/svc /v1/job/svc/versions /v1/job/svc/submission?version=0 /v1/job/svc/allocations /v1/job/svc/evaluations
/v1/job/svc/deployments /v1/job/svc/deployment /v1/job/svc/summary /v1/job/svc/scale /v1/job/svc/services /v1/nodes /v1/node/{node}
/v1/node/{node}/allocations /v1/allocations /v1/allocation/{alloc} /v1/allocation/{alloc}/services /v1/client/allocation/{alloc}/checks
/v1/evaluations /v1/evaluations/count /v1/evaluation/{eval} /v1/evaluation/{eval}/allocations /v1/deployments /v1/deployment/{deployment}
/v1/deployment/allocations/{deployment} /v1/namespaces /v1/namespace/default /v1/services /v1/service/web /v1/volume/csi/x
/v1/plugin/csi/x /v1/volumes/external?plugin_id=x /v1/volumes/snapshot?plugin_id=x /v1/vars /v1/var/x /v1/operator/keyring/keys
/v1/scaling/policies /v1/scaling/policy/x /v1/status/leader /v1/status/peers /v1/regions /v1/agent/members
/v1/operator/raft/configuration /v1/operator/scheduler/configuration /v1/operator/autopilot/configuration /v1/operator/autopilot/health
/v1/client/stats?node_id={node} /v1/client/allocation/{alloc}/stats /v1/client/fs/ls/{alloc}?path=/ /v1/client/fs/stat/{alloc}?path=/alloc
/v1/client/fs/cat/{alloc}?path=/alloc/logs/main.stdout.0 /v1/client/fs/logs/{alloc}?task=main&type=stdout
/v1/client/metadata?node_id={node} /v1/operator/snapshot
""".split()
WRITES = [
    ("PUT", "/v1/search", {"Prefix": "s", "Context": "jobs"}),
    ("PUT", "/v1/search/fuzzy", {"Text": "sv", "Context": "jobs"}),
    ("PUT", "/v1/job/svc/evaluate", {"JobID": "svc"}),
    ("PUT", "/v1/job/svc/stable", {"JobID": "svc", "JobVersion": 0, "Stable": True}),
    ("PUT", "/v1/job/svc/scale", {"Target": {"Group": "group"}, "Count": 2, "Message": "x"}),
    ("PUT", "/v1/job/svc/revert", {"JobID": "svc", "JobVersion": 0}),
    ("PUT", "/v1/job/param/dispatch", {"Payload": base64.b64encode(b"x").decode()}),
    ("PUT", "/v1/job/cron/periodic/force", {}),
    ("PUT", "/v1/deployment/pause/{deployment}", {"DeploymentID": "{deployment}", "Pause": True}),
    ("PUT", "/v1/deployment/promote/{deployment}", {"DeploymentID": "{deployment}", "All": True}),
    ("PUT", "/v1/deployment/fail/{deployment}", {}),
    ("PUT", "/v1/deployment/allocation-health/{deployment}", {"DeploymentID": "{deployment}", "HealthyAllocationIDs": ["{alloc}"]}),
    ("PUT", "/v1/node/{node}/evaluate", {}),
    ("PUT", "/v1/node/{node}/eligibility", {"NodeID": "{node}", "Eligibility": "eligible"}),
    ("PUT", "/v1/client/allocation/{alloc}/restart", {"TaskName": "main"}),
    ("PUT", "/v1/client/allocation/{alloc}/signal", {"Signal": "SIGUSR1", "TaskName": "main"}),
    ("PUT", "/v1/namespace", {"Name": "x"}),
    ("DELETE", "/v1/namespace/x", None),
    ("PUT", "/v1/var/x", VARIABLE),
    ("PUT", "/v1/var/x?cas=1", VARIABLE),
    ("DELETE", "/v1/var/x?cas=1", None),
    ("DELETE", "/v1/var/x", None),
    ("PUT", "/v1/operator/keyring/rotate", {}),
    ("DELETE", "/v1/operator/keyring/key/00000000-0000-0000-0000-000000000000", None),
    ("PUT", "/v1/operator/scheduler/configuration", {"SchedulerAlgorithm": "binpack"}),
    ("PUT", "/v1/operator/autopilot/configuration", {"CleanupDeadServers": True}),
    ("PUT", "/v1/system/gc", {}),
    ("PUT", "/v1/system/reconcile/summaries", {}),
    ("PUT", "/v1/node/{node}/drain", {"DrainSpec": None, "MarkEligible": True}),
    ("PUT", "/v1/allocation/{alloc}/stop", {}),
    ("PUT", "/v1/client/allocation/{alloc}/gc", {}),
    ("PUT", "/v1/client/gc?node_id={node}", {}),
    ("DELETE", "/v1/service/web/{service}", None),
    ("PUT", "/v1/volume/csi/x", VOLUME),
    ("PUT", "/v1/volume/csi/x/create", VOLUME),
    ("DELETE", "/v1/volume/csi/x", None),
    ("DELETE", "/v1/volume/csi/x/delete", None),
    ("DELETE", "/v1/volume/csi/x/detach?node={node}", None),
    ("PUT", "/v1/volumes/snapshot", {"Snapshots": [{"SourceVolumeID": "x", "Name": "x"}]}),
    ("DELETE", "/v1/volumes/snapshot?plugin_id=x&snapshot_id=1", None),
]
STREAMS = ("/v1/event/stream", "/v1/agent/monitor", "/v1/agent/monitor?node_id={node}")


def check(function):
    CHECKS.append(function)
    return function


def table():
    """name: (kind, sets of labels)"""
    rows = {}
    with open(TABLE, encoding="ascii") as file:
        for line in file:
            if not line.startswith("#"):
                name, kind, sets = line.split()
                rows[name] = kind, {frozenset(() if s == "-" else s.split(",")) for s in sets.split("|")}
    return rows


class Seen:
    """What an agent has shown, over several looks: gauges of what has ended are gone after a minute."""

    def __init__(self, agent):
        self.agent, self.rows, self.values = agent, {}, {}

    def look(self):
        kinds = {}
        for line in self.agent.request("GET", "/v1/metrics?format=prometheus")[2].decode().splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:4]
                kinds[name] = kind
            elif line and line[0] != "#":
                series, _, value = line.rpartition(" ")
                name = series.split("{")[0]
                labels = set(re.findall(r'(\w+)="', series)) - {"quantile"}
                if name in kinds:
                    kind, sets = self.rows.setdefault(name, (kinds[name], set()))
                    sets.add(frozenset(labels))
                self.values[series] = float(value)
        return self

    def lacks(self):
        """What the table has and this has not, or otherwise."""
        faults = []
        for name, (kind, sets) in table().items():
            seen = self.rows.get(name)
            if not seen:
                faults.append(f"{name}: is not there")
            elif seen[0] != kind:
                faults.append(f"{name}: is a {seen[0]}, not a {kind}")
            elif seen[1] != sets:
                faults.append(f"{name}: labels {sorted(map(sorted, seen[1]))}, not {sorted(map(sorted, sets))}")
        return faults


def fill(value, ids):
    """The ids in a path or a body."""
    if isinstance(value, str):
        return value.format(**ids) if "{" in value else value
    if isinstance(value, dict):
        return {k: fill(v, ids) for k, v in value.items()}
    return [fill(v, ids) for v in value] if isinstance(value, list) else value


def listen(agent, path):
    """Follows a stream for a moment."""
    with socket.create_connection((agent.host, agent.port), timeout=5) as one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        one.recv(16)


def start_work(agent):
    """Jobs of every kind; the ids of what came of them."""
    sleeper, short, brief = task("/bin/sleep", "600"), task("/bin/true"), task("/bin/sleep", "3")
    web = {"Services": [{"Name": "web", "Provider": "nomad", "PortLabel": "1234", "AddressMode": "auto"}],
           "Update": {"MaxParallel": 1, "MinHealthyTime": 10**8, "HealthyDeadline": 6 * 10**10, "ProgressDeadline": 10**11}}
    jobs = [job("svc", sleeper, **web), job("batch", short, kind="batch"),
            {**job("param", brief, kind="batch"), "ParameterizedJob": {"Payload": "optional"}},
            {**job("cron", brief, kind="batch"), "Periodic": {"Enabled": True, "SpecType": "cron", "Spec": "0 0 1 1 *"}},
            job("huge", {**sleeper, "Resources": {"CPU": 999999, "MemoryMB": 10}})]
    for one in jobs:
        agent.call("PUT", "/v1/jobs", {"Job": one, "Submission": {"Source": "x", "Format": "hcl2"}})
        agent.call("PUT", "/v1/validate/job", {"Job": one})
        agent.call("PUT", f"/v1/job/{one['ID']}/plan", {"Job": one, "Diff": True})
    alloc = agent.wait_alloc("svc")
    agent.wait_alloc("batch", "complete")
    wait_for("the deployment is over", lambda: [d for d in agent.get("/v1/job/svc/deployments") if d["Status"] == "successful"])
    deployment = agent.get("/v1/job/svc/deployments")[0]
    service = wait_for("a service", lambda: agent.get("/v1/service/web"))[0]
    return {"alloc": alloc["ID"], "node": alloc["NodeID"], "eval": alloc["EvalID"], "deployment": deployment["ID"], "service": service["ID"]}


@check
def dashboards_find_their_metrics(binary):
    """Names, kinds and labels of the reference's metrics, after everything was done once."""
    with Agent(binary, config=CONFIG + TELEMETRY) as agent:
        ids = start_work(agent)
        seen = Seen(agent).look()
        for path in READS:
            agent.request("GET", fill(path, ids))
        agent.cli("alloc", "exec", "-address", f"http://{agent.host}:{agent.port}", "-i=false", "-t=false", "-job", "svc", "/bin/true")
        for verb, path, body in WRITES:
            agent.request(verb, fill(path, ids), fill(body, ids))
            seen.look()
        for path in STREAMS:
            listen(agent, fill(path, ids))
        for name in ("svc", "batch"):
            agent.request("DELETE", f"/v1/job/{name}?purge={'true' if name == 'batch' else 'false'}")
        end = time.monotonic() + 30
        while (faults := seen.look().lacks()) and time.monotonic() < end:
            agent.request("PUT", "/v1/system/gc")  # what was stopped goes once it has ended
            time.sleep(0.5)
        if faults:
            raise Failed("\n".join(faults))
