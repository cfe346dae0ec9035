// How the node agent reaches its servers: remote procedures by name, typed by the table in model/rpc.h.
//
// In a dev agent they are called in process; elsewhere over the RPC wire, with the failover and retry of the reference
// behind this interface. A blocking query (MinQueryIndex > 0) suspends until there is news or its time is up.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/async.h"
#include "codec/type_info.h"
#include "model/rpc.h"

namespace drover::client {

class ServerApi {
 public:
  virtual ~ServerApi() = default;

  // Called and resumed on the loop. Dropping the task abandons the call; the server may still have carried it out.
  // A transport failure is kUnavailable or kTimeout; "no cluster leader" is kNoLeader; else the server's error text.
  template <class Request, class Response>
  Async<Result<Response>> call(RpcMethod<Request, Response> method, Request request) {
    Response response{};
    auto status = co_await invoke(method.name, type_of<Request>(), &request, type_of<Response>(), &response);
    if (!status) co_return status.error();
    co_return std::move(response);
  }

  // Servers that a heartbeat answer named, and the number of nodes that share them. The in-process one ignores it.
  virtual void set_servers(const List<NodeServerInfo>& servers, int num_nodes) {}

 protected:
  // `request` and `response` stay valid until the task ends or is dropped.
  virtual Async<Status> invoke(std::string_view method, const TypeInfo& request_type, const void* request,
                              const TypeInfo& response_type, void* response) = 0;
};

}  // namespace drover::client
