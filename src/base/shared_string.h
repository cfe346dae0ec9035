// SharedString: an immutable string of 8 bytes in memory, sharing its text between copies. Empty costs nothing.
// For fields that repeat over many objects (an allocation's job id, a task event's type), where std::string's 32
// bytes each would dominate the object. Reference counts are atomic: values may cross threads.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace drover {

class SharedString {
  struct Rep {
    std::atomic<uint32_t> refs;
    uint32_t size;
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };

 public:
  SharedString() = default;
  SharedString(std::string_view s) { assign(s); }        // NOLINT: implicit on purpose
  SharedString(const std::string& s) { assign(s); }      // NOLINT: implicit on purpose
  SharedString(const char* s) { assign(s); }             // NOLINT: implicit on purpose
  SharedString(const SharedString& o) : rep_(o.rep_) {
    if (rep_) rep_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  SharedString(SharedString&& o) noexcept : rep_(std::exchange(o.rep_, nullptr)) {}
  SharedString& operator=(SharedString o) noexcept {
    std::swap(rep_, o.rep_);
    return *this;
  }
  ~SharedString() { release(); }

  std::string_view view() const {
    return rep_ ? std::string_view(rep_->data(), rep_->size) : std::string_view();
  }
  operator std::string_view() const { return view(); }   // NOLINT: implicit on purpose
  std::string str() const { return std::string(view()); }
  explicit operator std::string() const { return str(); }
  bool empty() const { return !rep_; }
  size_t size() const { return rep_ ? rep_->size : 0; }
  // No other SharedString holds this text now.
  bool unique() const { return rep_ && rep_->refs.load(std::memory_order_acquire) == 1; }

  friend bool operator==(const SharedString& a, const SharedString& b) {
    return a.rep_ == b.rep_ || a.view() == b.view();
  }
  friend bool operator==(const SharedString& a, std::string_view b) { return a.view() == b; }
  friend bool operator==(const SharedString& a, const std::string& b) { return a.view() == b; }
  friend bool operator==(const SharedString& a, const char* b) { return a.view() == b; }
  friend auto operator<=>(const SharedString& a, const SharedString& b) { return a.view() <=> b.view(); }

 private:
  void assign(std::string_view s) {
    if (s.empty()) return;
    void* memory = ::operator new(sizeof(Rep) + s.size());
    rep_ = new (memory) Rep{1, static_cast<uint32_t>(s.size())};
    std::memcpy(rep_->data(), s.data(), s.size());
  }
  void release() {
    if (rep_ && rep_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      rep_->~Rep();
      ::operator delete(rep_);
    }
  }
  Rep* rep_ = nullptr;
};

inline std::string operator+(std::string a, const SharedString& b) { return std::move(a) += b.view(); }

}  // namespace drover

template <>
struct std::hash<drover::SharedString> {
  size_t operator()(const drover::SharedString& s) const noexcept { return std::hash<std::string_view>()(s.view()); }
};
