// Properties over random clusters, jobs and histories: nothing is over-committed, ports are unique, a plan made on a
// state is accepted on it, the same input gives the same plan, and a fleet view that followed every change is one that
// was made anew.
#include <gtest/gtest.h>

#include "codec/json.h"
#include "scheduler/snapshot_view.h"
#include "scheduler/testing.h"
#include "state/alloc_ops.h"
#include "state/job_ops.h"
#include "state/node_ops.h"

namespace drover::scheduler {
namespace {

using namespace testing;

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    h.now = kNow;
    auto n = 3 + below(12);
    for (uint64_t i = 0; i < n; ++i) add_node();
    if (below(2)) {
      SchedulerConfiguration c;
      c.SchedulerAlgorithm = below(2) ? "spread" : "binpack";
      c.PreemptionConfig = {true, true, true, true};
      h->config = std::make_shared<const SchedulerConfiguration>(c);
    }
    h.options.candidates = below(3) ? Options::Candidates::kFleet : Options::Candidates::kSampled;
  }

  Harness h;

  void step() {
    h.now = h.now + 1min;
    switch (below(8)) {
      case 0: return add_node();
      case 1: return change_node();
      case 2:
      case 3: return clients_report();
      case 4: return change_job();
      default: return new_job();
    }
  }

 private:
  uint64_t below(uint64_t n) { return random_.below(n); }

  void add_node() {
    auto n = make_node(below(3) ? "dc1" : "dc2");
    n.NodeResources->Cpu.CpuShares = 1000 + static_cast<int64_t>(below(4000));
    n.NodeResources->MinDynamicPort = 20000;
    n.NodeResources->MaxDynamicPort = 20000 + static_cast<int64_t>(below(12));
    n.Meta["rack"] = fmt::format("r{}", below(3));
    if (below(3) == 0) {
      n.NodeResources->Cpu.TotalCpuCores = 4;
      n.NodeResources->Cpu.ReservableCpuCores = {0, 1, 2, 3};
    }
    if (below(3) == 0)
      n.NodeResources->Devices = {{.Vendor = "v", .Type = "gpu", .Name = "m",
                                   .Instances = {{.ID = "a", .Healthy = true}, {.ID = "b", .Healthy = true}}}};
    n.ComputedClass = compute_class(n);
    h->put(n);
  }

  Uuid some_node() {
    auto it = h->nodes.begin();
    std::advance(it, static_cast<long>(below(h->nodes.size())));
    return it->first;
  }

  void change_node() {
    auto id = some_node();
    h.change_node(id, [&](Node& n) {
      switch (below(4)) {
        case 0: n.Status = node_status::kDown; break;
        case 1: n.Status = node_status::kDisconnected; break;
        case 2: n.DrainStrategy = DrainStrategy{}; n.SchedulingEligibility = node_eligibility::kIneligible; break;
        default:
          n.Status = node_status::kReady;
          n.DrainStrategy = nullptr;
          n.SchedulingEligibility = node_eligibility::kEligible;
      }
    });
    for (auto& a : h->allocs_by_node(id)) {
      if (h->nodes.at(id)->DrainStrategy && !is_terminal(*a)) {
        auto moved = *a;
        moved.DesiredTransition.Migrate = true;
        h->put(moved);
      }
    }
    for (auto& [key, job] : std::map(h->current)) run(*job, eval_trigger::kNodeUpdate);
  }

  void clients_report() {
    for (auto& [id, a] : std::map(h->allocs)) {
      if (is_client_terminal(*a)) continue;
      auto next = *a;
      if (is_server_terminal(*a)) {
        if (below(2)) next.ClientStatus = alloc_client::kComplete;
      } else if (below(6) == 0) {
        next.ClientStatus = alloc_client::kFailed;
        next.TaskStates["t"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = h.now - 10s};
      } else {
        next.ClientStatus = alloc_client::kRunning;
      }
      h->put(next);
    }
    for (auto& [key, job] : std::map(h->current)) run(*job, below(2) ? eval_trigger::kAllocFailure : eval_trigger::kNodeUpdate);
  }

  Job random_job() {
    static const char* types[] = {"service", "service", "batch", "system", "sysbatch"};
    std::string type = types[below(5)];
    auto j = make_min_job(type);
    j.Priority = 10 + 20 * static_cast<int64_t>(below(5));
    j.Datacenters = {below(2) ? "dc*" : "dc1"};
    auto& g = j.TaskGroups[0];
    bool system = type == "system" || type == "sysbatch";
    g.Count = system ? 1 : 1 + static_cast<int64_t>(below(8));
    if (system) g.ReschedulePolicy = nullptr;
    auto& r = *g.Tasks[0].Resources;
    r.CPU = 100 + static_cast<int64_t>(below(900));
    r.MemoryMB = 100 + static_cast<int64_t>(below(2000));
    if (below(2)) {
      NetworkResource net;
      net.DynamicPorts = {{.Label = "a", .To = -1}, {.Label = "b"}};
      if (below(3) == 0) net.ReservedPorts = {{.Label = "s", .Value = 8000 + static_cast<int64_t>(below(3))}};
      g.Networks = {net};
    }
    if (below(5) == 0) r.Cores = 1 + static_cast<int64_t>(below(2));
    if (below(5) == 0) r.Devices = {{.Name = "gpu", .Count = 1 + below(2)}};
    if (system) return j;
    if (below(4) == 0) g.Spreads = {{.Attribute = "${meta.rack}", .Weight = 50}};
    if (below(4) == 0) j.Constraints = {{.Operand = "distinct_hosts"}};
    if (below(4) == 0) g.Constraints = {{.LTarget = "${meta.rack}", .RTarget = "3", .Operand = "distinct_property"}};
    if (type == "service" && below(2)) g.Update = UpdateStrategy{.MaxParallel = 2, .Canary = static_cast<int64_t>(below(2))};
    if (below(4) == 0) g.MaxClientDisconnect = 5min;
    return j;
  }

  void new_job() { run(*h.add_job(random_job()), eval_trigger::kJobRegister); }

  void change_job() {
    if (h->current.empty()) return new_job();
    auto it = h->current.begin();
    std::advance(it, static_cast<long>(below(h->current.size())));
    auto j = *it->second;
    auto& r = *j.TaskGroups[0].Tasks[0].Resources;
    switch (below(4)) {
      case 0: j.TaskGroups[0].Count = j.Type.starts_with("sys") ? 1 : static_cast<int64_t>(below(9)); break;
      case 1: r.CPU = 100 + static_cast<int64_t>(below(900)); break;
      case 2: j.TaskGroups[0].Tasks[0].KillTimeout = std::chrono::seconds(below(100)); break;
      default: j.Stop = true;
    }
    run(*h.update_job(j), eval_trigger::kJobRegister);
  }

  void run(const Job& job, std::string_view trigger) {
    auto eval = make_eval(job, trigger);
    auto state = std::make_shared<MemState>(*h.state);
    auto seed = random_.next() | 1;
    auto before = h.plans.size();
    auto rejected = h.rejections.size();
    check_determinism(state, eval, seed);
    ASSERT_EQ(h.process(eval, seed), "");
    EXPECT_EQ(h.rejections.size(), rejected) << h.rejections.back().second;
    if (h.plans.size() > before) check_nodes();
  }

  // A warm fleet and a cold one, twice the same seed.
  void check_determinism(const std::shared_ptr<MemState>& state, const Evaluation& eval, uint64_t seed) {
    Fleet cold;
    auto a = schedule(state, eval, h.options, h.now, seed, &warm_);
    auto b = schedule(state, eval, h.options, h.now, seed, &cold);
    ASSERT_TRUE(a && b);
    ASSERT_EQ(to_json(a->Plan), to_json(b->Plan));
    ASSERT_EQ(to_json(a->eval), to_json(b->eval));
    // A pass that needed no node has not looked.
    warm_.sync(state);
    cold.sync(state);
    for (auto& [id, node] : state->nodes) {
      auto &x = warm_.use(warm_.row(id)), &y = cold.use(cold.row(id));
      ASSERT_EQ(x.usage, y.usage);
      ASSERT_EQ(x.allocs, y.allocs);
      ASSERT_EQ(x.cores, y.cores);
      ASSERT_EQ(x.core_twice, y.core_twice);
      ASSERT_EQ(x.port_holders, y.port_holders);
      auto &p = warm_.ports(warm_.row(id)), &q = cold.ports(cold.row(id));
      ASSERT_EQ(p.invalid_node, q.invalid_node);
      ASSERT_EQ(p.collision, q.collision);
      for (auto& alloc : y.allocs)
        for (auto& port : alloc->AllocatedResources->Shared.Ports)
          ASSERT_EQ(p.index.port_used(port.HostIP, static_cast<uint16_t>(port.Value)), true) << port.HostIP << ":" << port.Value;
    }
  }

  // What clients would really run, after the plan: desired run and not ended.
  void check_nodes() {
    for (auto& [id, node] : h->nodes) {
      std::vector<Ref<Allocation>> live;
      std::set<std::pair<std::string, int64_t>> ports;
      for (auto& a : h->allocs_by_node(id)) {
        if (is_terminal(*a)) continue;
        live.push_back(a);
        for (auto& p : a->AllocatedResources->Shared.Ports)
          EXPECT_TRUE(ports.emplace(p.HostIP, p.Value).second) << "port " << p.Value << " twice";
      }
      auto fit = allocs_fit(*node, live, nullptr, true);
      EXPECT_TRUE(fit.fits) << fit.dimension;
    }
  }

  SeededRandom random_;
  Fleet warm_;
};

TEST(Property, RandomHistories) {
  auto* more = std::getenv("DROVER_SEEDS");
  uint64_t seeds = more ? std::strtoull(more, nullptr, 10) : 60, placed = 0, preempted = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World w(seed);
    for (int i = 0; i < 14 && !::testing::Test::HasFatalFailure(); ++i) w.step();
    if (::testing::Test::HasFailure()) return;
    for (auto& p : w.h.plans) {
      placed += Harness::all(p.NodeAllocation).size();
      preempted += Harness::all(p.NodePreemptions).size();
    }
  }
  // The histories are worth something.
  EXPECT_GT(placed, 20 * seeds);
  EXPECT_GT(preempted, seeds / 4);
}

// The same over the real store: snapshots, their difference, and the commit of plan results.
TEST(Property, OverTheStore) {
  state::Store store;
  uint64_t index = 10;
  auto write = [&](auto&& fn) {
    auto txn = store.begin(++index, kNow);
    fn(txn);
    store.publish(std::move(txn));
  };
  for (int i = 0; i < 8; ++i) write([&](state::Txn& txn) { ASSERT_TRUE(state::upsert_node(txn, make_node())); });
  auto j = make_min_job();
  j.TaskGroups[0].Count = 12;
  Fleet fleet;
  for (int round = 0; round < 4; ++round) {
    j.TaskGroups[0].Tasks[0].Resources->CPU = 100 + round * 50;
    write([&](state::Txn& txn) { ASSERT_TRUE(state::upsert_job(txn, j)); });
    auto view = make_view(store.snapshot());
    auto job = view->job(j.Namespace, j.ID);
    ASSERT_TRUE(job);
    auto eval = make_eval(*job);
    write([&](state::Txn& txn) { state::put_eval(txn, eval); });
    Fleet cold;
    auto warm_out = schedule(view, eval, {}, kNow, 5 + static_cast<uint64_t>(round), &fleet);
    auto cold_out = schedule(view, eval, {}, kNow, 5 + static_cast<uint64_t>(round), &cold);
    ASSERT_TRUE(warm_out && cold_out);
    EXPECT_EQ(to_json(warm_out->Plan), to_json(cold_out->Plan));
    SnapshotView latest(store.snapshot());
    auto judged = evaluate_plan(latest, warm_out->Plan);
    EXPECT_TRUE(judged.rejections.empty());
    rpc::ApplyPlanResultsRequest request;
    request.Job = warm_out->Plan.Job;
    request.EvalID = eval.ID;
    request.UpdatedAt = kNow.unix_nanos;
    for (auto& [node, allocs] : judged.result.NodeAllocation)
      for (auto& a : allocs) request.AllocsUpdated.push_back(a);
    for (auto& [node, allocs] : judged.result.NodeUpdate)
      for (auto& a : allocs) request.AllocsStopped.push_back(a);
    write([&](state::Txn& txn) {
      auto ok = state::apply_plan_results(txn, request);
      ASSERT_TRUE(ok) << ok.error().message;
    });
    size_t running = 0;
    auto snapshot = store.snapshot();
    for (auto& a : snapshot.allocs().by_job(j.Namespace, j.ID)) running += !is_terminal(*a);
    EXPECT_EQ(running, 12u);
  }
}

}  // namespace
}  // namespace drover::scheduler
