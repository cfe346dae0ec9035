// Which node a request is about: this agent's own, which is asked directly, or another, which the servers reach (reference
// http-api section 12.3).
#pragma once

#include <memory>
#include <string>

#include "api/call.h"
#include "client/alloc_fs.h"
#include "client/client.h"
#include "codec/msgpack.h"
#include "net/stream.h"

namespace drover::api {

// The local client, when it has the allocation; null: the servers know where it is.
client::Client* local_client_of(Call& call, const std::string& alloc_id);

// The local client for an empty node id or its own; null for another node. kInvalid "No local Node and node_id not
// provided".
Result<client::Client*> local_client_of_node(Call& call, const std::string& node_id);

// A procedure of another node, by way of the servers; region and token are filled in.
template <class Response, class Request>
Async<Result<Response>> ask_node(Call& call, std::string_view method, Request request) {
  QueryOptions options;
  DROVER_CO_CHECK(call.parse_options(options));
  request.Region = options.Region;
  request.Namespace = options.Namespace;
  request.AuthToken = options.AuthToken;
  co_return co_await call.rpc<Response>(method, std::move(request));
}

// A streaming procedure of another node: its stream, the request written.
template <class Request>
Async<Result<std::unique_ptr<net::Stream>>> ask_node_stream(Call& call, std::string method, Request request) {
  QueryOptions options;
  DROVER_CO_CHECK(call.parse_options(options));
  request.Region = options.Region;
  request.Namespace = options.Namespace;
  request.AuthToken = options.AuthToken;
  DROVER_CO_TRY(auto stream, co_await call.agent.stream(std::move(method)));
  std::string bytes = to_msgpack(request);
  DROVER_CO_CHECK(co_await net::write_all(*stream, bytes));
  co_return std::move(stream);
}

// The frames of such a stream. Owns it.
std::unique_ptr<client::FrameReader> remote_frames(std::unique_ptr<net::Stream> stream);

// Failures of an operation are 500, except that there is no such allocation or no way to its node.
Error operation_error(Error error);

}  // namespace drover::api
