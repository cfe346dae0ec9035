#include "server/raft_identity.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/cancel.h"
#include "codec/msgpack.h"
#include "model/rpc_requests.h"
#include "net/address.h"
#include "net/rpc_pool.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kTimeout = 5s;

}  // namespace

RaftKin judge_identity(const Result<rpc::RaftIdentity>& answer, const std::set<std::string>& members) {
  if (!answer) {
    bool unknown = answer.error().message.find("rpc: can't find") != std::string::npos;
    if (!unknown) return {RaftKin::kNoAnswer, answer.error().message, {}};
    return {RaftKin::kForeign, "it does not replicate as this cluster does: servers of another kind need a region of their own", {}};
  }
  if (answer->Wire != kRaftWire)
    return {RaftKin::kForeign, fmt::format("it replicates in version {} of the protocol, this server in version {}", answer->Wire, kRaftWire),
            *answer};
  bool known = std::any_of(answer->Members.begin(), answer->Members.end(), [&](auto& id) { return members.contains(id); });
  if (!members.empty() && !answer->Members.empty() && !known)
    return {RaftKin::kForeign, "it belongs to another cluster: clear its data directory to let it join this one, or give it a region of its own",
            *answer};
  return {RaftKin::kMay, "", *answer};
}

Async<RaftKin> ask_identity(Server& server, ServerParts other, std::set<std::string> members) {
  auto to = net::Address::parse(other.address);
  if (!to || !server.cluster()) co_return RaftKin{RaftKin::kNoAnswer, "no way to the server", {}};
  rpc::GenericRequest request;
  request.Region = server.config().region;
  auto body = co_await with_timeout(server.world().loop, kTimeout,
                                    server.cluster()->pool().call(*to, request.Region, "Status.RaftIdentity", to_msgpack(request)),
                                    Error(ErrorCode::kTimeout, "i/o timeout"));
  Result<rpc::RaftIdentity> answer = body ? from_msgpack<rpc::RaftIdentity>(*body) : Result<rpc::RaftIdentity>(Error(body.error()));
  co_return judge_identity(answer, members);
}

Status raft_identity(Server& server, rpc::RaftIdentity& out) {
  out.Wire = kRaftWire;
  out.ID = server.node_id();
  for (auto& s : server.replica().configuration()) out.Members.push_back(s.id);
  return {};
}

}  // namespace drover::server
