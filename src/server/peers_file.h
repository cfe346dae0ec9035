// peers.json: the operator's last resort when most servers are lost for good (reference server-core 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "raft/types.h"

namespace drover::server {

// Of `<dir>/peers.json`, an array of {"id", "address", "non_voter"}: the configuration to recover with; nothing when there is
// none. The first start in a directory writes `<dir>/peers.info`, which explains, and removes a peers.json that came before it.
Result<std::optional<std::vector<raft::Server>>> read_peers_file(const std::string& dir);
// The servers that the text of such a file names. "recovery failed to parse peers.json: ..."
Result<std::vector<raft::Server>> parse_peers(std::string_view text);
// A server that is not among them would recover a cluster that it is no part of.
Status check_recovery(const std::vector<raft::Server>& servers, std::string_view own_id);
// Copies log and snapshots to `<dir>/before-recovery-<now>`, so that an operator can go back; the copy's path.
Result<std::string> keep_before_recovery(const std::string& dir, Time now);
// Once it has taken effect.
Status remove_peers_file(const std::string& dir);

}  // namespace drover::server
