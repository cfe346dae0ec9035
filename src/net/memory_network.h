// A network in memory: hosts with addresses, connections and datagrams between them, on any Loop. Connections keep their order
// and lose nothing, but wait (delay, retransmission), hang while a direction is cut, and break; datagrams are lost, repeated
// and overtaken. For tests of what speaks to several others, and for whole clusters in simulation.
//
//   MemoryNetwork lan(sim.loop, 5ms);
//   auto& a = lan.host("10.0.0.1");   // a Network: listens and dials as this host
//   lan.cut("10.0.0.1");              // nothing goes in or out; lan.heal("10.0.0.1")
//   lan.reset("10.0.0.1");            // its connections break, and both ends are told
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/stream.h"

namespace drover::net {

struct LinkQuality {
  Duration delay_min = std::chrono::microseconds(100), delay_max = std::chrono::milliseconds(2);
  // Chances, which a network without a Random does not have:
  double stall = 0;      // that a piece of a stream has to be sent again: 200 ms to 1 s
  double loss = 0;       // of a datagram
  double duplicate = 0;  // of a datagram
  double reset = 0;      // that a connection breaks, a piece
};

class MemoryNetwork {
 public:
  // `latency` passes before bytes arrive, always.
  explicit MemoryNetwork(Loop& loop, Duration latency = {});
  // With chance: `quality` may be changed at any time.
  MemoryNetwork(Loop& loop, Random& random);
  ~MemoryNetwork();
  MemoryNetwork(const MemoryNetwork&) = delete;

  // The machine with this address, made when it is new; its flows resume on the network's loop, or on a loop of its own.
  Network& host(const std::string& ip);
  Network& host(const std::string& ip, Loop& own);

  // One direction. What is on its way waits; a connection whose bytes wait for too long breaks.
  void cut(const std::string& from, const std::string& to);
  void heal(const std::string& from, const std::string& to);
  // Both directions between this machine and every other.
  void cut(const std::string& ip);
  void heal(const std::string& ip);
  // Every direction of every machine.
  void heal_all();

  // The machine loses power: from now on nothing leaves it and nobody is told. Its peers learn it when they next speak.
  void power_off(const std::string& ip);
  void power_on(const std::string& ip);
  // Every connection of the machine breaks.
  void reset(const std::string& ip);

  LinkQuality quality;
  uint64_t pieces = 0;  // of streams and datagrams, sent
  // Told of everything that is sent: for a trace.
  std::function<void(const std::string& from, const std::string& to, size_t bytes)> watch;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::net
