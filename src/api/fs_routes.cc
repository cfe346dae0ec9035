#include "api/fs_routes.h"

#include <optional>
#include <variant>

#include <fmt/format.h>

#include "api/client_target.h"
#include "base/cancel.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "client/alloc_fs.h"
#include "model/client_rpc.h"
#include "net/sniff.h"

namespace drover::api {
namespace {

constexpr Duration kHeartbeat = 1s;  // an empty frame when nothing else is sent

// "strconv.ParseInt: parsing "x": invalid syntax"
Result<int64_t> offset_of(std::string_view text, std::string_view what = "offset") {
  auto n = parse_int(text);
  if (!n) return internal(fmt::format("error parsing {}: strconv.ParseInt: parsing {}: invalid syntax", what, go_quote(text)));
  return *n;
}

Result<bool> bool_of(const Call& call, std::string_view name, bool fallback) {
  auto text = call.query.get(name);
  if (text.empty()) return fallback;
  auto b = parse_bool(text);
  if (!b)
    return internal(fmt::format("failed to parse {} field to boolean: strconv.ParseBool: parsing {}: invalid syntax", name, go_quote(text)));
  return *b;
}

Error as_invalid(Error e) {
  e.code = ErrorCode::kInvalid;
  return e;
}

template <class Request>
Request about_file(std::string id, std::string path) {
  Request req;
  req.AllocID = std::move(id);
  req.Path = std::move(path);
  return req;
}

// The files of an allocation of this agent's own node.
Result<client::AllocFiles> local_files(client::Client& local, const std::string& id) { return local.alloc_files(*Uuid::parse(id)); }

Async<Result<Reply>> list(Call& call, std::string id) {
  std::string path(call.query.get("path"));
  if (path.empty()) path = "/";
  if (id.empty()) co_return invalid("must provide a valid alloc id");
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto files, local_files(*local, id));
    DROVER_CO_TRY(auto found, co_await client::list_files(call.agent.world(), files, path));
    co_return call.json(found);
  }
  auto resp = co_await ask_node<rpc::FsListResponse>(call, "FileSystem.List", about_file<rpc::FsRequest>(id, path));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(resp->Files);
}

Async<Result<Reply>> stat(Call& call, std::string id) {
  if (id.empty()) co_return invalid("must provide a valid alloc id");
  std::string path(call.query.get("path"));
  if (path.empty()) co_return invalid("must provide a file name");
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto files, local_files(*local, id));
    DROVER_CO_TRY(auto found, co_await client::stat_file(call.agent.world(), files, path));
    co_return call.json(found);
  }
  auto resp = co_await ask_node<rpc::FsStatResponse>(call, "FileSystem.Stat", about_file<rpc::FsRequest>(id, path));
  if (!resp) co_return Error(std::move(resp).error());
  co_return call.json(resp->Info);
}

std::string origin_text(client::FileOrigin origin) { return origin == client::FileOrigin::kEnd ? "end" : "start"; }

// The frames of a file, from whichever node has it.
Async<Result<std::unique_ptr<client::FrameReader>>> open_file(Call& call, std::string id, client::FileStreamRequest req) {
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto files, local_files(*local, id));
    co_return client::stream_file(call.agent.world(), files, std::move(req));
  }
  auto ask = about_file<rpc::FsStreamRequest>(std::move(id), std::move(req.path));
  ask.Offset = req.offset;
  ask.Origin = origin_text(req.origin);
  ask.Limit = req.limit;
  ask.Follow = req.follow;
  DROVER_CO_TRY(auto stream, co_await ask_node_stream(call, "FileSystem.Stream", std::move(ask)));
  co_return remote_frames(std::move(stream));
}

Async<Result<std::unique_ptr<client::FrameReader>>> open_logs(Call& call, std::string id, client::LogStreamRequest req) {
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto files, local_files(*local, id));
    co_return client::stream_logs(call.agent.world(), files, std::move(req));
  }
  rpc::FsLogsRequest ask;
  ask.AllocID = std::move(id);
  ask.Task = std::move(req.task);
  ask.LogType = std::move(req.type);
  ask.Offset = req.offset;
  ask.Origin = origin_text(req.origin);
  ask.Follow = req.follow;
  DROVER_CO_TRY(auto stream, co_await ask_node_stream(call, "FileSystem.Logs", std::move(ask)));
  co_return remote_frames(std::move(stream));
}

// A file of another node, whole or in part.
Async<Result<std::string>> gather(client::FrameReader& reader) {
  std::string all;
  for (;;) {
    DROVER_CO_TRY(auto frame, co_await reader.next());
    if (!frame) co_return std::move(all);
    all += frame->Data.data;
  }
}

Async<Result<std::string>> read_bytes(Call& call, std::string id, std::string path, int64_t offset, int64_t limit) {
  if (auto* local = local_client_of(call, id)) {
    DROVER_CO_TRY(auto files, local_files(*local, id));
    co_return co_await client::read_file(call.agent.world(), files, path, offset, limit);
  }
  DROVER_CO_TRY(auto reader, co_await open_file(call, std::move(id), {.path = std::move(path), .offset = offset, .limit = limit}));
  co_return co_await gather(*reader);
}

// Bytes that a browser must not run.
Reply raw_bytes(Call& call, std::string bytes) {
  auto& h = call.exchange.headers();
  if (!bytes.empty()) {
    h.set("X-Content-Type-Options", "nosniff");
    h.set("X-XSS-Protection", "1; mode=block");
    h.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  }
  auto type = std::string(net::detect_content_type(bytes));
  if (type.starts_with("text/html")) type = "text/plain";
  return {.body = std::move(bytes), .content_type = std::move(type)};
}

Async<Result<Reply>> read_part(Call& call, std::string id, int64_t offset, int64_t limit) {
  std::string path(call.query.get("path"));
  if (path.empty()) co_return Reply::text("must provide a file name");
  // The reference has sent its status line by the time it finds out: errors are the body of a 200.
  if (id.empty()) co_return Reply::text("must provide a valid alloc id");
  auto bytes = co_await read_bytes(call, std::move(id), std::move(path), offset, limit);
  if (!bytes) co_return Reply::text(bytes.error().message);
  co_return raw_bytes(call, std::move(*bytes));
}

Async<Result<Reply>> cat(Call& call, std::string id) { return read_part(call, std::move(id), 0, 0); }

Async<Result<Reply>> read_at(Call& call, std::string id) {
  if (call.query.get("path").empty()) co_return Reply::text("must provide a file name");
  auto offset = offset_of(call.query.get("offset"));
  if (!offset) co_return Reply::text(offset.error().message);
  int64_t limit = 0;
  if (auto text = call.query.get("limit"); !text.empty()) {
    auto n = offset_of(text, "limit");
    if (!n) co_return Reply::text(n.error().message);
    limit = *n;
  }
  co_return co_await read_part(call, std::move(id), *offset, limit);
}

// A read under way, and the news that it is done.
struct PendingRead {
  std::optional<Result<std::optional<StreamFrame>>> frame;
  Promise<std::monostate> done;
};

// The news comes as a callback of its own: whoever waits for it destroys this flow.
Async<void> read_into(Loop& loop, client::FrameReader& reader, PendingRead& into) {
  into.frame = co_await reader.next();
  into.done.set_from_any_thread(loop, {});
}

Async<std::monostate> until_done(Promise<std::monostate> done) { co_return co_await done; }

// The answer's head, before its first bytes. Frames have no type of their own: theirs is guessed, as text.
Async<Status> begin_stream(Call& call) {
  auto& x = call.exchange;
  if (x.started()) co_return Status{};
  if (!x.headers().has("Content-Type")) x.headers().set("Content-Type", "text/plain; charset=utf-8");
  co_return co_await x.start(200);
}

// The next frame; while nothing comes, an empty one tells the reader that the line is alive, and us when the reader is
// gone.
Async<Result<std::optional<StreamFrame>>> next_frame(Call& call, client::FrameReader& reader, bool heartbeats) {
  if (!heartbeats) co_return co_await reader.next();
  PendingRead pending;
  Running read(read_into(call.agent.world().loop, reader, pending));
  while (!pending.frame) {
    CancellableAwait<std::monostate> wait(until_done(pending.done));
    auto timer = call.agent.world().loop.after(kHeartbeat, [&wait] { wait.cancel(); });
    if (co_await wait) continue;
    DROVER_CO_CHECK(co_await begin_stream(call));
    DROVER_CO_CHECK(co_await call.exchange.write("{}"));
  }
  co_return std::move(*pending.frame);
}

// Sends what the reader gives: bare data, or JSON frames. An error before the first byte gets a status of its own, a
// later one is appended to the body.
Async<Result<Reply>> send_frames(Call& call, std::unique_ptr<client::FrameReader> reader, bool plain, bool follow) {
  auto& x = call.exchange;
  for (;;) {
    auto frame = co_await next_frame(call, *reader, follow && !plain);
    if (!frame && !x.started()) co_return Error(std::move(frame).error());
    if (!frame) (void)co_await x.write(frame.error().message);
    if (!frame || !*frame) break;
    std::string bytes = plain ? std::move((*frame)->Data.data) : to_json(**frame);
    if (bytes.empty()) continue;
    DROVER_CO_CHECK(co_await begin_stream(call));
    DROVER_CO_CHECK(co_await x.write(bytes));
  }
  if (!x.started()) co_return Reply::nothing();
  (void)co_await x.finish();
  co_return Reply{.sent = true};
}

Async<Result<Reply>> stream(Call& call, std::string id) {
  if (id.empty()) co_return invalid("must provide a valid alloc id");
  client::FileStreamRequest req;
  req.path = call.query.get("path");
  if (req.path.empty()) co_return invalid("must provide a file name");
  if (auto text = call.query.get("offset"); !text.empty()) {
    DROVER_CO_TRY(req.offset, offset_of(text));
  }
  auto origin = client::parse_origin(call.query.get("origin"));
  if (!origin) co_return Error(std::move(origin).error());
  req.origin = *origin;
  DROVER_CO_TRY(req.follow, bool_of(call, "follow", true));
  bool follow = req.follow;
  DROVER_CO_TRY(auto reader, co_await open_file(call, std::move(id), std::move(req)));
  co_return co_await send_frames(call, std::move(reader), false, follow);
}

Async<Result<Reply>> logs(Call& call, std::string id) {
  if (id.empty()) co_return invalid("must provide a valid alloc id");
  client::LogStreamRequest req;
  req.task = call.query.get("task");
  if (req.task.empty()) co_return invalid("must provide task name");
  auto follow = bool_of(call, "follow", false);
  if (!follow) co_return as_invalid(std::move(follow).error());
  req.follow = *follow;
  auto plain = bool_of(call, "plain", false);
  if (!plain) co_return as_invalid(std::move(plain).error());
  req.type = call.query.get("type");
  if (req.type != "stdout" && req.type != "stderr") co_return invalid("must provide log type (stdout/stderr)");
  if (auto text = call.query.get("offset"); !text.empty()) {
    auto offset = offset_of(text);
    if (!offset) co_return as_invalid(std::move(offset).error());
    req.offset = *offset;
  }
  auto origin = client::parse_origin(call.query.get("origin"));
  if (!origin) co_return Error(std::move(origin).error());
  req.origin = *origin;
  // Errors from here on come under the type of the answer that was asked for.
  call.exchange.headers().set("Content-Type", *plain ? "text/plain" : "application/json");
  bool followed = req.follow;
  DROVER_CO_TRY(auto reader, co_await open_logs(call, std::move(id), std::move(req)));
  co_return co_await send_frames(call, std::move(reader), *plain, followed);
}

struct FileOp {
  std::string_view prefix;
  Async<Result<Reply>> (*handle)(Call&, std::string id);
  std::string_view timer;  // of a node that is asked itself
};
constexpr FileOp kOps[] = {
    {"ls/", list, "client.file_system.list"},       {"stat/", stat, "client.file_system.stat"},
    {"readat/", read_at, "client.file_system.stream"}, {"cat/", cat, "client.file_system.stream"},
    {"stream/", stream, "client.file_system.stream"},  {"logs/", logs, "client.file_system.logs"},
};

}  // namespace

Async<Result<Reply>> alloc_files(Call& call) {
  std::string_view path = call.rest;
  for (auto& op : kOps)
    if (path.starts_with(op.prefix)) {
      std::string id(path.substr(op.prefix.size()));
      MetricTimer timer(local_client_of(call, id) ? op.timer : "");
      co_return co_await op.handle(call, std::move(id));
    }
  co_return not_found("Invalid method");
}

}  // namespace drover::api
