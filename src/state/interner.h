// Interner: makes equal parts of stored allocations one. Belongs to the writer.
#pragma once

#include <array>
#include <string_view>
#include <unordered_set>

#include "model/alloc.h"

namespace drover::state {

class Interner {
 public:
  // The one copy of the text. Texts that nobody else holds any more are dropped when the set has doubled.
  SharedString text(const SharedString& s);
  // Shares every repeated text of the allocation, and its AllocatedResources and Metrics with the last allocation
  // of the same group when they are equal.
  void share(Allocation& alloc);
  size_t size() const { return texts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    size_t operator()(const SharedString& s) const { return (*this)(s.view()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  struct GroupParts {
    SharedString Namespace, JobID, TaskGroup;
    Ref<AllocatedResources> resources;
    Ref<AllocMetric> metrics;
  };
  void prune();

  std::unordered_set<SharedString, Hash, Equal> texts_;
  size_t prune_at_ = 4096;
  std::array<GroupParts, 1024> groups_;  // direct-mapped by the hash of the names
};

}  // namespace drover::state
