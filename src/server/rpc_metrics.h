// What a remote procedure is measured as (reference metrics sections 13 and 14): a timer, and a rate by endpoint and kind of access.
#pragma once

#include <string_view>

namespace drover::server {

struct RpcMetrics {
  std::string_view method;
  std::string_view timer;  // full key; empty: none, as in the reference
  std::string_view rate;   // full key of the counter; empty: none
};

// Of a procedure of rpc_table() or streaming_table(); empty keys where it is not measured. Both are counted by the server that
// answers in the end, denied calls too.
const RpcMetrics& rpc_metrics(std::string_view method);

}  // namespace drover::server
