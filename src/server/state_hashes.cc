#include "server/state_hashes.h"

#include <algorithm>
#include <list>

#include <fmt/format.h>

#include "base/cancel.h"
#include "codec/msgpack.h"
#include "net/address.h"
#include "net/rpc_pool.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/membership.h"
#include "server/server.h"
#include "state/state_hash.h"

namespace drover::server {
namespace {

constexpr size_t kWaitingMax = 64;
constexpr Duration kWait = 1s, kWaitMax = 10s;
constexpr Duration kAnswerTime = 60s;  // of a server that hashes millions of rows

// How far ahead of the newest state the servers are asked to look, try after try: further where much is written.
constexpr uint64_t kAhead[] = {0, 64, 4096, 65536};

std::string hex(uint64_t n) { return fmt::format("{:016x}", n); }

std::string member_name(Server& server, const std::string& id) {
  if (id == server.node_id()) return server.config().node_name + "." + server.config().region;
  if (auto* membership = server.membership())
    for (auto& s : membership->peers().in_region(server.config().region))
      if (s.id == id) return s.name;
  return "(unknown)";
}

}  // namespace

StateHashes::~StateHashes() = default;

void StateHashes::on_commit(const state::CommitInfo& commit) {
  // The first state at or after an index is the same state everywhere, as long as it is reached entry by entry.
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (commit.index < it->second.index) {
      ++it;
      continue;
    }
    it->second.reached.set_from_any_thread(server_.world().loop, commit.after);
    it = waiting_.erase(it);
  }
}

Async<rpc::ServerStateHash> StateHashes::here(uint64_t at_index, Duration wait) {
  auto snap = server_.snapshot();
  if (snap.index() < at_index && waiting_.size() < kWaitingMax) {
    Promise<state::Snapshot> reached;
    auto place = ++places_;
    waiting_.emplace(place, Waiting{at_index, reached});
    auto patience = server_.world().loop.after(std::clamp(wait, Duration::zero(), kWaitMax), [this, place, reached]() mutable {
      if (waiting_.erase(place)) reached.set(server_.snapshot());
    });
    // The place goes with whoever waits.
    struct Leave {
      StateHashes& self;
      uint64_t place;
      ~Leave() { self.waiting_.erase(place); }
    } leave{*this, place};
    snap = co_await reached;
  }
  auto digest = co_await on_pool(server_.world(), [snap] { return state::digest(snap); });
  rpc::ServerStateHash out;
  out.ID = server_.node_id();
  out.Name = member_name(server_, out.ID);
  out.Address = server_.config().rpc_advertise;
  out.Leader = server_.is_leader();
  out.Index = digest.index;
  out.Hash = hex(digest.hash);
  for (auto& t : digest.tables) out.Tables.push_back({std::string(t.name), hex(t.hash), t.rows});
  co_return out;
}

Async<rpc::ServerStateHash> StateHashes::there(std::string id, std::string address, uint64_t at_index, Duration wait) {
  rpc::ServerStateHash out;
  out.ID = id;
  out.Name = member_name(server_, id);
  out.Address = address;
  auto to = net::Address::parse(address);
  if (!to || !server_.cluster()) {
    out.Error = "no way to the server";
    co_return out;
  }
  rpc::StateHashRequest ask;
  ask.Region = server_.config().region;
  ask.AtIndex = at_index;
  ask.Wait = wait;
  auto body = co_await with_timeout(server_.world().loop, kAnswerTime,
                                    server_.cluster()->pool().call(*to, ask.Region, "Operator.StateHash", to_msgpack(ask)),
                                    Error(ErrorCode::kTimeout, "i/o timeout"));
  auto answer = body ? from_msgpack<rpc::ServerStateHash>(*body) : Result<rpc::ServerStateHash>(Error(body.error()));
  if (!answer) {
    out.Error = answer.error().message;
    co_return out;
  }
  co_return std::move(*answer);
}

Async<std::vector<rpc::ServerStateHash>> StateHashes::ask_all(uint64_t at_index, Duration wait) {
  auto servers = server_.replica().configuration();
  std::vector<rpc::ServerStateHash> answers(servers.size());
  size_t left = servers.size();
  Promise<bool> all;
  auto one = [](StateHashes& self, raft::Server s, uint64_t at, Duration wait, rpc::ServerStateHash& out, size_t& left,
                Promise<bool> all) -> Async<void> {
    out = s.id == self.server_.node_id() ? co_await self.here(at, wait) : co_await self.there(s.id, s.address, at, wait);
    if (--left == 0) all.set_from_any_thread(self.server_.world().loop, true);
  };
  std::list<Running> asking;
  for (size_t i = 0; i < servers.size(); ++i)
    asking.emplace_back(one(*this, servers[i], at_index, wait, answers[i], left, all));
  if (!servers.empty()) co_await all;
  co_return answers;
}

Async<rpc::StateHashesResponse> StateHashes::everywhere() {
  rpc::StateHashesResponse out;
  uint64_t newest = 0;
  for (auto ahead : kAhead) {
    auto answers = co_await ask_all(newest ? newest + ahead : 0, newest ? kWait : Duration::zero());
    bool comparable = !answers.empty(), equal = true;
    for (auto& a : answers) {
      comparable = comparable && a.Error.empty() && a.Index == answers[0].Index;
      equal = equal && a.Hash == answers[0].Hash;
      newest = std::max(newest, a.Index);
    }
    out.Comparable = comparable;
    out.Equal = comparable && equal;
    out.Servers = List<rpc::ServerStateHash>(std::move(answers));
    if (comparable) break;
  }
  std::sort(out.Servers.begin(), out.Servers.end(), [](auto& a, auto& b) { return a.Name < b.Name; });
  out.Index = newest;
  co_return out;
}

}  // namespace drover::server
