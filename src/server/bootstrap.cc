#include "server/bootstrap.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "model/rpc.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/raft_identity.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr int kAskAttempts = 6;
constexpr Duration kLookAgain = 5s;

}  // namespace

BootstrapLook look_at_pool(const std::vector<ServerParts>& region, std::string_view own_id, int expect) {
  BootstrapLook out;
  int voters = 0;
  for (auto& s : region) {
    if (s.expect != 0 && s.expect != expect) {
      return {BootstrapLook::kRefuse, fmt::format("peer {} has a conflicting expect value; all nodes should expect the same number", s.name), {}};
    }
    if (s.bootstrap) return {BootstrapLook::kRefuse, fmt::format("peer {} has bootstrap mode; expect disabled", s.name), {}};
    if (s.raft_version < 3 || s.id == "unknown") continue;
    voters += !s.non_voter;
    out.servers.push_back(s);
  }
  if (expect == 0 || voters < expect) return out;
  auto lowest = std::min_element(out.servers.begin(), out.servers.end(), [](auto& a, auto& b) {
    return std::pair(a.non_voter, a.id) < std::pair(b.non_voter, b.id);
  });
  if (lowest->id == own_id) out.verdict = BootstrapLook::kAsk;
  return out;
}

Bootstrap::Bootstrap(Server& server) : server_(server), over_(server.config().bootstrap_expect <= 1) {}

void Bootstrap::check() {
  if (over_ || !running_.done()) return;
  if (server_.replica().has_state()) {
    over_ = true;
    return;
  }
  running_ = Running(run());
}

Async<void> Bootstrap::run() {
  auto region = [&] { return server_.membership()->peers().in_region(server_.config().region); };
  auto look = look_at_pool(region(), server_.node_id(), server_.config().bootstrap_expect);
  if (look.verdict == BootstrapLook::kRefuse && std::exchange(told_, look.why) != look.why) log_error(kLog, look.why);
  if (look.verdict != BootstrapLook::kAsk) co_return;
  bool known = false;
  if (co_await others_have_peers(look.servers, known)) {
    if (known) {
      log_info(kLog, "existing Raft peers reported, disabling bootstrap mode");
      over_ = true;
      co_return;
    }
    // No event may come of itself that would make this server look again.
    again_ = server_.world().loop.after(kLookAgain, [this] { check(); });
    co_return;
  }
  std::vector<raft::Server> servers;
  std::string addresses;
  for (auto& s : look.servers) {
    servers.push_back({s.id, s.address, s.non_voter ? raft::Suffrage::kNonvoter : raft::Suffrage::kVoter});
    addresses += (addresses.empty() ? "" : ",") + s.address;
  }
  over_ = true;
  if (server_.replica().has_state()) co_return;
  log_info(kLog, "found expected number of peers, attempting to bootstrap cluster...", {{"peers", addresses}});
  if (auto begun = server_.replica().bootstrap(std::move(servers)); !begun)
    log_error(kLog, "failed to bootstrap cluster", {{"error", begun.error().message}});
}

Async<bool> Bootstrap::others_have_peers(std::vector<ServerParts> servers, bool& known) {
  for (auto& s : servers) {
    if (s.id == server_.node_id()) continue;
    bool answered = false;
    for (int attempt = 0; attempt < kAskAttempts && !answered; ++attempt) {
      if (attempt) co_await sleep_for(server_.world().loop, Duration(1s) * (1 << (attempt - 1)));
      auto kin = co_await ask_identity(server_, s, {});
      if (kin.verdict == RaftKin::kNoAnswer) {
        log_error(kLog, "failed to confirm peer status", {{"peer", s.name}, {"error", kin.why}});
        continue;
      }
      if (kin.verdict == RaftKin::kForeign) {
        auto why = fmt::format("server {} cannot be in this cluster: {}", s.name, kin.why);
        if (std::exchange(told_, why) != why) log_error(kLog, why);
        co_return true;
      }
      answered = true;
      if (!kin.identity.Members.empty()) {
        known = true;
        co_return true;
      }
    }
    if (!answered) co_return true;
  }
  co_return false;
}

}  // namespace drover::server
