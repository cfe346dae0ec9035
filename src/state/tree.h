// Tree: a persistent ordered B+tree. Copying a tree is O(1) and shares all nodes; a change copies only the nodes on its
// path that another copy still sees, and works in place on those it owns alone. So a writer that changes many keys
// between two snapshots pays for each touched leaf once.
//
// Threads: a Tree object belongs to one thread at a time; copies of it may be read, copied and dropped on any thread
// while the first goes on being changed, because shared nodes are never written to and their counts are atomic.
//
// A node is one block: head, keys, then values (leaf) or children (inner). It is as large as its content, in steps
// of four entries. V is std::monostate for a set, which then stores no values.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace drover::state {

template <class K, class V, class Order>
class Tree {
  static constexpr int kFanout = 32;
  static constexpr int kMergeBelow = 8;    // a child with fewer entries joins a neighbour...
  static constexpr int kMergeUpTo = 24;    // ...if the two together have no more than this
  static constexpr int kStep = 4;
  static constexpr int kMaxDepth = 16;
  static constexpr bool kSet = std::is_same_v<V, std::monostate>;

  struct alignas(16) Node {
    std::atomic<uint32_t> refs{1};
    uint16_t count = 0;
    uint16_t capacity = 0;
    bool leaf = true;
  };
  static_assert(alignof(K) <= 16 && alignof(V) <= 16);

  template <class P>
  static constexpr size_t payload_offset(size_t capacity) {
    return (sizeof(Node) + capacity * sizeof(K) + alignof(P) - 1) / alignof(P) * alignof(P);
  }
  static K* keys(Node* n) { return reinterpret_cast<K*>(n + 1); }
  static const K* keys(const Node* n) { return reinterpret_cast<const K*>(n + 1); }
  template <class P>
  static P* payload(const Node* n) {
    return reinterpret_cast<P*>(reinterpret_cast<char*>(const_cast<Node*>(n)) + payload_offset<P>(n->capacity));
  }
  static Node** children(const Node* n) { return payload<Node*>(n); }
  static V* values(const Node* n) { return payload<V>(n); }

 public:
  // A position in a tree: a key, or the end. Valid while some copy of the tree lives and is not changed.
  class Cursor {
   public:
    bool at_end() const { return end_; }
    const K& key() const { return keys(node())[at_[depth_]]; }
    const V& value() const
      requires(!kSet)
    {
      return values(node())[at_[depth_]];
    }
    void next() {
      if (++at_[depth_] < node()->count) return;
      int level = depth_;
      while (level > 0 && at_[level - 1] + 1 >= path_[level - 1]->count) --level;
      if (level == 0) {
        end_ = true;
        return;
      }
      ++at_[level - 1];
      descend(level, false);
    }
    // From the end: to the last key. Not before the first key.
    void prev() {
      if (end_) {
        end_ = false;
        at_[0] = static_cast<uint16_t>(path_[0]->count - 1);
        if (path_[0]->leaf) depth_ = 0;
        else descend(1, true);
        return;
      }
      if (at_[depth_] > 0) {
        --at_[depth_];
        return;
      }
      int level = depth_;
      while (at_[level - 1] == 0) --level;
      --at_[level - 1];
      descend(level, true);
    }
    friend bool operator==(const Cursor& a, const Cursor& b) {
      if (a.end_ || b.end_) return a.end_ == b.end_;
      return a.node() == b.node() && a.at_[a.depth_] == b.at_[b.depth_];
    }

   private:
    friend class Tree;
    const Node* node() const { return path_[depth_]; }
    // Fills the path from `level` down to a leaf, by first or last children.
    void descend(int level, bool last) {
      for (;; ++level) {
        DROVER_ASSERT(level < kMaxDepth, "the tree is within its depth");
        const Node* n = children(path_[level - 1])[at_[level - 1]];
        path_[level] = n;
        at_[level] = last ? static_cast<uint16_t>(n->count - 1) : 0;
        depth_ = level;
        if (n->leaf) return;
      }
    }

    std::array<const Node*, kMaxDepth> path_;
    std::array<uint16_t, kMaxDepth> at_;
    int depth_ = 0;
    bool end_ = true;
  };

  Tree() = default;
  Tree(const Tree& o) : root_(o.root_), size_(o.size_) { retain(root_); }
  Tree(Tree&& o) noexcept : root_(std::exchange(o.root_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Tree& operator=(Tree o) noexcept {
    std::swap(root_, o.root_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~Tree() { release(root_); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Whether the two share their whole content (not a comparison of contents).
  bool same(const Tree& o) const { return root_ == o.root_; }

  // The value at a full key, valid until the tree is changed or dropped; null when absent.
  template <class Q>
  const V* find(const Q& key) const {
    auto* n = root_;
    if (!n) return nullptr;
    while (!n->leaf) n = children(n)[child_for(n, key)];
    int i = lower(n, key);
    if (i == n->count || Order()(keys(n)[i], key) != 0) return nullptr;
    if constexpr (kSet) {
      static constexpr V kPresent{};
      return &kPresent;
    } else {
      return &values(n)[i];
    }
  }
  template <class Q>
  bool contains(const Q& key) const {
    return find(key) != nullptr;
  }

  // Stores the value; returns the one that was there.
  std::optional<V> put(K key, V value) {
    if (!root_) root_ = make(true, kStep);
    std::optional<V> old;
    Split split;
    if (insert(root_, key, value, old, split)) ++size_;
    if (split.right) {
      Node* top = make(false, kStep);
      std::construct_at(keys(top), keys(root_)[0]);
      std::construct_at(keys(top) + 1, std::move(*split.key));
      children(top)[0] = root_;
      children(top)[1] = split.right;
      top->count = 2;
      root_ = top;
    }
    return old;
  }
  void put(K key)
    requires kSet
  {
    put(std::move(key), V{});
  }

  template <class Q>
  bool erase(const Q& key) {
    if (!contains(key)) return false;
    remove(root_, key);
    --size_;
    while (!root_->leaf && root_->count == 1) {
      Node* child = children(root_)[0];
      retain(child);
      release(root_);
      root_ = child;
    }
    if (root_->count == 0) {
      release(root_);
      root_ = nullptr;
    }
    return true;
  }

  // The first key not before the probe's range, or (`after`) the first key behind it.
  template <class Q>
  Cursor seek(const Q& probe, bool after = false) const {
    Cursor c;
    if (!root_) return c;
    auto before = [&](const K& k) {
      int order = Order()(k, probe);
      return after ? order <= 0 : order < 0;
    };
    const Node* n = root_;
    int level = 0;
    for (;; ++level) {
      c.path_[level] = n;
      if (n->leaf) break;
      int lo = 0, hi = n->count - 1;  // the last child whose separator is before the target, else the first
      while (lo < hi) {
        int mid = (lo + hi + 1) / 2;
        if (before(keys(n)[mid])) lo = mid;
        else hi = mid - 1;
      }
      c.at_[level] = static_cast<uint16_t>(lo);
      n = children(n)[lo];
    }
    int lo = 0, hi = n->count;
    while (lo < hi) {
      int mid = (lo + hi) / 2;
      if (before(keys(n)[mid])) lo = mid + 1;
      else hi = mid;
    }
    c.depth_ = level;
    c.end_ = false;
    if (lo < n->count) {
      c.at_[level] = static_cast<uint16_t>(lo);
    } else {
      c.at_[level] = static_cast<uint16_t>(n->count - 1);
      c.next();
    }
    return c;
  }

  // Calls fn(key, before, after) for every key whose presence or value differs between the two trees, in key order;
  // `before` or `after` is null where absent. Shared nodes are skipped whole, so that the cost follows the difference.
  template <class Fn>
  static void diff(const Tree& before, const Tree& after, Fn&& fn) {
    if (before.root_ == after.root_) return;
    Cursor a = before.first(), b = after.first();
    while (!a.at_end() || !b.at_end()) {
      if (!a.at_end() && !b.at_end() && skip_shared(a, b)) continue;
      int order = a.at_end() ? 1 : b.at_end() ? -1 : Order()(a.key(), b.key());
      if (order < 0) {
        fn(a.key(), value_ptr(a), static_cast<const V*>(nullptr));
        a.next();
      } else if (order > 0) {
        fn(b.key(), static_cast<const V*>(nullptr), value_ptr(b));
        b.next();
      } else {
        if constexpr (!kSet)
          if (!(a.value() == b.value())) fn(a.key(), value_ptr(a), value_ptr(b));
        a.next();
        b.next();
      }
    }
  }

  Cursor first() const {
    Cursor c;
    if (!root_) return c;
    c.path_[0] = root_;
    c.at_[0] = 0;
    c.end_ = false;
    if (!root_->leaf) c.descend(1, false);
    return c;
  }

  // Bytes of all nodes, shared ones counted in full.
  size_t memory() const { return root_ ? memory(root_) : 0; }

 private:
  struct Split {
    Node* right = nullptr;
    std::optional<K> key;
  };

  static const V* value_ptr(const Cursor& c) {
    if constexpr (kSet) {
      static constexpr V kPresent{};
      return &kPresent;
    } else {
      return &c.value();
    }
  }

  // When both cursors stand at the start of one shared node, moves both behind the highest such node.
  static bool skip_shared(Cursor& a, Cursor& b) {
    if (a.at_[a.depth_] != 0 || b.at_[b.depth_] != 0) return false;
    int best_a = -1, best_b = -1;
    for (int i = a.depth_; i >= 0; --i) {
      if (i < a.depth_ && a.at_[i] != 0) break;
      for (int j = b.depth_; j >= 0; --j) {
        if (j < b.depth_ && b.at_[j] != 0) break;
        if (a.path_[i] == b.path_[j]) best_a = i, best_b = j;
      }
    }
    if (best_a < 0) return false;
    leave(a, best_a);
    leave(b, best_b);
    return true;
  }
  // Moves behind the node at `level`.
  static void leave(Cursor& c, int level) {
    c.depth_ = level;
    c.at_[level] = static_cast<uint16_t>(c.path_[level]->count - 1);
    while (level > 0 && c.at_[level - 1] + 1 >= c.path_[level - 1]->count) --level;
    if (level == 0) {
      c.end_ = true;
      return;
    }
    ++c.at_[level - 1];
    c.descend(level, false);
  }

  static size_t block_size(bool leaf, size_t capacity) {
    if (!leaf) return payload_offset<Node*>(capacity) + capacity * sizeof(Node*);
    if constexpr (kSet) return sizeof(Node) + capacity * sizeof(K);
    return payload_offset<V>(capacity) + capacity * sizeof(V);
  }
  static size_t memory(const Node* n) {
    size_t sum = block_size(n->leaf, n->capacity);
    if (!n->leaf)
      for (int i = 0; i < n->count; ++i) sum += memory(children(n)[i]);
    return sum;
  }
  static Node* make(bool leaf, size_t capacity) {
    capacity = (capacity + kStep - 1) / kStep * kStep;
    void* block = ::operator new(block_size(leaf, capacity), std::align_val_t(16));
    auto* n = new (block) Node;
    n->capacity = static_cast<uint16_t>(capacity);
    n->leaf = leaf;
    return n;
  }
  static void free_block(Node* n) {
    n->~Node();
    ::operator delete(n, std::align_val_t(16));
  }
  static void retain(Node* n) {
    if (n) n->refs.fetch_add(1, std::memory_order_relaxed);
  }
  static void release(Node* n) {
    if (!n || n->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    std::destroy_n(keys(n), n->count);
    if (n->leaf) {
      if constexpr (!kSet) std::destroy_n(values(n), n->count);
    } else {
      for (int i = 0; i < n->count; ++i) release(children(n)[i]);
    }
    free_block(n);
  }

  // Makes `slot` a node that only this tree sees, with room for `extra` more entries.
  static void own(Node*& slot, int extra) {
    Node* old = slot;
    bool alone = old->refs.load(std::memory_order_acquire) == 1;
    int need = old->count + extra;
    if (alone && need <= old->capacity) return;
    Node* n = make(old->leaf, static_cast<size_t>(need));
    n->count = old->count;
    if (alone) {
      std::uninitialized_move_n(keys(old), old->count, keys(n));
      std::destroy_n(keys(old), old->count);
      if (!old->leaf) {
        std::uninitialized_copy_n(children(old), old->count, children(n));
      } else if constexpr (!kSet) {
        std::uninitialized_move_n(values(old), old->count, values(n));
        std::destroy_n(values(old), old->count);
      }
      free_block(old);
    } else {
      std::uninitialized_copy_n(keys(old), old->count, keys(n));
      if (!old->leaf) {
        std::uninitialized_copy_n(children(old), old->count, children(n));
        for (int i = 0; i < n->count; ++i) retain(children(n)[i]);
      } else if constexpr (!kSet) {
        std::uninitialized_copy_n(values(old), old->count, values(n));
      }
      release(old);
    }
    slot = n;
  }

  template <class P>
  static void open_gap(P* array, int count, int at) {
    if (at == count) return;
    std::construct_at(array + count, std::move(array[count - 1]));
    std::move_backward(array + at, array + count - 1, array + count);
    std::destroy_at(array + at);
  }
  template <class P>
  static void close_gap(P* array, int count, int at) {
    std::move(array + at + 1, array + count, array + at);
    std::destroy_at(array + count - 1);
  }
  // Moves `n` entries from one array's index to the end of another.
  template <class P>
  static void take(P* from, int n, P* to) {
    std::uninitialized_move_n(from, n, to);
    std::destroy_n(from, n);
  }
  static void take_entries(Node* from, int at, Node* to) {
    int n = from->count - at;
    take(keys(from) + at, n, keys(to) + to->count);
    if (!from->leaf) {
      take(children(from) + at, n, children(to) + to->count);
    } else if constexpr (!kSet) {
      take(values(from) + at, n, values(to) + to->count);
    }
    to->count = static_cast<uint16_t>(to->count + n);
    from->count = static_cast<uint16_t>(at);
  }

  template <class Q>
  static int lower(const Node* n, const Q& key) {
    int lo = 0, hi = n->count;
    while (lo < hi) {
      int mid = (lo + hi) / 2;
      if (Order()(keys(n)[mid], key) < 0) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
  // The child that holds or would hold a full key; the first separator bounds nothing.
  template <class Q>
  static int child_for(const Node* n, const Q& key) {
    int lo = 0, hi = n->count - 1;
    while (lo < hi) {
      int mid = (lo + hi + 1) / 2;
      if (Order()(keys(n)[mid], key) <= 0) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  // Splits an owned full node. At its end only the new entry goes right, so that ascending keys fill their nodes.
  // Both halves are as large as they need to be.
  static Node* split_node(Node*& n, int at) {
    int keep = at == n->count ? n->count : n->count / 2;
    Node* right = make(n->leaf, static_cast<size_t>(n->count - keep + 1));
    if (keep == n->count) return right;
    take_entries(n, keep, right);
    Node* left = make(n->leaf, static_cast<size_t>(keep + 1));
    take_entries(n, 0, left);
    free_block(n);
    n = left;
    return right;
  }

  // True: the key is new.
  static bool insert(Node*& slot, K& key, V& value, std::optional<V>& old, Split& split) {
    return slot->leaf ? insert_leaf(slot, key, value, old, split) : insert_inner(slot, key, value, old, split);
  }

  static bool insert_leaf(Node*& slot, K& key, V& value, std::optional<V>& old, Split& split) {
    int at = lower(slot, key);
    if (at < slot->count && Order()(keys(slot)[at], key) == 0) {
      if constexpr (!kSet) {
        own(slot, 0);
        old = std::exchange(values(slot)[at], std::move(value));
      } else {
        old = V{};
      }
      return false;
    }
    Node** into = &slot;
    if (slot->count == kFanout) {
      own(slot, 0);
      split.right = split_node(slot, at);
      if (at > slot->count || split.right->count == 0) {
        at -= slot->count;
        into = &split.right;
      }
    }
    own(*into, 1);
    Node* n = *into;
    open_gap(keys(n), n->count, at);
    std::construct_at(keys(n) + at, std::move(key));
    if constexpr (!kSet) {
      open_gap(values(n), n->count, at);
      std::construct_at(values(n) + at, std::move(value));
    }
    ++n->count;
    if (split.right) split.key = keys(split.right)[0];
    return true;
  }

  static bool insert_inner(Node*& slot, K& key, V& value, std::optional<V>& old, Split& split) {
    int at = child_for(slot, key);
    own(slot, 0);
    Split below;
    bool added = insert(children(slot)[at], key, value, old, below);
    if (!below.right) return added;
    ++at;
    Node** into = &slot;
    if (slot->count == kFanout) {
      split.right = split_node(slot, at);
      if (at > slot->count || split.right->count == 0) {
        at -= slot->count;
        into = &split.right;
      }
    }
    own(*into, 1);
    Node* n = *into;
    open_gap(keys(n), n->count, at);
    std::construct_at(keys(n) + at, std::move(*below.key));
    open_gap(children(n), n->count, at);
    children(n)[at] = below.right;
    ++n->count;
    if (split.right) split.key = keys(split.right)[0];
    return added;
  }

  // The key is present.
  template <class Q>
  static void remove(Node*& slot, const Q& key) {
    own(slot, 0);
    Node* n = slot;
    if (n->leaf) {
      int at = lower(n, key);
      close_gap(keys(n), n->count, at);
      if constexpr (!kSet) close_gap(values(n), n->count, at);
      --n->count;
      return;
    }
    int at = child_for(n, key);
    remove(children(n)[at], key);
    Node* child = children(n)[at];
    if (child->count == 0) {
      release(child);
      drop_child(n, at);
    } else if (child->count < kMergeBelow) {
      if (at + 1 < n->count && joined(n, at) <= kMergeUpTo) merge(n, at);
      else if (at > 0 && joined(n, at - 1) <= kMergeUpTo) merge(n, at - 1);
    }
  }
  static int joined(const Node* n, int at) { return children(n)[at]->count + children(n)[at + 1]->count; }
  static void drop_child(Node* n, int at) {
    close_gap(keys(n), n->count, at);
    close_gap(children(n), n->count, at);
    --n->count;
  }
  // Moves the entries of child at+1 into child at.
  static void merge(Node* n, int at) {
    Node*& left = children(n)[at];
    Node*& right = children(n)[at + 1];
    own(right, 0);
    own(left, right->count);
    if (!right->leaf) keys(right)[0] = keys(n)[at + 1];  // a real bound now
    take_entries(right, 0, left);
    release(right);
    drop_child(n, at + 1);
  }

  Node* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace drover::state
