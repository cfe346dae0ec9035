// Where a call runs: here, at the leader, in another region (reference server-core 5.4).
#include <algorithm>

#include "base/metrics.h"
#include "codec/msgpack.h"
#include "codec/reflect.h"
#include "net/address.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr Duration kHoldTimeout = 5s;    // how long a call waits for a leader
constexpr Duration kHoldPause = 10ms;    // between two looks, twice as long at most
constexpr Duration kLongCall = 1s;       // one that was cut off after it has not used up its time looking for a leader

template <class T>
const T* field(const TypeInfo& type, const void* request, std::string_view name, Kind kind) {
  auto* f = type.find(name);
  return f && f->type().kind == kind ? static_cast<const T*>(f->in(request)) : nullptr;
}

std::string region_of(const TypeInfo& type, const void* request) {
  auto* region = field<std::string>(type, request, "Region", Kind::kString);
  return region ? *region : std::string();
}

bool allows_stale(const TypeInfo& type, const void* request) {
  auto* stale = field<bool>(type, request, "AllowStale", Kind::kBool);
  return stale && *stale;
}

// The request as it goes to another server: marked.
std::string encode_forwarded(const RpcRow& row, const void* request) {
  auto copy = row.make_request();
  auto& type = row.request();
  type.copy(copy.get(), request);
  if (auto* f = type.find("Forwarded"); f && f->type().kind == Kind::kBool) *static_cast<bool*>(f->in(copy.get())) = true;
  std::string out;
  msgpack_encode(type, copy.get(), out);
  return out;
}

Error no_leader(bool leads) {
  return {ErrorCode::kNoLeader, leads ? "Not ready to serve consistent reads" : "No cluster leader"};
}

}  // namespace

Async<Status> Server::call_server(const std::string& address, const std::string& region, const RpcRow& row,
                                  const void* request, void* response) {
  DROVER_CO_TRY(auto to, net::Address::parse(address));
  DROVER_CO_TRY(auto body, co_await cluster_->pool().call(to, region, std::string(row.method), encode_forwarded(row, request)));
  row.response().reset(response);
  std::string_view rest = body;
  co_return msgpack_decode(row.response(), response, rest);
}

Async<Status> Server::call_region(const std::string& region, const RpcRow& row, const void* request, void* response) {
  std::vector<ServerParts> servers;
  if (membership_) servers = membership_->peers().in_region(region);
  if (servers.empty() || !cluster_) co_return internal("No path to region");
  metric_count("nomad.rpc.cross-region." + region);
  auto& one = servers[world().random.below(servers.size())];
  co_return co_await call_server(one.address, region, row, request, response);
}

// Confirms with a majority that this server still leads, so that a read here sees every write that was acknowledged.
Async<Status> Server::confirm_leadership() {
  if (replica_->stats().num_peers == 0) co_return Status{};
  auto confirmed = co_await replica_->read_index();
  if (!confirmed) co_return Error(std::move(confirmed).error());
  co_return Status{};
}

Async<Result<bool>> Server::forward(const RpcRow& row, const void* request, void* response) {
  auto& type = row.request();
  if (auto region = region_of(type, request); !region.empty() && region != config_.region) {
    DROVER_CO_CHECK(co_await call_region(region, row, request, response));
    co_return true;
  }
  if (row.where == Where::kLocal || (row.where == Where::kStale && allows_stale(type, request))) co_return false;
  auto& clock = world().clock;
  auto deadline = clock.monotonic() + kHoldTimeout;
  for (;;) {
    if (leader_ && leader_->ready()) {
      if (row.write || co_await confirm_leadership()) co_return false;
    } else if (auto leader = replica_->leader(); cluster_ && !leader.address.empty() && leader.id != config_.node_id) {
      auto began = clock.monotonic();
      auto status = co_await cluster_->leader_calls().run(leader.id, call_server(leader.address, config_.region, row, request, response));
      if (status) co_return true;
      auto& e = status.error();
      // A leader that is none any more has done nothing; nor has one that was not reached. A read may be asked again.
      bool again = e.code == ErrorCode::kUnavailable || e.code == ErrorCode::kNotLeader || e.code == ErrorCode::kNoLeader ||
                   (e.code == ErrorCode::kIo && row.read);
      if (!again) co_return std::move(status).error();
      if (clock.monotonic() - began > kLongCall && e.code == ErrorCode::kIo) deadline = clock.monotonic() + kHoldTimeout;
    }
    if (stopped_ || clock.monotonic() >= deadline) co_return no_leader(is_leader());
    co_await sleep_for(world().loop, kHoldPause + world().random.jitter(kHoldPause));
  }
}

}  // namespace drover::server
