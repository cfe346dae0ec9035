// Messages to be spread by gossip: each goes out a limited number of times, those sent least go first, larger ones
// before smaller ones, newer before older, as many as fit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace drover::gossip {

// How often one message is sent in a pool of n nodes: mult * ceil(log10(n + 1)).
int retransmit_limit(int mult, size_t n);

class Broadcasts {
 public:
  using Finished = std::move_only_function<void()>;

  // A later message of the same name replaces an earlier one; no name: it stands alone. `finished` runs when the message
  // has been sent as often as it should, or is replaced or pruned.
  void add(std::string name, std::string message, Finished finished = {});
  // At most `limit` bytes, counting `overhead` for each. `transmits`: retransmit_limit().
  std::vector<std::string> take(size_t overhead, size_t limit, int transmits);
  size_t size() const { return queue_.size(); }
  // Drops those that were sent most until `keep` are left.
  void prune(size_t keep);

 private:
  struct Item {
    int sent = 0;
    uint64_t id = 0;
    std::string name;
    std::string message;
    Finished finished;
  };
  using ItemRef = std::shared_ptr<Item>;
  struct Key {
    int sent;
    size_t size;
    uint64_t id;
    friend bool operator<(const Key& a, const Key& b) {
      if (a.sent != b.sent) return a.sent < b.sent;
      if (a.size != b.size) return a.size > b.size;
      return a.id > b.id;
    }
  };
  static Key key_of(const Item& i) { return {i.sent, i.message.size(), i.id}; }
  void remove(const ItemRef& item);

  std::map<Key, ItemRef> queue_;
  std::map<std::string, ItemRef, std::less<>> named_;
  uint64_t ids_ = 0;
};

}  // namespace drover::gossip
