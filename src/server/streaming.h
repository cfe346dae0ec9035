// Streaming RPCs (reference server-core 5.3): named streams whose bytes belong to a handler. Those about an allocation's
// node go on to that node, over its own connection or by way of the server that has it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "net/stream.h"

namespace drover::server {

class Server;

// Serves the stream to its end; bytes that came with the header are in `unread`.
using StreamingFn = Async<void> (*)(Server&, std::unique_ptr<net::Stream>, std::string unread);
struct StreamingRow {
  std::string_view method;
  StreamingFn serve;
};
const std::vector<StreamingRow>& streaming_table();
const StreamingRow* find_streaming(std::string_view method);

// Event.Stream (event_stream.cc).
Async<void> serve_events(Server& server, std::unique_ptr<net::Stream> stream, std::string unread);

// Agent.Monitor (agent_endpoint.cc).
Async<void> serve_monitor(Server& server, std::unique_ptr<net::Stream> stream, std::string unread);

// Ends a stream of StreamErrWrapper frames with an error.
Async<void> refuse_stream(net::Stream& stream, std::string message, int64_t code);
// From the wire: reads the header and serves. `Unknown rpc method: "x"`.
Async<void> answer_stream(Server& server, std::unique_ptr<net::Stream> stream);
// The leader's stream of this method, taken; null where this server leads. Waits some seconds for a leader: "No cluster leader".
// `may_forward` false: somebody took this server for the leader.
Async<Result<std::unique_ptr<net::Stream>>> open_to_leader(Server& server, std::string method, bool may_forward);
// From this process: the caller's end of a stream whose method is taken.
Result<std::unique_ptr<net::Stream>> open_stream(Server& server, std::string_view method);

}  // namespace drover::server
