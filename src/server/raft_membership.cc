#include "server/raft_membership.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "gossip/serf.h"
#include "raft/replica.h"
#include "server/raft_identity.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr Duration kReconcileInterval = 60s;
constexpr Duration kLookForGaps = 5s;
constexpr size_t kQueueMax = 32;
constexpr Duration kAskAgain = 2s;

}  // namespace

RaftMembership::RaftMembership(Server& server) : server_(server), running_(run()) {}
RaftMembership::~RaftMembership() = default;

void RaftMembership::changed(const ServerParts& member, gossip::MemberStatus status) {
  if (member.region != server_.config().region || queue_.size() >= kQueueMax) return;
  queue_.push_back({member, status});
  news_.set_from_any_thread(server_.world().loop, true);
}

Async<void> RaftMembership::run() {
  if (!server_.serf()) co_return;
  auto& clock = server_.world().clock;
  for (;;) {
    {
      MetricTimer timer("nomad.leader.reconcile");
      co_await look(true);
    }
    auto next = clock.monotonic() + kReconcileInterval;
    for (auto gaps = clock.monotonic() + kLookForGaps; clock.monotonic() < next;) {
      if (clock.monotonic() >= gaps) {
        co_await look(false);
        gaps = clock.monotonic() + kLookForGaps;
      } else if (queue_.empty()) {
        news_ = Promise<bool>();
        auto news = news_;
        auto timer = server_.world().loop.after(std::min(next, gaps) - clock.monotonic(), [news]() mutable { news.set(false); });
        co_await news;
      } else {
        auto change = std::move(queue_.front());
        queue_.pop_front();
        co_await settle(std::move(change.member), change.status);
      }
    }
  }
}

// At all members, or at those only that gossip and the configuration disagree about and that nobody sees to yet: a server that
// was taken out by hand while it was well, or whose event was lost, would else ask in vain for up to a minute.
Async<void> RaftMembership::look(bool all) {
  for (auto& m : server_.serf()->members()) {
    auto parts = server_parts(m);
    if (!parts || parts->region != server_.config().region) continue;
    if (!all && (outside_.contains(parts->id) || !disagrees(*parts, m.status))) continue;
    co_await settle(*parts, m.status);
  }
}

bool RaftMembership::disagrees(const ServerParts& member, gossip::MemberStatus status) const {
  bool inside = false;
  for (auto& s : server_.replica().configuration()) inside |= s.id == member.id;
  if (status == gossip::MemberStatus::kAlive) return !inside;
  return inside && status == gossip::MemberStatus::kLeft && !server_.membership()->peers().by_id(member.id);
}

Async<void> RaftMembership::settle(ServerParts member, gossip::MemberStatus status) {
  using enum gossip::MemberStatus;
  MetricTimer timer("nomad.leader.reconcileMember");
  if (status != kAlive) outside_.erase(member.id);
  if (status == kAlive) co_await add(std::move(member));
  // None: reaped, forgotten by gossip.
  else if (status == kLeft || status == kNone) co_await remove(std::move(member));
}

Async<void> RaftMembership::add(ServerParts member) {
  if (member.id == "unknown" || member.raft_version < 3) co_return;
  bool self = member.id == server_.node_id();
  if (!self && member.bootstrap && server_.config().bootstrap_expect == 1) {
    tell(member, "skipping adding Raft peer because an existing peer is in bootstrap mode and only one server should be in bootstrap mode", {});
    co_return;
  }
  for (auto& s : server_.replica().configuration())
    if (s.id == member.id && s.address == member.address) co_return;
  if (!self && !co_await is_kin(member)) co_return;
  for (auto& s : server_.replica().configuration()) {
    // Another server has the address now: the old one is no more, unless it has moved as well.
    if (s.id != member.id && s.address == member.address && s.id != server_.node_id() && !server_.membership()->peers().by_id(s.id)) {
      log_info(kLog, "removing server by ID", {{"id", s.id}});
      if (auto gone = co_await server_.replica().remove(s.id); !gone) {
        tell(member, "failed to remove raft peer", gone.error().message);
        ask_again(member);
        co_return;
      }
    }
  }
  auto added = co_await server_.replica().add_learner({member.id, member.address, raft::Suffrage::kNonvoter});
  if (!added) {
    tell(member, "failed to add raft peer", added.error().message);
    ask_again(member);
    co_return;
  }
  outside_.erase(member.id);
  log_info(kLog, "added raft peer", {{"peer", member.name}, {"address", member.address}});
}

// Once for each reason.
void RaftMembership::tell(const ServerParts& member, std::string_view what, const std::string& reason) {
  auto& told = outside_[member.id].told;
  auto why = fmt::format("{}: {}", what, reason);
  if (std::exchange(told, why) == why) return;
  log_error(kLog, what, {{"peer", member.name}, {"address", member.address}, {"reason", reason}});
}

void RaftMembership::ask_again(const ServerParts& member) {
  auto& outside = outside_[member.id];
  outside.wait = std::clamp(outside.wait * 2, kAskAgain, kReconcileInterval);
  outside.again = server_.world().loop.after(outside.wait, [this, member] { changed(member, gossip::MemberStatus::kAlive); });
}

Async<bool> RaftMembership::is_kin(ServerParts member) {
  std::set<std::string> members;
  for (auto& s : server_.replica().configuration()) members.insert(s.id);
  auto kin = co_await ask_identity(server_, member, std::move(members));
  switch (kin.verdict) {
    case RaftKin::kMay: co_return true;
    case RaftKin::kForeign: tell(member, "server is not taken into this cluster", kin.why); break;
    // The reasons of one that does not answer name times and ports: the first is enough.
    case RaftKin::kNoAnswer:
      if (!outside_[member.id].silent) tell(member, "server does not say who it is; asking again", kin.why);
      ask_again(member);
      break;
  }
  outside_[member.id].silent = kin.verdict == RaftKin::kNoAnswer;
  co_return false;
}

Async<void> RaftMembership::remove(ServerParts member) {
  // One that was renamed has left under its old name only.
  if (member.id == server_.node_id() || server_.membership()->peers().by_id(member.id)) co_return;
  for (auto& s : server_.replica().configuration()) {
    if (s.id != member.id) continue;
    log_info(kLog, "removing server by ID", {{"id", s.id}});
    auto gone = co_await server_.replica().remove(s.id);
    if (!gone) log_error(kLog, "failed to remove raft peer", {{"id", s.id}, {"error", gone.error().message}});
  }
}

}  // namespace drover::server
