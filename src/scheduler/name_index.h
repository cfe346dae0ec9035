// Which of the indexes in "job.group[7]" are taken, and which come next. Rules: reference scheduler 4.11.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "model/alloc.h"

namespace drover::scheduler {

std::string alloc_name(std::string_view job_id, std::string_view group, uint64_t index);

class NameIndex {
 public:
  NameIndex(std::string_view job_id, std::string_view group, int64_t count,
            const std::vector<Ref<Allocation>>& in_use);

  // The lowest free names below the count; when those run out, names from 0 again.
  std::vector<std::string> next(size_t n);
  // Names for canaries: of allocations about to be replaced first, then free ones, then beyond the count.
  std::vector<std::string> next_canaries(size_t n, const std::vector<Ref<Allocation>>& canaries,
                                         const std::vector<Ref<Allocation>>& destructive);
  // Frees and returns the n highest names in use.
  std::set<std::string> highest(size_t n);
  void free(uint64_t index);

  size_t bits() const { return used_.size(); }

 private:
  bool test(uint64_t i) const { return i < used_.size() && used_[i]; }
  void set(uint64_t i);
  std::string name(uint64_t i) const { return alloc_name(job_id_, group_, i); }

  std::string job_id_, group_;
  uint64_t count_;
  std::vector<bool> used_;
};

}  // namespace drover::scheduler
