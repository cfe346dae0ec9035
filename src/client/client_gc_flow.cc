// Destroying allocations: on request, for room, and in time.
#include <algorithm>

#include "base/log.h"
#include "client/client_impl.h"

namespace drover::client {

size_t Client::Impl::live_allocs() const { return runners.size() - destroying.size(); }

std::optional<DiskState> Client::Impl::disk_state() const {
  auto usage = host.usage(config.alloc_dir);
  if (!usage) return std::nullopt;
  return DiskState{usage->total, usage->available, usage->used_percent, usage->inodes_percent};
}

void Client::Impl::destroy_soon(const Uuid& id, std::string reason) {
  if (!runner(id) || destroying.contains(id)) return;
  log_info("client.gc", "garbage collecting allocation", {{"alloc_id", id.str()}, {"reason", reason}});
  flows.start(destroy_flow(id));
}

Async<void> Client::Impl::destroy_flow(Uuid id) {
  gc.remove(id);
  disconnect.forget(id);
  if (!runner(id) || !destroying.insert(id).second) co_return;
  co_await runner(id)->destroy();
  // Its last callbacks are on their way; it goes after them.
  poster.post([this, id] {
    if (auto* r = runner(id)) {
      settled[id] = r->alloc()->AllocModifyIndex;
      collected_[id] = r->files();
    }
    destroying.erase(id);
    runners.erase(id);
  });
}

// Destroys the oldest terminal allocations while there is a reason to, a few at a time.
void Client::Impl::collect_garbage() {
  auto limit = static_cast<size_t>(std::max(config.gc_parallel_destroys, 1));
  while (destroying.size() < limit) {
    auto reason = gc_reason(config, disk_state().value_or(DiskState{}), live_allocs());
    if (reason.empty()) return;
    auto victim = gc.pop();
    if (!victim) {
      log_debug("client.gc", "garbage collection skipped because no terminal allocations", {{"reason", reason}});
      return;
    }
    destroy_soon(victim->id, reason);
  }
}

Async<void> Client::Impl::gc_flow() {
  for (;;) {
    co_await sleep_for(world.loop, std::max(config.gc_interval, Duration(std::chrono::seconds(1))));
    collect_garbage();
  }
}

}  // namespace drover::client
