// ServerList: which server a node asks next (reference client, section 4.1). Pure: the shell is remote_servers.h.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "base/world.h"
#include "net/address.h"

namespace drover::client {

class ServerList {
 public:
  explicit ServerList(Random& random) : random_(random) {}

  // Replaces the list where the set differs, in an order drawn anew. True: it did.
  bool set(std::vector<net::Address> servers);
  // The one to ask; nothing when none is known.
  std::optional<net::Address> find() const;
  // It did not answer: the others first.
  void failed(const net::Address& server);
  void shuffle();
  // To the front.
  void prefer(const net::Address& server);
  const std::vector<net::Address>& all() const { return servers_; }

  // Until the next redistribution: longer where many nodes share few servers.
  Duration rebalance_interval(int num_nodes);

 private:
  Random& random_;
  std::vector<net::Address> servers_;
};

inline constexpr uint16_t kServerPort = 4647;  // where an address names none

// "host", "host:port", "[v6]:port".
Result<net::Address> parse_server_address(std::string_view text);

}  // namespace drover::client
