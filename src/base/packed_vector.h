// PackedVector: a vector that is one pointer to one heap block (head and elements together), so that it takes 8
// bytes in its owner and a small one costs no second block. Nil (no block) and empty are different; neither has
// anything on the heap. What List and Map stand on.
//
// A copy is exactly as large as its content. Elements move without exceptions; T may be incomplete where a member is
// declared. As with std::vector, whatever changes the size ends the validity of iterators and references.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace drover {

namespace detail {

struct alignas(8) PackedHead {
  uint32_t size = 0;
  uint32_t capacity = 0;
};
// What every empty vector points to. Never written: its capacity is 0.
inline constinit PackedHead packed_empty;

}  // namespace detail

template <class T>
class PackedVector {
  using Head = detail::PackedHead;

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  PackedVector() = default;
  PackedVector(const PackedVector& o) { assign(o.begin(), o.end(), o.is_nil()); }
  PackedVector(PackedVector&& o) noexcept : head_(std::exchange(o.head_, nullptr)) {}
  PackedVector& operator=(PackedVector o) noexcept {
    std::swap(head_, o.head_);
    return *this;
  }
  ~PackedVector() { drop(); }
  // Not nil, of copies of [first, last), or of what move iterators yield.
  template <class It>
  static PackedVector of(It first, It last) {
    PackedVector v;
    v.assign(first, last, false);
    return v;
  }

  bool is_nil() const { return !head_; }
  size_t size() const { return head_ ? head_->size : 0; }
  size_t capacity() const { return head_ ? head_->capacity : 0; }
  bool empty() const { return size() == 0; }
  T* data() { return head_ ? elements(head_) : nullptr; }
  const T* data() const { return head_ ? elements(head_) : nullptr; }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  T& operator[](size_t i) {
    DROVER_ASSERT(i < size(), "index within the list");
    return data()[i];
  }
  const T& operator[](size_t i) const {
    DROVER_ASSERT(i < size(), "index within the list");
    return data()[i];
  }
  T& front() { return (*this)[0]; }
  T& back() { return (*this)[size() - 1]; }

  // Not nil from here on.
  void ensure() {
    if (!head_) head_ = &detail::packed_empty;
  }
  template <class... A>
  T& emplace_back(A&&... a) {
    size_t n = size();
    if (n < capacity()) {
      T* at = std::construct_at(elements(head_) + n, std::forward<A>(a)...);
      ++head_->size;
      return *at;
    }
    // The new element first: its arguments may be part of an old one.
    Head* grown = make(grown_capacity(n + 1));
    T* at = std::construct_at(elements(grown) + n, std::forward<A>(a)...);
    move_into(grown);
    ++head_->size;
    return *at;
  }
  void push_back(T v) { emplace_back(std::move(v)); }
  T* insert(T* at, T v) {
    size_t i = static_cast<size_t>(at - begin());
    DROVER_ASSERT(i <= size(), "a place within the list");
    emplace_back(std::move(v));
    std::rotate(begin() + i, end() - 1, end());
    return begin() + i;
  }
  T* erase(T* at) { return erase(at, at + 1); }
  T* erase(T* first, T* last) {
    DROVER_ASSERT(begin() <= first && first <= last && last <= end(), "a range within the list");
    if (first == last) return first;
    T* kept = std::move(last, end(), first);
    truncate(static_cast<size_t>(kept - begin()));
    return first;
  }
  void reserve(size_t n) {
    if (n > capacity()) move_into(make(n));
    ensure();
  }
  void resize(size_t n) {
    if (n <= size()) return ensure(), truncate(n);
    reserve(n);
    std::uninitialized_value_construct_n(end(), n - size());
    head_->size = static_cast<uint32_t>(n);
  }
  void clear() { truncate(0); }
  // To nil.
  void reset() {
    drop();
    head_ = nullptr;
  }
  // Gives back what reserve and growth left over.
  void shrink_to_fit() {
    if (capacity() == size()) return;
    if (empty()) {
      drop();
      head_ = &detail::packed_empty;
    } else {
      move_into(make(size()));
    }
  }

 private:
  static size_t offset() { return std::max(sizeof(Head), alignof(T)); }
  static T* elements(Head* h) { return reinterpret_cast<T*>(reinterpret_cast<char*>(h) + offset()); }
  static Head* make(size_t capacity) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    static_assert(std::is_nothrow_move_constructible_v<T>);
    DROVER_ASSERT(capacity < UINT32_MAX, "a list has less than four thousand million elements");
    auto* h = new (::operator new(offset() + capacity * sizeof(T))) Head;
    h->capacity = static_cast<uint32_t>(capacity);
    return h;
  }
  size_t grown_capacity(size_t need) const { return std::max(need, capacity() + capacity() / 2); }

  // Moves the elements to the front of a larger (or just fitting) block and makes it the own one.
  void move_into(Head* block) {
    size_t n = size();
    std::uninitialized_move_n(data(), n, elements(block));
    block->size = static_cast<uint32_t>(n);
    drop();
    head_ = block;
  }
  // Into a fresh object.
  template <class It>
  void assign(It first, It last, bool nil) {
    if (nil) return;
    ensure();
    auto n = static_cast<size_t>(std::distance(first, last));
    if (n == 0) return;
    Head* block = make(n);
    std::uninitialized_copy(first, last, elements(block));
    block->size = static_cast<uint32_t>(n);
    head_ = block;
  }
  void truncate(size_t n) {
    size_t had = size();
    if (had == n) return;
    std::destroy(begin() + n, end());
    head_->size = static_cast<uint32_t>(n);
  }
  void drop() {
    if (!head_ || head_->capacity == 0) return;
    std::destroy(begin(), end());
    ::operator delete(head_);
  }

  Head* head_ = nullptr;
};

}  // namespace drover
