// Operator snapshots: an archive of many allocations, saved and read back, as the leader does it. Prints one line per figure.
//
//   operator_snapshot_bench [allocations=100000]
#include <cstdio>
#include <cstdlib>

#include "archive/snapshot_archive.h"
#include "base/allocator.h"
#include "server/state_archive.h"
#include "state/alloc_ops.h"
#include "state/node_ops.h"
#include "state/snapshot_io.h"
#include "state_load.h"

namespace drover {
namespace {

using namespace state::fixtures;
using state::commit, state::random_id, state::Stopwatch, state::Store;

constexpr size_t kPerJob = 1000, kPerNode = 20, kBatch = 500;

void line(const char* what, double value, const char* unit) { std::printf("%-58s %12.2f %s\n", what, value, unit); }

// A job as large as they are: environment, metadata, an update block.
Job real_job(size_t n) {
  Job j = job("job-" + std::to_string(n));
  for (int i = 0; i < 12; ++i) {
    j.Meta["owner-of-part-" + std::to_string(i)] = "team-" + std::to_string(n % 7) + "@example.com";
    j.TaskGroups[0].Tasks[0].Env["SETTING_" + std::to_string(i)] = "/srv/app/" + std::to_string(n) + "/conf.d/" + std::to_string(i);
  }
  return j;
}

void fill(Store& store, size_t n) {
  for (size_t i = 0; i * kPerJob < n; ++i)
    commit(store, [&](auto& t) { (void)upsert_job(t, real_job(i)); });
  commit(store, [&](auto& t) {
    for (size_t i = 0; i * kPerNode < n; ++i) (void)upsert_node(t, node(i + 1));
  });
  for (size_t i = 0; i < n; i += kBatch)
    commit(store, [&](auto& t) {
      std::vector<Allocation> batch;
      for (size_t k = i; k < std::min(n, i + kBatch); ++k) {
        auto j = t.job_versions()->get("default", "job-" + std::to_string(k / kPerJob), 0);
        auto& a = batch.emplace_back(alloc(k, j, uid(k / kPerNode + 1), uid(k / kPerJob + 10)));
        a.ID = random_id(k);
        a.CreateTime = a.ModifyTime = at(0).unix_nanos;
      }
      (void)upsert_allocs(t, std::move(batch));
    });
  for (size_t i = 0; i < n; i += kBatch)
    commit(store, [&](auto& t) {
      List<Allocation> reports;
      for (size_t k = i; k < std::min(n, i + kBatch); ++k) reports.push_back(report(random_id(k), "running"));
      (void)update_allocs_from_client(t, reports);
    });
}

int run(size_t n) {
  Store store;
  fill(store, n);
  auto snap = store.snapshot();
  Stopwatch save;
  archive::SnapshotMeta meta;
  meta.Index = snap.index();
  auto saved = archive::save_archive(meta, at(0), [&](const archive::BytesFn& out) {
    return state::write_snapshot(snap, out, state::SnapshotStyle::kReference);
  }, "");
  if (!saved) return std::fprintf(stderr, "%s\n", saved.error().message.c_str()), 1;
  line("save: state to archive", save.seconds(), "s");
  line("  state.bin", static_cast<double>(saved->meta().Size) / 1e6, "MB");
  line("  archive", static_cast<double>(saved->size()) / 1e6, "MB");

  Stopwatch read;
  state::Interner interner;
  auto archived = server::read_archive([&](uint64_t at, char* out, size_t size) { return saved->read_at(at, out, size); }, interner);
  if (!archived) return std::fprintf(stderr, "%s\n", archived.error().message.c_str()), 1;
  line("restore: archive to state, checked", read.seconds(), "s");
  Stopwatch write;
  std::string stream;
  auto written = state::write_snapshot(state::Snapshot(archived->state), [&](std::string_view b) { return stream += b, Status(); });
  if (!written) return 1;
  line("  state to the log's stream", write.seconds(), "s");
  line("  the stream", static_cast<double>(stream.size()) / 1e6, "MB");
  Stopwatch apply;
  Store restored;
  std::string_view rest = stream;
  auto ok = state::restore_snapshot(restored, [&](char* into, size_t size) -> Result<size_t> {
    size_t k = rest.copy(into, size);
    rest.remove_prefix(k);
    return k;
  });
  if (!ok || restored.snapshot().allocs().size() != n) return 1;
  line("  the log's stream to state, on each server", apply.seconds(), "s");
  return 0;
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  drover::tame_allocator();
  return drover::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100000);
}
