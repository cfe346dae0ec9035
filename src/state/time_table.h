// TimeTable: about when each log index was applied, at five-minute grain, for the thresholds of garbage collection.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "model/state_records.h"

namespace drover::state {

class TimeTable {
 public:
  static constexpr Duration kGranularity = std::chrono::minutes(5);
  static constexpr Duration kLimit = std::chrono::hours(72);
  static constexpr size_t kMaxEntries = static_cast<size_t>(kLimit / kGranularity);

  // Whether `witness` would keep an entry.
  bool due(Time when) const { return entries_.empty() || when - entries_.front().Time >= kGranularity; }
  void witness(uint64_t index, Time when);
  // Index of the newest entry not after `when`; 0 when there is none.
  uint64_t nearest_index(Time when) const;
  // Time of the newest entry with an index up to `index`; unset when there is none.
  Time nearest_time(uint64_t index) const;

  const std::vector<TimeTableEntry>& entries() const { return entries_; }  // newest first
  void restore(std::vector<TimeTableEntry> entries);

 private:
  std::vector<TimeTableEntry> entries_;
};

}  // namespace drover::state
