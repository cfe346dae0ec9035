#!/usr/bin/env python3
"""Blocking readers of a whole agent: what one that waits costs, and whom a commit wakes.

    readers_bench.py --bin build/release/drover [--readers 50000] [--only rpc,http,lists]

  rpc    a stream for each, over a few connections to the RPC port as agents make them; each waits for something of its own: a job,
         its allocations, its evaluations, a node
  http   a connection for each, from several addresses of the loopback; as many as the limit of open files allows
  lists  2,000 HTTP readers of a list of 4,000 jobs, which is made in the pool, after that list was read

Memory per reader is that of the process (VmRSS), what is left of making the answers included. A write that concerns no reader and one
that concerns a single one follow: how many readers each woke (`state.watch.woken`), and how soon the one had its answer.
"""
import argparse
import contextlib
import os
import resource
import selectors
import socket
import struct
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))
import fleetkit  # noqa: E402
from testagent import Failed, job, status_kib, task, wait_for  # noqa: E402

CONFIG = "limits {{\n  http_max_conns_per_client = 0\n  rpc_max_conns_per_client = 0\n}}\ntelemetry {{\n  prometheus_metrics = true\n}}\n"
READERS = 50_000
LIST_READERS, LISTED = 2000, 4000
STREAMS_A_CONNECTION = 12_500  # a server takes 16,384
OPENING = 128                  # streams of a connection that the server has not accepted yet; it takes 256
OTHER_FILES = 1000             # that the server has open besides the readers' connections
ADDRESSES = 8
WAIT_S = 280
REST_S = 3                     # until the process's memory is what it stays
SYN, ACK, RST = 1, 2, 8
DATA, WINDOW, PING = 0, 1, 2
WOKEN, WAITING = "nomad_state_watch_woken", "nomad_state_watch_waiting"
ONE = 8                        # the reader that the second write concerns: of a job


def show(what, value, unit):
    text = f"{value:,.2f}" if value < 100 and value != int(value) else f"{value:,.0f}"
    print(f"{what:72} {text:>10} {unit}", flush=True)


# ---- RPC: MessagePack over yamux

def pack(value):
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xda" + struct.pack(">H", len(data))) + data
    return bytes([0x80 | len(value)]) + b"".join(pack(k) + pack(v) for k, v in sorted(value.items()))


def frame(kind, flags, stream, length, data=b""):
    return struct.pack(">BBHII", 0, kind, flags, stream, length) + data


class Session:
    """One connection of many streams, a call on each."""

    def __init__(self, address, queue):
        self.socket = socket.create_connection(address)
        self.socket.sendall(b"\x03")
        self.socket.setblocking(False)
        self.received, self.unsent = bytearray(), bytearray()
        self.queue, self.opening, self.readers = queue, 0, {}
        self.answers = {}  # reader: when it came

    def busy(self):
        return bool(self.queue or self.opening or self.unsent)

    def pump(self):
        while self.queue and self.opening < OPENING:
            reader, call = self.queue.pop()
            stream = 2 * len(self.readers) + 1
            self.unsent += frame(WINDOW, SYN, stream, 0) + frame(DATA, 0, stream, len(call), call)
            self.readers[stream] = reader
            self.opening += 1
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                del self.unsent[:self.socket.send(self.unsent)]
        with contextlib.suppress(BlockingIOError):
            while data := self.socket.recv(1 << 18):
                self.received += data
        at = 0
        while len(self.received) - at >= 12:
            _, kind, flags, stream, length = struct.unpack_from(">BBHII", self.received, at)
            if kind == DATA and len(self.received) - at - 12 < length:
                break
            at += 12 + (length if kind == DATA else 0)
            self.take(kind, flags, stream, length)
        del self.received[:at]

    def take(self, kind, flags, stream, length):
        if kind == PING:
            if flags & SYN:
                self.unsent += frame(PING, ACK, 0, length)
            return
        if flags & RST:
            raise Failed(f"stream {stream} was refused")
        if flags & ACK:
            self.opening -= 1
        if kind == DATA and length:
            self.answers.setdefault(self.readers[stream], time.monotonic())


class RpcReaders:
    """`count` readers, a stream each. `call(i)`: method and body of the i-th."""

    def __init__(self, server, count, call):
        queues = [[] for _ in range(-(-count // STREAMS_A_CONNECTION))]
        for i in range(count):
            method, body = call(i)
            request = pack({"ServiceMethod": method, "Seq": 1}) + pack({"Region": "global", "MaxQueryTime": WAIT_S * 10**9, **body})
            queues[i % len(queues)].append((i, request))
        self.sessions = [Session(("127.0.0.1", server.rpc), queue) for queue in queues]
        self.poll = selectors.DefaultSelector()
        for s in self.sessions:
            self.poll.register(s.socket, selectors.EVENT_READ)

    def run(self, seconds, until_answer=False):
        """Keeps the connections going for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until_answer and self.answered()):
            for s in self.sessions:
                s.pump()
            if not any(s.busy() for s in self.sessions):
                self.poll.select(max(0, min(0.2, end - time.monotonic())))

    def answered(self):
        return {reader: at for s in self.sessions for reader, at in s.answers.items()}

    def close(self):
        self.poll.close()
        for s in self.sessions:
            s.socket.close()


class HttpReaders:
    """`count` readers with a connection each. `path(i)`: what the i-th asks for."""

    def __init__(self, server, count, path):
        self.poll, self.answers, self.sockets = selectors.DefaultSelector(), {}, []
        for i in range(count):
            one = socket.socket()
            one.bind((f"127.0.1.{1 + i % ADDRESSES}", 0))
            one.connect(("127.0.0.1", server.port))
            one.sendall(f"GET {path(i)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.poll.register(one, selectors.EVENT_READ, i)
            self.sockets.append(one)

    def run(self, seconds, until_answer=False):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until_answer and self.answers):
            for key, _ in self.poll.select(max(0, min(0.2, end - time.monotonic()))):
                self.answers.setdefault(key.data, time.monotonic())
                key.fileobj.recv(1 << 16)

    def answered(self):
        return self.answers

    def close(self):
        self.poll.close()
        for one in self.sockets:
            one.close()


# ---- measuring

def figures(server):
    """Of the Prometheus text: by name, labels left out."""
    out = {}
    for line in server.request("GET", "/v1/metrics?format=prometheus")[2].decode().splitlines():
        if line and line[0] != "#":
            name, _, value = line.rpartition(" ")
            out[name.split("{")[0]] = float(value)
    return out


def write_job(server, name):
    server.register(job(name, task("/bin/true"), kind="batch", count=0))


def hold(server, kind, count, make):
    """Opens the readers with `make` and prints what they cost."""
    time.sleep(REST_S)
    before = status_kib(server.process.pid, "VmRSS")
    began = time.monotonic()
    readers = make()

    def all_wait():
        readers.run(0.05)
        return figures(server).get(WAITING, 0) >= count
    wait_for("all readers wait", all_wait, 120)
    show(f"{kind}: {count:,} readers wait after", time.monotonic() - began, "s")
    readers.run(REST_S)
    if readers.answered():
        raise Failed(f"{len(readers.answered())} readers were answered before anything was written")
    show(f"{kind}: memory of a reader that waits", (status_kib(server.process.pid, "VmRSS") - before) / count, "KiB")
    return readers


def wake(server, kind, readers):
    before = figures(server).get(WOKEN, 0)
    write_job(server, "of-nobody")
    readers.run(1)
    show(f"{kind}: woken by a write that concerns none", figures(server).get(WOKEN, 0) - before, "readers")
    before, at = figures(server).get(WOKEN, 0), time.monotonic()
    write_job(server, f"reader-{ONE}")
    readers.run(10, until_answer=True)
    answered = readers.answered()
    if set(answered) != {ONE}:
        raise Failed(f"answered: {sorted(answered)[:10]}, not {ONE} alone")
    show(f"{kind}: woken by a write that concerns one", figures(server).get(WOKEN, 0) - before, "readers")
    show(f"{kind}: from the begin of that write to the reader's answer", (answered[ONE] - at) * 1000, "ms")


def settled_index(server):
    """Once the evaluations of what was written are done, which change the jobs' status."""
    wait_for("all jobs are done", lambda: all(j["Status"] == "dead" for j in server.get("/v1/jobs")), 60)
    return server.call("GET", "/v1/jobs")[1]


def rpc_call(i, index):
    name = f"reader-{i}"
    kinds = (("Job.GetJob", {"JobID": name}), ("Job.Allocations", {"JobID": name}), ("Job.Evaluations", {"JobID": name}),
             ("Node.GetNode", {"NodeID": str(uuid.UUID(int=i))}))
    method, body = kinds[i % len(kinds)]
    return method, {"Namespace": "default", "MinQueryIndex": index, **body}


def rpc(binary, args):
    with fleetkit.Server(binary, extra=CONFIG) as server:
        write_job(server, "first")
        index = settled_index(server)
        with contextlib.closing(hold(server, "rpc", args.readers, lambda: RpcReaders(server, args.readers, lambda i: rpc_call(i, index)))) as r:
            wake(server, "rpc", r)


def http(binary, args):
    count = min(args.readers, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_FILES)
    with fleetkit.Server(binary, extra=CONFIG) as server:
        write_job(server, "first")
        query = f"?index={settled_index(server)}&wait={WAIT_S}s"
        with contextlib.closing(hold(server, "http", count, lambda: HttpReaders(server, count, lambda i: f"/v1/job/reader-{i}{query}"))) as r:
            wake(server, "http", r)


def lists(binary, args):
    with fleetkit.Server(binary, extra=CONFIG) as server:
        for i in range(LISTED):
            write_job(server, f"listed-{i}")
        path = f"/v1/jobs?prefix=listed&index={settled_index(server)}&wait={WAIT_S}s"
        server.get("/v1/jobs")
        hold(server, "lists", LIST_READERS, lambda: HttpReaders(server, LIST_READERS, lambda i: path)).close()


STEPS = {"rpc": rpc, "http": http, "lists": lists}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--only", default=",".join(STEPS))
    args = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    for name in args.only.split(","):
        print(f"-- {name} (load average {os.getloadavg()[0]:.1f})", flush=True)
        STEPS[name](args.bin, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
