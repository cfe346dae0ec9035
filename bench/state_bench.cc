// The state store: memory per allocation and the cost of its operations. Prints one line per figure.
//
//   state_bench [allocations=200000]
#include <malloc.h>

#include <cstdio>
#include <cstdlib>

#include "state/alloc_ops.h"
#include "state/fsm.h"
#include "state/node_ops.h"
#include "state/snapshot_io.h"
#include "state_load.h"

namespace drover::state {
namespace {

using namespace fixtures;

constexpr size_t kBatch = 500;     // allocations per commit while filling
constexpr size_t kPerNode = 50;
constexpr size_t kPerJob = 200;

size_t heap() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

void line(const char* what, double value, const char* unit) { std::printf("%-58s %12.1f %s\n", what, value, unit); }

Uuid node_of(size_t i) { return uid(i / kPerNode + 1); }

void fill(Store& store, size_t n) {
  for (size_t i = 0; i * kPerJob < n; ++i)
    commit(store, [&](Txn& t) { (void)upsert_job(t, job("job-" + std::to_string(i))); });
  commit(store, [&](Txn& t) {
    for (size_t i = 0; i * kPerNode < n; ++i) (void)upsert_node(t, node(i + 1));
  });
}

void place(Store& store, size_t n) {
  for (size_t i = 0; i < n; i += kBatch)
    commit(store, [&](Txn& t) {
      std::vector<Allocation> batch;
      for (size_t k = i; k < std::min(n, i + kBatch); ++k) {
        auto j = t.job_versions()->get("default", "job-" + std::to_string(k / kPerJob), 0);
        auto& a = batch.emplace_back(alloc(k, j, node_of(k), uid(k / kPerJob + 10)));
        a.ID = random_id(k);
        a.DeploymentID = uid(k / kPerJob + 20);
        a.NodeName = "node-" + std::to_string(k / kPerNode + 1);
        a.CreateTime = a.ModifyTime = at(0).unix_nanos;
      }
      (void)upsert_allocs(t, std::move(batch));
    });
}

// One client report as it comes off the log, decoded.
Allocation running(size_t k) {
  auto r = report(random_id(k), "running");
  r.DeploymentStatus = AllocDeploymentStatus{.Healthy = true, .Timestamp = at(9)};
  r.TaskStates["server"].Events[1].Details["message"] = "Building Task Directory";
  return r;
}

void memory(size_t n) {
  Store store;
  fill(store, n);
  size_t before = heap();
  Stopwatch insert;
  place(store, n);
  line("insert, 500 per commit", insert.seconds() / static_cast<double>(n) * 1e6, "us per allocation");
  size_t pending = heap();
  Stopwatch update;
  for (size_t i = 0; i < n; i += kBatch)
    commit(store, [&](Txn& t) {
      List<Allocation> reports;
      for (size_t k = i; k < std::min(n, i + kBatch); ++k) reports.push_back(running(k));
      (void)update_allocs_from_client(t, reports);
    });
  line("client report, 500 per commit", update.seconds() / static_cast<double>(n) * 1e6, "us per allocation");
  size_t full = heap();
  auto snap = store.snapshot();
  line("memory per pending allocation", static_cast<double>(pending - before) / static_cast<double>(n), "bytes");
  line("memory per running allocation, indexes and all", static_cast<double>(full - before) / static_cast<double>(n), "bytes");
  line("  of which trees", static_cast<double>(snap.allocs().memory()) / static_cast<double>(n), "bytes");
  line("  sizeof(Allocation), sizeof(TaskEvent)", sizeof(Allocation) + sizeof(TaskEvent) / 1000.0, "bytes");

  Stopwatch single;
  constexpr size_t kSingles = 20000;
  for (size_t i = 0; i < kSingles; ++i)
    commit(store, [&](Txn& t) { (void)update_allocs_from_client(t, {running(i * 7919 % n)}); });
  line("client report, one per commit", single.seconds() / kSingles * 1e6, "us per commit");

  snap = store.snapshot();
  Stopwatch gets;
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) found += snap.allocs().get(random_id(i * 7919 % n)) != nullptr;
  line("get by id", gets.seconds() / static_cast<double>(n) * 1e9, "ns");
  Stopwatch scan;
  for (size_t i = 0; i * kPerNode < n; ++i)
    for (auto& a : snap.allocs().by_node(uid(i + 1))) found += a->CreateIndex == 1;
  line("scan of a node's allocations, looking at each", scan.seconds() / static_cast<double>(n) * 1e9, "ns per allocation");
  Stopwatch takes;
  for (int i = 0; i < 1000000; ++i) found += store.snapshot().index() & 1;
  line("snapshot", takes.seconds() / 1e6 * 1e9, "ns");

  auto old = store.snapshot();
  commit(store, [&](Txn& t) {
    List<Allocation> reports;
    for (size_t k = 0; k < 100; ++k) reports.push_back(running(k * 997 % n));
    (void)update_allocs_from_client(t, reports);
  });
  Stopwatch diff;
  size_t changed = 0;
  diff_allocs(old, store.snapshot(), [&](auto&, auto&) { ++changed; });
  line("diff of two snapshots, 100 allocations apart", diff.seconds() * 1e6, "us");

  Stopwatch write;
  std::string bytes;
  (void)write_snapshot(store.snapshot(), [&](std::string_view c) { return bytes += c, Status(); });
  line("write a snapshot stream", static_cast<double>(bytes.size()) / 1e6 / write.seconds(), "MB/s");
  line("  bytes per allocation in it", static_cast<double>(bytes.size()) / static_cast<double>(n), "bytes");
  Stopwatch read;
  Store restored;
  std::string_view rest = bytes;
  (void)restore_snapshot(restored, [&](char* into, size_t size) -> Result<size_t> {
    size_t k = std::min(size, rest.size());
    std::memcpy(into, rest.data(), k);
    rest.remove_prefix(k);
    return k;
  });
  line("restore it", read.seconds() / static_cast<double>(n) * 1e6, "us per allocation");
  if (found == 42 || changed == 43) std::puts("");  // keeps the loops
}

Async<void> reader(Store& store, SimWorld& sim, size_t i, size_t& woken) {
  auto watch = store.watch();
  auto snap = store.snapshot();
  snap.nodes().get(uid(i + 1), &watch);
  snap.allocs().by_node(uid(i + 1), &watch);
  if (co_await watch.wait(sim.loop, 300s)) ++woken;
}

void watchers() {
  constexpr size_t kReaders = 50000;
  Store store;
  SimWorld sim;
  commit(store, [&](Txn& t) {
    for (size_t i = 0; i < kReaders; ++i) (void)upsert_node(t, node(i + 1));
  });
  size_t woken = 0, before = heap();
  std::vector<Running> readers;
  readers.reserve(kReaders);
  for (size_t i = 0; i < kReaders; ++i) readers.emplace_back(reader(store, sim, i, woken));
  line("50,000 blocked readers: memory each", static_cast<double>(heap() - before) / kReaders, "bytes");
  Stopwatch wake;
  for (size_t i = 0; i < 1000; ++i)
    commit(store, [&](Txn& t) { (void)update_node_status(t, uid(i * 31 + 1), "down", 1, nullptr); });
  line("  a commit that concerns one of them", wake.seconds() / 1000 * 1e6, "us");
  sim.loop.run_ready();
  line("  woken by 1,000 such commits", static_cast<double>(woken), "readers");
}

}  // namespace
}  // namespace drover::state

int main(int argc, char** argv) {
  size_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200000;
  drover::state::memory(n);
  drover::state::watchers();
}
