// The node agent: registers this node, runs the allocations that the servers place on it, and reports on them.
//
// Everything happens on the World's loop; file work goes to the pool. Destroying a Client without shutdown() is what a
// kill -9 does: tasks go on, and the next Client on the same state and drivers takes them back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/async.h"
#include "base/world.h"
#include "client/config.h"
#include "client/server_api.h"
#include "drivers/driver.h"
#include "model/alloc.h"
#include "model/client_stats.h"
#include "model/node.h"
#include "model/requests.h"

namespace drover::net {
class Network;
}

namespace drover {
class AgentSelf;
}

namespace drover::client {

class AllocRunner;
class HostSource;
class StateDb;

// What a Client is built with. References outlive it.
struct ClientDeps {
  World& world;
  ServerApi& server;
  HostSource& host;  // facts of the machine (host_source.h)
  std::unique_ptr<StateDb> state;
  // Builds the drivers once the node's compute is known. The client configures nothing: they come configured.
  std::function<std::vector<std::unique_ptr<drivers::Driver>>(const drivers::DriverContext&)> make_drivers;
  FdWatcher* fds = nullptr;
  std::string shim_path;
  net::Network* network = nullptr;  // service checks dial by it; null: they stay pending
};

struct AllocFiles;  // alloc_fs.h

class Client {
 public:
  Client(Config config, ClientDeps deps);
  ~Client();
  Client(const Client&) = delete;

  // What the agent tells of itself; null: nothing. Outlives the client.
  AgentSelf* self = nullptr;

  // Prepares directories, identity and fingerprints, restores allocations and begins to talk to the servers. Answers
  // when the node is ready to be registered (the first driver fingerprints are in, or 50 s have passed). An error is
  // fatal to the agent and says why.
  Async<Status> start();

  // Stops talking, saves state and leaves tasks running; in dev mode every allocation is destroyed first.
  Async<void> shutdown();

  // Drains this node where `drain_on_shutdown` is configured: "self-drain exceeded deadline".
  Async<Status> leave();

  Uuid node_id() const;
  Uuid secret_id() const;
  // As last fingerprinted; immutable, replaced on change.
  Ref<Node> node() const;
  const Config& config() const;
  // Counters of the agent's "client" stats block: node_id, known_servers, num_allocations, last_heartbeat, heartbeat_ttl.
  Map<std::string> stats_block() const;

  // ---- Requests about one allocation. kNotFound with `Unknown allocation "<id>"` where the node does not have it.

  bool has_alloc(const Uuid& id) const;
  // The allocation with its states as the node sees them now; nullptr when unknown.
  Ref<Allocation> alloc(const Uuid& id) const;
  std::vector<Ref<Allocation>> allocs() const;
  // Pending allocations that wait for the end of a previous one, and that take over its data.
  struct PreviousCounts {
    size_t waiting = 0, migrating = 0;
  };
  PreviousCounts previous_counts() const;

  // `task` empty: all running tasks, or with `all_tasks` the dead ones as well.
  Async<Status> restart_alloc(Uuid id, std::string task, bool all_tasks);
  // `task` empty: all tasks.
  Async<Status> signal_alloc(Uuid id, std::string task, std::string signal);
  Async<Result<std::unique_ptr<drivers::ExecSession>>> exec(Uuid id, std::string task, std::vector<std::string> command,
                                                           bool tty);
  // Whether the task's driver isolates the file system; exec then needs no alloc-node-exec.
  Result<drivers::FsIsolation> task_isolation(const Uuid& id, std::string_view task) const;
  // `task` empty: all. A task that is not running has no entry.
  Async<Result<AllocResourceUsage>> alloc_stats(Uuid id, std::string task);
  Result<Map<CheckQueryResult>> alloc_checks(const Uuid& id) const;
  // What alloc_fs.h's functions work on.
  Result<AllocFiles> alloc_files(const Uuid& id) const;

  // Collects one terminal allocation: kNotFound "No such allocation on client, or allocation not eligible for GC".
  Async<Status> collect_alloc(Uuid id);
  Async<void> collect_all();

  // ---- Requests about the node.

  Result<HostStats> host_stats();
  NodeMetaResponse node_meta() const;
  // kInvalid with the reference's words when a key will not do.
  Result<NodeMetaResponse> apply_node_meta(const Map<std::optional<std::string>>& meta);

  // `listener` runs on the loop after every change of an allocation's states. Returns an id for unsubscribe.
  int subscribe(std::function<void(const Ref<Allocation>&)> listener);
  void unsubscribe(int id);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::client
