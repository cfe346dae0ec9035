// MessagePack-RPC as the reference's agents speak it on a stream: a header value, then a body value, with nothing between.
// Requests: {ServiceMethod, Seq}; responses: {Error, Seq, ServiceMethod}, whose body is an empty map when Error is set.
// Bodies pass as bytes: the caller encodes and decodes them (codec/msgpack.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/async.h"
#include "base/result.h"
#include "codec/msgpack_scan.h"
#include "net/stream.h"

namespace drover::net {

struct RpcRequestMessage {
  std::string method;
  uint64_t seq = 0;
  std::string body;
};
struct RpcResponseMessage {
  std::string method;
  uint64_t seq = 0;
  std::string error;  // empty: good
  std::string body;
};

std::string encode_rpc(const RpcRequestMessage& m);
std::string encode_rpc(const RpcResponseMessage& m);

// The messages of one stream. Reads buffer ahead: once a stream is read through this, it is read only through this.
class RpcWire {
 public:
  // The stream outlives this. A message of more than `max_bytes` ends it.
  explicit RpcWire(Stream& stream, size_t max_bytes = size_t{64} << 20) : stream_(stream), max_bytes_(max_bytes) {}
  // Begins with what somebody else has read ahead.
  RpcWire(Stream& stream, std::string unread) : RpcWire(stream) { in_ = std::move(unread); }

  // "EOF" when the peer has ended between messages.
  Async<Result<RpcRequestMessage>> read_request();
  Async<Result<RpcResponseMessage>> read_response();
  // One value, as bytes: headers of streaming RPCs ({Method}, then {Error}).
  Async<Result<std::string>> read_value();
  Async<Status> write(std::string bytes);
  // Ends when the peer has ended or broken off: awaited beside the work on a request, it tells that nobody waits for the
  // answer any more. What comes meanwhile is kept for the next read.
  Async<void> ended();
  // Bytes read ahead, for whoever takes the stream over after a streaming header.
  std::string take_unread() { return std::exchange(in_, {}); }

  // One request and its response: the client's side of a stream that carries one call at a time. An error of the server
  // comes back with its own text.
  Async<Result<std::string>> call(std::string method, std::string body);

 private:
  Attempt read_ahead();

  Stream& stream_;
  size_t max_bytes_;
  std::string in_;
  uint64_t seq_ = 0;
};

}  // namespace drover::net
