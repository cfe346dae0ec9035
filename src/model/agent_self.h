// What an agent tells others about itself: its log as it is written, its machine, profiles. Servers and nodes answer the
// RPCs of that name with it (reference http-api section 25); the agent provides it.
#pragma once

#include <memory>

#include "base/async.h"
#include "base/result.h"
#include "model/client_rpc.h"

namespace drover {

namespace net {
class Stream;
}

class AgentSelf {
 public:
  virtual ~AgentSelf() = default;
  // kPermissionDenied "Permission denied" unless enable_debug is set. AgentID is the caller's to fill in.
  virtual Async<Result<rpc::HostDataResponse>> host() = 0;
  virtual Async<Result<rpc::AgentPprofResponse>> profile(rpc::AgentPprofRequest request) = 0;
  // Serves the stream until its other end goes; the request has been read and its log level is known to be one.
  virtual Async<void> monitor(std::unique_ptr<net::Stream> stream, rpc::MonitorRequest request) = 0;
};

}  // namespace drover
