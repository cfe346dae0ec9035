#include "server/rpc_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/cancel.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "base/turns.h"
#include "codec/msgpack.h"
#include "codec/reflect.h"
#include "net/rpc_error.h"
#include "net/rpc_wire.h"
#include "model/worker_rpc.h"
#include "server/cluster.h"
#include "server/leader.h"
#include "server/raft_transport.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad.rpc";

// Calls that need more than any certificate of ours (reference security 6.2).
enum class Cert : uint8_t { kServer, kClientOrServer };
struct CertRule {
  std::string_view prefix;
  Cert level;
};
constexpr CertRule kCertRules[] = {
    {"Eval.Dequeue", Cert::kServer},          {"Eval.Ack", Cert::kServer},     {"Eval.Nack", Cert::kServer},
    {"Eval.Update", Cert::kServer},           {"Eval.Create", Cert::kServer},  {"Eval.Reblock", Cert::kServer},
    {"Eval.Reap", Cert::kServer},             {"Plan.Submit", Cert::kServer},  {"Deployment.Reap", Cert::kServer},
    {"Keyring.Get", Cert::kServer},           {"Keyring.Rekey", Cert::kServer}, {"Operator.StateHash", Cert::kServer},
    {"ClientCSI.", Cert::kServer},            {"Alloc.GetAllocs", Cert::kClientOrServer},
    {"Node.UpdateAlloc", Cert::kClientOrServer}, {"Node.EmitEvents", Cert::kClientOrServer},
    {"ServiceRegistration.Upsert", Cert::kClientOrServer},
};

bool has_name(const net::PeerCertificate& peer, std::string_view name) {
  return peer.common_name == name || std::find(peer.dns_names.begin(), peer.dns_names.end(), name) != peer.dns_names.end();
}

std::string names_of(const net::PeerCertificate& peer) {
  auto names = peer.dns_names;
  names.push_back(peer.common_name);
  return fmt::format("[{}]", fmt::join(names, " "));
}

constexpr std::string_view kDequeue = "Eval.Dequeue";

// Calls that say which node is at the other end.
bool tells_node(std::string_view method) {
  return method == "Node.Register" || method == "Node.UpdateStatus" || method == "Node.GetClientAllocs";
}

std::string node_of(const TypeInfo& type, const void* request) {
  if (auto* f = type.find("NodeID"); f && f->type().kind == Kind::kString) return *static_cast<const std::string*>(f->in(request));
  auto* f = type.find("Node");
  if (!f || f->type().kind != Kind::kPointer || f->type().is_nil(f->in(request))) return {};
  auto* node = f->type().at(f->in(request), 0);
  auto& inner = f->type().element();
  auto* id = inner.find("ID");
  return id && id->type().kind == Kind::kUuid ? static_cast<const Uuid*>(id->in(node))->str() : std::string();
}

bool is_set(const TypeInfo& type, const void* request, std::string_view name) {
  auto* f = type.find(name);
  return f && !reflect_default(f->type(), f->in(request));
}

}  // namespace

Error unknown_method(std::string_view method) {
  auto dot = method.rfind('.');
  if (dot == std::string_view::npos) return internal(fmt::format("rpc: service/method request ill-formed: {}", method));
  auto service = method.substr(0, dot + 1);
  if (service == "ACL.") return invalid("ACL support disabled");
  for (auto& row : rpc_table())
    if (row.method.starts_with(service)) return internal(fmt::format("rpc: can't find method {}", method));
  return internal(fmt::format("rpc: can't find service {}", method));
}

RpcServer::RpcServer(Server& server, RaftTransport& raft, RpcTls tls, RpcLimits limits)
    : server_(server), raft_(raft), tls_(std::move(tls)) {
  net::RpcListenerOptions o;
  o.tls = tls_.incoming;
  o.require_tls = tls_.incoming && !tls_.upgrade_mode;
  if (tls_.verify_server_hostname) o.verify_region = server_.config().region;
  o.handshake_timeout = limits.handshake_timeout;
  o.max_conns_per_client = limits.max_conns_per_client;
  net::RpcHandlers h;
  h.rpc = [this](auto s, auto c) { return serve_rpc(std::move(s), std::move(c)); };
  h.streaming = [this](auto s, auto c) { return serve_streaming(std::move(s), std::move(c)); };
  h.raft = [this](auto s, auto c) { return serve_raft(std::move(s), std::move(c)); };
  listener_ = std::make_unique<net::RpcListener>(server_.world(), std::move(o), std::move(h));
}

RpcServer::~RpcServer() = default;

void RpcServer::set_tls(RpcTls tls) {
  tls_ = std::move(tls);
  listener_->set_tls(tls_.incoming, tls_.incoming && !tls_.upgrade_mode,
                     tls_.verify_server_hostname ? server_.config().region : std::string());
}

Status RpcServer::check_certificate(std::string_view method, const net::RpcConnection& c) const {
  if (!tls_.verify_server_hostname || !c.tls) return {};
  auto* rule = std::find_if(std::begin(kCertRules), std::end(kCertRules), [&](auto& r) {
    return r.prefix.ends_with('.') ? method.starts_with(r.prefix) : method == r.prefix;
  });
  if (rule == std::end(kCertRules)) return {};
  auto& region = server_.config().region;
  auto server = "server." + region + ".nomad", client = "client." + region + ".nomad";
  if (has_name(c.peer, server) || (rule->level == Cert::kClientOrServer && has_name(c.peer, client))) return {};
  auto wanted = rule->level == Cert::kServer ? server : client;
  return internal(fmt::format("invalid server connection in region {}: invalid certificate, {} not in {}", region, wanted,
                              names_of(c.peer)));
}

Async<void> RpcServer::serve_raft(std::unique_ptr<net::Stream> stream, Connection c) {
  metric_count("nomad.rpc.raft_handoff");
  auto name = "server." + server_.config().region + ".nomad";
  if (tls_.verify_server_hostname && !tls_.upgrade_mode && !has_name(c->peer, name)) {
    log_warn(kLog, "failed TLS verification for raft connection", {{"remote_addr", c->remote.str()}});
    co_return;
  }
  co_await raft_.serve(std::move(stream));
}

Async<void> RpcServer::serve_streaming(std::unique_ptr<net::Stream> stream, Connection c) {
  metric_count("nomad.streaming_rpc.request");
  co_await answer_stream(server_, std::move(stream));
}

Async<void> RpcServer::serve_rpc(std::unique_ptr<net::Stream> stream, Connection c) {
  net::RpcWire wire(*stream);
  for (;;) {
    auto request = co_await wire.read_request();
    if (!request) {
      if (auto code = request.error().code; code == ErrorCode::kCorrupt || code == ErrorCode::kTooLarge)
        log_error(kLog, "RPC error", {{"remote_addr", c->remote.str()}, {"error", request.error().message}});
      co_return;
    }
    metric_count("nomad.rpc.request");
    auto bytes = co_await answer(wire, c, std::move(*request));
    if (bytes.empty() || !co_await wire.write(std::move(bytes))) co_return;
  }
}

Async<std::string> RpcServer::answer(net::RpcWire& wire, Connection c, net::RpcRequestMessage request) {
  net::RpcResponseMessage response{request.method, request.seq, {}, {}};
  Result<std::string> body = Error();
  bool left = false;
  if (auto* row = find_rpc(request.method); !row) body = unknown_method(request.method);
  else if (auto good = check_certificate(request.method, *c); !good) body = std::move(good).error();
  else body = co_await run(*row, c, std::move(request.body), wire, left);
  if (left) co_return std::string();
  if (body) {
    response.body = std::move(*body);
  } else {
    metric_count("nomad.rpc.request_error");
    response.error = net::rpc_error_text(body.error());
  }
  co_return net::encode_rpc(response);
}

namespace {

// Hangs on a connection. Its end hands back what was dequeued over it and not answered.
struct Work {
  Server& server;
  std::weak_ptr<int> alive;
  std::vector<std::pair<Uuid, Uuid>> evals;  // id, token

  Work(Server& server, std::weak_ptr<int> alive) : server(server), alive(std::move(alive)) {}
  Work(const Work&) = delete;
  ~Work() {
    server.world().loop.post([&server = server, alive = alive, evals = std::move(evals)] {
      if (!alive.lock() || !server.leader()) return;
      // Those that were answered, or taken by somebody else since, have no such token any more.
      for (auto& [id, token] : evals)
        if (server.leader()) (void)server.leader()->nack(id, token);
    });
  }
};

}  // namespace

void RpcServer::note_work(Connection c, const void* dequeued) {
  auto& d = *static_cast<const rpc::EvalDequeueResponse*>(dequeued);
  auto token = Uuid::parse(d.Token);
  auto* leader = server_.leader();
  if (!d.Eval || !token || !leader) return;
  if (!c->work) c->work = std::make_shared<Work>(server_, alive_);
  auto& evals = static_cast<Work*>(c->work.get())->evals;
  std::erase_if(evals, [&](auto& e) { return leader->broker().outstanding(e.first) != e.second; });
  evals.emplace_back(d.Eval->ID, *token);
}

Async<Result<std::string>> RpcServer::run(const RpcRow& row, Connection c, std::string body, net::RpcWire& wire, bool& left) {
  auto& type = row.request();
  auto request = row.make_request();
  auto response = row.make_response();
  std::string_view rest = body;
  note_turn(row.method);
  DROVER_CO_CHECK(msgpack_decode(type, request.get(), rest));
  std::string().swap(body);
  // Status.* means the region that is asked.
  if (auto* region = type.find("Region"); region && row.where != Where::kLocal && !row.method.starts_with("Status.") && !is_set(type, request.get(), "Region"))
    co_return internal("missing region for target RPC");
  if (tells_node(row.method) && !is_set(type, request.get(), "Forwarded"))
    server_.cluster()->nodes().note(c, node_of(type, request.get()), server_.world().clock.now());

  Status status;
  bool query = row.read && is_set(type, request.get(), "MinQueryIndex");
  if (query || row.method == kDequeue) {
    // Who has gone waits no more, and gets no work. The news comes from the loop, never from within the call.
    CancellableAwait<Status> call(server_.invoke(row, request.get(), response.get()));
    auto here = std::make_shared<CancellableAwait<Status>*>(&call);
    auto watch = [](net::RpcWire& wire, Loop& loop, std::weak_ptr<CancellableAwait<Status>*> call) -> Async<void> {
      co_await wire.ended();
      loop.post([call] {
        if (auto c = call.lock()) (*c)->cancel();
      });
    };
    Running watching(watch(wire, server_.world().loop, here));
    auto result = co_await call;
    here.reset();
    if (!result) {
      left = true;
      co_return std::string();
    }
    status = std::move(*result);
  } else {
    status = co_await server_.invoke(row, request.get(), response.get());
  }
  DROVER_CO_CHECK(std::move(status));
  if (row.method == kDequeue) note_work(c, response.get());
  note_turn(row.method);
  if (row.sparse) {
    std::string out;
    msgpack_encode(row.response(), response.get(), out, jobs_);
    co_return out;
  }
  auto encode = [&row, response = std::move(response)] {
    std::string out;
    msgpack_encode(row.response(), response.get(), out);
    return out;
  };
  co_return row.on == On::kPool ? co_await on_pool(server_.world(), std::move(encode)) : encode();
}

}  // namespace drover::server
