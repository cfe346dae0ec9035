// Placing allocations on large fleets: one evaluation of a new job, plan and judgement, as one worker does it.
// The fleet view is warm, as it is in a server that has seen an evaluation before.
#include <benchmark/benchmark.h>

#include "scheduler/snapshot_view.h"
#include "scheduler/testing.h"
#include "state/alloc_ops.h"
#include "state/job_ops.h"
#include "state/node_ops.h"

namespace {

using namespace drover;
using namespace drover::scheduler;
using namespace drover::scheduler::testing;

struct Shape {
  size_t nodes;
  int64_t allocs;
  bool ports, regexp_and_spread;
  Options::Candidates candidates = Options::Candidates::kFleet;
};

std::shared_ptr<MemState> cluster(size_t nodes) {
  auto state = std::make_shared<MemState>();
  for (size_t i = 0; i < nodes; ++i) {
    auto n = make_node(i % 2 ? "dc1" : "dc2");
    n.NodeResources->Cpu.CpuShares = 14000;
    n.NodeResources->Memory.MemoryMB = 32000;
    n.Meta["rack"] = fmt::format("r{}", i % 25);
    n.ComputedClass = compute_class(n);
    state->put(std::move(n));
  }
  return state;
}

Job job_of(const Shape& shape) {
  auto j = shape.ports ? make_job() : make_min_job();
  j.Datacenters = {"dc*"};
  auto& g = j.TaskGroups[0];
  g.Count = shape.allocs;
  if (shape.regexp_and_spread) {
    g.Constraints.push_back({.LTarget = "${attr.arch}", .RTarget = "^x[0-9]+$", .Operand = "regexp"});
    g.Spreads.push_back({.Attribute = "${meta.rack}", .Weight = 100});
  }
  return j;
}

void place(benchmark::State& bench, const Shape& shape) {
  auto state = cluster(shape.nodes);
  state->put(job_of(shape));
  auto job = state->current.begin()->second;
  auto eval = make_eval(*job);
  Fleet fleet;
  Options options;
  options.candidates = shape.candidates;
  uint64_t seed = 1;
  int64_t placed = 0;
  (void)schedule(state, eval, options, kNow, seed, &fleet);
  for (auto _ : bench) {
    auto out = schedule(state, eval, options, kNow, ++seed, &fleet);
    placed = 0;
    for (auto& [node, allocs] : out->Plan.NodeAllocation) placed += static_cast<int64_t>(allocs.size());
    if (placed != shape.allocs) bench.SkipWithError("not everything was placed");
  }
  bench.counters["allocs/s"] = benchmark::Counter(static_cast<double>(placed), benchmark::Counter::kIsIterationInvariantRate);
}

void judge(benchmark::State& bench, const Shape& shape) {
  auto state = cluster(shape.nodes);
  state->put(job_of(shape));
  auto job = state->current.begin()->second;
  auto out = schedule(state, make_eval(*job), {}, kNow, 1);
  for (auto _ : bench) {
    auto j = evaluate_plan(*state, out->Plan);
    if (!j.rejections.empty()) bench.SkipWithError("rejected");
  }
}

// The whole way over the store: plan, judgement, commit, and the fleet view brought up to date with it.
void commit(benchmark::State& bench, const Shape& shape) {
  state::Store store;
  auto nodes = cluster(shape.nodes);
  auto txn = store.begin(10, kNow);
  for (auto& [id, n] : nodes->nodes) (void)state::upsert_node(txn, *n);
  auto j = job_of(shape);
  (void)state::upsert_job(txn, j);
  auto job = txn.state().jobs.get(j.Namespace, j.ID);
  auto eval = make_eval(*job);
  state::put_eval(txn, eval);
  store.publish(std::move(txn));
  Fleet fleet;
  uint64_t seed = 1;
  fleet.sync(make_view(store.snapshot()));
  for (auto _ : bench) {
    auto view = make_view(store.snapshot());
    auto out = schedule(view, eval, {}, kNow, ++seed, &fleet);
    auto judged = evaluate_plan(*view, out->Plan);
    rpc::ApplyPlanResultsRequest request;
    request.Job = out->Plan.Job;
    request.EvalID = eval.ID;
    request.UpdatedAt = kNow.unix_nanos;
    for (auto& [node, allocs] : judged.result.NodeAllocation)
      for (auto& a : allocs) request.AllocsUpdated.push_back(a);
    state::Txn what_if(store.snapshot(), 20, kNow);
    if (!state::apply_plan_results(what_if, request)) bench.SkipWithError("refused");
    fleet.sync(make_view(what_if.snapshot()));
    bench.PauseTiming();
    fleet.sync(view);
    bench.ResumeTiming();
  }
}

void sync(benchmark::State& bench, size_t nodes) {
  auto state = cluster(nodes);
  for (auto _ : bench) {
    Fleet fleet;
    fleet.sync(state);
    benchmark::DoNotOptimize(fleet.rows());
  }
}

#define DROVER_BENCH(name, ...) BENCHMARK_CAPTURE(place, name, Shape{__VA_ARGS__})->Unit(benchmark::kMillisecond)
DROVER_BENCH(n1000_a1000, 1000, 1000, false, false);
DROVER_BENCH(n1000_a1000_ports, 1000, 1000, true, false);
DROVER_BENCH(n1000_a1000_regexp_spread, 1000, 1000, false, true);
DROVER_BENCH(n10000_a1000, 10000, 1000, false, false);
DROVER_BENCH(n10000_a1000_ports, 10000, 1000, true, false);
DROVER_BENCH(n10000_a1000_regexp_spread, 10000, 1000, false, true);
DROVER_BENCH(n10000_a1, 10000, 1, false, false);
DROVER_BENCH(n10000_a1000_sampled, 10000, 1000, false, false, Options::Candidates::kSampled);
BENCHMARK_CAPTURE(judge, n1000_a1000_ports, Shape{1000, 1000, true, false})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, n1000_a1000_ports, Shape{1000, 1000, true, false})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(commit, n10000_a1000, Shape{10000, 1000, false, false})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sync, n10000, 10000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
