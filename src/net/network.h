// RealNetwork: TCP, UDP and unix sockets of Linux on the main loop.
#pragma once

#include "net/real_world.h"
#include "net/stream.h"

namespace drover::net {

class RealNetwork : public Network {
 public:
  // Names are resolved on `pool`, or in place (blocking) without one.
  explicit RealNetwork(AsioLoop& loop, Pool* pool = nullptr) : loop_(loop), pool_(pool) {}
  Loop& loop() override { return loop_; }
  Result<std::unique_ptr<Listener>> listen(const Address& address) override;
  Result<std::unique_ptr<Datagram>> datagram(const Address& address) override;
  Async<Result<std::unique_ptr<Stream>>> dial(Address address, Duration timeout) override;
  Async<Result<std::vector<Address>>> resolve(Address address) override;

 private:
  AsioLoop& loop_;
  Pool* pool_;
};

// Wraps a connected stream socket that is already non-blocking; takes the descriptor.
Result<std::unique_ptr<Stream>> adopt_socket(AsioLoop& loop, int fd);

}  // namespace drover::net
