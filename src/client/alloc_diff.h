// What an answer of Node.GetClientAllocs means for this node: pure (reference client, section 6), with two differences.
// An answer older than the index acted on already is refused, and an allocation that is missing is only a question, never
// an order: what still runs is stopped when the servers say so, not when they fail to mention it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/uuid.h"
#include "model/rpc.h"

namespace drover::client {

struct KnownAlloc {
  uint64_t modify_index = 0;  // AllocModifyIndex of the copy at hand
  bool terminal = false;      // nothing of it is left to run
};

struct AllocDiff {
  bool stale = false;               // refused: act on nothing
  std::vector<Uuid> pull;           // new or changed
  std::vector<Uuid> collect;        // gone from the servers and done here
  std::vector<Uuid> missing;        // gone from the servers and still at work here: ask
  uint64_t pull_index = 0;          // MinQueryIndex for Alloc.GetAllocs
};

// `invalid`: allocations that could not be built; not asked for again at the same or a lower index.
AllocDiff diff_allocs(const rpc::NodeClientAllocsResponse& answer, const std::map<Uuid, KnownAlloc>& known,
                      const std::set<Uuid>& invalid, uint64_t acted_index);

}  // namespace drover::client
