// A network in memory: hosts with addresses, connections and datagrams between them, on any Loop. Hosts can be cut off and
// killed. For tests of what speaks to several others.
//
//   MemoryNetwork lan(sim.loop, 5ms);
//   auto& a = lan.host("10.0.0.1");   // a Network: listens and dials as this host
//   lan.cut("10.0.0.1");              // nothing goes in or out; lan.heal("10.0.0.1")
//   lan.kill("10.0.0.1");             // its sockets are gone, the others are told
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "net/stream.h"

namespace drover::net {

class MemoryNetwork {
 public:
  // `latency` passes before bytes arrive.
  explicit MemoryNetwork(Loop& loop, Duration latency = {});
  ~MemoryNetwork();
  MemoryNetwork(const MemoryNetwork&) = delete;

  Network& host(const std::string& ip);
  void cut(const std::string& ip);
  void heal(const std::string& ip);
  void kill(const std::string& ip);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::net
