#include "client/client_gc.h"

#include <fmt/format.h>

#include <algorithm>

namespace drover::client {

void GcQueue::mark(const Uuid& id, int64_t disk_mb) {
  if (!contains(id)) queue_.push_back({id, disk_mb});
}

bool GcQueue::contains(const Uuid& id) const {
  return std::any_of(queue_.begin(), queue_.end(), [&](auto& v) { return v.id == id; });
}

bool GcQueue::remove(const Uuid& id) {
  return std::erase_if(queue_, [&](auto& v) { return v.id == id; }) > 0;
}

std::vector<Uuid> GcQueue::all() const {
  std::vector<Uuid> out;
  for (auto& v : queue_) out.push_back(v.id);
  return out;
}

std::optional<GcQueue::Victim> GcQueue::pop() {
  if (queue_.empty()) return std::nullopt;
  auto out = queue_.front();
  queue_.erase(queue_.begin());
  return out;
}

std::string gc_reason(const Config& config, const DiskState& disk, size_t live) {
  if (disk.used_percent > config.gc_disk_usage_threshold)
    return fmt::format("disk usage of {:.0f} is over gc threshold of {:.0f}", disk.used_percent,
                       config.gc_disk_usage_threshold);
  if (disk.inodes_percent > config.gc_inode_usage_threshold)
    return fmt::format("inode usage of {:.0f} is over gc threshold of {:.0f}", disk.inodes_percent,
                       config.gc_inode_usage_threshold);
  if (live > static_cast<size_t>(std::max(config.gc_max_allocs, 0)))
    return fmt::format("number of allocations ({}) is over the limit ({})", live, config.gc_max_allocs);
  return "";
}

std::vector<Uuid> make_room(GcQueue& queue, const Config& config, const std::optional<DiskState>& disk, size_t live,
                            size_t incoming, int64_t needed_mb) {
  std::vector<Uuid> out;
  auto limit = static_cast<size_t>(std::max(config.gc_max_allocs, 0));
  int64_t freed_mb = 0;
  auto destroy_one = [&] {
    auto victim = queue.pop();
    if (!victim) return false;
    out.push_back(victim->id);
    freed_mb += victim->disk_mb;
    --live;
    return true;
  };
  while (live + incoming > limit)
    if (!destroy_one()) return out;
  int64_t available_mb =
      disk ? static_cast<int64_t>(disk->available >> 20) - config.reserved.disk_mb : 0;  // without figures: free it all
  while (needed_mb >= available_mb + freed_mb)
    if (needed_mb == 0 || !destroy_one()) break;
  return out;
}

}  // namespace drover::client
