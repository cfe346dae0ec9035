#include "server/membership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "base/read_file.h"
#include "base/strings.h"
#include "base/version.h"
#include "gossip/keyring.h"
#include "gossip/snapshot_file.h"
#include "model/version.h"
#include "net/address.h"

namespace drover::server {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr Duration kReconnectTimeout = 72h;

}  // namespace

std::optional<ServerParts> server_parts(const gossip::Member& m) {
  if (m.tags.get_or("role") != "nomad") return std::nullopt;
  ServerParts p;
  p.name = m.name;
  p.id = m.tags.get_or("id");
  if (p.id.empty()) p.id = "unknown";
  p.region = m.tags.get_or("region");
  p.datacenter = m.tags.get_or("dc");
  p.build = m.tags.get_or("build");
  if (!Version::parse(p.build)) return std::nullopt;
  p.bootstrap = m.tags.contains("bootstrap");
  p.non_voter = m.tags.contains("nonvoter");
  if (auto* expect = m.tags.find("expect")) {
    auto n = parse_int(*expect);
    if (!n) return std::nullopt;
    p.expect = static_cast<int>(*n);
  }
  auto port = parse_int(m.tags.get_or("port"));
  if (!port) return std::nullopt;
  if (auto* raft = m.tags.find("raft_vsn")) {
    auto n = parse_int(*raft);
    if (!n) return std::nullopt;
    p.raft_version = static_cast<int>(*n);
  }
  auto rpc_ip = m.tags.get_or("rpc_addr");
  p.address = net::join_host_port(m.addr, fmt::format("{}", *port));
  p.rpc_address = net::join_host_port(rpc_ip.empty() ? m.addr : rpc_ip, fmt::format("{}", *port));
  p.status = m.status;
  return p;
}

Status admit_server(const gossip::Member& m, const OwnCluster& own) {
  auto parts = server_parts(m);
  if (!parts) return invalid(fmt::format("member '{}' is not a server", m.name));
  if (auto named = own.names.find(parts->id); m.status == gossip::MemberStatus::kNone && named != own.names.end() && named->second != m.name)
    return invalid(fmt::format("member '{}' has the node id of '{}' ({}): if its data directory is a copy, stop it and remove that; if the "
                               "server was renamed, it can join once '{}' has failed", m.name, named->second, parts->id, named->second));
  auto theirs = m.tags.get_or(kClusterTag);
  if (parts->region != own.region || theirs.empty() || own.tag.empty() || theirs == own.tag || own.members.contains(parts->id)) return {};
  return invalid(fmt::format("member '{}' belongs to another cluster of region {} ({}, not {}): clear the data directory of the server that "
                             "is to join, or give it a region of its own", m.name, own.region, theirs, own.tag));
}

Map<std::string> member_tags(const Config& c, const std::string& cluster) {
  auto rpc = net::split_host_port(c.rpc_advertise);
  auto client = net::split_host_port(c.client_rpc_advertise.empty() ? c.rpc_advertise : c.client_rpc_advertise);
  Map<std::string> tags{{"role", "nomad"},   {"region", c.region},  {"dc", c.datacenter},
                        {"build", c.build},  {"vsn", "1"},          {"raft_vsn", "3"},
                        {"id", c.node_id},   {"rpc_addr", client ? client->host : ""}, {"port", rpc ? rpc->port : ""}};
  tags["revision"] = c.revision;
  if (c.bootstrap_expect == 1) tags["bootstrap"] = "1";
  if (c.bootstrap_expect > 0) tags["expect"] = fmt::format("{}", c.bootstrap_expect);
  if (c.non_voting_server) tags["nonvoter"] = "1";
  if (!c.redundancy_zone.empty()) tags["ap_zone"] = c.redundancy_zone;
  if (!c.upgrade_version.empty()) tags["ap_version"] = c.upgrade_version;
  if (!cluster.empty()) tags[kClusterTag] = cluster;
  return tags;
}

Result<std::vector<std::string>> gossip_keys(const Config& c) {
  std::vector<std::string> keys;
  if (!c.encrypt_key.empty()) {
    auto key = base64_decode(c.encrypt_key);
    if (!key) return invalid("Invalid key: illegal base64 data");
    if (auto valid = gossip::validate_key(*key); !valid) return std::move(valid).error().with_context("Invalid key");
    keys.push_back(std::move(*key));
  }
  if (c.keyring_file.empty()) return keys;
  auto text = read_file(c.keyring_file);
  if (!text && text.error().code != ErrorCode::kNotFound) return std::move(text).error().with_context("error reading keyring file");
  if (text) {
    auto read = gossip::decode_keyring(*text);
    if (!read) return std::move(read).error().with_context("error reading keyring file " + c.keyring_file);
    if (read->empty()) return invalid("no keys present in keyring file: " + c.keyring_file);
    return std::move(*read);
  }
  if (keys.empty()) return keys;
  std::error_code ec;
  auto dir = std::filesystem::path(c.keyring_file).parent_path();
  if (std::filesystem::create_directories(dir, ec)) std::filesystem::permissions(dir, std::filesystem::perms::owner_all, ec);
  if (ec) return Error(ErrorCode::kIo, fmt::format("mkdir {}: {}", dir.string(), ec.message()));
  DROVER_CHECK(gossip::write_private_file(c.keyring_file, gossip::encode_keyring(keys)));
  return keys;
}

// ---- Peers -----------------------------------------------------------------------------------------------------------

std::optional<ServerParts> Peers::apply(const gossip::Event& e) {
  using enum gossip::EventType;
  if (e.type == kUser) return std::nullopt;
  auto parts = server_parts(e.member);
  if (!parts) {
    if (e.type == kJoin) log_warn(kLog, "non-server in gossip pool", {{"member", e.member.name}});
    return std::nullopt;
  }
  auto label = fmt::format("{} (Addr: {}) (DC: {})", parts->name, parts->address, parts->datacenter);
  if (e.type == kJoin || e.type == kUpdate) {
    auto& slot = regions_[parts->region];
    if (!slot.contains(parts->name)) log_info(kLog, "adding server", {{"server", label}});
    slot[parts->name] = *parts;
  } else if (auto region = regions_.find(parts->region); region != regions_.end()) {
    if (region->second.erase(parts->name) && e.type != kReap) log_info(kLog, "removing server", {{"server", label}});
    if (region->second.empty()) regions_.erase(region);
  }
  return parts;
}

std::vector<std::string> Peers::regions() const {
  std::vector<std::string> out;
  for (auto& [region, servers] : regions_) out.push_back(region);
  return out;
}

std::vector<ServerParts> Peers::in_region(std::string_view region) const {
  std::vector<ServerParts> out;
  if (auto it = regions_.find(region); it != regions_.end())
    for (auto& [name, parts] : it->second) out.push_back(parts);
  return out;
}

const ServerParts* Peers::by_id(std::string_view id) const {
  for (auto& [region, servers] : regions_)
    for (auto& [name, parts] : servers)
      if (parts.id == id) return &parts;
  return nullptr;
}

std::map<std::string, std::string> Peers::names() const {
  std::map<std::string, std::string> out;
  for (auto& [region, servers] : regions_)
    for (auto& [name, parts] : servers)
      if (parts.id != "unknown") out.emplace(parts.id, name);
  return out;
}

// ---- Membership ------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Membership>> Membership::create(World& world, net::Network& network, const Config& c,
                                                       std::function<OwnCluster()> own) {
  std::unique_ptr<Membership> m(new Membership(c));
  m->told_ = own().tag;
  gossip::Config g;
  g.node_name = c.node_name + "." + c.region;
  g.tags = member_tags(c, m->told_);
  g.bind_addr = c.serf_bind.empty() ? c.serf_address : c.serf_bind;
  g.bind_port = c.serf_bind_port;
  g.advertise_addr = c.serf_address;
  g.advertise_port = c.serf_port;
  g.tuning = gossip::Tuning::wan();
  g.serf.reconnect_timeout = kReconnectTimeout;
  auto keys = gossip_keys(c);
  if (!keys) return std::move(keys).error();
  g.keys = std::move(*keys);
  g.keyring_file = g.keys.empty() ? "" : c.keyring_file;
  if (!c.in_memory && !c.dev_mode) g.snapshot_path = c.data_dir + "/serf/snapshot";
  g.rejoin_after_leave = c.rejoin_after_leave;
  g.identity_tag = "id";
  g.admit = [own = std::move(own)](const gossip::Member& member) { return admit_server(member, own()); };
  g.on_event = [p = m.get()](const gossip::Event& e) { p->on_event(e); };
  auto serf = gossip::Serf::create(world, network, std::move(g));
  if (!serf) return std::move(serf).error().with_context("Failed to start serf");
  m->serf_ = std::move(*serf);
  return m;
}

void Membership::tell_cluster(const std::string& tag) {
  if (std::exchange(told_, tag) == tag) return;
  telling_ = Running([](gossip::Serf& serf, Map<std::string> tags) -> Async<void> {
    // A pool of one has nobody to hear it: that is no error.
    if (auto told = co_await serf.set_tags(std::move(tags)); !told)
      log_debug(kLog, "the cluster was not told to the pool", {{"error", told.error().message}});
  }(*serf_, member_tags(config_, tag)));
}

void Membership::on_event(const gossip::Event& e) {
  auto parts = peers_.apply(e);
  if (parts && on_change_) on_change_(e.type, *parts);
}

}  // namespace drover::server
