#include "server/leader_calls.h"

#include <vector>

namespace drover::server {

Async<Status> LeaderCalls::run(std::string leader_id, Async<Status> call) {
  CancellableAwait<Status> await(std::move(call));
  struct Entry {
    std::map<uint64_t, Call>& calls;
    uint64_t number;
    ~Entry() { calls.erase(number); }
  } entry{calls_, ++numbers_};
  calls_[entry.number] = {std::move(leader_id), &await};
  auto result = co_await await;
  if (!result) co_return Error(ErrorCode::kIo, "leadership lost while committing log");
  co_return std::move(*result);
}

void LeaderCalls::changed(std::string leader_id) {
  leader_ = std::move(leader_id);
  ending_ = loop_.after({}, [this] { end_stale(); });
}

void LeaderCalls::end_stale() {
  if (leader_.empty()) return;
  std::vector<uint64_t> stale;
  for (auto& [number, call] : calls_) {
    if (call.to != leader_) stale.push_back(number);
  }
  // Each ending resumes its caller, which may end or make others.
  for (uint64_t number : stale) {
    auto it = calls_.find(number);
    if (it != calls_.end()) it->second.await->cancel();
  }
}

}  // namespace drover::server
