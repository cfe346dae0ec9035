// What a peers.json would come to, looked at while the server is stopped. Nothing on disk is changed.
#pragma once

#include <string>

#include "raft/disk.h"
#include "server/offline.h"

namespace drover::server {

// `path`: see raft::find_raft_dir. Goes through all that a recovery does, log and snapshots included, and fails where it would.
Status check_peers(const std::string& path, raft::Disk& disk, const LineFn& line);

}  // namespace drover::server
