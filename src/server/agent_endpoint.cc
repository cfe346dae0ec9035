// Agent.Host, Agent.Profile, Agent.Monitor: of this server, of another one by name, id or "leader", of a node.
#include "base/log.h"
#include "base/strings.h"
#include "codec/msgpack.h"
#include "model/agent_self.h"
#include "net/rpc_error.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"
#include "server/cluster.h"
#include "server/lookup.h"
#include "server/membership.h"
#include "server/node_rpc.h"
#include "server/rpc.h"
#include "server/server.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

std::string own_name(Server& server) { return server.config().node_name + "." + server.config().region; }

Status check_node(Server& server, const std::string& id) {
  auto parsed = parse_id(id, "node lookup failed");
  if (!parsed) return internal(parsed.error().message);
  if (!server.snapshot().nodes().get(*parsed)) return not_found("Unknown node " + go_quote(id));
  return {};
}

// The RPC address of a server of this region; empty: this one.
Result<std::string> server_address(Server& server, const std::string& name) {
  if (name == "leader") {
    if (server.is_leader()) return std::string();
    auto address = server.leader_address();
    if (address.empty()) return Error(ErrorCode::kNoLeader, "No cluster leader");
    return address;
  }
  if (name == own_name(server) || name == server.node_id()) return std::string();
  if (server.membership())
    for (auto& other : server.membership()->peers().in_region(server.config().region))
      if (other.name == name || other.id == name) return other.address;
  return internal("unknown Nomad server " + name);
}

// Answers from here with `own`, or has the agent that the request names answer.
template <class Request, class Response, class Own>
Async<Status> of_agent(Server& server, std::string_view method, const Request& request, Response& response, Own own) {
  if (!request.NodeID.empty()) {
    DROVER_CO_CHECK(check_node(server, request.NodeID));
    co_return co_await call_node(server, request.NodeID, {method, method}, type_of<Request>(), &request, type_of<Response>(),
                                 &response);
  }
  if (!request.ServerID.empty()) {
    DROVER_CO_TRY(auto address, server_address(server, request.ServerID));
    if (!address.empty()) {
      Request there = request;
      there.ServerID.clear();
      co_return co_await server.call_server(address, server.config().region, *find_rpc(method), &there, &response);
    }
  }
  if (!server.self()) co_return Error(ErrorCode::kNotImplemented, "Invalid method");
  DROVER_CO_TRY(response, co_await own(*server.self()));
  response.AgentID = own_name(server);
  co_return Status{};
}

Async<Status> host(Server& server, const rpc::HostDataRequest& request, rpc::HostDataResponse& response) {
  co_return co_await of_agent(server, "Agent.Host", request, response, [](AgentSelf& self) { return self.host(); });
}

Async<Status> profile(Server& server, const rpc::AgentPprofRequest& request, rpc::AgentPprofResponse& response) {
  co_return co_await of_agent(server, "Agent.Profile", request, response,
                              [&request](AgentSelf& self) { return self.profile(request); });
}

using Hop = Result<std::unique_ptr<net::Stream>>;

Async<Hop> monitor_of_node(Server& server, std::string region, std::string id) {
  if (region != server.config().region) co_return co_await open_in_region(server, std::move(region), "Agent.Monitor");
  DROVER_CO_CHECK(check_node(server, id));
  co_return co_await open_to_node(server, std::move(id), "Agent.Monitor");
}

// Null: this server is meant.
Async<Hop> monitor_of_server(Server& server, std::string region, std::string name) {
  if (region != server.config().region) co_return co_await open_in_region(server, std::move(region), "Agent.Monitor");
  if (name.empty()) co_return std::unique_ptr<net::Stream>();
  DROVER_CO_TRY(auto text, server_address(server, name));
  if (text.empty()) co_return std::unique_ptr<net::Stream>();
  DROVER_CO_TRY(auto address, net::Address::parse(text));
  co_return co_await server.cluster()->pool().open_streaming(address, region, "Agent.Monitor");
}

}  // namespace

Async<void> serve_monitor(Server& server, std::unique_ptr<net::Stream> stream, std::string unread) {
  net::RpcWire wire(*stream, std::move(unread));
  auto bytes = co_await wire.read_value();
  if (!bytes) co_return;
  auto request = from_msgpack<rpc::MonitorRequest>(*bytes);
  LogLevel level;
  if (!request) {
    co_await refuse_stream(*stream, request.error().message, 500);
    co_return;
  }
  if (!request->LogLevel.empty() && !parse_log_level(request->LogLevel, level)) {
    co_await refuse_stream(*stream, "Unknown log level", 400);
    co_return;
  }
  auto region = request->Region.empty() ? server.config().region : request->Region;
  bool node = !request->NodeID.empty();
  auto there = node ? co_await monitor_of_node(server, region, request->NodeID) : co_await monitor_of_server(server, region, request->ServerID);
  if (!there) {
    // A fault of a node's comes with its own code in the text, under another; so clients of the reference expect it.
    auto& e = there.error();
    if (node) co_await refuse_stream(*stream, "RPC Error:: " + std::to_string(net::rpc_status_of(e.code)) + "," + e.message, 500);
    else co_await refuse_stream(*stream, e.message, request->ServerID.empty() ? 500 : 400);
    co_return;
  }
  if (*there) {
    if (region == server.config().region) request->ServerID.clear();  // in another region it is found there
    co_await net::bridge(server.world().loop, *stream, **there, to_msgpack(*request) + wire.take_unread());
    co_return;
  }
  if (server.self()) co_await server.self()->monitor(std::move(stream), std::move(*request));
}

void add_agent_rows(std::vector<RpcRow>& rows) {
  rows.push_back(rpc_row<&host>("Agent.Host", Where::kLocal));
  rows.push_back(rpc_row<&profile>("Agent.Profile", Where::kLocal));
}

}  // namespace drover::server
