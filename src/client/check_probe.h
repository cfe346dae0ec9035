// One run of a service check (reference client, section 26.4).
#pragma once

#include <string>

#include "base/async.h"
#include "base/world.h"
#include "client/service_core.h"

namespace drover::net {
class Network;
}

namespace drover::client {

struct ProbeResult {
  bool success = false;
  int64_t status_code = 0;  // of http
  std::string output;
};

// Connects, or asks over HTTP, at the plan's address. Ends after the check's timeout at the latest.
Async<ProbeResult> run_probe(World& world, net::Network& network, CheckPlan plan);

// What an HTTP answer means; `body` is the beginning of it.
ProbeResult judge_answer(int status, std::string body);

inline constexpr size_t kCheckOutput = 3072;  // bytes of a body that are kept

}  // namespace drover::client
