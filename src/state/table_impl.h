// Bodies of Table, for the .cc files that instantiate tables.
#pragma once

#include "state/table.h"

namespace drover::state {

namespace detail {

// Steps through [begin, end) in either direction.
template <class Cursor>
struct Run {
  Cursor begin, end;
  Dir dir;

  // The current key's cursor, moved on for the next call; false at the end.
  bool step(Cursor& out) {
    if (begin == end) return false;
    if (dir == Dir::kForward) {
      out = begin;
      begin.next();
    } else {
      end.prev();
      out = end;
    }
    return true;
  }
};

}  // namespace detail

template <TableId kTableId, class T, class Id, class... Ix>
class Table<kTableId, T, Id, Ix...>::Scan final : public Rows<T>::Source {
 public:
  template <class Probe>
  Scan(const RowTree& rows, Dir dir, const Probe& probe)
      : rows_(rows), run_{rows_.seek(probe), rows_.seek(probe, true), dir} {}
  const Ref<T>* next() override {
    typename RowTree::Cursor at;
    return run_.step(at) ? &at.value() : nullptr;
  }

 private:
  RowTree rows_;
  detail::Run<typename RowTree::Cursor> run_;
};

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
class Table<kTableId, T, Id, Ix...>::IndexScan final : public Rows<T>::Source {
 public:
  template <class Probe>
  IndexScan(const RowTree& rows, const IndexTree<I>& index, Dir dir, const Probe& probe)
      : rows_(rows), index_(index), run_{index_.seek(probe), index_.seek(probe, true), dir} {}
  const Ref<T>* next() override {
    typename IndexTree<I>::Cursor at;
    if (!run_.step(at)) return nullptr;
    auto* row = rows_.find(key_tail<std::tuple_size_v<Key>>(at.key()));
    DROVER_ASSERT(row, "an index entry has its row");
    return row;
  }

 private:
  RowTree rows_;
  IndexTree<I> index_;
  detail::Run<typename IndexTree<I>::Cursor> run_;
};

template <TableId kTableId, class T, class Id, class... Ix>
template <class... P>
Rows<T> Table<kTableId, T, Id, Ix...>::scan(WatchSet* ws, Dir dir, const P&... parts) const {
  auto probe = std::tuple<const P&...>(parts...);
  watch(ws, 0, probe);
  return Rows<T>(std::make_unique<Scan>(rows_, dir, probe));
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I, class... P>
Rows<T> Table<kTableId, T, Id, Ix...>::by(WatchSet* ws, Dir dir, const P&... parts) const {
  auto probe = std::tuple<const P&...>(parts...);
  watch(ws, index_number<I>(), probe);
  return Rows<T>(std::make_unique<IndexScan<I>>(rows_, std::get<index_number<I>() - 1>(indexes_), dir, probe));
}

template <TableId kTableId, class T, class Id, class... Ix>
Rows<T> Table<kTableId, T, Id, Ix...>::each() const {
  return scan(nullptr, Dir::kForward);
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
void Table<kTableId, T, Id, Ix...>::reindex(const T* before, const T* after) {
  typename I::Key old_key, new_key;
  bool had = before && I::key(*before, old_key);
  bool has = after && I::key(*after, new_key);
  if (had && has && KeyOrder()(old_key, new_key) == 0) return;
  auto& tree = std::get<index_number<I>() - 1>(indexes_);
  if (had) tree.erase(old_key);
  if (has) tree.put(std::move(new_key));
}

template <TableId kTableId, class T, class Id, class... Ix>
Ref<T> Table<kTableId, T, Id, Ix...>::put(Ref<T> row) {
  const T* after = row.get();
  auto old = rows_.put(key_of(*row), std::move(row));
  Ref<T> before = old ? std::move(*old) : nullptr;
  (reindex<Ix>(before.get(), after), ...);
  return before;
}

template <TableId kTableId, class T, class Id, class... Ix>
Ref<T> Table<kTableId, T, Id, Ix...>::remove(const Key& key) {
  auto* found = rows_.find(key);
  if (!found) return nullptr;
  Ref<T> before = *found;
  rows_.erase(key);
  (reindex<Ix>(before.get(), nullptr), ...);
  return before;
}

template <TableId kTableId, class T, class Id, class... Ix>
void Table<kTableId, T, Id, Ix...>::watch_keys(const T& row, WatchSink& sink) {
  std::string bytes;
  auto tell = [&](uint8_t index, const auto& key) {
    bytes.clear();
    encode_key(bytes, key);
    sink.touch(index, bytes);
  };
  if (sink.wants(0)) tell(0, key_of(row));
  auto one = [&]<class I>(uint8_t index) {
    if (!sink.wants(index)) return;
    typename I::Key key;
    if (I::key(row, key)) tell(index, key);
  };
  (one.template operator()<Ix>(index_number<Ix>()), ...);
}

template <TableId kTableId, class T, class Id, class... Ix>
void Table<kTableId, T, Id, Ix...>::diff(const Table& before, const Table& after,
                                         const std::function<void(const Ref<T>&, const Ref<T>&)>& fn) {
  static const Ref<T> kNone;
  RowTree::diff(before.rows_, after.rows_,
                [&](const Key&, const Ref<T>* b, const Ref<T>* a) { fn(b ? *b : kNone, a ? *a : kNone); });
}

}  // namespace drover::state
