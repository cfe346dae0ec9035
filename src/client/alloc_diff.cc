#include "client/alloc_diff.h"

#include <algorithm>

namespace drover::client {

AllocDiff diff_allocs(const rpc::NodeClientAllocsResponse& answer, const std::map<Uuid, KnownAlloc>& known,
                      const std::set<Uuid>& invalid, uint64_t acted_index) {
  AllocDiff out;
  if (answer.Index < acted_index) {
    out.stale = true;
    return out;
  }
  uint64_t highest = 0;
  std::set<Uuid> named;
  for (auto& [text, index] : answer.Allocs) {
    auto id = Uuid::parse(text);
    if (!id) continue;
    named.insert(*id);
    if (invalid.contains(*id)) continue;
    auto it = known.find(*id);
    if (it != known.end() && index <= it->second.modify_index) continue;
    out.pull.push_back(*id);
    highest = std::max(highest, index);
  }
  out.pull_index = highest > 0 ? highest - 1 : 0;
  for (auto& [id, k] : known)
    if (!named.contains(id)) (k.terminal ? out.collect : out.missing).push_back(id);
  return out;
}

}  // namespace drover::client
