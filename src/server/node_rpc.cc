#include "server/node_rpc.h"

#include <algorithm>

#include "base/cancel.h"
#include "base/strings.h"
#include "codec/msgpack.h"
#include "codec/reflect.h"
#include "model/client_rpc.h"
#include "model/version.h"
#include "net/address.h"
#include "net/rpc_error.h"
#include "server/cluster.h"
#include "server/lookup.h"
#include "server/membership.h"
#include "server/rpc.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kQueryTimeout = 5s;  // of asking the others who has the node

Error no_path() { return not_found("No path to node"); }

// A node that is known and whose agent can be called.
Status check_node(Server& server, const std::string& node_id) {
  DROVER_TRY(auto id, parse_id(node_id, "node lookup failed"));
  auto node = server.snapshot().nodes().get(id);
  if (!node) return not_found("Unknown node " + node_id);
  auto* text = node->Attributes.find("nomad.version");
  auto version = text ? Version::parse(*text) : std::nullopt;
  if (!version) return internal("Unable to determine Nomad version");
  if (compare(*version, *Version::parse("0.8.0-dev")) < 0)
    return internal("Node does not support RPC; requires 0.8 or later");
  return {};
}

// The server of this region to which the node talked last; empty when none.
Async<std::string> server_with_node(Server& server, std::string node_id) {
  if (!server.cluster() || !server.membership()) co_return std::string();
  std::string best;
  Time newest;
  for (auto& other : server.membership()->peers().in_region(server.config().region)) {
    if (other.id == server.node_id()) continue;
    auto address = net::Address::parse(other.address);
    if (!address) continue;
    rpc::NodeSpecificRequest ask;
    ask.Region = server.config().region;
    ask.NodeID = node_id;
    ask.AllowStale = true;
    auto body = co_await with_timeout(server.world().loop, kQueryTimeout,
                                      server.cluster()->pool().call(*address, ask.Region, "Status.HasNodeConn", to_msgpack(ask)),
                                      Error(ErrorCode::kTimeout, "i/o timeout"));
    if (!body) continue;
    auto answer = from_msgpack<rpc::NodeConnQueryResponse>(*body);
    if (!answer || !answer->Connected || (!best.empty() && answer->Established < newest)) continue;
    best = other.address;
    newest = answer->Established;
  }
  co_return best;
}

using Route = NodeRoute;

}  // namespace

Async<Status> call_node(Server& server, std::string node_id, NodeRoute route, const TypeInfo& request_type, const void* request,
                        const TypeInfo& response_type, void* response) {
  DROVER_CO_CHECK(check_node(server, node_id));
  if (!server.cluster()) co_return no_path();
  Result<std::string> body = Error();
  std::string bytes;
  msgpack_encode(request_type, request, bytes);
  if (auto link = server.cluster()->nodes().find(node_id)) {
    body = co_await link->call(std::string(route.on_client), std::move(bytes));
  } else {
    auto* forwarded = request_type.find("Forwarded");
    auto other = forwarded && *static_cast<const bool*>(forwarded->in(request)) ? std::string()
                                                                                : co_await server_with_node(server, node_id);
    if (other.empty()) co_return no_path();
    auto* row = find_rpc(route.on_server);
    co_return co_await server.call_server(other, server.config().region, *row, request, response);
  }
  if (!body) {
    auto& e = body.error();
    co_return e.code == ErrorCode::kInternal ? net::rpc_error(e.message) : std::move(e);  // the node's text tells its code
  }
  std::string_view rest = *body;
  response_type.reset(response);
  co_return msgpack_decode(response_type, response, rest);
}

namespace {

template <class Request>
Result<std::string> node_of_alloc(Server& server, const Request& request) {
  if (request.AllocID.empty()) return invalid("missing AllocID");
  DROVER_TRY(auto id, parse_id(request.AllocID, "alloc lookup failed"));
  auto alloc = server.snapshot().allocs().get(id);
  if (!alloc) return not_found("Unknown allocation " + go_quote(request.AllocID));
  return alloc->NodeID.str();
}

// A procedure about an allocation, answered by its node.
template <const Route& R, class Request, class Response>
Async<Status> of_alloc(Server& server, const Request& request, Response& response) {
  DROVER_CO_TRY(auto node, node_of_alloc(server, request));
  co_return co_await call_node(server, std::move(node), R, type_of<Request>(), &request, type_of<Response>(), &response);
}
template <const Route& R, class Request, class Response>
Async<Status> of_node(Server& server, const Request& request, Response& response) {
  if (request.NodeID.empty()) co_return internal("missing NodeID");
  co_return co_await call_node(server, request.NodeID, R, type_of<Request>(), &request, type_of<Response>(), &response);
}

constexpr Route kSignal{"ClientAllocations.Signal", "Allocations.Signal"};
constexpr Route kRestart{"ClientAllocations.Restart", "Allocations.Restart"};
constexpr Route kCollect{"ClientAllocations.GarbageCollect", "Allocations.GarbageCollect"};
constexpr Route kCollectAll{"ClientAllocations.GarbageCollectAll", "Allocations.GarbageCollectAll"};
constexpr Route kAllocStats{"ClientAllocations.Stats", "Allocations.Stats"};
constexpr Route kChecks{"ClientAllocations.Checks", "Allocations.Checks"};
constexpr Route kStats{"ClientStats.Stats", "ClientStats.Stats"};
constexpr Route kList{"FileSystem.List", "FileSystem.List"};
constexpr Route kStat{"FileSystem.Stat", "FileSystem.Stat"};
constexpr Route kMetaApply{"NodeMeta.Apply", "NodeMeta.Apply"};
constexpr Route kMetaRead{"NodeMeta.Read", "NodeMeta.Read"};

Status has_node_conn(ReadContext& c, const rpc::NodeSpecificRequest& req, rpc::NodeConnQueryResponse& resp) {
  if (req.NodeID.empty()) return internal("Must provide the NodeID");
  if (!c.server.cluster()) return {};
  if (auto since = c.server.cluster()->nodes().established(req.NodeID)) {
    resp.Connected = true;
    resp.Established = *since;
  }
  return {};
}

}  // namespace

Async<Result<std::unique_ptr<net::Stream>>> open_to_node(Server& server, std::string node_id, std::string method) {
  DROVER_CO_CHECK(check_node(server, node_id));
  if (!server.cluster()) co_return no_path();
  if (auto link = server.cluster()->nodes().find(node_id)) co_return co_await link->open(std::move(method));
  auto other = co_await server_with_node(server, std::move(node_id));
  if (other.empty()) co_return no_path();
  DROVER_CO_TRY(auto address, net::Address::parse(other));
  co_return co_await server.cluster()->pool().open_streaming(address, server.config().region, std::move(method));
}

Async<Result<std::unique_ptr<net::Stream>>> open_in_region(Server& server, std::string region, std::string method) {
  std::vector<ServerParts> servers;
  if (server.membership()) servers = server.membership()->peers().in_region(region);
  if (servers.empty() || !server.cluster()) co_return internal("No path to region");
  auto& one = servers[server.world().random.below(servers.size())];
  DROVER_CO_TRY(auto address, net::Address::parse(one.address));
  co_return co_await server.cluster()->pool().open_streaming(address, region, std::move(method));
}

void add_node_rpc_rows(std::vector<RpcRow>& rows) {
  auto add = [&]<auto Fn>(const Route& route) { rows.push_back(rpc_row<Fn>(route.on_server, Where::kLocal)); };
  add.operator()<&of_alloc<kSignal, AllocSignalRequest, GenericResponse>>(kSignal);
  add.operator()<&of_alloc<kRestart, rpc::AllocRestartRequest, GenericResponse>>(kRestart);
  add.operator()<&of_alloc<kCollect, rpc::AllocSpecificRequest, GenericResponse>>(kCollect);
  add.operator()<&of_node<kCollectAll, rpc::NodeSpecificRequest, GenericResponse>>(kCollectAll);
  add.operator()<&of_alloc<kAllocStats, rpc::AllocStatsRequest, rpc::AllocStatsResponse>>(kAllocStats);
  add.operator()<&of_alloc<kChecks, rpc::AllocChecksRequest, rpc::AllocChecksResponse>>(kChecks);
  add.operator()<&of_node<kStats, rpc::NodeSpecificRequest, rpc::ClientStatsResponse>>(kStats);
  add.operator()<&of_alloc<kList, rpc::FsRequest, rpc::FsListResponse>>(kList);
  add.operator()<&of_alloc<kStat, rpc::FsRequest, rpc::FsStatResponse>>(kStat);
  add.operator()<&of_node<kMetaApply, NodeMetaApplyRequest, NodeMetaResponse>>(kMetaApply);
  add.operator()<&of_node<kMetaRead, rpc::NodeSpecificRequest, NodeMetaResponse>>(kMetaRead);
  rows.push_back(rpc_row<&has_node_conn>("Status.HasNodeConn", Where::kLocal));
}

}  // namespace drover::server
