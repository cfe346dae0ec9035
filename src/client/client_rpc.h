// What servers call on a node: the node's own procedures over the connections that it made to them, or in process where the
// server is the same agent (reference client, sections 4.4 and 20).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/flows.h"
#include "base/world.h"
#include "net/stream.h"

namespace drover::client {

class Client;

class ClientRpc {
 public:
  ClientRpc(World& world, Client& client) : world_(world), client_(client) {}

  // One stream that a server opened, from its first byte to its end.
  Async<void> serve(std::unique_ptr<net::Stream> stream);
  // In process: a call and its encoded answer; a streaming RPC whose method is taken.
  Async<Result<std::string>> call(std::string method, std::string body);
  Result<std::unique_ptr<net::Stream>> open(std::string_view method);

 private:
  Async<void> serve_calls(net::Stream& stream);
  Async<void> serve_streaming(std::unique_ptr<net::Stream> stream);

  World& world_;
  Client& client_;
  Flows streams_;  // opened in process
};

// A streaming procedure of a node: serves the stream to its end. `unread` came with the header.
using ClientStreamFn = Async<void> (*)(World&, Client&, std::unique_ptr<net::Stream>, std::string unread);
// Null when there is none of that name.
ClientStreamFn find_client_stream(std::string_view method);

}  // namespace drover::client
