#include "raft/sim/cluster_sim.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/async.h"
#include "raft/bytes.h"

namespace drover::raft {
namespace {

uint64_t mix(uint64_t h, std::string_view bytes) {
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ull;
  return (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ull;
}

// Runs jobs one at a time after a delay, in order: a slow disk, or a state machine that lags.
class SlowPool final : public Pool {
 public:
  SlowPool(SimLoop& loop, std::function<Duration()> delay) : loop_(loop), delay_(std::move(delay)) {}
  void run(std::move_only_function<void()> fn) override {
    jobs_.push_back(std::move(fn));
    arm();
  }
  // Everything at once: what was under way when the power went.
  void run_all() {
    timer_.cancel();
    armed_ = false;
    while (!jobs_.empty()) take();
  }
  void drop() {
    timer_.cancel();
    armed_ = false;
    jobs_.clear();
  }

 private:
  void arm() {
    if (armed_ || jobs_.empty()) return;
    armed_ = true;
    timer_ = loop_.after(delay_(), [this] {
      armed_ = false;
      take();
      arm();
    });
  }
  void take() {
    auto job = std::move(jobs_.front());
    jobs_.erase(jobs_.begin());
    job();
  }
  SimLoop& loop_;
  std::function<Duration()> delay_;
  std::vector<std::move_only_function<void()>> jobs_;
  Timer timer_;
  bool armed_ = false;
};

class Simulation;

// The state is one number that depends on every entry and its place.
class ChainMachine final : public StateMachine {
 public:
  explicit ChainMachine(Simulation& sim, uint64_t server) : sim_(sim), server_(server) {}
  uint64_t hash = 0, last = 0;
  std::any apply(uint64_t index, std::string_view entry) override;
  std::unique_ptr<SnapshotSource> snapshot() override {
    struct Source : SnapshotSource {
      std::string bytes;
      Status write(SnapshotSink& out) override { return out.write(bytes); }
    };
    auto source = std::make_unique<Source>();
    ByteWriter w(source->bytes);
    w.put(hash);
    w.put(last);
    source->bytes.resize(600'000);  // some chunks to send
    return source;
  }
  Result<Swap> load(SnapshotReader& in) override;

 private:
  Simulation& sim_;
  uint64_t server_;
};

struct SimServer final : Transport {
  SimServer(Simulation& s, uint64_t number) : sim(s), number(number), id(fmt::format("server-{}", number)) {}
  void send(uint64_t peer, const std::string& address, std::string message) override;

  Simulation& sim;
  const uint64_t number;
  const std::string id;
  MemDisk disk;
  std::unique_ptr<SlowPool> log_thread, executor;
  std::unique_ptr<ChainMachine> machine;
  std::unique_ptr<Replica> replica;
  uint64_t epoch = 0;
  bool up() const { return replica != nullptr; }
  Server server() const { return {id, fmt::format("10.0.0.{}:4647", number)}; }
};

class Simulation {
 public:
  explicit Simulation(const ClusterSimOptions& options) : options_(options), sim_(options.seed * 0x9e3779b97f4a7c15ull + 1) {}
  ~Simulation() {
    for (auto& s : servers_) s->replica.reset();
    timers_.clear();
  }
  ClusterSimResult run();

  void applied(uint64_t server, uint64_t index, std::string_view entry, uint64_t hash);
  void restored(uint64_t server, uint64_t index, uint64_t hash);
  void transmit(SimServer& from, uint64_t peer, std::string message);

 private:
  struct Known {
    uint64_t hash;   // of the chain up to here
    uint64_t entry;  // of the entry
  };
  bool chance(double p) { return static_cast<double>(sim_.random.next() >> 11) * 0x1p-53 < p; }
  uint64_t between(uint64_t lo, uint64_t hi) { return lo + sim_.random.below(hi - lo + 1); }
  Duration ms(uint64_t lo, uint64_t hi) { return std::chrono::microseconds(between(lo * 1000, hi * 1000)); }
  void violation(std::string what) {
    if (result_.violations.size() < 20) result_.violations.push_back(fmt::format("seed {}: {}", options_.seed, what));
  }
  void later(Duration d, std::move_only_function<void()> fn);
  void boot(SimServer& s);
  void crash(SimServer& s);
  void lead(SimServer& s, uint64_t term);
  void configured(SimServer& s);
  SimServer* a_leader();
  void partition(const std::function<bool(uint64_t, uint64_t)>& cut);

  void client();
  Async<void> propose_one(SimServer& s, std::string entry);
  Async<void> read_one(SimServer& s);
  void reader();
  void member();
  Async<void> change(SimServer& s);
  void transfer();
  void faults();
  void heal();
  void check_progress();

  ClusterSimOptions options_;
  SimWorld sim_;
  ClusterSimResult result_;
  std::vector<std::unique_ptr<SimServer>> servers_;
  uint64_t next_timer_ = 0;
  std::map<uint64_t, Timer> timers_;
  bool chaos_ = true;

  // network and disk of this seed
  double loss_ = 0, duplicate_ = 0;
  uint64_t delay_min_ = 0, delay_max_ = 0, sync_min_ = 0, sync_max_ = 0;
  bool fifo_ = false, slow_apply_ = false;
  bool cut_[16][16] = {};
  std::map<std::pair<uint64_t, uint64_t>, Monotonic> last_delivery_;
  Options replica_options_;
  std::vector<Server> first_;

  // what the oracle knows
  std::map<uint64_t, Known> known_;
  std::map<uint64_t, uint64_t> leaders_;  // term -> server
  std::map<uint64_t, std::string> configurations_;
  uint64_t acknowledged_ = 0;  // the highest index that a client was told of
  uint64_t next_entry_ = 1;
};

std::any ChainMachine::apply(uint64_t index, std::string_view entry) {
  if (index <= last) sim_.restored(server_, index, ~0ull);
  hash = mix(hash ^ index, entry);
  last = index;
  sim_.applied(server_, index, entry, hash);
  return {};
}

Result<StateMachine::Swap> ChainMachine::load(SnapshotReader& in) {
  std::string all(600'001, '\0');
  size_t have = 0;
  for (;;) {
    DROVER_TRY(size_t got, in.read(all.data() + have, all.size() - have));
    if (got == 0) break;
    have += got;
  }
  return Swap([this, all = all.substr(0, 16)] {
    std::memcpy(&hash, all.data(), 8);
    std::memcpy(&last, all.data() + 8, 8);
    sim_.restored(server_, last, hash);
    return nullptr;
  });
}

void SimServer::send(uint64_t peer, const std::string&, std::string message) { sim.transmit(*this, peer, std::move(message)); }

// ---- oracle

void Simulation::applied(uint64_t server, uint64_t index, std::string_view entry, uint64_t hash) {
  uint64_t own = mix(0, entry);
  auto [it, fresh] = known_.try_emplace(index, Known{hash, own});
  if (fresh) {
    result_.commits++;
    if (std::next(it) != known_.end()) violation(fmt::format("server {} applies index {}, which others skipped", server, index));
  } else if (it->second.entry != own) {
    violation(fmt::format("COMMITTED ENTRY CHANGED: server {} applies another entry at index {}", server, index));
  } else if (it->second.hash != hash) {
    violation(fmt::format("server {} has another state at index {}", server, index));
  }
}

void Simulation::restored(uint64_t server, uint64_t index, uint64_t hash) {
  result_.installs++;
  auto it = known_.find(index);
  if (index == 0 && hash == 0) return;  // the state before any entry
  if (it == known_.end() || it->second.hash != hash) violation(fmt::format("server {} restored a state that never was, at index {}", server, index));
}

void Simulation::lead(SimServer& s, uint64_t term) {
  result_.elections++;
  auto [it, fresh] = leaders_.try_emplace(term, s.number);
  if (!fresh && it->second != s.number) violation(fmt::format("two leaders in term {}: {} and {}", term, it->second, s.number));
  if (s.machine->last < acknowledged_) {
    violation(fmt::format("leader completeness: server {} leads term {} with index {}, acknowledged was {}", s.number, term, s.machine->last, acknowledged_));
  }
}

void Simulation::configured(SimServer& s) {
  Stats st = s.replica->stats();
  std::string text;
  for (auto& m : st.configuration) text += fmt::format("{} {} {};", m.id, m.address, to_string(m.suffrage));
  auto [it, fresh] = configurations_.try_emplace(st.configuration_index, text);
  if (!fresh && it->second != text) violation(fmt::format("configurations differ at index {}: {} and {}", st.configuration_index, it->second, text));
}

// ---- life

void Simulation::later(Duration d, std::move_only_function<void()> fn) {
  uint64_t id = next_timer_++;
  timers_[id] = sim_.loop.after(d, [this, id, fn = std::move(fn)]() mutable {
    auto mine = timers_.extract(id);
    fn();
  });
}

void Simulation::boot(SimServer& s) {
  s.epoch++;
  auto disk_delay = [this] { return ms(sync_min_, sync_max_) + (chance(0.01) ? ms(0, sync_max_ * 30) : 0ms); };
  s.log_thread = std::make_unique<SlowPool>(sim_.loop, disk_delay);
  s.executor = std::make_unique<SlowPool>(sim_.loop, [this] { return ms(0, 6); });
  s.machine = std::make_unique<ChainMachine>(*this, s.number);
  Options o = replica_options_;
  o.self = s.server();
  o.dir = "/raft";
  Parts parts{sim_.world, *s.machine};
  parts.transport = &s;
  parts.disk = &s.disk;
  parts.log_thread = s.log_thread.get();
  if (slow_apply_) parts.apply_executor = s.executor.get();
  auto r = Replica::open(o, parts);
  if (!r) return violation(fmt::format("server {} does not open: {}", s.number, r.error().message));
  s.replica = std::move(*r);
  bool first = std::any_of(first_.begin(), first_.end(), [&](auto& f) { return f.id == s.id; });
  if (first && !s.replica->has_state()) {
    if (auto status = s.replica->bootstrap(first_); !status) violation("bootstrap: " + status.error().message);
  }
  Events events;
  events.leadership = [this, &s](bool leads, uint64_t term) {
    if (leads && s.up()) lead(s, term);
  };
  events.configuration = [this, &s] {
    if (s.up()) configured(s);
  };
  events.fatal = [this, &s](const Error& e) { violation(fmt::format("server {}: {}", s.number, e.message)); };
  s.replica->start(std::move(events));
}

// The power goes: some of what the disk was told is done, then nothing.
void Simulation::crash(SimServer& s) {
  if (!s.up()) return;
  result_.crashes++;
  s.disk.cut_power_after(between(0, 4));
  if (chance(0.7)) s.log_thread->run_all();
  s.replica.reset();
  s.log_thread->drop();
  s.executor->drop();
  s.disk.crash(sim_.random);
}

SimServer* Simulation::a_leader() {
  std::vector<SimServer*> leaders;
  for (auto& s : servers_) {
    if (s->up() && s->replica->is_leader()) leaders.push_back(s.get());
  }
  return leaders.empty() ? nullptr : leaders[sim_.random.below(leaders.size())];
}

// ---- network

void Simulation::transmit(SimServer& from, uint64_t peer, std::string message) {
  result_.messages++;
  SimServer* to = nullptr;
  for (auto& s : servers_) {
    if (peer_id(s->id) == peer) to = s.get();
  }
  if (!to || cut_[from.number][to->number] || chance(loss_)) {
    if (to && chance(0.02)) {
      later(ms(1, 30), [&from, peer, epoch = from.epoch] {
        if (from.up() && from.epoch == epoch) from.replica->report_unreachable(peer);
      });
    }
    return;
  }
  auto shared = std::make_shared<std::string>(std::move(message));
  for (int copies = chance(duplicate_) ? 2 : 1; copies > 0; copies--) {
    Duration d = ms(delay_min_, delay_max_);
    if (chaos_ && chance(0.01)) d += ms(0, delay_max_ * 20);
    if (fifo_) {
      Monotonic& last = last_delivery_[{from.number, to->number}];
      last = std::max(last, sim_.clock.monotonic() + d);
      d = last - sim_.clock.monotonic();
    }
    later(d, [this, to, &from, shared] {
      if (to->up() && !cut_[from.number][to->number]) to->replica->receive(*shared);
    });
  }
}

void Simulation::partition(const std::function<bool(uint64_t, uint64_t)>& cut) {
  for (auto& a : servers_) {
    for (auto& b : servers_) cut_[a->number][b->number] = a != b && cut(a->number, b->number);
  }
}

// ---- what clients and operators do

Async<void> Simulation::propose_one(SimServer& s, std::string entry) {
  uint64_t before = acknowledged_;
  uint64_t own = mix(0, entry);
  auto r = co_await s.replica->propose(std::move(entry));
  if (!r) co_return;
  if (r->index <= before) violation(fmt::format("linearizability: index {} was given to an entry proposed after {} was acknowledged", r->index, before));
  auto it = known_.find(r->index);
  if (it == known_.end() || it->second.entry != own) violation(fmt::format("an entry was acknowledged at index {}, where another one is", r->index));
  acknowledged_ = std::max(acknowledged_, r->index);
}

Async<void> Simulation::read_one(SimServer& s) {
  uint64_t before = acknowledged_;
  uint64_t epoch = s.epoch;
  auto r = co_await s.replica->read_index();
  if (!r) co_return;
  result_.reads++;
  if (*r < before) violation(fmt::format("stale read: index {} after {} was acknowledged", *r, before));
  if (s.epoch == epoch && s.machine->last < before) violation(fmt::format("stale read: state at {} after {} was acknowledged", s.machine->last, before));
}

void Simulation::client() {
  if (SimServer* s = a_leader()) {
    for (uint64_t n = chance(0.1) ? between(5, 60) : between(1, 4); n > 0; n--) {
      std::string entry = fmt::format("entry {} ", next_entry_++);
      entry.append(between(0, 40), 'x');
      spawn(propose_one(*s, std::move(entry)));
    }
  }
  later(ms(1, 60), [this] { client(); });
}

// Asks every server that believes it leads: the stale one is the one to catch.
void Simulation::reader() {
  for (auto& s : servers_) {
    if (s->up() && s->replica->is_leader()) spawn(read_one(*s));
  }
  later(ms(1, 30), [this] { reader(); });
}

Async<void> Simulation::change(SimServer& s) {
  SimServer& other = *servers_[sim_.random.below(servers_.size())];
  auto members = s.replica->configuration();
  auto it = std::find_if(members.begin(), members.end(), [&](auto& m) { return m.id == other.id; });
  auto voters = std::count_if(members.begin(), members.end(), [](auto& m) { return m.suffrage == Suffrage::kVoter; });
  result_.changes++;
  Status status;
  if (it == members.end()) {
    status = chance(0.5) ? co_await s.replica->add_learner(other.server()) : co_await s.replica->add_voter(other.server());
  } else if (it->suffrage == Suffrage::kNonvoter) {
    status = chance(0.3) ? co_await s.replica->remove(other.id) : co_await s.replica->promote(other.id);
  } else if (voters > (chance(0.15) ? 1 : 3)) {
    status = chance(0.5) ? co_await s.replica->remove(other.id) : co_await s.replica->demote(other.id);
  }
}

void Simulation::member() {
  if (!chaos_) return;
  if (SimServer* s = a_leader()) spawn(change(*s));
  later(ms(20, 1200), [this] { member(); });
}

void Simulation::transfer() {
  if (!chaos_) return;
  if (SimServer* s = a_leader()) {
    result_.transfers++;
    spawn([](Replica& r) -> Async<void> { static_cast<void>(co_await r.transfer_leadership()); }(*s->replica));
  }
  later(ms(300, 4000), [this] { transfer(); });
}

void Simulation::faults() {
  if (!chaos_) return;
  auto reboot = [this](SimServer& s, uint64_t within) {
    later(ms(1, within), [this, &s] {
      if (!s.up()) boot(s);
    });
  };
  auto crash_and_reboot = [&](SimServer& s) {
    crash(s);
    reboot(s, 1500);
  };
  uint64_t dice = sim_.random.below(100);
  if (dice < 25) {
    partition([](uint64_t, uint64_t) { return false; });
  } else if (dice < 45) {
    uint64_t side = sim_.random.next();
    partition([&](uint64_t a, uint64_t b) { return ((side >> a) & 1) != ((side >> b) & 1); });
  } else if (dice < 55) {
    partition([&](uint64_t, uint64_t) { return chance(0.3); });
  } else if (dice < 65) {
    if (SimServer* s = a_leader()) partition([&](uint64_t a, uint64_t b) { return a == s->number || b == s->number; });
  } else if (dice < 85) {
    crash_and_reboot(*servers_[sim_.random.below(servers_.size())]);
  } else if (dice < 90) {
    if (SimServer* s = a_leader()) crash_and_reboot(*s);
  } else if (dice < 93) {
    for (auto& s : servers_) {
      crash(*s);
      reboot(*s, 500);
    }
  }
  later(ms(20, 900), [this] { faults(); });
}

void Simulation::heal() {
  chaos_ = false;
  partition([](uint64_t, uint64_t) { return false; });
  loss_ = duplicate_ = 0;
  delay_min_ = sync_min_ = 0;
  delay_max_ = sync_max_ = 3;
  for (auto& s : servers_) {
    if (!s->up()) boot(*s);
  }
}

void Simulation::check_progress() {
  SimServer* leader = nullptr;
  for (auto& s : servers_) {
    if (s->up() && s->replica->is_leader() && (!leader || s->replica->stats().term > leader->replica->stats().term)) leader = s.get();
  }
  std::string state;
  for (auto& s : servers_) {
    if (!s->up()) continue;
    Stats st = s->replica->stats();
    state += fmt::format(" [{} {} term {} last {} commit {} applied {}]", s->number, to_string(st.role), st.term, st.last_log_index, st.commit_index, st.applied_index);
  }
  if (!leader) return violation("no leader after healing:" + state);
  Stats st = leader->replica->stats();
  if (st.applied_index != st.last_log_index) violation("the leader has not applied its log:" + state);
  for (auto& m : st.configuration) {
    for (auto& s : servers_) {
      if (s->id != m.id) continue;
      Stats other = s->replica->stats();
      if (other.applied_index != st.applied_index) violation(fmt::format("server {} is behind after healing:", s->number) + state);
      result_.snapshots += other.last_snapshot_index > 1;
    }
  }
}

ClusterSimResult Simulation::run() {
  uint64_t voters = chance(0.5) ? 3 : 5, servers = options_.membership ? 7 : voters;
  loss_ = chance(0.3) ? 0 : static_cast<double>(between(0, 15)) / 100;
  duplicate_ = chance(0.4) ? 0 : static_cast<double>(between(0, 15)) / 100;
  delay_min_ = between(0, 2);
  delay_max_ = delay_min_ + between(1, 12);
  sync_min_ = between(0, 1);
  sync_max_ = sync_min_ + (chance(0.3) ? between(10, 60) : between(0, 8));
  fifo_ = chance(0.5);
  slow_apply_ = chance(0.5);
  auto& o = replica_options_;
  o.tick = 5ms;
  o.election_ticks = static_cast<uint32_t>(between(12, 30));
  o.heartbeat_ticks = static_cast<uint32_t>(between(2, 4));
  o.snapshot_threshold = between(10, 120);
  o.snapshot_interval = 200ms;
  o.trailing_logs = between(0, 60);
  o.cached_tail = chance(0.5) ? between(0, 5000) : 1u << 20;
  o.max_message = chance(0.3) ? between(1, 400) : between(400, 100'000);
  o.segment = between(2, 64) << 10;
  o.inline_sync = chance(0.2);
  o.request_timeout = 2s;
  for (uint64_t n = 1; n <= servers; n++) {
    servers_.push_back(std::make_unique<SimServer>(*this, n));
    if (options_.lying_disk) servers_.back()->disk.lie();
    if (n <= voters) first_.push_back(servers_.back()->server());
  }
  for (auto& s : servers_) boot(*s);
  later(50ms, [this] { client(); });
  later(50ms, [this] { reader(); });
  later(ms(100, 800), [this] { faults(); });
  if (options_.membership) later(500ms, [this] { member(); });
  later(700ms, [this] { transfer(); });
  sim_.loop.run_until([&] { return !result_.violations.empty(); }, options_.chaos);
  if (!result_.violations.empty()) return result_;
  heal();
  sim_.loop.run_until([&] { return !result_.violations.empty(); }, options_.healed);
  // The clients stop; what is under way ends.
  for (auto& s : servers_) s->epoch++;
  timers_.clear();
  if (!result_.violations.empty()) return result_;
  heal();
  later(5s, [] {});
  sim_.loop.advance(5s);
  check_progress();
  return result_;
}

}  // namespace

ClusterSimResult run_cluster_sim(const ClusterSimOptions& options) { return Simulation(options).run(); }

}  // namespace drover::raft
