// Table: rows in a tree by their own key, and secondary indexes as sets of (index parts..., row key...).
//
// An index is a struct with `using Key = std::tuple<...>` that ends in the row's key parts, and
// `static bool key(const Row&, Key&)`, false when the row is absent from the index. Index 0 of watches is the row key;
// the secondary indexes count from 1 in the order of declaration.
//
// A compact index keeps less of a row than its key, for tables with very many rows that are known by one Uuid. It also has
//   using Entry = std::tuple<...>          what the tree keeps; the last part is head_of the row's id
//   static bool holds(const Row&)          whether the row is in the index, as `key` says it
//   static Entry entry(const Row&)         for rows that are
//   static auto range(parts...)            the probe over entries that holds all rows with these parts, and maybe more
//   static bool has(const Row&, parts...)  whether a row really has them
#pragma once

#include <functional>
#include <tuple>

#include "state/keys.h"
#include "state/rows.h"
#include "state/table_id.h"
#include "state/tree.h"
#include "state/watch.h"

namespace drover::state {

template <TableId kTableId, class T, class Id, class... Ix>
class Table {
 public:
  using Row = T;
  using Key = typename Id::Key;
  static constexpr TableId kId = kTableId;

  size_t size() const { return rows_.size(); }
  // The last index that changed the table.
  uint64_t index() const { return index_; }
  // Counts changes; differs between two snapshots exactly when the table may differ.
  uint32_t revision() const { return revision_; }
  size_t memory() const {
    return rows_.memory() + std::apply([](auto&... t) { return (t.memory() + ... + size_t{0}); }, indexes_);
  }

  // Used by Txn; not by queries. `put` and `remove` return the row that was there.
  Ref<T> put(Ref<T> row);
  Ref<T> remove(const Key& key);
  void changed(uint64_t index) {
    ++revision_;
    if (index) index_ = index;
  }
  void set_index(uint64_t index) { index_ = index; }
  // Takes the place of `before`: a revision that it never had.
  void follow(const Table& before) { revision_ = before.revision_ + 0x10000; }
  static Key key_of(const T& row) {
    Key key;
    Id::key(row, key);
    return key;
  }
  // Tells the sink the bytes of every index key of the row.
  static void watch_keys(const T& row, WatchSink& sink);
  static void encode_row_key(const T& row, std::string& out) { encode_key(out, key_of(row)); }
  // fn(before, after) for each row that differs, in key order; either is null where absent.
  static void diff(const Table& before, const Table& after, const std::function<void(const Ref<T>&, const Ref<T>&)>& fn);
  // Every row in key order, without a watch.
  Rows<T> each() const;

 protected:
  template <class... P>
  Ref<T> find(WatchSet* ws, const P&... parts) const {
    auto probe = std::tuple<const P&...>(parts...);
    watch(ws, 0, probe);
    auto* row = rows_.find(probe);
    return row ? *row : nullptr;
  }
  template <class... P>
  Rows<T> scan(WatchSet* ws, Dir dir, const P&... parts) const;
  template <class I, class... P>
  Rows<T> by(WatchSet* ws, Dir dir, const P&... parts) const;
  // Each value of the first part of an index, in order, without a watch.
  template <class I>
  auto first_parts() const;
  template <class I, class... P>
  void watch_by(WatchSet* ws, const P&... parts) const {
    watch(ws, index_number<I>(), std::tuple<const P&...>(parts...));
  }

 private:
  using RowTree = Tree<Key, Ref<T>, KeyOrder>;
  template <class I>
  static constexpr bool kCompact = requires { typename I::Entry; };
  template <class I>
  struct Stored {
    using Key = typename I::Key;
  };
  template <class I>
    requires kCompact<I>
  struct Stored<I> {
    using Key = typename I::Entry;
  };
  template <class I>
  using IndexTree = Tree<typename Stored<I>::Key, std::monostate, KeyOrder>;
  template <class I>
  static constexpr uint8_t index_number() {
    uint8_t n = 0, found = 0;
    ((++n, std::is_same_v<I, Ix> ? (found = n) : 0), ...);
    return found;
  }

  class Scan;
  template <class I>
  class IndexScan;
  template <class I, class... P>
  class CompactScan;

  template <class Probe>
  void watch(WatchSet* ws, uint8_t index, const Probe& probe) const {
    if (!ws) return;
    std::string bytes;
    encode_key(bytes, probe);
    ws->add(kTableId, index, revision_, bytes);
  }
  template <class I>
  void reindex(const T* before, const T* after);
  // Whether a row other than `row` has the same entry.
  template <class I>
  bool shares_entry(const T& row, const typename Stored<I>::Key& entry) const;
  // What the tree keeps of the row; false when it is not in the index.
  template <class I>
  static bool stored_key(const T& row, typename Stored<I>::Key& out);

  RowTree rows_;
  std::tuple<IndexTree<Ix>...> indexes_;
  uint64_t index_ = 0;
  uint32_t revision_ = 0;
};

}  // namespace drover::state
