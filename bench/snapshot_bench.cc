// snapshot_bench [--allocations 100000] [--dir D]
//
// What a snapshot of a large state costs a server: writing it, starting again with it, and the longest time for which
// the loop is not free (a probe is due every millisecond) while a snapshot is taken, sent to a new server and
// installed there, with client reports being applied all along. Two servers, a thread and a loop each, joined in memory.
// Last a server that gets all of the state through its log (plans and reports), and starts again with what it then has.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <thread>

#include "base/allocator.h"
#include "base/async.h"
#include "base/log.h"
#include "base/sim_loop.h"
#include "net/real_world.h"
#include "raft/replica.h"
#include "raft/snapshot_store.h"
#include "server/alloc_update_batch.h"
#include "server/state_machine.h"
#include "state/alloc_ops.h"
#include "state/fixtures.h"
#include "state/fsm.h"
#include "state/node_ops.h"

namespace drover {
namespace {

using namespace state::fixtures;
using Steady = std::chrono::steady_clock;

constexpr size_t kPerNode = 50, kPerJob = 200, kBatch = server::AllocUpdateBatch::kReportsPerEntry;

double since(Steady::time_point t) { return std::chrono::duration<double>(Steady::now() - t).count(); }

Uuid alloc_id(size_t i) {
  SimRandom random(i + 1);
  return Uuid::generate(random);
}

Allocation running(size_t k) {
  auto r = report(alloc_id(k), "running");
  r.DeploymentStatus = AllocDeploymentStatus{.Healthy = true, .Timestamp = at(9)};
  for (auto& e : r.TaskStates["server"].Events) e.Details = SharedMap<std::string>::empty_map();
  r.TaskStates["server"].Events[1].Details.set("message", "Building Task Directory");
  return r;
}

Ref<AllocMetric> metrics() {
  AllocMetric m;
  m.NodesEvaluated = 40;
  m.NodesAvailable["dc1"] = 2000;
  for (int i = 0; i < 5; ++i) {
    NodeScoreMeta s;
    s.NodeID = uid(static_cast<uint64_t>(i)).str();
    s.Scores = {{"binpack", 0.5}, {"job-anti-affinity", 0}, {"node-affinity", 0}, {"node-reschedule-penalty", 0}};
    s.NormScore = 0.5;
    m.ScoreMetaData.push_back(std::move(s));
  }
  return std::make_shared<const AllocMetric>(std::move(m));
}

// Nodes, jobs and running allocations of a region; each job's allocations share resources and metrics, as a plan's do.
void fill(state::Store& store, size_t n) {
  auto commit = [&](auto fn) {
    auto txn = store.begin(store.snapshot().index() + 1, at(0));
    fn(txn);
    store.publish(std::move(txn));
  };
  for (size_t i = 0; i * kPerNode < n; ++i) commit([&](auto& t) { (void)upsert_node(t, node(i + 1)); });
  for (size_t i = 0; i * kPerJob < n; ++i) {
    auto id = fmt::format("job-{}", i);
    commit([&](auto& t) { (void)upsert_job(t, job(id)); });
    commit([&](auto& t) {
      auto j = t.job_versions()->get("default", id, 0);
      auto m = metrics();
      std::vector<Allocation> batch;
      for (size_t k = i * kPerJob; k < std::min(n, (i + 1) * kPerJob); ++k) {
        auto& a = batch.emplace_back(alloc(k, j, uid(k / kPerNode + 1), uid(i + 10)));
        a.ID = alloc_id(k);
        a.DeploymentID = uid(i + 20);
        a.NodeName = fmt::format("node-{}", k / kPerNode + 1);
        a.Metrics = m;
        a.CreateTime = a.ModifyTime = at(0).unix_nanos;
      }
      (void)upsert_allocs(t, std::move(batch));
    });
  }
  for (size_t i = 0; i < n; i += kBatch)
    commit([&](auto& t) {
      List<Allocation> reports;
      for (size_t k = i; k < std::min(n, i + kBatch); ++k) reports.push_back(running(k));
      (void)update_allocs_from_client(t, reports);
    });
}

// The longest time between two turns of a loop, that which one in a hundred exceeds, and the most CPU time that its thread
// used between two: the first two count what else runs on the machine, the third only what this loop does. Used on the loop.
class Probe {
 public:
  explicit Probe(Loop& loop) : loop_(loop) { arm(); }
  std::string take() {
    auto gaps = std::exchange(gaps_, {});
    std::sort(gaps.begin(), gaps.end());
    double longest = gaps.empty() ? 0 : gaps.back(), p99 = gaps.empty() ? 0 : gaps[gaps.size() * 99 / 100];
    return fmt::format("{:8.1f} ms, p99 {:.1f} ms, at most {:.1f} ms work", longest, p99, std::exchange(work_, 0.0));
  }

 private:
  static double cpu_ms() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
  }
  void arm() {
    timer_ = loop_.after(1ms, [this, asked = Steady::now(), used = cpu_ms()] {
      gaps_.push_back(since(asked) * 1e3 - 1);
      work_ = std::max(work_, cpu_ms() - used);
      arm();
    });
  }
  Loop& loop_;
  Timer timer_;
  std::vector<double> gaps_;
  double work_ = 0;
};

struct Member;
struct Link final : raft::Transport {
  Member* other = nullptr;
  std::string name;  // of the own server
  void send(uint64_t peer, const std::string& address, std::string message) override;
};

struct Member {
  net::RealWorld world{2};
  state::Store store;
  server::StateMachine machine{store, {[](const state::Effects&, uint64_t) {}, [](const Error& e) { fmt::print("{}\n", e.message); }}};
  Link link;
  std::unique_ptr<raft::Replica> replica;
  std::unique_ptr<Probe> probe;

  Status open(const std::string& id, const std::string& dir) {
    raft::Options options;
    options.self = {id, id};
    options.dir = dir + "/" + id;
    options.trailing_logs = 100;
    raft::Parts parts{world.world, machine};
    parts.transport = &link;
    DROVER_TRY(replica, raft::Replica::open(options, parts));
    return {};
  }
  void start() {
    probe = std::make_unique<Probe>(world.loop);
    replica->start({.fatal = [](const Error& e) { fmt::print("fatal: {}\n", e.message); }});
  }
};

void Link::send(uint64_t, const std::string&, std::string message) {
  if (!other) return;
  other->world.loop.post([to = other, message = std::move(message)] {
    if (to->replica) to->replica->receive(message);
  });
}

// Reports of a hundred allocations a time, some 5,000 a second. `slowest`: of a report, from proposed to applied.
Async<void> load(Member& m, size_t n, const bool& over, double& slowest) {
  for (size_t i = 0; !over; ++i) {
    rpc::AllocUpdateRequest request;
    for (size_t k = 0; k < 100; ++k) request.Alloc.push_back(running((i * 100 + k) * 7919 % n));
    auto entry = encode_entry(state::EntryType::kAllocClientUpdate, request, m.world.clock.now());
    auto begin = Steady::now();
    (void)co_await m.replica->propose(std::move(entry));
    slowest = std::max(slowest, since(begin) * 1e3);
    co_await sleep_for(m.world.loop, 20ms);
  }
}

// How far the other has applied the log, asked from the leader's loop.
Async<uint64_t> applied_by(Member& other, Member& leader) {
  Promise<uint64_t> asked;
  other.world.loop.post([&other, &leader, asked]() mutable {
    asked.set_from_any_thread(leader.world.loop, other.replica->stats().applied_index);
  });
  uint64_t index = co_await asked;
  co_await sleep_for(leader.world.loop, 10ms);
  co_return index;
}

Async<Status> measure(Member& leader, Member& follower, size_t n) {
  while (!leader.replica->is_leader()) co_await sleep_for(leader.world.loop, 10ms);
  bool over = false;
  double slowest = 0;
  Running reports(load(leader, n, over, slowest));
  auto gap = [&] { return fmt::format("{}, slowest report {:.1f} ms", leader.probe->take(), std::exchange(slowest, 0)); };
  gap();
  co_await sleep_for(leader.world.loop, 2s);
  fmt::print("longest gap on the loop, reports only              {}\n", gap());
  auto begin = Steady::now();
  DROVER_CO_CHECK(co_await leader.replica->take_snapshot());
  fmt::print("  while a snapshot is taken, in {:.2f} s            {}\n", since(begin), gap());
  begin = Steady::now();
  DROVER_CO_CHECK(co_await leader.replica->add_learner({"b", "b"}));
  uint64_t there = 0;
  while (there < leader.replica->stats().last_snapshot_index || there == 0) there = co_await applied_by(follower, leader);
  fmt::print("  while it is taken, sent and installed, in {:.2f} s {}\n", since(begin), gap());
  over = true;
  while (there < leader.replica->stats().last_log_index) there = co_await applied_by(follower, leader);
  co_return Status();
}

// ---- the log

Async<Status> propose(Member& m, state::EntryType type, const auto& request) {
  auto applied = co_await m.replica->propose(encode_entry(type, request, m.world.clock.now()));
  co_return applied ? Status() : Status(std::move(applied).error());
}

rpc::ApplyPlanResultsRequest plan_of(size_t number, size_t n) {
  rpc::ApplyPlanResultsRequest plan;
  auto j = std::make_shared<const Job>(job(fmt::format("job-{}", number)));
  plan.Job = j;
  plan.UpdatedAt = at(0).unix_nanos;
  for (size_t k = number * kPerJob; k < std::min(n, (number + 1) * kPerJob); ++k) {
    auto a = alloc(k, j, uid(k / kPerNode + 1), uid(number + 10));
    a.ID = alloc_id(k);
    a.Job = nullptr;
    a.DeploymentID = uid(number + 20);
    a.NodeName = fmt::format("node-{}", k / kPerNode + 1);
    a.Metrics = metrics();
    a.CreateTime = a.ModifyTime = at(0).unix_nanos;
    plan.AllocsUpdated.push_back(std::make_shared<const Allocation>(std::move(a)));
  }
  return plan;
}

// All of a region's state, entry by entry, as servers write it.
Async<Status> fill_log(Member& m, size_t n) {
  while (!m.replica->is_leader()) co_await sleep_for(m.world.loop, 10ms);
  for (size_t i = 0; i * kPerNode < n; ++i) {
    rpc::NodeRegisterRequest r;
    r.Node = node(i + 1);
    DROVER_CO_CHECK(co_await propose(m, state::EntryType::kNodeRegister, r));
  }
  for (size_t i = 0; i * kPerJob < n; ++i) {
    rpc::JobRegisterRequest r;
    r.Job = job(fmt::format("job-{}", i));
    DROVER_CO_CHECK(co_await propose(m, state::EntryType::kJobRegister, r));
    DROVER_CO_CHECK(co_await propose(m, state::EntryType::kApplyPlanResults, plan_of(i, n)));
  }
  for (size_t i = 0; i < n; i += kBatch) {
    rpc::AllocUpdateRequest r;
    for (size_t k = i; k < std::min(n, i + kBatch); ++k) r.Alloc.push_back(running(k));
    DROVER_CO_CHECK(co_await propose(m, state::EntryType::kAllocClientUpdate, r));
  }
  co_return Status();
}

Status run_log(size_t n, const std::string& dir) {
  uint64_t last = 0, hash = 0;
  auto begin = Steady::now();
  {
    Member m;
    DROVER_CHECK(m.open("c", dir));
    DROVER_CHECK(m.replica->bootstrap({{"c", "c"}}));
    m.start();
    DROVER_CHECK(net::block_on(m.world.loop, fill_log(m, n)));
    auto stats = m.replica->stats();
    last = stats.applied_index;
    hash = state_hash(m.store.snapshot());
    fmt::print("the same through the log, in {:.2f} s: {} entries, the last snapshot at {}\n", since(begin), last, stats.last_snapshot_index);
  }
  Member m;
  begin = Steady::now();
  DROVER_CHECK(m.open("c", dir));
  auto opened = since(begin);
  m.start();
  net::block_on(m.world.loop, [](Member& m, uint64_t last) -> Async<void> {
    while (m.replica->stats().applied_index < last || !m.replica->is_leader()) co_await sleep_for(m.world.loop, 1ms);
  }(m, last));
  fmt::print("started again with that, leads and has it all      {:8.2f} s, {:.2f} s of it to open; {:.0f} MB of log; longest gap {}\n", since(begin), opened,
             static_cast<double>(m.replica->stats().log_bytes) / 1e6, m.probe->take());
  return state_hash(m.store.snapshot()) == hash ? Status() : internal("the states differ");
}

Status run(size_t n, const std::string& dir) {
  auto& disk = raft::real_disk();
  {
    state::Store store;
    fill(store, n);
    raft::SnapshotMeta meta;
    meta.index = meta.configuration_index = store.snapshot().index();
    meta.term = 1;
    meta.configuration = raft::Configuration::of({{"a", "a"}});
    server::StateMachine machine(store, {});
    auto begin = Steady::now();
    DROVER_TRY(auto snapshots, raft::SnapshotStore::open(dir + "/a/snapshots", disk));
    DROVER_TRY(auto writer, snapshots->create(meta));
    DROVER_CHECK(machine.snapshot()->write(*writer));
    DROVER_TRY(meta, writer->finish());
    fmt::print("{} allocations: snapshot written and synced    {:8.2f} s, {:.1f} MB\n", n, since(begin), static_cast<double>(meta.size) / 1e6);
  }
  Member leader, follower;
  auto begin = Steady::now();
  DROVER_CHECK(leader.open("a", dir));
  fmt::print("server started again with it                       {:8.2f} s\n", since(begin));
  if (leader.store.snapshot().allocs().size() != n) return internal("allocations are missing");
  DROVER_CHECK(follower.open("b", dir));
  leader.link.other = &follower;
  follower.link.other = &leader;
  std::thread other([&] {
    follower.world.loop.post([&] { follower.start(); });
    follower.world.loop.run();
  });
  leader.start();
  auto status = net::block_on(leader.world.loop, measure(leader, follower, n));
  follower.world.loop.stop();
  other.join();
  if (!status) return status;
  fmt::print("longest gap on the new server's loop meanwhile     {}\n", follower.probe->take());
  bool equal = state_hash(leader.store.snapshot()) == state_hash(follower.store.snapshot());
  fmt::print("both have the same state                           {:>8}\n", equal ? "yes" : "NO");
  leader.replica.reset();
  follower.replica.reset();
  return equal ? Status() : internal("the states differ");
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  drover::tame_allocator();
  size_t n = 100000;
  std::string dir = "snapshot-bench";
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view flag = argv[i];
    if (flag == "--allocations") n = std::strtoull(argv[i + 1], nullptr, 10);
    else if (flag == "--dir") dir = argv[i + 1];
  }
  (void)drover::configure_log({.level = drover::LogLevel::kOff});
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  auto status = drover::run(n, dir);
  if (status) status = drover::run_log(n, dir);
  std::filesystem::remove_all(dir);
  if (!status) fmt::print("failed: {}\n", status.error().message);
  return status ? 0 : 1;
}
