// Containers of the domain structs: value semantics (deep copy, deep equality), 8 bytes each when empty, and nil
// kept apart from empty because the wire keeps them apart (null against [] and {}).
//
//   Box<T>   an optional T on the heap; T may be incomplete where the member is declared
//   List<T>  a nullable vector
//   Map<V>   a nullable map from string, sorted by key, so that iteration order is stable everywhere
//   SharedMap<V>  the same, shared between copies until one is changed
//   Ref<T>   shared, immutable; what the state store hands out
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/packed_vector.h"

namespace drover {

template <class T>
using Ref = std::shared_ptr<const T>;

template <class T>
class Box {
 public:
  Box() = default;
  Box(std::nullptr_t) {}                                   // NOLINT: implicit on purpose
  Box(T v) : p_(new T(std::move(v))) {}                    // NOLINT: implicit on purpose
  Box(const Box& o) : p_(o.p_ ? new T(*o.p_) : nullptr) {}
  Box(Box&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Box& operator=(Box o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Box() { delete p_; }

  explicit operator bool() const { return p_ != nullptr; }
  T& operator*() {
    DROVER_ASSERT(p_, "an empty Box has no value");
    return *p_;
  }
  const T& operator*() const {
    DROVER_ASSERT(p_, "an empty Box has no value");
    return *p_;
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  T* get() { return p_; }
  const T* get() const { return p_; }
  T& emplace() {
    *this = Box(T{});
    return *p_;
  }
  // The value, made on first use.
  T& ensure() { return p_ ? *p_ : emplace(); }
  void reset() { *this = Box(); }
  friend bool operator==(const Box& a, const Box& b) {
    return a.p_ == b.p_ || (a.p_ && b.p_ && *a.p_ == *b.p_);
  }
  friend bool operator==(const Box& a, std::nullptr_t) { return !a.p_; }

 private:
  T* p_ = nullptr;
};

template <class T>
class List {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  List() = default;
  List(std::initializer_list<T> v) : v_(PackedVector<T>::of(v.begin(), v.end())) {}
  List(std::vector<T> v)  // NOLINT: implicit on purpose
      : v_(PackedVector<T>::of(std::make_move_iterator(v.begin()), std::make_move_iterator(v.end()))) {}
  static List empty_list() {
    List l;
    l.make_empty();
    return l;
  }

  bool is_nil() const { return v_.is_nil(); }
  size_t size() const { return v_.size(); }
  bool empty() const { return v_.empty(); }
  T* begin() { return v_.begin(); }
  T* end() { return v_.end(); }
  const T* begin() const { return v_.begin(); }
  const T* end() const { return v_.end(); }
  T& operator[](size_t i) { return v_[i]; }
  const T& operator[](size_t i) const { return v_[i]; }
  T& front() { return v_[0]; }
  const T& front() const { return v_[0]; }
  T& back() { return v_[size() - 1]; }
  const T& back() const { return v_[size() - 1]; }
  // The vector behind, made if nil (the list then is not nil any more).
  PackedVector<T>& vec() {
    v_.ensure();
    return v_;
  }
  std::vector<T> to_vector() const { return std::vector<T>(begin(), end()); }
  void push_back(T v) { v_.emplace_back(std::move(v)); }
  template <class... A>
  T& emplace_back(A&&... a) {
    return v_.emplace_back(std::forward<A>(a)...);
  }
  void reserve(size_t n) { v_.reserve(n); }
  void resize(size_t n) { v_.resize(n); }
  void erase(T* at) { v_.erase(at); }
  void shrink_to_fit() { v_.shrink_to_fit(); }
  void clear() { v_.clear(); }
  void reset() { v_.reset(); }
  // Not nil and without elements.
  void make_empty() { vec().clear(); }
  bool contains(const auto& v) const { return std::find(begin(), end(), v) != end(); }
  // nil and empty are different values, as they are on the wire.
  friend bool operator==(const List& a, const List& b) {
    return a.is_nil() == b.is_nil() && std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  PackedVector<T> v_;
};

template <class V>
class Map {
 public:
  using value_type = std::pair<std::string, V>;
  using mapped_type = V;

  Map() = default;
  Map(std::initializer_list<value_type> v) {
    vec();
    for (auto& e : v) (*this)[e.first] = e.second;
  }
  static Map empty_map() {
    Map m;
    m.make_empty();
    return m;
  }

  bool is_nil() const { return v_.is_nil(); }
  size_t size() const { return v_.size(); }
  bool empty() const { return v_.empty(); }
  value_type* begin() { return v_.begin(); }
  value_type* end() { return v_.end(); }
  const value_type* begin() const { return v_.begin(); }
  const value_type* end() const { return v_.end(); }

  V* find(std::string_view key) {
    auto it = lower_bound(key);
    return it != end() && it->first == key ? &it->second : nullptr;
  }
  const V* find(std::string_view key) const { return const_cast<Map*>(this)->find(key); }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // The value, or a default one (by value: small V such as strings).
  V get_or(std::string_view key, V fallback = {}) const {
    auto* v = find(key);
    return v ? *v : fallback;
  }
  const V& at(std::string_view key) const {
    auto* v = find(key);
    DROVER_ASSERT(v, "key is in the map");
    return *v;
  }
  V& operator[](std::string_view key) {
    auto it = lower_bound(key);
    if (it != end() && it->first == key) return it->second;
    return v_.insert(it, value_type(std::string(key), V{}))->second;
  }
  void set(std::string_view key, V v) { (*this)[key] = std::move(v); }
  bool erase(std::string_view key) {
    auto it = lower_bound(key);
    if (it == end() || it->first != key) return false;
    v_.erase(it);
    return true;
  }
  void shrink_to_fit() { v_.shrink_to_fit(); }
  void clear() { v_.clear(); }
  void reset() { v_.reset(); }
  // Not nil and without elements.
  void make_empty() { vec().clear(); }
  // The entries behind, made if nil (the map then is not nil any more). Who appends keeps the keys in order.
  PackedVector<value_type>& vec() {
    v_.ensure();
    return v_;
  }
  friend bool operator==(const Map& a, const Map& b) {
    return a.is_nil() == b.is_nil() && std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  value_type* lower_bound(std::string_view key) {
    return std::lower_bound(begin(), end(), key,
                            [](const value_type& e, std::string_view k) { return e.first < k; });
  }
  PackedVector<value_type> v_;
};

// A Map that its copies share until one of them is changed: 8 bytes a copy. For maps that many objects have alike.
// Counts are atomic: copies may cross threads, one copy belongs to one thread at a time.
template <class V>
class SharedMap {
  struct Rep {
    std::atomic<uint32_t> refs{1};
    Map<V> map;
  };

 public:
  using value_type = typename Map<V>::value_type;
  using mapped_type = V;

  SharedMap() = default;
  SharedMap(std::initializer_list<value_type> v) : SharedMap(Map<V>(v)) {}
  SharedMap(Map<V> m) {  // NOLINT: implicit on purpose
    if (m.empty()) rep_ = m.is_nil() ? nullptr : empty_rep();
    else (rep_ = new Rep)->map = std::move(m);
  }
  SharedMap(const SharedMap& o) : rep_(o.rep_) {
    if (counted()) rep_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  SharedMap(SharedMap&& o) noexcept : rep_(std::exchange(o.rep_, nullptr)) {}
  SharedMap& operator=(SharedMap o) noexcept {
    std::swap(rep_, o.rep_);
    return *this;
  }
  ~SharedMap() {
    if (counted() && rep_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete rep_;
  }
  static SharedMap empty_map() { return SharedMap(Map<V>::empty_map()); }

  const Map<V>& map() const { return rep_ ? rep_->map : nil_map(); }
  bool is_nil() const { return !rep_; }
  size_t size() const { return map().size(); }
  bool empty() const { return map().empty(); }
  const value_type* begin() const { return map().begin(); }
  const value_type* end() const { return map().end(); }
  const V* find(std::string_view key) const { return map().find(key); }
  bool contains(std::string_view key) const { return map().contains(key); }
  V get_or(std::string_view key, V fallback = {}) const { return map().get_or(key, std::move(fallback)); }
  const V& at(std::string_view key) const { return map().at(key); }

  // These make a copy first when others share the content.
  V& operator[](std::string_view key) { return own()[key]; }
  void set(std::string_view key, V v) { own()[key] = std::move(v); }
  bool erase(std::string_view key) { return contains(key) && own().erase(key); }
  void reset() { *this = SharedMap(); }
  void make_empty() { *this = empty_map(); }

  // No other copy has this content now.
  bool unique() const { return counted() && rep_->refs.load(std::memory_order_acquire) == 1; }
  bool same(const SharedMap& o) const { return rep_ == o.rep_; }
  friend bool operator==(const SharedMap& a, const SharedMap& b) { return a.rep_ == b.rep_ || a.map() == b.map(); }

 private:
  static Rep* empty_rep() {
    static Rep rep{.map = Map<V>::empty_map()};
    return &rep;
  }
  static const Map<V>& nil_map() {
    static const Map<V> nil;
    return nil;
  }
  bool counted() const { return rep_ && rep_ != empty_rep(); }
  Map<V>& own() {
    if (!unique()) {
      auto* mine = new Rep;
      mine->map = map();
      SharedMap old = std::exchange(*this, SharedMap());  // released after the copy
      rep_ = mine;
    }
    return rep_->map;
  }
  Rep* rep_ = nullptr;
};

}  // namespace drover
