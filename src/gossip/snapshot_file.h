// Writes the snapshot file in the order of what is queued, from whatever thread drains it.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"

namespace drover::gossip {

class SnapshotFile {
 public:
  explicit SnapshotFile(std::string path) : path_(std::move(path)) {}
  // The file's bytes; "" when there is none yet. Makes the directory.
  Result<std::string> read() const;
  void append(std::string lines) { queue({std::move(lines), false}); }
  void replace(std::string content) { queue({std::move(content), true}); }
  // Blocks until all that is queued is written; `sync` also until the disk has it.
  Status drain(bool sync);

 private:
  struct Item {
    std::string text;
    bool whole = false;
  };
  void queue(Item item) {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(item));
  }
  const std::string path_;
  std::mutex mutex_;
  std::deque<Item> queue_;
};

// Replaces a file at once, readable by its owner only.
Status write_private_file(const std::string& path, const std::string& content);

}  // namespace drover::gossip
