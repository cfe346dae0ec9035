// Replication between servers over port 4647: a connection of its own (first byte 0x02) from each server to each other one,
// one direction each, so that a peer's messages keep their order.
//
// On a connection: 8 bytes "DRVRAFT1", the sender's number (u64, big endian), then messages: length (u32, big endian),
// bytes. Bounded queues: what does not fit is dropped, as a network may; the engine sends again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/async.h"
#include "base/world.h"
#include "net/rpc_listener.h"
#include "net/tls.h"
#include "raft/types.h"

namespace drover::raft {
class Replica;
}

namespace drover::server {

struct RaftTransportOptions {
  net::TlsContextRef tls;
  bool verify_server_name = false;
  std::string region;
  Duration dial_timeout = 10s;
  Duration write_timeout = 10s;
  size_t queue_bytes = size_t{64} << 20;    // waiting for one peer
  size_t max_message = size_t{64} << 20;
  // Where gossip sees a peer now; "": nowhere. Tried in turn with the address that the log has, which may be an old one.
  std::function<std::string(uint64_t peer)> seen_at;
};

class RaftTransport final : public raft::Transport {
 public:
  RaftTransport(World& world, net::Network& network, std::string_view server_id, RaftTransportOptions options);
  ~RaftTransport() override;
  RaftTransport(const RaftTransport&) = delete;

  // Where messages go; until then they are dropped. Null before the replica is destroyed.
  void attach(raft::Replica* replica) { replica_ = replica; }
  void send(uint64_t peer, const std::string& address, std::string message) override;
  // Serves a connection of another server to its end.
  Async<void> serve(std::unique_ptr<net::Stream> stream);
  void set_tls(net::TlsContextRef tls, bool verify_server_name);

 private:
  struct Peer;
  Async<void> run(Peer& peer);
  Async<Result<std::unique_ptr<net::Stream>>> dial(std::string address);
  Async<Status> pump(Peer& peer, net::Stream& stream);
  void unreachable(uint64_t peer);

  World& world_;
  net::Network& network_;
  uint64_t self_;
  RaftTransportOptions options_;
  raft::Replica* replica_ = nullptr;
  std::map<uint64_t, std::unique_ptr<Peer>> peers_;
  std::map<uint64_t, uint64_t> newest_;  // sender -> its newest connection; older ones deliver no more
  uint64_t connections_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace drover::server
