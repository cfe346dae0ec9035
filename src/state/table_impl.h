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

// Entries lead to rows by the head of the id. Nearly always that is one row; where several ids begin alike, those that
// have just this entry are taken, in order of id.
template <TableId kTableId, class T, class Id, class... Ix>
template <class I, class... P>
class Table<kTableId, T, Id, Ix...>::CompactScan final : public Rows<T>::Source {
 public:
  CompactScan(const RowTree& rows, const IndexTree<I>& index, Dir dir, const P&... parts)
      : rows_(rows), index_(index), parts_(parts...),
        run_{index_.seek(I::range(parts...)), index_.seek(I::range(parts...), true), dir} {}
  const Ref<T>* next() override {
    for (;;) {
      while (alike_.step(at_))
        if (agrees(*at_.value()) && has_entry(*at_.value())) return &at_.value();
      if (!run_.step(entry_)) return nullptr;
      uint64_t head = std::get<std::tuple_size_v<typename I::Entry> - 1>(entry_.key());
      at_ = rows_.seek(std::tuple(WithHead{head}));
      DROVER_ASSERT(!at_.at_end() && head_of(std::get<0>(at_.key())) == head, "an index entry has its row");
      auto behind = at_;
      behind.next();
      if (behind.at_end() || head_of(std::get<0>(behind.key())) != head) {
        if (agrees(*at_.value())) return &at_.value();
      } else {
        alike_ = {at_, rows_.seek(std::tuple(WithHead{head}), true), run_.dir};
      }
    }
  }

 private:
  using RowCursor = typename RowTree::Cursor;
  bool agrees(const T& row) const {
    return std::apply([&](const auto&... parts) { return I::has(row, parts...); }, parts_);
  }
  bool has_entry(const T& row) const {
    typename Stored<I>::Key own;
    return stored_key<I>(row, own) && KeyOrder()(own, entry_.key()) == 0;
  }

  RowTree rows_;
  IndexTree<I> index_;
  std::tuple<std::conditional_t<std::is_same_v<P, std::string_view>, std::string, P>...> parts_;
  detail::Run<typename IndexTree<I>::Cursor> run_;
  detail::Run<RowCursor> alike_{};
  typename IndexTree<I>::Cursor entry_;
  RowCursor at_;
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
  auto& index = std::get<index_number<I>() - 1>(indexes_);
  if constexpr (kCompact<I>) return Rows<T>(std::make_unique<CompactScan<I, P...>>(rows_, index, dir, parts...));
  else return Rows<T>(std::make_unique<IndexScan<I>>(rows_, index, dir, probe));
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
auto Table<kTableId, T, Id, Ix...>::first_parts() const {
  auto& index = std::get<index_number<I>() - 1>(indexes_);
  std::vector<std::tuple_element_t<0, typename Stored<I>::Key>> parts;
  for (auto at = index.first(); !at.at_end(); at = index.seek(std::tuple(parts.back()), true))
    parts.push_back(std::get<0>(at.key()));
  return parts;
}

template <TableId kTableId, class T, class Id, class... Ix>
Rows<T> Table<kTableId, T, Id, Ix...>::each() const {
  return scan(nullptr, Dir::kForward);
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
bool Table<kTableId, T, Id, Ix...>::stored_key(const T& row, typename Stored<I>::Key& out) {
  if constexpr (kCompact<I>) {
    if (!I::holds(row)) return false;
    out = I::entry(row);
    return true;
  } else {
    return I::key(row, out);
  }
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
bool Table<kTableId, T, Id, Ix...>::shares_entry(const T& row, const typename Stored<I>::Key& entry) const {
  if constexpr (kCompact<I>) {
    uint64_t head = std::get<std::tuple_size_v<typename I::Entry> - 1>(entry);
    auto probe = std::tuple(WithHead{head});
    auto own = key_of(row);
    typename Stored<I>::Key other;
    for (auto at = rows_.seek(probe), end = rows_.seek(probe, true); !(at == end); at.next())
      if (KeyOrder()(at.key(), own) != 0 && stored_key<I>(*at.value(), other) && KeyOrder()(other, entry) == 0) return true;
  }
  return false;
}

template <TableId kTableId, class T, class Id, class... Ix>
template <class I>
void Table<kTableId, T, Id, Ix...>::reindex(const T* before, const T* after) {
  typename Stored<I>::Key old_key, new_key;
  bool had = before && stored_key<I>(*before, old_key);
  bool has = after && stored_key<I>(*after, new_key);
  if (had && has && KeyOrder()(old_key, new_key) == 0) return;
  auto& tree = std::get<index_number<I>() - 1>(indexes_);
  if (had && !shares_entry<I>(*before, old_key)) tree.erase(old_key);
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
