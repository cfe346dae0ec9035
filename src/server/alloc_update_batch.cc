#include "server/alloc_update_batch.h"

#include <algorithm>

#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {

AllocUpdateBatch::~AllocUpdateBatch() {
  for (auto waiting = std::move(waiting_); auto& p : waiting) p.set(Error(ErrorCode::kCancelled, "server is shutting down"));
}

void AllocUpdateBatch::drop() {
  timer_.cancel();
  pending_ = {};
  for (auto waiting = std::exchange(waiting_, {}); auto& p : waiting)
    p.set_from_any_thread(server_.world().loop, Error(ErrorCode::kNotLeader, "node is not the leader"));
}

Async<Result<uint64_t>> AllocUpdateBatch::add(List<Allocation> updates, std::vector<Evaluation> evals) {
  for (auto& a : updates) pending_.Alloc.push_back(std::move(a));
  for (auto& e : evals) {
    // One evaluation a job is enough, whichever allocation asked first.
    bool known = std::any_of(pending_.Evals.begin(), pending_.Evals.end(),
                             [&](auto& o) { return o.Namespace == e.Namespace && o.JobID == e.JobID; });
    if (!known) pending_.Evals.push_back(std::move(e));
  }
  Promise<Result<uint64_t>> done;
  waiting_.push_back(done);
  auto now = server_.world().clock.monotonic();
  if (now >= next_flush_) flush();
  else if (!timer_.armed()) timer_ = server_.world().loop.after(next_flush_ - now, [this] { flush(); });
  co_return co_await done;
}

void AllocUpdateBatch::flush() {
  timer_.cancel();
  auto reports = static_cast<int64_t>(pending_.Alloc.size());
  next_flush_ = server_.world().clock.monotonic() + std::min(kInterval, kIntervalPerReport * reports);
  auto flush = std::make_shared<Flush>();
  flush->waiting = std::exchange(waiting_, {});
  std::vector<rpc::AllocUpdateRequest> entries(1);
  for (auto& report : pending_.Alloc) {
    if (entries.back().Alloc.size() == kReportsPerEntry) entries.emplace_back();
    entries.back().Alloc.push_back(std::move(report));
  }
  // Evaluations look at what all the reports come to.
  entries.back().Evals = std::move(pending_.Evals);
  pending_ = {};
  flush->entries = entries.size();
  for (auto& entry : entries) writes_.start(write(std::move(entry), flush));
}

Async<void> AllocUpdateBatch::write(rpc::AllocUpdateRequest request, std::shared_ptr<Flush> flush) {
  auto body = std::make_shared<const rpc::AllocUpdateRequest>(std::move(request));
  auto applied = co_await server_.apply_shared(state::EntryType::kAllocClientUpdate, std::move(body));
  if (applied) flush->index = std::max(flush->index, applied->index);
  else flush->error = applied.error();
  if (--flush->entries > 0) co_return;
  for (auto& p : flush->waiting) {
    if (flush->error) p.set(*flush->error);
    else p.set(flush->index);
  }
}

}  // namespace drover::server
