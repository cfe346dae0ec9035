// NodeBox: one node's machine, with the real node agent in it. Tasks are the machine's, so they outlive the agent.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include "client/client.h"
#include "client/state_db.h"
#include "sim/host_world.h"
#include "sim/machine.h"
#include "sim/region.h"

namespace drover::client {
class RemoteServers;
}

namespace drover::sim {

class NodeBox {
 public:
  NodeBox(Region& region, int number);
  ~NodeBox();

  const std::string& ip() const { return ip_; }
  const std::string& name() const { return name_; }
  bool up() const { return client_ != nullptr; }
  bool paused() const { return host_.loop.paused(); }
  Machine& machine() { return machine_; }
  HostWorld& host() { return host_; }
  client::Client* client() { return client_.get(); }
  Uuid id() const { return id_; }  // nil before the first start

  void boot();
  // Only the agent's process ends: the tasks go on.
  void kill();
  void lose_power();
  void pause() { host_.loop.pause(); }
  void resume() { host_.loop.resume(); }
  void boot_soon(Duration within);

 private:
  class Tap;
  void stop();
  void sync_state();
  Async<void> start_flow();

  Region& region_;
  int number_;
  std::string ip_, name_;
  HostWorld host_;
  net::Network& network_;
  Machine machine_;
  client::Config config_;
  std::unique_ptr<client::HostSource> facts_;
  uint64_t boots_ = 1;  // of the machine
  std::shared_ptr<client::MemoryRows> rows_ = std::make_shared<client::MemoryRows>();
  client::MemoryRows synced_;  // what a power cut leaves: SQLite syncs when it makes a checkpoint, not at every commit
  std::unique_ptr<client::RemoteServers> servers_;
  std::unique_ptr<Tap> tap_;
  std::unique_ptr<client::Client> client_;
  Running starting_;
  Uuid id_;
};

}  // namespace drover::sim
