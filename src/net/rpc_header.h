// The headers of RPC messages on the wire.
#pragma once

#include <cstdint>
#include <string>

#include "codec/type_info.h"

namespace drover::net {

struct RpcRequestHeader {
  std::string ServiceMethod;
  uint64_t Seq = 0;
};
struct RpcResponseHeader {
  std::string ServiceMethod;
  uint64_t Seq = 0;
  std::string Error;
};
struct StreamingRpcHeader {
  std::string Method;
};
struct StreamingRpcAck {
  std::string Error;
};

}  // namespace drover::net

namespace drover {
DROVER_TYPE(net::RpcRequestHeader)
DROVER_TYPE(net::RpcResponseHeader)
DROVER_TYPE(net::StreamingRpcHeader)
DROVER_TYPE(net::StreamingRpcAck)
}  // namespace drover
