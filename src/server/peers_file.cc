#include "server/peers_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/log.h"
#include "codec/json.h"

namespace drover::server {

struct PeersFileEntry {
  std::string id;
  std::string address;
  bool non_voter = false;
};

}  // namespace drover::server

namespace drover {
DROVER_TYPE(server::PeersFileEntry)
}  // namespace drover
DROVER_DESCRIBE(drover::server::PeersFileEntry, "raft.configEntry", DROVER_FIELD(id), DROVER_FIELD(address), DROVER_FIELD(non_voter))

namespace drover::server {
namespace {

constexpr std::string_view kInfo = R"(As a last resort, when most servers of a cluster are lost for good, the remaining ones can be
made a cluster of their own. Stop all of them. On each, put a file "peers.json" into this
directory, the same everywhere, with the servers that remain:

[
  {
    "id": "adf4238a-882b-9ddc-4a9d-5b6758e4159e",
    "address": "10.1.0.1:4647",
    "non_voter": false
  }
]

The id of a server is in its file "node-id", one directory up; the address is the one that other
servers reach its RPC port at. Then start them all again. The file is removed once it has been
taken. Writes that had not reached the remaining servers are lost, and those that had reached them
are kept, even if they were never acknowledged.
)";

}  // namespace

Result<std::optional<std::vector<raft::Server>>> read_peers_file(const std::string& dir) {
  using Out = std::optional<std::vector<raft::Server>>;
  std::error_code ec;
  auto info = dir + "/peers.info", path = dir + "/peers.json";
  if (!std::filesystem::exists(info, ec)) {
    std::filesystem::create_directories(dir, ec);
    std::ofstream(info) << kInfo;
    if (!std::filesystem::exists(info, ec)) return Error(ErrorCode::kIo, "failed to write peers.info file: " + info);
    if (std::filesystem::remove(path, ec)) log_info("nomad", "deleted peers.json file (see peers.info file)");
    return Out();
  }
  if (!std::filesystem::exists(path, ec)) return Out();
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  auto entries = from_json<List<PeersFileEntry>>(text);
  if (!entries) return invalid(fmt::format("recovery failed to parse peers.json: {}", entries.error().message));
  std::vector<raft::Server> servers;
  bool voter = false;
  for (auto& e : *entries) {
    if (e.id.empty() || e.address.empty())
      return invalid("recovery failed to parse peers.json: every server needs an \"id\" and an \"address\"");
    servers.push_back({e.id, e.address, e.non_voter ? raft::Suffrage::kNonvoter : raft::Suffrage::kVoter});
    voter |= !e.non_voter;
  }
  if (!voter) return invalid("recovery failed to parse peers.json: need at least one voter in configuration");
  log_info("nomad", "found peers.json file, recovering Raft configuration...", {{"servers", std::to_string(servers.size())}});
  return Out(std::move(servers));
}

Status remove_peers_file(const std::string& dir) {
  std::error_code ec;
  std::filesystem::remove(dir + "/peers.json", ec);
  if (ec) return Error(ErrorCode::kIo, fmt::format("recovery failed to delete {}/peers.json, please delete manually (see peers.info for details): {}", dir, ec.message()));
  log_info("nomad", "deleted peers.json file after successful recovery");
  return {};
}

}  // namespace drover::server
