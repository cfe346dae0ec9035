// Containers of the domain structs: value semantics (deep copy, deep equality), 8 bytes each when empty, and nil
// kept apart from empty because the wire keeps them apart (null against [] and {}).
//
//   Box<T>   an optional T on the heap; T may be incomplete where the member is declared
//   List<T>  a nullable vector
//   Map<V>   a nullable map from string, sorted by key, so that iteration order is stable everywhere
//   Ref<T>   shared, immutable; what the state store hands out
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"

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
  using Vec = std::vector<T>;

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  List() = default;
  List(std::initializer_list<T> v) : p_(std::make_unique<Vec>(v)) {}
  List(std::vector<T> v) : p_(std::make_unique<Vec>(std::move(v))) {}  // NOLINT: implicit on purpose
  List(const List& o) : p_(o.p_ ? std::make_unique<Vec>(*o.p_) : nullptr) {}
  List(List&&) noexcept = default;
  List& operator=(List o) noexcept {
    p_.swap(o.p_);
    return *this;
  }
  static List empty_list() { return List(Vec{}); }

  bool is_nil() const { return !p_; }
  size_t size() const { return p_ ? p_->size() : 0; }
  bool empty() const { return size() == 0; }
  T* begin() { return p_ ? p_->data() : nullptr; }
  T* end() { return begin() + size(); }
  const T* begin() const { return p_ ? p_->data() : nullptr; }
  const T* end() const { return begin() + size(); }
  T& operator[](size_t i) {
    DROVER_ASSERT(i < size(), "index within the list");
    return (*p_)[i];
  }
  const T& operator[](size_t i) const {
    DROVER_ASSERT(i < size(), "index within the list");
    return (*p_)[i];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size() - 1]; }
  const T& back() const { return (*this)[size() - 1]; }
  // The vector behind, made if nil (the list then is not nil any more).
  Vec& vec() {
    if (!p_) p_ = std::make_unique<Vec>();
    return *p_;
  }
  void push_back(T v) { vec().push_back(std::move(v)); }
  template <class... A>
  T& emplace_back(A&&... a) {
    return vec().emplace_back(std::forward<A>(a)...);
  }
  void reserve(size_t n) { vec().reserve(n); }
  void resize(size_t n) { vec().resize(n); }
  void erase(T* at) { p_->erase(p_->begin() + (at - begin())); }
  void clear() {
    if (p_) p_->clear();
  }
  void reset() { p_.reset(); }
  bool contains(const auto& v) const { return std::find(begin(), end(), v) != end(); }
  // nil and empty are different values, as they are on the wire.
  friend bool operator==(const List& a, const List& b) {
    return a.is_nil() == b.is_nil() && std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::unique_ptr<Vec> p_;
};

template <class V>
class Map {
 public:
  using value_type = std::pair<std::string, V>;
  using mapped_type = V;

 private:
  using Vec = std::vector<value_type>;

 public:
  Map() = default;
  Map(std::initializer_list<value_type> v) {
    vec();
    for (auto& e : v) (*this)[e.first] = e.second;
  }
  Map(const Map& o) : p_(o.p_ ? std::make_unique<Vec>(*o.p_) : nullptr) {}
  Map(Map&&) noexcept = default;
  Map& operator=(Map o) noexcept {
    p_.swap(o.p_);
    return *this;
  }
  static Map empty_map() {
    Map m;
    m.vec();
    return m;
  }

  bool is_nil() const { return !p_; }
  size_t size() const { return p_ ? p_->size() : 0; }
  bool empty() const { return size() == 0; }
  value_type* begin() { return p_ ? p_->data() : nullptr; }
  value_type* end() { return begin() + size(); }
  const value_type* begin() const { return p_ ? p_->data() : nullptr; }
  const value_type* end() const { return begin() + size(); }

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
    vec();
    auto it = lower_bound(key);
    if (it != end() && it->first == key) return it->second;
    return p_->emplace(p_->begin() + (it - begin()), std::string(key), V{})->second;
  }
  void set(std::string_view key, V v) { (*this)[key] = std::move(v); }
  bool erase(std::string_view key) {
    auto it = lower_bound(key);
    if (it == end() || it->first != key) return false;
    p_->erase(p_->begin() + (it - begin()));
    return true;
  }
  void clear() {
    if (p_) p_->clear();
  }
  void reset() { p_.reset(); }
  // Makes the map non-nil.
  Vec& vec() {
    if (!p_) p_ = std::make_unique<Vec>();
    return *p_;
  }
  friend bool operator==(const Map& a, const Map& b) {
    return a.is_nil() == b.is_nil() && std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  value_type* lower_bound(std::string_view key) {
    return std::lower_bound(begin(), end(), key,
                            [](const value_type& e, std::string_view k) { return e.first < k; });
  }
  std::unique_ptr<Vec> p_;
};

}  // namespace drover
