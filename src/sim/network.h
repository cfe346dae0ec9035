// FaultNetwork: the network between false machines. Connections keep their order and lose nothing, but wait (delay,
// retransmission), hang while a direction is cut, and break; datagrams are lost, repeated and overtaken.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/stream.h"
#include "sim/host_world.h"

namespace drover::sim {

struct LinkQuality {
  Duration delay_min = std::chrono::microseconds(100), delay_max = std::chrono::milliseconds(2);
  double stall = 0;      // chance that a piece of a stream has to be sent again: 200 ms to 1 s
  double loss = 0;       // of a datagram
  double duplicate = 0;  // of a datagram
  double reset = 0;      // that a connection breaks, a piece
};

class FaultNetwork {
 public:
  FaultNetwork(SimLoop& loop, Dice& dice);
  ~FaultNetwork();
  FaultNetwork(const FaultNetwork&) = delete;

  // The machine with this address; its flows resume on its own loop. Once an address.
  net::Network& add_host(const std::string& ip, Loop& loop);

  // One direction. What is on its way waits; a connection whose bytes wait for too long breaks.
  void cut(const std::string& from, const std::string& to) { set_cut(from, to, true); }
  void heal(const std::string& from, const std::string& to) { set_cut(from, to, false); }
  void heal_all();
  bool is_cut(const std::string& from, const std::string& to) const;

  // The machine loses power: from now on nothing leaves it and nobody is told. Its peers learn it when they next speak.
  void power_off(const std::string& ip);
  void power_on(const std::string& ip);
  // Every connection of the machine breaks.
  void reset(const std::string& ip);

  LinkQuality quality;
  uint64_t pieces = 0;  // of streams and datagrams, sent
  // Told of everything that is sent: for the trace.
  std::function<void(const std::string& from, const std::string& to, size_t bytes)> watch;

  struct Impl;

 private:
  void set_cut(const std::string& from, const std::string& to, bool cut);
  std::shared_ptr<Impl> impl_;
};

}  // namespace drover::sim
