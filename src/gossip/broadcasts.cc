#include "gossip/broadcasts.h"

#include <cmath>
#include <limits>

namespace drover::gossip {

int retransmit_limit(int mult, size_t n) {
  return mult * static_cast<int>(std::ceil(std::log10(static_cast<double>(n) + 1)));
}

void Broadcasts::remove(const ItemRef& item) {
  queue_.erase(key_of(*item));
  if (!item->name.empty()) named_.erase(item->name);
}

void Broadcasts::add(std::string name, std::string message, Finished finished) {
  auto item = std::make_shared<Item>(Item{0, ++ids_, std::move(name), std::move(message), std::move(finished)});
  ItemRef replaced;
  if (!item->name.empty()) {
    if (auto it = named_.find(item->name); it != named_.end()) {
      replaced = it->second;
      remove(replaced);
    }
    named_[item->name] = item;
  }
  queue_.emplace(key_of(*item), item);
  if (replaced && replaced->finished) replaced->finished();
}

std::vector<std::string> Broadcasts::take(size_t overhead, size_t limit, int transmits) {
  std::vector<std::string> out;
  std::vector<ItemRef> again;
  std::vector<Finished> done;
  size_t used = 0;
  auto it = queue_.begin();
  while (it != queue_.end() && used + overhead < limit) {
    size_t free = limit - used - overhead;
    if (it->first.size > free) {
      // The largest of this count of sendings that fits; none: the next count.
      it = queue_.lower_bound(Key{it->first.sent, free, std::numeric_limits<uint64_t>::max()});
      if (it == queue_.end() || it->first.size > free) continue;
    }
    auto item = it->second;
    used += overhead + item->message.size();
    out.push_back(item->message);
    it = queue_.erase(it);
    if (item->sent + 1 >= transmits) {
      if (!item->name.empty()) named_.erase(item->name);
      if (item->finished) done.push_back(std::move(item->finished));
    } else {
      ++item->sent;
      again.push_back(std::move(item));
    }
  }
  for (auto& item : again) queue_.emplace(key_of(*item), item);
  for (auto& f : done) f();
  return out;
}

void Broadcasts::prune(size_t keep) {
  std::vector<Finished> done;
  while (queue_.size() > keep) {
    auto item = std::prev(queue_.end())->second;
    remove(item);
    if (item->finished) done.push_back(std::move(item->finished));
  }
  for (auto& f : done) f();
}

}  // namespace drover::gossip
