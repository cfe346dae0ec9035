#include "server/raft_membership.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "gossip/serf.h"
#include "raft/replica.h"
#include "server/raft_identity.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr Duration kReconcileInterval = 60s;
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
  for (;;) {
    for (auto& m : server_.serf()->members())
      if (auto parts = server_parts(m); parts && parts->region == server_.config().region) co_await settle(*parts, m.status);
    auto next = server_.world().clock.monotonic() + kReconcileInterval;
    while (server_.world().clock.monotonic() < next) {
      if (queue_.empty()) {
        news_ = Promise<bool>();
        auto news = news_;
        auto timer = server_.world().loop.after(next - server_.world().clock.monotonic(), [news]() mutable { news.set(false); });
        co_await news;
        continue;
      }
      auto change = std::move(queue_.front());
      queue_.pop_front();
      co_await settle(std::move(change.member), change.status);
    }
  }
}

Async<void> RaftMembership::settle(ServerParts member, gossip::MemberStatus status) {
  using enum gossip::MemberStatus;
  if (status != kAlive) outside_.erase(member.id);
  if (status == kAlive) co_await add(std::move(member));
  // None: reaped, forgotten by gossip.
  else if (status == kLeft || status == kNone) co_await remove(std::move(member));
}

Async<void> RaftMembership::add(ServerParts member) {
  if (member.id == "unknown" || member.raft_version < 3) co_return;
  bool self = member.id == server_.node_id();
  if (!self && member.bootstrap && server_.config().bootstrap_expect == 1) {
    log_error(kLog, "skipping adding Raft peer because an existing peer is in bootstrap mode and only one server should be in bootstrap mode",
              {{"joining_peer", member.name}});
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
        log_error(kLog, "failed to remove raft peer", {{"id", s.id}, {"error", gone.error().message}});
        co_return;
      }
    }
  }
  auto added = co_await server_.replica().add_learner({member.id, member.address, raft::Suffrage::kNonvoter});
  if (!added) log_error(kLog, "failed to add raft peer", {{"peer", member.name}, {"error", added.error().message}});
  else log_info(kLog, "added raft peer", {{"peer", member.name}, {"address", member.address}});
}

Async<bool> RaftMembership::is_kin(ServerParts member) {
  std::set<std::string> members;
  for (auto& s : server_.replica().configuration()) members.insert(s.id);
  auto kin = co_await ask_identity(server_, member, std::move(members));
  if (kin.verdict == RaftKin::kMay) {
    outside_.erase(member.id);
    co_return true;
  }
  bool foreign = kin.verdict == RaftKin::kForeign;
  auto& outside = outside_[member.id];
  // The reasons of one that does not answer name times and ports: the first is enough.
  if (std::exchange(outside.told, foreign ? kin.why : "no answer") != (foreign ? kin.why : "no answer"))
    log_error(kLog, foreign ? "server is not taken into this cluster" : "server does not say who it is; asking again",
              {{"peer", member.name}, {"address", member.address}, {"reason", kin.why}});
  if (foreign) co_return false;
  outside.wait = std::clamp(outside.wait * 2, kAskAgain, kReconcileInterval);
  outside.again = server_.world().loop.after(outside.wait, [this, member] { changed(member, gossip::MemberStatus::kAlive); });
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
