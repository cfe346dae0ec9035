#include <fmt/format.h>

#include <mutex>
#include <variant>

#include "api/agent_debug.h"
#include "base/cancel.h"
#include "base/log.h"
#include "base/strings.h"
#include "codec/json.h"
#include "client/client.h"
#include "model/client_stats.h"
#include "model/rpc.h"
#include "server/server.h"

namespace drover::api {

Status debug_allowed(const Call& call) {
  if (call.agent.debug_enabled()) return {};
  return Error(ErrorCode::kPermissionDenied, "Permission denied");
}

Async<Result<DebugTarget>> debug_target(Call& call) {
  std::string node(call.query.get("node_id")), server(call.query.get("server_id"));
  if (!node.empty() && !server.empty()) co_return invalid("Can only forward to either client node or server");
  if (node.empty() && server.empty()) co_return DebugTarget{};
  if (!node.empty()) {
    auto* client = call.agent.client();
    if (client && client->node_id().str() == node) co_return DebugTarget{true, node};
    rpc::NodeSpecificRequest req;
    req.NodeID = node;
    req.AllowStale = true;
    auto found = co_await call.rpc<rpc::SingleNodeResponse>("Node.GetNode", std::move(req));
    if (!found) co_return Error(std::move(found).error());
    if (!found->Node) co_return not_found(fmt::format("Unknown node {}", go_quote(node)));
    co_return not_found("No path to node");
  }
  auto* local = call.agent.server();
  auto name = fmt::format("{}.{}", call.agent.node_name(), call.agent.region());
  bool own = local && (server == name || server == local->node_id() || (server == "leader" && local->is_leader()));
  if (!own) co_return internal(fmt::format("unknown Nomad server {}", server));
  co_return DebugTarget{true, name};
}

namespace {

constexpr size_t kLinesMax = 512;    // waiting for a slow reader; newer ones are dropped and counted
constexpr size_t kFrameMax = 1024;   // bytes of Data in one frame
constexpr Duration kHeartbeat = 1s;

// Log lines on their way from any thread to one reader on the loop.
class Tap : public std::enable_shared_from_this<Tap> {
 public:
  explicit Tap(Loop& loop) : loop_(loop) {}
  void open(LogLevel level, bool json) {
    id_ = subscribe_log(level, json, [self = weak_from_this()](const std::string& line) {
      if (auto tap = self.lock()) tap->put(line);
    });
  }
  void close() { unsubscribe_log(id_); }

  // Everything that waits, joined; "" when nothing does.
  std::string take() {
    std::lock_guard lock(mutex_);
    auto out = std::exchange(lines_, {});
    count_ = 0;
    if (auto n = std::exchange(dropped_, 0)) out += fmt::format("[WARN] Monitor dropped {} logs during monitor request\n", n);
    return out;
  }
  // On the loop: is set at the next line.
  Promise<std::monostate> next() { return wake_ = Promise<std::monostate>(); }

 private:
  void put(const std::string& line) {
    std::lock_guard lock(mutex_);
    if (count_ == kLinesMax) {
      ++dropped_;
      return;
    }
    lines_ += line;
    if (++count_ == 1) loop_.post([self = shared_from_this()] { self->wake_.set({}); });
  }

  Loop& loop_;
  int id_ = 0;
  std::mutex mutex_;
  std::string lines_;
  size_t count_ = 0, dropped_ = 0;
  Promise<std::monostate> wake_;
};

struct TapGuard {
  std::shared_ptr<Tap> tap;
  ~TapGuard() { tap->close(); }
};

Async<std::monostate> until(Promise<std::monostate> p) { co_return co_await p; }

// The next lines; "" when the heartbeat is due first.
Async<std::string> next_lines(Loop& loop, Tap& tap, bool heartbeats) {
  auto news = tap.next();
  if (auto lines = tap.take(); !lines.empty()) co_return lines;
  CancellableAwait<std::monostate> wait(until(news));
  Timer timer;
  if (heartbeats) timer = loop.after(kHeartbeat, [&wait] { wait.cancel(); });
  (void)co_await wait;
  co_return tap.take();
}

std::string frames_of(std::string_view lines) {
  if (lines.empty()) return "{}";
  std::string out;
  for (size_t at = 0; at < lines.size(); at += kFrameMax) {
    StreamFrame frame;
    frame.Data.data = lines.substr(at, kFrameMax);
    frame.FileEvent = "log";
    json_encode(type_of<StreamFrame>(), &frame, out);
  }
  return out;
}

struct MonitorOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false, plain = false;
};

Result<MonitorOptions> options_of(Call& call) {
  MonitorOptions o;
  auto level = call.query.get("log_level");
  if (!level.empty() && (!parse_log_level(level, o.level) || o.level == LogLevel::kOff))
    return invalid(fmt::format("Unknown log level: {}", level));
  auto flag = [&](std::string_view name, std::string_view shown, bool& out) -> Status {
    auto text = call.query.get(name);
    if (text.empty()) return {};
    auto b = parse_bool(text);
    if (!b) return invalid(fmt::format("Unknown option for {}: strconv.ParseBool: parsing {}: invalid syntax", shown, go_quote(text)));
    out = *b;
    return {};
  };
  DROVER_CHECK(flag("log_json", "log json", o.json));
  DROVER_CHECK(flag("plain", "plain", o.plain));
  return o;
}

}  // namespace

Async<Result<Reply>> agent_monitor(Call& call) {
  DROVER_CO_TRY(auto options, options_of(call));
  if (!call.query.get("node_id").empty() && !call.query.get("server_id").empty())
    co_return invalid("Cannot target node and server simultaneously");
  auto target = co_await debug_target(call);
  call.exchange.headers().set("Content-Type", options.plain ? "text/plain" : "application/json");
  if (!target) {
    // Errors of a stream arrive as its text, with the code in front or none at all.
    auto& e = target.error();
    if (!call.query.get("server_id").empty()) co_return invalid(e.message);
    co_return internal(e.code == ErrorCode::kNotFound ? "RPC Error:: 404," + e.message : e.message);
  }

  auto& loop = call.agent.world().loop;
  auto tap = std::make_shared<Tap>(loop);
  tap->open(options.level, options.json);
  TapGuard guard{tap};
  auto& x = call.exchange;
  while (true) {
    auto lines = co_await next_lines(loop, *tap, !options.plain);
    if (options.plain && lines.empty()) continue;
    if (!x.started()) DROVER_CO_CHECK(co_await x.start(200));
    auto sent = co_await x.write(options.plain ? lines : frames_of(lines));
    if (!sent) co_return Reply{.sent = true};
  }
}

}  // namespace drover::api
