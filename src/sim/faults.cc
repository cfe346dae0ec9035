#include "sim/faults.h"

#include "gossip/serf.h"
#include "model/operator_rpc.h"
#include "model/rpc.h"
#include "raft/replica.h"
#include "sim/node_box.h"
#include "sim/server_box.h"

namespace drover::sim {

using namespace std::chrono_literals;

const Faults::Fault Faults::kFaults[] = {
    {"kill-server", 8, &Faults::kill_server, true},
    {"kill-leader", 6, &Faults::kill_leader, true},
    {"server-power", 8, &Faults::server_power, true},
    {"all-power", 2, &Faults::all_power},
    {"pause-server", 6, &Faults::pause_server, true},
    {"cut-server", 6, &Faults::cut_server},
    {"isolate-server", 2, &Faults::isolate_server, true},
    {"cut-one-way", 6, &Faults::cut_one_way},
    {"split-servers", 5, &Faults::split_servers},
    {"cut-nodes", 6, &Faults::cut_nodes},
    {"heal", 8, &Faults::heal_network},
    {"reset", 5, &Faults::break_connections},
    {"kill-node", 6, &Faults::kill_node},
    {"node-power", 4, &Faults::node_power},
    {"pause-node", 4, &Faults::pause_node},
    {"slow-disk", 4, &Faults::slow_disk, true},
    {"hang-disk", 3, &Faults::hang_disk, true},
    {"fill-disk", 4, &Faults::fill_disk, true},
    {"break-disk", 3, &Faults::break_disk, true},
    {"jump-clock", 3, &Faults::jump_clock},
    {"snapshot", 4, &Faults::take_snapshot, true},
    {"transfer", 4, &Faults::transfer_leadership, true},
    {"replace-server", 2, &Faults::replace_server},
    {"add-server", 3, &Faults::add_server},
    {"remove-server", 2, &Faults::remove_server},
    {"leave-server", 2, &Faults::leave_server},
    {"lose-majority", 1, &Faults::lose_majority},
};

namespace {
constexpr Duration kBreath = 20s;  // between two faults of a gentle scenario
}

void Faults::start() { arm(); }

void Faults::arm() {
  later(region_.sim.loop, region_.dice.between(Duration(300ms), Duration(15s)), [this] {
    if (over_) return;
    if (region_.sim.clock.monotonic() >= busy_until_) strike();
    arm();
  });
}

void Faults::strike() {
  bool gentle = region_.scenario.gentle;
  uint64_t all = 0;
  for (auto& f : kFaults) all += !gentle || f.minority ? static_cast<uint64_t>(f.weight) : 0;
  auto at = region_.dice.between(uint64_t{0}, all - 1);
  for (auto& f : kFaults) {
    if (gentle && !f.minority) continue;
    if (at < static_cast<uint64_t>(f.weight)) {
      counts_[f.name]++;
      if (gentle) busy_until_ = region_.sim.clock.monotonic() + region_.scenario.fault_pause_max + kBreath;
      return (this->*f.strike)();
    }
    at -= static_cast<uint64_t>(f.weight);
  }
}

void Faults::end() {
  over_ = true;
  region_.trace.event("the faults are over");
  region_.network.heal_all();
  region_.network.quality = net::LinkQuality{};
  for (auto& s : region_.servers) {
    s->disk().disk.fail_on("");
    s->disk().disk.fill("");
    s->disk().thread.hang(false);
    s->disk().thread.delay_min = {};
    s->disk().thread.delay_max = 2ms;
    s->resume();
    if (!s->up()) s->boot_soon(2s);
  }
  for (auto& n : region_.nodes) {
    n->resume();
    if (!n->up()) n->boot_soon(2s);
  }
}

Duration Faults::a_while() { return region_.dice.between(region_.scenario.fault_pause_min, region_.scenario.fault_pause_max); }

void Faults::mend_later(Duration after, std::move_only_function<void()> fn) {
  later(region_.sim.loop, after, [this, fn = std::move(fn)]() mutable {
    if (!over_) fn();
  });
}

ServerBox* Faults::up_server() { return region_.some_server(); }

NodeBox* Faults::up_node() {
  std::vector<NodeBox*> up;
  for (auto& n : region_.nodes)
    if (n->up()) up.push_back(n.get());
  return up.empty() ? nullptr : region_.dice.pick(up);
}

// ---- processes and machines

void Faults::kill_server() {
  if (auto* s = up_server()) {
    s->kill();
    s->boot_soon(a_while());
  }
}
void Faults::kill_leader() {
  if (auto* s = region_.leader()) {
    s->kill();
    s->boot_soon(a_while());
  }
}
void Faults::server_power() {
  if (auto* s = up_server()) {
    s->lose_power();
    s->boot_soon(a_while());
  }
}
void Faults::all_power() {
  for (auto& s : region_.servers) {
    if (!s->up()) continue;
    s->lose_power();
    s->boot_soon(3s);
  }
}
void Faults::pause_server() {
  auto* s = region_.dice.chance(0.5) && region_.leader() ? region_.leader() : up_server();
  if (!s || s->paused()) return;
  region_.trace.event("server {} is paused", s->number());
  s->pause();
  mend_later(a_while(), [this, s] {
    if (!s->paused()) return;
    region_.trace.event("server {} goes on", s->number());
    s->resume();
  });
}
void Faults::kill_node() {
  if (auto* n = up_node()) {
    n->kill();
    n->boot_soon(a_while());
  }
}
void Faults::node_power() {
  if (auto* n = up_node()) {
    n->lose_power();
    n->boot_soon(a_while() * 2);
  }
}
void Faults::pause_node() {
  auto* n = up_node();
  if (!n || n->paused()) return;
  region_.trace.event("node {} is paused", n->name());
  n->pause();
  mend_later(a_while() * 2, [n] { n->resume(); });
}

// ---- network

void Faults::cut_both(const std::string& a, const std::string& b) {
  region_.network.cut(a, b);
  region_.network.cut(b, a);
}

void Faults::cut_server() {
  auto& s = *region_.dice.pick(region_.servers);
  region_.trace.event("server {} is cut off", s.number());
  for (auto& o : region_.servers)
    if (o->ip() != s.ip()) cut_both(s.ip(), o->ip());
  if (region_.dice.chance(0.5))
    for (auto& n : region_.nodes) cut_both(s.ip(), n->ip());
  mend_later(a_while(), [this] { heal_network(); });
}
void Faults::isolate_server() {
  auto& s = *(region_.dice.chance(0.5) && region_.leader() ? region_.leader() : region_.dice.pick(region_.servers).get());
  region_.trace.event("server {} is isolated", s.number());
  region_.network.cut(s.ip());
  mend_later(a_while(), [this] { heal_network(); });
}
void Faults::cut_one_way() {
  auto& a = *region_.dice.pick(region_.servers);
  for (auto& b : region_.servers) {
    if (b.get() == &a || region_.dice.chance(0.4)) continue;
    region_.trace.event("nothing goes from server {} to {}", a.number(), b->number());
    region_.network.cut(a.ip(), b->ip());
  }
  mend_later(a_while(), [this] { heal_network(); });
}
void Faults::split_servers() {
  auto side = region_.dice.next();
  region_.trace.event("the servers are split by {:x}", side & 0xff);
  for (auto& a : region_.servers)
    for (auto& b : region_.servers)
      if (((side >> a->number()) & 1) != ((side >> b->number()) & 1)) region_.network.cut(a->ip(), b->ip());
  for (auto& s : region_.servers)
    for (auto& n : region_.nodes)
      if (region_.dice.chance(0.3)) cut_both(s->ip(), n->ip());
  mend_later(a_while(), [this] { heal_network(); });
}
void Faults::cut_nodes() {
  auto& n = *region_.dice.pick(region_.nodes);
  region_.trace.event("node {} is cut off", n.name());
  bool one_way = region_.dice.chance(0.3);
  for (auto& s : region_.servers) {
    region_.network.cut(s->ip(), n.ip());
    if (!one_way) region_.network.cut(n.ip(), s->ip());
  }
  mend_later(a_while() * 2, [this] { heal_network(); });
}
void Faults::heal_network() {
  region_.trace.event("the network is whole");
  region_.network.heal_all();
}
void Faults::break_connections() {
  auto& s = *region_.dice.pick(region_.servers);
  region_.trace.event("the connections of server {} break", s.number());
  region_.network.reset(s.ip());
}

// ---- disks and clocks

void Faults::slow_disk() {
  auto& s = *region_.dice.pick(region_.servers);
  region_.trace.event("the disk of server {} is slow", s.number());
  s.disk().thread.delay_min = 20ms;
  s.disk().thread.delay_max = 400ms;
  mend_later(a_while(), [this, &s] {
    s.disk().thread.delay_min = region_.scenario.disk_delay_min;
    s.disk().thread.delay_max = region_.scenario.disk_delay_max;
  });
}
void Faults::hang_disk() {
  auto* s = region_.dice.chance(0.5) && region_.leader() ? region_.leader() : up_server();
  if (!s) return;
  region_.trace.event("the disk of server {} hangs", s->number());
  s->disk().thread.hang(true);
  mend_later(a_while(), [s] { s->disk().thread.hang(false); });
}
// Nothing new fits; what is there can be read and written over.
void Faults::fill_disk() {
  auto* s = region_.dice.chance(0.5) && region_.leader() ? region_.leader() : region_.dice.pick(region_.servers).get();
  region_.trace.event("the disk of server {} is full", s->number());
  s->disk().disk.fill("/server");
  mend_later(a_while(), [s] { s->disk().disk.fill(""); });
}
// Every write fails.
void Faults::break_disk() {
  auto& s = *region_.dice.pick(region_.servers);
  region_.trace.event("the disk of server {} fails", s.number());
  s.disk().disk.fail_on("/server");
  mend_later(a_while(), [&s] { s.disk().disk.fail_on(""); });
}
void Faults::jump_clock() {
  auto by = region_.dice.between(Duration(0s), Duration(20min)) - Duration(10min);
  if (region_.dice.chance(0.5)) {
    auto& s = *region_.dice.pick(region_.servers);
    region_.trace.event("the clock of server {} jumps by {}", s.number(), format_duration(by));
    s.host().clock.jump_wall(by);
  } else {
    auto& n = *region_.dice.pick(region_.nodes);
    region_.trace.event("the clock of node {} jumps by {}", n.name(), format_duration(by));
    n.host().clock.jump_wall(by);
  }
}

// ---- the log's configuration

void Faults::take_snapshot() {
  auto* s = up_server();
  if (!s) return;
  region_.trace.event("server {} takes a snapshot", s->number());
  s->run([](server::Server& server) -> Async<void> { (void)co_await server.replica().take_snapshot(); });
}
void Faults::transfer_leadership() {
  auto* s = region_.leader();
  if (!s) return;
  region_.trace.event("server {} gives leadership away", s->number());
  s->run([](server::Server& server) -> Async<void> { (void)co_await server.replica().transfer_leadership(); });
}
// A machine that is lost for good, and a new one with its address.
void Faults::replace_server() {
  if (!region_.scenario.membership) return;
  auto* s = up_server();
  if (!s) return;
  // Only while the others can go on without it.
  size_t well = 0;
  for (auto& o : region_.servers) well += o.get() != s && o->up();
  auto* leader = region_.leader();
  if (!leader || leader == s || well < 2) return;
  auto members = leader->server()->replica().configuration();
  size_t voters = 0, up = 0;
  for (auto& m : members) {
    if (m.suffrage != raft::Suffrage::kVoter) continue;
    voters++;
    for (auto& o : region_.servers) up += o.get() != s && o->up() && o->id() == m.id;
  }
  if (up * 2 <= voters) return;
  s->lose_power();
  s->replace();
  s->boot_soon(a_while());
}
void Faults::add_server() {
  if (!region_.scenario.membership) return;
  for (auto& s : region_.servers) {
    if (s->up() || s->number() <= region_.scenario.servers) continue;
    region_.trace.event("server {} joins", s->number());
    s->boot();
    return;
  }
}
void Faults::remove_server() {
  if (!region_.scenario.membership) return;
  auto* leader = region_.leader();
  if (!leader || leader->server()->replica().configuration().size() <= 3) return;
  auto* s = up_server();
  if (!s) return;
  rpc::RaftPeerByIDRequest req;
  req.ID = s->id();
  region_.trace.event("server {} is removed by hand", s->number());
  leader->ask<GenericResponse>("Operator.RaftRemovePeerByID", std::move(req), [](Result<GenericResponse>) {});
}

// All processes end, and only the machine whose log is the longest is left: everything acknowledged is in it. Its operator
// recovers the cluster with it alone; new machines take the places of the others.
void Faults::lose_majority() {
  if (!region_.scenario.membership || !region_.leader()) return;
  auto voters = region_.leader()->server()->replica().configuration();
  for (auto& s : region_.servers) s->kill();
  ServerBox* left = nullptr;
  std::pair<uint64_t, uint64_t> longest{};
  for (auto& s : region_.servers) {
    bool voter = std::any_of(voters.begin(), voters.end(), [&](auto& v) { return v.id == s->id() && v.suffrage == raft::Suffrage::kVoter; });
    auto end = voter ? s->log_end() : std::pair<uint64_t, uint64_t>();
    if (end <= longest) continue;
    longest = end;
    left = s.get();
  }
  for (auto& s : region_.servers) {
    if (s.get() != left) s->replace();
    s->boot_soon(a_while());
  }
  if (!left) return region_.violation("no server has a log that can be read");
  region_.trace.event("only server {} is left, with its log up to term {} index {}", left->number(), longest.first, longest.second);
  left->recover_alone();
}

// It says goodbye, and comes back after a while with what it had.
void Faults::leave_server() {
  if (!region_.scenario.membership) return;
  auto* leader = region_.leader();
  auto* s = up_server();
  if (!leader || !s || leader->server()->replica().configuration().size() <= 3) return;
  region_.trace.event("server {} leaves", s->number());
  s->run([](server::Server& server) -> Async<void> { co_await server.leave(); });
  later(region_.sim.loop, 15s, [this, s] {
    if (over_) return;
    s->kill();
    s->boot_soon(a_while());
  });
}

}  // namespace drover::sim
