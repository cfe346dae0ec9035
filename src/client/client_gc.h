// Which terminal allocations to delete from this node, and when: pure (reference client, section 11).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "client/config.h"

namespace drover::client {

struct DiskState {
  uint64_t total = 0, available = 0;  // bytes of the alloc dir's file system
  double used_percent = 0, inodes_percent = 0;
};

// Terminal allocations in the order in which they ended.
class GcQueue {
 public:
  void mark(const Uuid& id, int64_t disk_mb);
  bool remove(const Uuid& id);
  bool contains(const Uuid& id) const;
  size_t size() const { return queue_.size(); }
  std::vector<Uuid> all() const;

  struct Victim {
    Uuid id;
    int64_t disk_mb = 0;
  };
  std::optional<Victim> pop();

 private:
  std::vector<Victim> queue_;
};

// Why the oldest should go now; "" when it need not. `live` counts allocations not yet destroyed.
std::string gc_reason(const Config& config, const DiskState& disk, size_t live);

// The ones to destroy before `incoming` new allocations that need `needed_mb` of disk are begun; taken from the queue.
std::vector<Uuid> make_room(GcQueue& queue, const Config& config, const std::optional<DiskState>& disk, size_t live,
                            size_t incoming, int64_t needed_mb);

}  // namespace drover::client
