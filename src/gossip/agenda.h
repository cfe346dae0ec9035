// What a core has to do later: callbacks by time, run by whoever drives the core. Ties run in the order of arming.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace drover::gossip {

class Agenda {
 public:
  using Id = uint64_t;  // never 0

  Id at(Monotonic when, std::move_only_function<void()> fn) {
    Id id = ++last_;
    due_.emplace(std::pair(when, id), std::move(fn));
    when_.emplace(id, when);
    return id;
  }
  void cancel(Id id) {
    auto it = when_.find(id);
    if (it == when_.end()) return;
    due_.erase({it->second, id});
    when_.erase(it);
  }
  std::optional<Monotonic> next() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first.first;
  }
  // Runs what is due at `now`, also what that makes due.
  void run(Monotonic now) {
    while (!due_.empty() && due_.begin()->first.first <= now) {
      auto node = due_.extract(due_.begin());
      when_.erase(node.key().second);
      node.mapped()();
    }
  }

 private:
  std::map<std::pair<Monotonic, Id>, std::move_only_function<void()>> due_;
  std::unordered_map<Id, Monotonic> when_;
  Id last_ = 0;
};

}  // namespace drover::gossip
