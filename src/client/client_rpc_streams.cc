// The streaming procedures of a node: FileSystem.Logs, FileSystem.Stream, Allocations.Exec. Answers are StreamErrWrapper
// messages: JSON frames, or bare bytes with PlainText.
#include <optional>

#include "base/cancel.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "client/alloc_fs.h"
#include "client/client.h"
#include "client/client_rpc.h"
#include "client/exec_frames.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "drivers/driver.h"
#include "model/agent_self.h"
#include "model/client_rpc.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"

namespace drover::client {
namespace {

constexpr Duration kHeartbeat = 1s;  // an empty frame when nothing else is sent
constexpr std::string_view kEmptyFrame = "{}";

Async<Status> send(net::Stream& stream, std::string payload) {
  rpc::StreamErrWrapper out;
  out.Payload.data = std::move(payload);
  std::string bytes = to_msgpack(out);
  co_return co_await net::write_all(stream, bytes);
}

Async<void> send_error(net::Stream& stream, Error e) {
  rpc::StreamErrWrapper out;
  out.Error.ensure().Message = std::move(e.message);
  out.Error->Code = net::rpc_status_of(e.code);
  std::string bytes = to_msgpack(out);
  (void)co_await net::write_all(stream, bytes);
}

Result<AllocFiles> files_of(Client& client, const std::string& id) {
  if (id.empty()) return invalid("must provide a valid alloc id");
  auto parsed = Uuid::parse(id);
  if (!parsed || parsed->nil()) return not_found("Unknown allocation " + go_quote(id));
  return client.alloc_files(*parsed);
}

// A read under way, and the news that it is done.
struct PendingRead {
  std::optional<Result<std::optional<StreamFrame>>> frame;
  Promise<bool> news;
};

Async<Status> send_frames(World& world, net::Stream& stream, FrameReader& reader, bool plain) {
  for (;;) {
    PendingRead pending;
    Running read([](FrameReader& reader, PendingRead& into, Loop& loop) -> Async<void> {
      into.frame = co_await reader.next();
      into.news.set_from_any_thread(loop, true);  // the waiter destroys this flow
    }(reader, pending, world.loop));
    while (!pending.frame) {
      pending.news = Promise<bool>();
      auto news = pending.news;
      auto timer = world.loop.after(kHeartbeat, [news]() mutable { news.set(false); });
      if (!co_await news && !plain) DROVER_CO_CHECK(co_await send(stream, std::string(kEmptyFrame)));
    }
    auto frame = std::move(*pending.frame);
    if (!frame) co_return std::move(frame).error();
    if (!*frame) co_return Status{};
    auto payload = plain ? std::move((*frame)->Data.data) : to_json(**frame);
    if (!payload.empty()) DROVER_CO_CHECK(co_await send(stream, std::move(payload)));
  }
}

Async<Status> logs(World& world, Client& client, net::Stream& stream, net::RpcWire&, std::string body) {
  DROVER_CO_TRY(auto req, from_msgpack<rpc::FsLogsRequest>(body));
  DROVER_CO_TRY(auto files, files_of(client, req.AllocID));
  LogStreamRequest ask;
  ask.task = req.Task;
  ask.type = req.LogType;
  ask.offset = req.Offset;
  ask.follow = req.Follow;
  DROVER_CO_TRY(ask.origin, parse_origin(req.Origin));
  auto reader = stream_logs(world, files, ask);
  co_return co_await send_frames(world, stream, *reader, req.PlainText);
}

Async<Status> file(World& world, Client& client, net::Stream& stream, net::RpcWire&, std::string body) {
  DROVER_CO_TRY(auto req, from_msgpack<rpc::FsStreamRequest>(body));
  DROVER_CO_TRY(auto files, files_of(client, req.AllocID));
  FileStreamRequest ask;
  ask.path = req.Path;
  ask.offset = req.Offset;
  ask.limit = req.Limit;
  ask.follow = req.Follow;
  DROVER_CO_TRY(ask.origin, parse_origin(req.Origin));
  auto reader = stream_file(world, files, std::move(ask));
  co_return co_await send_frames(world, stream, *reader, req.PlainText);
}

Async<void> pump_input(net::RpcWire& wire, drivers::ExecSession& session) {
  for (;;) {
    auto message = co_await wire.read_value();
    if (!message) co_return;
    auto frame = from_msgpack<ExecTaskStreamingRequest>(*message);
    if (!frame) continue;
    co_await feed_exec(session, *frame);
  }
}

Async<Status> pump_output(net::Stream& stream, drivers::ExecSession& session) {
  for (;;) {
    DROVER_CO_TRY(auto out, co_await session.read());
    auto frame = exec_frame(std::move(out));
    DROVER_CO_CHECK(co_await send(stream, to_json(frame)));
    if (frame.Exited) co_return Status{};
  }
}

Async<Status> exec(World& world, Client& client, net::Stream& stream, net::RpcWire& wire, std::string body) {
  DROVER_CO_TRY(auto req, from_msgpack<rpc::AllocExecRequest>(body));
  auto id = Uuid::parse(req.AllocID);
  if (!id || id->nil()) co_return not_found("Unknown allocation " + go_quote(req.AllocID));
  DROVER_CO_TRY(auto session, co_await client.exec(*id, req.Task, req.Cmd.to_vector(), req.Tty));
  co_return co_await run_exec(world.loop, pump_input(wire, *session), pump_output(stream, *session));
}

using Handler = Async<Status> (*)(World&, Client&, net::Stream&, net::RpcWire&, std::string body);

// Runs the handler; where the other side only listens, its end is the handler's.
// `Timer` measures the session.
template <Handler Fn, bool Listens, const char* Timer>
Async<void> serve(World& world, Client& client, std::unique_ptr<net::Stream> stream, std::string unread) {
  MetricTimer timer(Timer);
  net::RpcWire wire(*stream, std::move(unread));
  auto body = co_await wire.read_value();
  if (!body) co_return;
  CancellableAwait<Status> work(Fn(world, client, *stream, wire, std::move(*body)));
  auto here = std::make_shared<CancellableAwait<Status>*>(&work);
  Running watch([](net::RpcWire& wire, Loop& loop, std::weak_ptr<CancellableAwait<Status>*> work) -> Async<void> {
    if (!Listens) co_return;
    co_await wire.ended();
    loop.post([work] {
      if (auto w = work.lock()) (*w)->cancel();
    });
  }(wire, world.loop, here));
  auto done = co_await work;
  here.reset();
  watch.reset();
  if (done && !*done) co_await send_error(*stream, std::move(*done).error());
  stream->shutdown_write();
}

Async<void> monitor(World&, Client& client, std::unique_ptr<net::Stream> stream, std::string unread) {
  MetricTimer timer("client.agent.monitor");
  net::RpcWire wire(*stream, std::move(unread));
  auto body = co_await wire.read_value();
  if (!body) co_return;
  auto request = from_msgpack<rpc::MonitorRequest>(*body);
  LogLevel level;
  if (!request) {
    co_await send_error(*stream, request.error());
  } else if (!request->LogLevel.empty() && !parse_log_level(request->LogLevel, level)) {
    co_await send_error(*stream, invalid("Unknown log level"));
  } else if (client.self) {
    co_await client.self->monitor(std::move(stream), std::move(*request));
    co_return;
  }
  stream->shutdown_write();
}

struct StreamRow {
  std::string_view method;
  ClientStreamFn serve;
};
constexpr char kLogsTimer[] = "client.file_system.logs", kStreamTimer[] = "client.file_system.stream",
               kExecTimer[] = "client.allocations.exec";
constexpr StreamRow kStreams[] = {
    {"FileSystem.Logs", serve<&logs, true, kLogsTimer>},
    {"FileSystem.Stream", serve<&file, true, kStreamTimer>},
    {"Allocations.Exec", serve<&exec, false, kExecTimer>},
    {"Agent.Monitor", monitor},
};

}  // namespace

ClientStreamFn find_client_stream(std::string_view method) {
  for (auto& row : kStreams)
    if (row.method == method) return row.serve;
  return nullptr;
}

}  // namespace drover::client
