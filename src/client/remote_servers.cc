#include "client/remote_servers.h"

#include <algorithm>

#include "base/cancel.h"
#include "base/log.h"
#include "codec/msgpack.h"
#include "codec/reflect.h"

namespace drover::client {
namespace {

constexpr std::string_view kLog = "client.rpc";
constexpr Duration kBlockingMax = 300s;

// How long the server may keep the call waiting: the time of a blocking query.
Duration time_to_block(const TypeInfo& type, const void* request) {
  auto* index = type.find("MinQueryIndex");
  if (!index || reflect_default(index->type(), index->in(request))) return {};
  auto* wait = type.find("MaxQueryTime");
  auto d = wait && wait->type().kind == Kind::kDuration ? *static_cast<const Duration*>(wait->in(request)) : Duration::zero();
  if (d <= Duration::zero() || d > kBlockingMax) d = kBlockingMax;
  return d + d / 16;
}

// These say the same however often they are heard.
bool is_idempotent(std::string_view method) { return method == rpc::kNodeUpdateStatus.name || method == rpc::kNodeRegister.name; }

// Nothing was done, or it may be done twice.
bool can_retry(const Error& e, bool read) {
  return e.code == ErrorCode::kUnavailable || e.code == ErrorCode::kNoLeader || e.code == ErrorCode::kNotLeader ||
         (e.code == ErrorCode::kIo && read);
}

}  // namespace

RemoteServers::RemoteServers(World& world, net::Network& network, Options options)
    : world_(world), options_(std::move(options)), pool_(world, network, std::move(options_.pool)), list_(world.random) {
  rebalancing_ = Running(rebalance_flow());
}

RemoteServers::~RemoteServers() = default;

Status RemoteServers::set_addresses(const std::vector<std::string>& texts) {
  std::vector<net::Address> out;
  for (auto& text : texts) {
    DROVER_TRY(auto address, parse_server_address(text));
    out.push_back(std::move(address));
  }
  list_.set(std::move(out));
  return {};
}

std::vector<std::string> RemoteServers::addresses() const {
  std::vector<std::string> out;
  for (auto& a : list_.all()) out.push_back(a.str());
  return out;
}

void RemoteServers::set_servers(const List<NodeServerInfo>& servers, int num_nodes) {
  std::vector<net::Address> out;
  for (auto& s : servers) {
    auto address = parse_server_address(s.RPCAdvertiseAddr);
    if (address) out.push_back(std::move(*address));
    else log_warn(kLog, "bad server address in a heartbeat's answer", {{"address", s.RPCAdvertiseAddr}, {"error", address.error().message}});
  }
  num_nodes_ = num_nodes;
  if (!out.empty()) list_.set(std::move(out));
}

Async<Status> RemoteServers::call_method(std::string_view method, const TypeInfo& request_type, const void* request,
                                         const TypeInfo& response_type, void* response) {
  std::string body;
  msgpack_encode(request_type, request, body);
  bool read = request_type.find("MinQueryIndex") != nullptr;
  auto blocks = time_to_block(request_type, request);
  auto deadline = world_.clock.monotonic() + options_.hold + blocks;
  // How long a blocking query takes is the server's business; keepalive finds out a dead one.
  auto attempt = blocks > Duration::zero() ? Duration::zero() : options_.attempt;
  const Error silent(ErrorCode::kTimeout, "rpc error: no answer from the server");
  for (;;) {
    auto server = list_.find();
    if (!server) co_return Error(ErrorCode::kUnavailable, "no servers");
    auto answer = co_await with_timeout(world_.loop, attempt, pool_.call(*server, options_.region, std::string(method), body), silent);
    if (answer) {
      response_type.reset(response);
      std::string_view rest = *answer;
      co_return msgpack_decode(response_type, response, rest);
    }
    auto& e = answer.error();
    // What a server refuses another would refuse as well; only trouble moves the node on.
    bool hangs = e.message == silent.message;
    if (hangs) {
      pool_.probe(*server);
      attempt = attempt * 2;
    }
    bool trouble = hangs || can_retry(e, true);
    if (trouble) {
      list_.failed(*server);
      log_debug(kLog, "error performing RPC to server", {{"error", e.message}, {"rpc", std::string(method)}, {"server", server->str()}});
    }
    bool again = can_retry(e, read) || (hangs && (read || is_idempotent(method)));
    if (!again || world_.clock.monotonic() >= deadline) co_return std::move(answer).error();
    co_await sleep_for(world_.loop, world_.random.jitter(options_.hold / 16));
  }
}

Async<Result<std::unique_ptr<net::Stream>>> RemoteServers::open_streaming(std::string method) {
  auto left = std::max<size_t>(1, list_.all().size());
  for (;;) {
    auto server = list_.find();
    if (!server) co_return Error(ErrorCode::kUnavailable, "no servers");
    auto stream = co_await pool_.open_streaming(*server, options_.region, method);
    if (stream || stream.error().code != ErrorCode::kUnavailable || --left == 0) co_return std::move(stream);
    list_.failed(*server);
  }
}

Async<Status> RemoteServers::ping(net::Address address) {
  rpc::GenericRequest request;
  request.Region = options_.region;
  auto answer = co_await pool_.call(std::move(address), options_.region, "Status.Ping", to_msgpack(request));
  if (!answer) co_return std::move(answer).error();
  co_return Status{};
}

// Now and then the nodes spread over the servers anew, so that one that came back gets its share.
Async<void> RemoteServers::rebalance_flow() {
  for (;;) {
    co_await sleep_for(world_.loop, list_.rebalance_interval(num_nodes_));
    list_.shuffle();
    auto order = list_.all();
    if (order.size() < 2) continue;
    for (auto& server : order) {
      if (auto well = co_await ping(server); well) {
        list_.prefer(server);
        break;
      }
    }
  }
}

}  // namespace drover::client
