// peers.json: the operator's last resort when most servers are lost for good (reference server-core 2.1).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "raft/types.h"

namespace drover::server {

// Of `<dir>/peers.json`, an array of {"id", "address", "non_voter"}: the configuration to recover with; nothing when there is
// none. The first start in a directory writes `<dir>/peers.info`, which explains, and removes a peers.json that came before it.
Result<std::optional<std::vector<raft::Server>>> read_peers_file(const std::string& dir);
// Once it has taken effect.
Status remove_peers_file(const std::string& dir);

}  // namespace drover::server
