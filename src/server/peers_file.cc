#include "server/peers_file.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/read_file.h"
#include "codec/json.h"
#include "net/address.h"

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
servers reach its RPC port at. "operator raft check-peers <data dir>" then shows what would come
of it and changes nothing. Then start them all again. The file is removed once it has been taken;
a copy of what was there before stays in a directory "before-recovery-...". Writes that had not
reached the remaining servers are lost, and those that had reached them are kept, even if they
were never acknowledged.
)";

}  // namespace

Result<std::vector<raft::Server>> parse_peers(std::string_view text) {
  auto refuse = [](std::string why) { return invalid("recovery failed to parse peers.json: " + std::move(why)); };
  auto entries = from_json<List<PeersFileEntry>>(text);
  if (!entries) return refuse(entries.error().message);
  std::vector<raft::Server> servers;
  std::set<std::string> seen;
  bool voter = false;
  for (auto& e : *entries) {
    if (e.id.empty() || e.address.empty()) return refuse("every server needs an \"id\" and an \"address\"");
    for (auto& key : {e.id, e.address})
      if (!seen.insert(key).second) return refuse(fmt::format("found duplicate {} in configuration: {}", key == e.id ? "ID" : "address", key));
    auto address = net::Address::parse(e.address);
    if (!address || address->is_unix || address->host.empty() || address->port == 0)
      return refuse(fmt::format("\"{}\" is no address of the form host:port", e.address));
    servers.push_back({e.id, e.address, e.non_voter ? raft::Suffrage::kNonvoter : raft::Suffrage::kVoter});
    voter |= !e.non_voter;
  }
  if (!voter) return refuse("need at least one voter in configuration");
  return servers;
}

Status check_recovery(const std::vector<raft::Server>& servers, std::string_view own_id) {
  for (auto& s : servers)
    if (s.id == own_id) return {};
  return invalid(fmt::format("recovery refused: this server ({}) is not in peers.json; the id of a server is in its file \"node-id\"", own_id));
}

Result<std::string> keep_before_recovery(const std::string& dir, Time now) {
  auto to = fmt::format("{}/before-recovery-{}", dir, now.unix_seconds());
  std::error_code ec;
  std::filesystem::create_directories(to, ec);
  for (auto* part : {"log", "snapshots"}) {
    if (ec) break;
    if (auto from = dir + "/" + part; std::filesystem::exists(from))
      std::filesystem::copy(from, to + "/" + part, std::filesystem::copy_options::recursive, ec);
  }
  if (!ec) return to;
  auto why = ec.message();
  std::filesystem::remove_all(to, ec);
  return Error(ErrorCode::kIo, fmt::format("recovery refused: what is there now could not be copied to {}: {}", to, why));
}

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
  auto text = read_file(path);
  if (!text) return std::move(text).error().with_context("recovery failed to parse peers.json");
  DROVER_TRY(auto servers, parse_peers(*text));
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
