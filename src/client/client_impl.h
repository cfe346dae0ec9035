// Inside of Client; split over client_start.cc, client_servers.cc, client_allocs.cc, client_gc_flow.cc and
// client_requests.cc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/alloc_diff.h"
#include "client/alloc_fs.h"
#include "client/alloc_runner.h"
#include "client/client.h"
#include "client/client_gc.h"
#include "client/driver_manager.h"
#include "client/flows.h"
#include "client/heartbeat.h"
#include "client/host_source.h"
#include "client/node_identity.h"
#include "client/services.h"
#include "client/state_db.h"
#include "client/stats.h"
#include "client/update_sync.h"

namespace drover::client {

class Client::Impl {
 public:
  Impl(Config config, ClientDeps deps);

  // ---- client_start.cc
  Async<Status> start();
  Async<void> shutdown();
  Async<Status> leave();
  Status prepare_node();
  void start_drivers();
  Status restore();

  // ---- client_servers.cc
  Async<void> register_node();
  Async<void> heartbeat_flow();
  Async<void> node_update_flow();
  Async<void> node_events_flow();
  Async<void> fingerprint_flow(size_t row);  // of fingerprinters(), one with a period
  // Waits for `limit`, or until some call to the servers succeeds.
  Async<void> wait_for_contact(Duration limit);
  void contacted();
  // Replaces the node by a changed copy, with its computed class.
  void set_node(Node next);
  void change_node(const std::function<void(Node&)>& change);
  void node_changed();
  void emit_node_event(NodeEvent event);
  void take_servers(const NodeUpdateResponse& answer);
  void node_lost();  // the servers do not know this node any more
  void pump_sync();
  Async<void> sync_flow();
  Async<void> disconnect_flow();

  // ---- client_allocs.cc
  Async<void> watch_allocs_flow();
  Async<bool> pull_and_apply(const rpc::NodeClientAllocsResponse& answer, AllocDiff diff);
  void apply_alloc(Ref<Allocation> alloc);
  void add_alloc(Ref<Allocation> alloc, const StoredAlloc* stored);
  void fail_alloc(const Allocation& alloc, const Error& error);
  Async<void> confirm_missing(std::vector<Uuid> missing);
  std::map<Uuid, KnownAlloc> known_allocs() const;
  AllocRunner* runner(const Uuid& id) const;
  void runner_changed(AllocRunner& runner);
  void runner_ended(AllocRunner& runner);
  Async<void> wait_previous(Uuid id);
  void save_protected();
  const AllocFiles* collected(const Uuid& id) const;

  // ---- client_gc_flow.cc
  void destroy_soon(const Uuid& id, std::string reason);
  Async<void> destroy_flow(Uuid id);
  Async<void> gc_flow();
  void collect_garbage();
  std::optional<DiskState> disk_state() const;
  size_t live_allocs() const;

  Time wall() const { return world.clock.now(); }
  Monotonic mono() const { return world.clock.monotonic(); }
  uint64_t random() const { return world.random.next(); }

  Config config;
  World& world;
  ServerApi& server;
  HostSource& host;
  std::unique_ptr<StateDb> state;
  ClientDeps deps;

  NodeIdentity identity;
  NodeMeta meta;
  Ref<Node> node;
  std::unique_ptr<DriverManager> drivers;
  std::unique_ptr<HostStatsSampler> sampler;
  ServiceParts services;
  static constexpr std::string_view kBootId = "boot_id";
  std::string new_boot;  // of the machine; kept once the servers were heard
  RunnerDeps runner_deps;
  PreviousAllocs previous;

  // Towards the servers
  bool registered = false;
  bool started = false;
  bool stopped = false;
  std::optional<Monotonic> last_heartbeat;
  Time last_heartbeat_wall;
  Duration heartbeat_ttl = std::chrono::seconds(10);
  size_t known_servers = 0;
  std::vector<Promise<bool>> contact_waiters;
  std::optional<Promise<bool>> node_dirty;   // the update flow waits for it
  bool node_is_dirty = false;
  std::vector<NodeEvent> node_events;
  std::optional<Promise<bool>> events_waiting;
  DisconnectStop disconnect;

  // Allocations
  std::map<Uuid, std::unique_ptr<AllocRunner>> runners;
  std::map<Uuid, uint64_t> settled;     // without a runner: failed to be added, or done before they came; index seen
  std::map<Uuid, AllocFiles> collected_;  // destroyed here while the servers still know them: what is left to answer with
  std::set<Uuid> protected_;            // the servers lost sight of them once: absence says nothing about them
  std::set<Uuid> kept_;                 // of those, told in the log that they are kept though the servers do not know them
  std::set<Uuid> destroying;
  uint64_t acted_index = 0;
  uint64_t saved_index = 0;

  UpdateSync sync;
  Timer sync_timer;
  GcQueue gc;

  std::map<int, std::function<void(const Ref<Allocation>&)>> listeners;
  int next_listener = 1;

  Poster poster;
  Flows flows;
};

inline constexpr Duration kFirstFingerprintLimit = std::chrono::seconds(50);

}  // namespace drover::client
