// Rows<T>: what a table query returns, to be walked once.
#pragma once

#include <iterator>
#include <memory>
#include <vector>

#include "base/containers.h"

namespace drover::state {

enum class Dir : bool { kForward, kReverse };

// Holds the tree nodes that it walks: it may outlive the snapshot that it came from. One thread.
template <class T>
class Rows {
 public:
  struct Source {
    virtual ~Source() = default;
    // The next row, null at the end; valid while the source lives.
    virtual const Ref<T>* next() = 0;
  };
  explicit Rows(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  class Iterator {
   public:
    explicit Iterator(Source* s) : source_(s), row_(s->next()) {}
    const Ref<T>& operator*() const { return *row_; }
    const Ref<T>* operator->() const { return row_; }
    Iterator& operator++() {
      row_ = source_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !row_; }

   private:
    Source* source_;
    const Ref<T>* row_;
  };
  Iterator begin() { return Iterator(source_.get()); }
  std::default_sentinel_t end() { return {}; }

  // The next row, or null.
  Ref<T> next() {
    auto* row = source_->next();
    return row ? *row : nullptr;
  }
  bool any() { return source_->next() != nullptr; }
  size_t count() {
    size_t n = 0;
    while (source_->next()) ++n;
    return n;
  }
  std::vector<Ref<T>> all() {
    std::vector<Ref<T>> out;
    while (auto* row = source_->next()) out.push_back(*row);
    return out;
  }

 private:
  std::unique_ptr<Source> source_;
};

}  // namespace drover::state
