// RAII over the engine's C ABI. Thin: the structs are the ABI's.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "raft/engine/drover_raft.h"

namespace drover::raft {

inline std::string_view view(dr_bytes b) { return {reinterpret_cast<const char*>(b.p), b.n}; }
inline dr_bytes bytes(std::string_view s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

// One engine; used on one thread. Hooks are called from within its functions and must not call back into it.
class Engine {
 public:
  Engine() = default;
  // False: the engine refused the configuration; why went to the log hook.
  bool create(const dr_config& config, const dr_init& init, const dr_hooks& hooks);
  void reset() { node_.reset(); }
  explicit operator bool() const { return node_ != nullptr; }

  void tick() { dr_tick(get()); }
  void campaign() { dr_campaign(get()); }
  int32_t step(const dr_msg& m) { return dr_step(get(), &m); }
  bool ready(dr_ready_t& out) { return dr_ready(get(), &out) != 0; }
  void advance() { dr_advance(get()); }
  void persisted(uint64_t number) { dr_persisted(get(), number); }
  void applied(uint64_t index) { dr_applied(get(), index); }
  bool compact(uint64_t index) { return dr_compact(get(), index) == DR_OK; }
  uint64_t trim_cache_to(uint64_t size) { return dr_trim_cache_to(get(), size); }
  void tell_commit() { dr_tell_commit(get()); }
  uint64_t term(uint64_t index) { return dr_term(get(), index); }
  dr_status_t status() {
    dr_status_t s;
    dr_status(get(), &s);
    return s;
  }
  bool progress(uint64_t id, dr_progress_t& out) { return dr_progress(get(), id, &out) == DR_OK; }
  dr_node* get() { return node_.get(); }

 private:
  struct Destroy {
    void operator()(dr_node* n) const { dr_destroy(n); }
  };
  std::unique_ptr<dr_node, Destroy> node_;
};

}  // namespace drover::raft
