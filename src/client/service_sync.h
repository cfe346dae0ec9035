// Keeps the servers' service registrations equal to what the workloads of this node want: registers in batches, removes
// one by one, retries until it is done. What waits survives the allocation it belongs to. On the loop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/world.h"
#include "client/server_api.h"
#include "client/service_core.h"

namespace drover::client {

class ServiceSync {
 public:
  struct Identity {
    std::string region;
    std::string secret;  // of the node
  };
  ServiceSync(World& world, ServerApi& server) : world_(world), server_(server) {}
  void start(Identity identity);

  // Replaces what the workload has registered.
  void put(const WorkloadKey& key, List<ServiceRegistration> services);
  // Removes everything of the workload; `ids` also when an earlier life of the agent registered them.
  void remove(const WorkloadKey& key, std::string_view ns = "", const std::vector<std::string>& ids = {});
  // Returns when nothing of the workload is on its way to the servers, or after `limit`.
  Async<void> settled(WorkloadKey key, Duration limit);
  // The servers may have dropped what this node registered.
  void register_again();

 private:
  enum class State : unsigned char { kWanted, kRegistered, kUnwanted };
  struct Entry {
    WorkloadKey key;
    ServiceRegistration service;
    State state = State::kWanted;
    uint64_t serial = 0;  // moves with every change of what is wanted
  };
  struct Waiter {
    WorkloadKey key;
    Promise<bool> promise;
  };

  void changed();
  bool pending(const WorkloadKey& key) const;
  void tell_waiters();
  Async<void> flow();
  Async<bool> register_batch();
  Async<bool> remove_all();

  World& world_;
  ServerApi& server_;
  Identity identity_;
  std::map<std::string, Entry> entries_;  // by service id
  std::vector<Waiter> waiters_;
  uint64_t serial_ = 0;
  std::optional<Promise<bool>> idle_;
  bool dirty_ = false;
  Running flow_;
};

}  // namespace drover::client
