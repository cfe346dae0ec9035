// WaitList: coroutines that wait for the same thing. A node unhooks itself when its coroutine is destroyed, also while
// the list is being resumed.
#pragma once

#include <coroutine>

#include "base/assert.h"

namespace drover::net {

class WaitList {
  struct Link {
    Link* prev = this;
    Link* next = this;
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { unhook(); }
    void unhook() {
      prev->next = next;
      next->prev = prev;
      prev = next = this;
    }
    void insert_before(Link& other) {
      prev = other.prev;
      next = &other;
      prev->next = this;
      next->prev = this;
    }
  };

 public:
  class Awaiter : Link {
    friend class WaitList;

   public:
    explicit Awaiter(WaitList& list) : list_(list) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      handle_ = h;
      this->insert_before(list_.head_);
    }
    void await_resume() {}

   private:
    WaitList& list_;
    std::coroutine_handle<> handle_;
  };

  WaitList() = default;
  // Flows that still wait are never resumed.
  ~WaitList() {
    while (!empty()) forget_one();
  }
  // The one that has waited longest is never resumed.
  void forget_one() { head_.next->unhook(); }
  bool empty() const { return head_.next == &head_; }
  Awaiter wait() { return Awaiter(*this); }

  // Resumes those that wait now, in order; who waits again during it is left for the next call. The list itself may
  // be destroyed by one of them.
  void resume_all() {
    if (empty()) return;
    Link firing;
    firing.insert_before(head_);
    head_.unhook();
    while (firing.next != &firing) {
      auto* a = static_cast<Awaiter*>(firing.next);
      a->unhook();
      a->handle_.resume();
    }
  }

 private:
  Link head_;
};

}  // namespace drover::net
