#include "scheduler/name_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "model/status.h"

namespace drover::scheduler {
namespace {

// A name with an absurd number must not cost memory; such indexes are simply not tracked.
constexpr uint64_t kMaxIndex = 1u << 24;

std::set<uint64_t> indexes_of(const std::vector<Ref<Allocation>>& allocs) {
  std::set<uint64_t> indexes;
  for (auto& a : allocs) indexes.insert(alloc_index(*a));
  return indexes;
}

}  // namespace

std::string alloc_name(std::string_view job_id, std::string_view group, uint64_t index) {
  return fmt::format("{}.{}[{}]", job_id, group, index);
}

NameIndex::NameIndex(std::string_view job_id, std::string_view group, int64_t count,
                     const std::vector<Ref<Allocation>>& in_use)
    : job_id_(job_id), group_(group), count_(static_cast<uint64_t>(std::max<int64_t>(0, count))) {
  uint64_t bits = std::max<uint64_t>(std::min(count_, kMaxIndex), in_use.size());
  for (auto& a : in_use)
    if (auto i = alloc_index(*a); i < kMaxIndex) bits = std::max(bits, i + 1);
  used_.resize(std::max<uint64_t>(8, (bits + 7) / 8 * 8));
  for (auto& a : in_use) set(alloc_index(*a));
}

void NameIndex::set(uint64_t i) {
  if (i >= kMaxIndex) return;
  if (i >= used_.size()) used_.resize((i / 8 + 1) * 8);
  used_[i] = true;
}

void NameIndex::free(uint64_t i) {
  if (i < used_.size()) used_[i] = false;
}

std::vector<std::string> NameIndex::next(size_t n) {
  std::vector<std::string> names;
  for (uint64_t i = 0; i < count_ && names.size() < n; ++i) {
    if (test(i)) continue;
    names.push_back(name(i));
    set(i);
  }
  for (uint64_t i = 0; names.size() < n; ++i) {
    names.push_back(name(i));
    set(i);
  }
  return names;
}

std::vector<std::string> NameIndex::next_canaries(size_t n, const std::vector<Ref<Allocation>>& canaries,
                                                  const std::vector<Ref<Allocation>>& destructive) {
  std::vector<std::string> names;
  auto taken = indexes_of(canaries);
  auto give = [&](uint64_t i) {
    names.push_back(name(i));
    set(i);
    taken.insert(i);
  };
  for (auto i : indexes_of(destructive)) {
    if (names.size() == n) return names;
    if (i < count_ && !taken.contains(i)) give(i);
  }
  for (uint64_t i = 0; i < count_ && names.size() < n; ++i)
    if (!test(i) && !taken.contains(i)) give(i);
  for (uint64_t i = count_; names.size() < n; ++i)
    if (!taken.contains(i)) give(i);
  return names;
}

std::set<std::string> NameIndex::highest(size_t n) {
  std::set<std::string> names;
  for (size_t i = used_.size(); i-- > 0 && names.size() < n;) {
    if (!used_[i]) continue;
    used_[i] = false;
    names.insert(name(i));
  }
  return names;
}

}  // namespace drover::scheduler
