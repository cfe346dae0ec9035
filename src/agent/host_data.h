// What /v1/agent/host and the "runtime" block of /v1/agent/self show.
#pragma once

#include <string>

#include "base/containers.h"
#include "model/client_stats.h"

namespace drover::agent {

// The machine as it is now: kernel, addresses, resolver, hosts file, environment without secrets, mounted disks. Blocks
// on file systems.
HostData collect_host_data();

// version, kernel, arch, cpu_count, threads, memory: the reference's "runtime" keys with the nearest facts.
Map<std::string> runtime_stats();

}  // namespace drover::agent
