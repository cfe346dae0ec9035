// NodeHost: the facts of a false machine that the node agent reads. Files of its state directory are real.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "client/host_source.h"

namespace drover::sim {

// A machine of two cores of 2000 MHz and 4 GiB with one network card, booted for the `boot`th time.
std::unique_ptr<client::HostSource> make_node_host(std::string name, std::string ip, std::string state_dir, uint64_t boot);

}  // namespace drover::sim
