#include "raft/engine.h"

#include "base/assert.h"
#include "base/log.h"

namespace drover::raft {

bool Engine::create(const dr_config& config, const dr_init& init, const dr_hooks& hooks) {
  static const bool once = [] {
    DROVER_ASSERT(dr_abi_version() == 3, "engine and header are of one version");
    dr_set_panic_hook([](const char* text, size_t n) {
      log_error("raft", "broken invariant in the consensus engine; the process ends", {{"panic", std::string(text, n)}});
    });
    return true;
  }();
  static_cast<void>(once);
  node_.reset(dr_create(&config, &init, &hooks));
  return node_ != nullptr;
}

}  // namespace drover::raft
