#include "state/time_table.h"

namespace drover::state {

void TimeTable::witness(uint64_t index, Time when) {
  if (!due(when)) return;
  if (entries_.size() >= kMaxEntries) entries_.resize(kMaxEntries - 1);
  entries_.insert(entries_.begin(), {index, when});
}

uint64_t TimeTable::nearest_index(Time when) const {
  for (auto& e : entries_)
    if (e.Time <= when) return e.Index;
  return 0;
}

Time TimeTable::nearest_time(uint64_t index) const {
  for (auto& e : entries_)
    if (e.Index <= index) return e.Time;
  return {};
}

void TimeTable::restore(std::vector<TimeTableEntry> entries) {
  entries_ = std::move(entries);
  if (entries_.size() > kMaxEntries) entries_.resize(kMaxEntries);
}

}  // namespace drover::state
