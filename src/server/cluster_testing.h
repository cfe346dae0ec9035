// For tests: several servers on virtual time over a network in memory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/sim_loop.h"
#include "gossip/serf.h"
#include "model/rpc.h"
#include "net/memory_network.h"
#include "raft/mem_disk.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/leader.h"
#include "server/server.h"

namespace drover::server {

struct ClusterTest : ::testing::Test {
  struct Node {
    std::string ip;
    Config config;
    raft::MemDisk disk;
    std::unique_ptr<Server> server;
  };

  Node& add(int n, int expect, const std::string& region = "global") {
    auto& node = nodes[n];
    node.ip = "10.0.0." + std::to_string(n);
    auto& c = node.config;
    c.region = region;
    c.node_name = "s" + std::to_string(n);
    c.node_id = Uuid::generate(sim.random).str();
    c.dev_mode = true;  // gossip keeps no file
    c.bootstrap_expect = expect;
    c.rpc_advertise = node.ip + ":4647";
    c.serf_address = node.ip;
    c.num_schedulers = 1;
    c.default_scheduler_config.SchedulerAlgorithm = "binpack";
    c.autopilot.CleanupDeadServers = true;
    c.autopilot.LastContactThreshold = 200ms;
    c.autopilot.MaxTrailingLogs = 250;
    c.autopilot.ServerStabilizationTime = 10s;
    boot(node);
    return node;
  }
  void boot(Node& node) {
    auto& host = lan.host(node.ip);
    Parts parts{.world = sim.world, .disk = &node.disk, .log_thread = &sim.pool, .network = &host,
                .rpc_listener = std::move(*host.listen(net::Address::tcp(node.ip, 4647))), .tls = tls,
                .fatal = [](const Error& e) { ADD_FAILURE() << e.message; }};
    auto made = Server::create(node.config, std::move(parts));
    ASSERT_TRUE(made) << made.error().message;
    node.server = std::move(*made);
    node.server->start();
  }
  void kill(Node& node) {
    node.server.reset();
    lan.reset(node.ip);
    node.disk.crash(sim.random);
  }
  void join(Node& from, Node& to) {
    auto joined = run_async(sim.loop, from.server->serf()->join({to.ip}), 30s);
    ASSERT_TRUE(joined && joined->count == 1) << (joined->errors.empty() ? "" : joined->errors[0]);
  }
  Node* leader() {
    for (auto& [n, node] : nodes)
      if (node.server && node.server->leader() && node.server->leader()->ready()) return &node;
    return nullptr;
  }
  bool until(std::function<bool()> done, Duration limit = 60s) { return sim.loop.run_until(done, limit); }
  // Three servers that found each other.
  void three() {
    for (int n : {1, 2, 3}) add(n, 3);
    join(nodes[2], nodes[1]);
    join(nodes[3], nodes[1]);
    ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3; }));
    ASSERT_TRUE(until([&] { return all_know(); }));
  }
  bool all_know() {
    for (auto& [n, node] : nodes)
      if (node.server && node.server->leader_address().empty()) return false;
    return true;
  }
  static int voters(Node& node) {
    int n = 0;
    for (auto& s : node.server->replica().configuration()) n += s.suffrage == raft::Suffrage::kVoter;
    return n;
  }
  static bool is_configured(Node& at, const std::string& id) {
    for (auto& s : at.server->replica().configuration())
      if (s.id == id) return true;
    return false;
  }
  Node& follower() {
    for (auto& [n, node] : nodes)
      if (node.server && &node != leader()) return node;
    DROVER_ASSERT(false, "a cluster of three has followers");
  }
  template <class Response, class Request>
  Result<Response> call(Node& at, std::string_view method, Request request, Duration limit = 60s) {
    request.Region = at.config.region;
    auto r = run_async(sim.loop, at.server->call<Response>(method, std::move(request)), limit);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "the call did not end");
  }
  Result<GenericResponse> put_namespace(Node& at, const std::string& name) {
    rpc::NamespaceUpsertRequest req;
    req.Namespaces.emplace_back().Name = name;
    return call<GenericResponse>(at, "Namespace.UpsertNamespaces", req);
  }
  static bool has_namespace(Node& at, const std::string& name) { return at.server->snapshot().namespaces().get(name) != nullptr; }

  SimWorld sim{11};
  net::MemoryNetwork lan{sim.loop, 1ms};
  std::map<int, Node> nodes;
  RpcTls tls;  // of servers booted from now on
};

}  // namespace drover::server
