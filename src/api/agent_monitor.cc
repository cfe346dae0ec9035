#include <fmt/format.h>

#include <mutex>
#include <variant>

#include "api/agent_debug.h"
#include "base/cancel.h"
#include "base/log.h"
#include "base/strings.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "client/client.h"
#include "model/client_stats.h"
#include "model/rpc.h"
#include "net/memory_pipe.h"
#include "net/peer_watch.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"
#include "server/server.h"

namespace drover::api {

Status debug_allowed(const Agent& agent) {
  if (agent.debug_enabled()) return {};
  return Error(ErrorCode::kPermissionDenied, "Permission denied");
}

Result<DebugTarget> debug_target(const Call& call) {
  DebugTarget target{std::string(call.query.get("node_id")), std::string(call.query.get("server_id"))};
  if (!target.node.empty() && !target.server.empty()) return invalid("Can only forward to either client node or server");
  return target;
}

bool is_own(const Call& call, const DebugTarget& target) {
  auto* client = call.agent.client();
  return !target.named() || (client && client->node_id().str() == target.node);
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

Result<rpc::MonitorRequest> request_of(Call& call) {
  rpc::MonitorRequest r;
  r.LogLevel = call.query.get("log_level");
  LogLevel level;
  if (!r.LogLevel.empty() && (!parse_log_level(r.LogLevel, level) || level == LogLevel::kOff))
    return invalid(fmt::format("Unknown log level: {}", r.LogLevel));
  auto flag = [&](std::string_view name, std::string_view shown, bool& out) -> Status {
    auto text = call.query.get(name);
    if (text.empty()) return {};
    auto b = parse_bool(text);
    if (!b) return invalid(fmt::format("Unknown option for {}: strconv.ParseBool: parsing {}: invalid syntax", shown, go_quote(text)));
    out = *b;
    return {};
  };
  DROVER_CHECK(flag("log_json", "log json", r.LogJSON));
  DROVER_CHECK(flag("plain", "plain", r.PlainText));
  return r;
}

// The other end of the monitor that the request is about, the request taken. `local` runs one of this agent's own.
Async<Result<std::unique_ptr<net::Stream>>> open_monitor(Call& call, rpc::MonitorRequest request, bool own, Running& local) {
  if (own) {
    auto [mine, theirs] = net::make_pipe(call.agent.world().loop);
    local = Running(call.agent.self().monitor(std::move(theirs), std::move(request)));
    co_return std::move(mine);
  }
  DROVER_CO_TRY(auto stream, co_await call.agent.stream("Agent.Monitor"));
  std::string bytes = to_msgpack(request);
  DROVER_CO_CHECK(co_await net::write_all(*stream, bytes));
  co_return std::move(stream);
}

Async<Status> pass_log(Call& call, net::Stream& stream) {
  auto& x = call.exchange;
  net::RpcWire wire(stream);
  for (;;) {
    DROVER_CO_TRY(auto bytes, co_await wire.read_value());
    DROVER_CO_TRY(auto message, from_msgpack<rpc::StreamErrWrapper>(bytes));
    if (message.Error) co_return Error(net::rpc_code_of(message.Error->Code.value_or(500)), std::move(message.Error->Message));
    if (!x.started()) DROVER_CO_CHECK(co_await x.start(200));
    if (!co_await x.write(std::move(message.Payload.data))) co_return Status{};
  }
}

}  // namespace

Async<void> run_monitor(Agent& agent, std::unique_ptr<net::Stream> stream, rpc::MonitorRequest request) {
  auto& loop = agent.world().loop;
  LogLevel level = LogLevel::kInfo;
  if (!request.LogLevel.empty()) (void)parse_log_level(request.LogLevel, level);
  auto tap = std::make_shared<Tap>(loop);
  tap->open(level, request.LogJSON);
  TapGuard guard{tap};
  net::RpcWire wire(*stream);
  net::PeerWatch peer(loop, wire);
  while (!peer.gone()) {
    auto news = tap->next();
    auto lines = tap->take();
    if (lines.empty()) {
      (void)co_await peer.wait(until(news), kHeartbeat);
      lines = tap->take();
    }
    if (peer.gone() || (request.PlainText && lines.empty())) continue;
    rpc::StreamErrWrapper out;
    out.Payload.data = request.PlainText ? std::move(lines) : frames_of(lines);
    if (!co_await wire.write(to_msgpack(out))) co_return;
  }
}

Async<Result<Reply>> agent_monitor(Call& call) {
  DROVER_CO_TRY(auto request, request_of(call));
  auto target = debug_target(call);
  if (!target) co_return invalid("Cannot target node and server simultaneously");
  call.exchange.headers().set("Content-Type", request.PlainText ? "text/plain" : "application/json");
  request.NodeID = target->node;
  request.ServerID = target->server;
  DROVER_CO_CHECK(call.parse_options(request));
  Running local;
  DROVER_CO_TRY(auto stream, co_await open_monitor(call, std::move(request), is_own(call, *target), local));
  auto done = co_await pass_log(call, *stream);
  if (!done && !call.exchange.started()) co_return Error(std::move(done).error());
  if (!done) (void)co_await call.exchange.write(done.error().message);
  (void)co_await call.exchange.finish();
  co_return Reply{.sent = true};
}

namespace {

class Self final : public AgentSelf {
 public:
  explicit Self(Agent& agent) : agent_(agent) {}

  Async<Result<rpc::HostDataResponse>> host() override {
    DROVER_CO_CHECK(debug_allowed(agent_));
    rpc::HostDataResponse out;
    out.HostData = co_await on_pool(agent_.world(), [&agent = agent_] { return agent.host_data(); });
    co_return out;
  }
  Async<Result<rpc::AgentPprofResponse>> profile(rpc::AgentPprofRequest request) override {
    DROVER_CO_CHECK(debug_allowed(agent_));
    co_return take_profile(request);
  }
  Async<void> monitor(std::unique_ptr<net::Stream> stream, rpc::MonitorRequest request) override {
    return run_monitor(agent_, std::move(stream), std::move(request));
  }

 private:
  Agent& agent_;
};

}  // namespace

std::unique_ptr<AgentSelf> make_agent_self(Agent& agent) { return std::make_unique<Self>(agent); }

}  // namespace drover::api
