// Interner: makes equal parts of stored allocations one. Belongs to the writer.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "model/alloc.h"

namespace drover::state {

class Interner {
 public:
  // The one copy of the text.
  SharedString text(const SharedString& s);
  // The one copy of the details of an event.
  SharedMap<std::string> details(const SharedMap<std::string>& d);
  // Shares every repeated text of the allocation, the details of its events, and its AllocatedResources and Metrics
  // with the last allocation of the same group when they are equal; drops what its lists have to spare.
  void share(Allocation& alloc);
  size_t size() const { return texts_.items.size() + details_.items.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    size_t operator()(const SharedString& s) const { return (*this)(s.view()); }
    size_t operator()(const SharedMap<std::string>& d) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
    bool operator()(const SharedMap<std::string>& a, const SharedMap<std::string>& b) const { return a == b; }
  };
  // Values of which nobody else holds a copy any more are dropped when the set has doubled.
  template <class T>
  struct Pool {
    std::unordered_set<T, Hash, Equal> items;
    size_t prune_at = 4096;

    const T& shared(const T& value) {
      if (auto it = items.find(value); it != items.end()) return *it;
      if (items.size() >= prune_at) {
        std::erase_if(items, [](const T& v) { return v.unique(); });
        prune_at = std::max<size_t>(4096, items.size() * 2);
      }
      return *items.insert(value).first;
    }
  };
  struct GroupParts {
    SharedString Namespace, JobID, TaskGroup;
    Ref<AllocatedResources> resources;
    Ref<AllocMetric> metrics;
  };
  Pool<SharedString> texts_;
  Pool<SharedMap<std::string>> details_;
  std::array<GroupParts, 1024> groups_;  // direct-mapped by the hash of the names
};

}  // namespace drover::state
