// One server: replicated state, remote procedures, scheduler workers, and the leader's duties while it leads.
//
//   auto server = Server::create(config, parts);
//   server->start();
//   auto r = co_await server->call(rpc::kNodeRegister, request);
//
// Everything runs on parts.world.loop except scheduler runs and snapshot streaming (world.pool) and log writes. A write
// is acknowledged when the log has it on disk and the state machine has applied it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/flows.h"
#include "base/world.h"
#include "model/rpc.h"
#include "raft/types.h"
#include "server/config.h"
#include "server/rpc.h"
#include "server/rpc_tls.h"
#include "state/fsm.h"
#include "state/store.h"

namespace drover::net {
class Listener;
class Network;
}
namespace drover::gossip {
class Serf;
enum class EventType : uint8_t;
}
namespace drover::raft {
class Disk;
class Replica;
struct Options;
}  // namespace drover::raft

namespace drover {
class AgentSelf;
}

namespace drover::server {

class AllocUpdateBatch;
class Keyring;
class KeyringReplicator;
class Bootstrap;
class DirLock;
class Cluster;
class EventBroker;
class Leader;
class Membership;
struct OwnCluster;
struct ServerParts;
class StateHashes;
class StateMachine;
class Worker;

struct Parts {
  World& world;
  raft::Disk* disk = nullptr;  // null: the real one
  Pool* log_thread = nullptr;  // of the log; null: a thread of its own
  net::Network* network = nullptr;  // null: a server by itself, without gossip, replication and RPC port
  // The RPC port; null with a network: other servers and nodes cannot call this one.
  std::unique_ptr<net::Listener> rpc_listener;
  RpcTls tls;
  // The agent must stop: the log failed. Called on the loop.
  std::function<void(const Error&)> fatal;
  // Changes the log's options before it is opened; empty: as they are.
  std::function<void(raft::Options&)> tune_raft;
};

class Server {
 public:
  // Recovers the state from disk. Errors are fatal to the agent and say what to do.
  static Result<std::unique_ptr<Server>> create(Config config, Parts parts);
  ~Server();
  Server(const Server&) = delete;

  void start();
  // Leaves the cluster for good: out of the log's configuration, then out of the gossip pool.
  Async<void> leave();
  // Gives leadership away where there is somebody, and stops. The destructor alone is what a kill -9 does.
  Async<void> shutdown();

  // ---- remote procedures ---------------------------------------------------------------------------------------

  // `request` and `response` stay valid until the call ends. Errors carry the reference's texts. A blocking query
  // returns when its answer is newer than MinQueryIndex or its time is up; dropping the call ends it at once.
  Async<Status> invoke(std::string_view method, const void* request, void* response);
  Async<Status> invoke(const RpcRow& row, const void* request, void* response);

  template <class Response, class Request>
  Async<Result<Response>> call(std::string_view method, Request request) {
    Response response{};
    auto status = co_await invoke(method, &request, &response);
    if (!status) co_return Error(std::move(status).error());
    co_return std::move(response);
  }
  template <class Request, class Response>
  Async<Result<Response>> call(RpcMethod<Request, Response> method, Request request) {
    return call<Response>(method.name, std::move(request));
  }

  // ---- for endpoints and leader duties -------------------------------------------------------------------------

  // Puts one entry into the log and waits until it is applied here. A refusal of the state machine is the error.
  struct Committed {
    uint64_t index = 0;
    bool updated = true;  // compare-and-set entries: false when the comparison failed
    std::optional<rpc::VarApplyStateResponse> variable;
    std::vector<std::optional<Error>> parts;  // of a batch of plans, each its own
  };
  template <class Body>
  Async<Result<Committed>> apply(state::EntryType type, const Body& body) {
    return propose(state::encode_entry(type, body, world().clock.now()));
  }
  // The same for a large body, which is applied here without being read again. It must not change any more.
  template <class Body>
  Async<Result<Committed>> apply_shared(state::EntryType type, std::shared_ptr<const Body> body) {
    auto entry = state::encode_entry(type, *body, world().clock.now());
    return propose(std::move(entry), std::move(body));
  }
  // `body`: what the entry says, of the type that its row of the table names; null: it is read when it is applied.
  Async<Result<Committed>> propose(std::string entry, std::shared_ptr<const void> body = nullptr);

  const Config& config() const { return config_; }
  World& world() { return parts_.world; }
  state::Store& store() { return *store_; }
  state::Snapshot snapshot() const { return store_->snapshot(); }
  raft::Replica& replica() { return *replica_; }
  std::string_view node_id() const { return config_.node_id; }
  // Null while this server does not lead or is still taking over.
  Leader* leader() { return leader_.get(); }
  AllocUpdateBatch& alloc_updates() { return *alloc_updates_; }
  // The servers that gossip knows; null without a network.
  Membership* membership() { return membership_.get(); }
  gossip::Serf* serf();
  Keyring& keyring() { return *keyring_; }
  // What the agent tells of itself; null: nothing. Outlives the server.
  void set_self(AgentSelf* self) { self_ = self; }
  AgentSelf* self() { return self_; }
  // Null where the configuration switches it off.
  EventBroker* events() { return events_.get(); }
  StateHashes& state_hashes() { return *state_hashes_; }
  // Null without a network.
  Cluster* cluster() { return cluster_.get(); }
  // One call to one server, where this one already knows which; `region` is the other's.
  Async<Status> call_server(const std::string& address, const std::string& region, const RpcRow& row, const void* request,
                            void* response);
  // Runs a flow that ends with the server at the latest.
  void run_flow(Async<void> flow);
  void set_tls(RpcTls tls);
  Time started() const { return started_; }
  bool is_leader() const;
  // "host:port" of the leader's RPC, empty when unknown.
  std::string leader_address() const;
  // Waits until the state here is at least at `index`.
  Async<Status> wait_for_index(uint64_t index, Duration timeout);

  // Scheduler workers: number and the types they take; used by SIGHUP and the agent API.
  Status set_workers(int count, std::vector<std::string> types);
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  int worker_count() const { return config_.num_schedulers; }
  // Three quarters of a leader's workers rest where other servers can schedule: it has the plans to judge (reference
  // server-core 9.2). `number`: from 0.
  bool pauses_worker(int number) const;

 private:
  friend class StateMachine;
  Server(Config config, Parts parts);
  Status open();
  void on_leadership(bool leads, uint64_t term);
  // The whole state is another one: the leader's duties start over from it.
  void state_replaced();
  OwnCluster own_cluster() const;
  void cluster_known();
  void lead(uint64_t term);
  void member_changed(gossip::EventType type, const ServerParts& member);
  Async<Status> read(const RpcRow& row, const void* request, void* response);
  Async<Status> read_in_pool(const RpcRow& row, const void* request, void* response, state::WatchSet* watch);
  // forwarding.cc: true when another server has answered. A false means that this one is to answer, as the leader where the
  // row asks for it.
  Async<Result<bool>> forward(const RpcRow& row, const void* request, void* response);
  Async<Status> call_region(const std::string& region, const RpcRow& row, const void* request, void* response);
  Async<Status> confirm_leadership();
  Async<void> establish(uint64_t term);
  void start_workers();
  Async<void> hand_back(Uuid eval, std::string token);

  Config config_;
  Parts parts_;
  std::unique_ptr<EventBroker> events_;
  std::unique_ptr<DirLock> lock_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<StateMachine> fsm_;
  std::unique_ptr<raft::Replica> replica_;
  std::unique_ptr<Leader> leader_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<AllocUpdateBatch> alloc_updates_;
  std::unique_ptr<Keyring> keyring_;
  std::unique_ptr<StateHashes> state_hashes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Bootstrap> bootstrap_;
  std::unique_ptr<KeyringReplicator> key_replicator_;
  Flows flows_;
  Running establishing_;
  uint64_t term_ = 0;
  Time started_;
  AgentSelf* self_ = nullptr;
  bool stopped_ = false;
  uint64_t states_ = 0;  // how often the whole state was replaced
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace drover::server
