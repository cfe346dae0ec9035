// The checks that an agent and `config validate` make alike, in the reference's order (agent-config section 19).
#include <sys/stat.h>

#include <limits>

#include <fmt/format.h>

#include "agent/config.h"
#include "agent/config_effect.h"
#include "agent/units.h"
#include "base/strings.h"
#include "model/ports.h"
#include "model/validate.h"

namespace drover::agent {
namespace {

bool exists(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0;
}

Status check_names(const Config& c) {
  if (c.Region.find('\0') != std::string::npos) return invalid("Region contains invalid characters");
  if (c.Datacenter.find_first_of(std::string_view("\0*", 2)) != std::string::npos)
    return invalid("Datacenter contains invalid characters (null or '*')");
  return {};
}

Status check_encryption(const Config& c, const std::function<void(std::string)>& notice) {
  auto& key = c.Server->EncryptKey;
  if (!c.Server->Enabled || key.empty()) return {};
  auto bytes = base64_decode(key);
  if (!bytes) return invalid("Invalid encryption key: illegal base64 data");
  if (bytes->size() != 16 && bytes->size() != 24 && bytes->size() != 32)
    return invalid("Invalid encryption key: key size must be 16, 24 or 32 bytes");
  if (exists((c.DataDir.empty() ? "" : c.DataDir + "/") + "server/serf.keyring"))
    notice("WARNING: keyring exists but -encrypt given, using keyring");
  return {};
}

Status check_paths(const Config& c) {
  const std::pair<std::string_view, const std::string&> paths[] = {
      {"data-dir", c.DataDir}, {"plugin-dir", c.PluginDir}, {"alloc-dir", c.Client->AllocDir}, {"state-dir", c.Client->StateDir}};
  for (auto& [name, path] : paths)
    if (!path.empty() && path[0] != '/')
      return invalid(fmt::format("{} must be given as an absolute path: got {}", name, path));
  return {};
}

// Words joined by single dots.
bool valid_meta_key(const std::string& key) {
  if (key.empty()) return false;
  for (auto& part : split(key, '.'))
    if (part.empty()) return false;
  return true;
}

Status check_ports(const ClientConfig& c) {
  auto low = c.MinDynamicPort, high = c.MaxDynamicPort;
  if (low < 0 || low > 65536) return invalid(fmt::format("Invalid dynamic port range: min_dynamic_port={}", low));
  if (high < 0 || high > 65536) return invalid(fmt::format("Invalid dynamic port range: max_dynamic_port={}", high));
  if (low > high)
    return invalid(fmt::format("Invalid dynamic port range: min_dynamic_port={} and max_dynamic_port={}", low, high));
  auto list = [](const std::string& where, const std::string& ports) -> Status {
    if (ports.empty()) return {};
    auto parsed = parse_port_ranges(ports);
    if (!parsed) return invalid(fmt::format("{} {} invalid: {}", where, go_quote(ports), parsed.error().message));
    return {};
  };
  if (c.Reserved) DROVER_CHECK(list("reserved.reserved_ports", c.Reserved->ReservedPorts));
  for (auto& n : c.HostNetworks)
    DROVER_CHECK(list(fmt::format("host_network[{}].reserved_ports", go_quote(n.Name)), n.ReservedPorts));
  return {};
}

Status artifact_error(std::string what) { return invalid("client.artifact block invalid: " + std::move(what)); }

Status check_artifact(const ArtifactConfig& a) {
  const std::pair<std::string_view, const std::optional<std::string>&> durations[] = {
      {"http_read_timeout", a.HTTPReadTimeout}, {"gcs_timeout", a.GCSTimeout}, {"git_timeout", a.GitTimeout},
      {"hg_timeout", a.HgTimeout}, {"s3_timeout", a.S3Timeout}};
  for (auto& [name, text] : durations) {
    if (!text) return artifact_error(fmt::format("{} must be set", name));
    auto d = parse_duration(*text);
    if (!d) return artifact_error(fmt::format("{} not a valid duration: {}", name, d.error().message));
    if (*d < Duration::zero()) return artifact_error(fmt::format("{} must be > 0", name));
  }
  const std::tuple<std::string_view, std::string_view, const std::optional<std::string>&> sizes[] = {
      {"http_max_size", "", a.HTTPMaxSize}, {"decompression_size_limit", "is ", a.DecompressionSizeLimit}};
  for (auto& [name, is, text] : sizes) {
    if (!text) return artifact_error(fmt::format("{} must be set", name));
    auto n = parse_byte_size(*text);
    if (!n) return artifact_error(fmt::format("{} {}not a valid size: {}", name, is, n.error().message));
    if (*n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return artifact_error(fmt::format("{} must be < {} but found {}", name, std::numeric_limits<int64_t>::max(), *n));
  }
  if (a.DecompressionFileCountLimit && *a.DecompressionFileCountLimit < 0)
    return artifact_error(fmt::format("decompression_file_count_limit must be >= 0 but found {}", *a.DecompressionFileCountLimit));
  return {};
}

Status check_directories(const Config& c, bool bootstrap_flag) {
  auto& client = *c.Client;
  if (c.Server->Enabled && c.DataDir.empty())
    return invalid("Must specify \"data_dir\" config option or \"data-dir\" CLI flag");
  if (client.Enabled && c.DataDir.empty() && (client.AllocDir.empty() || client.StateDir.empty() || c.PluginDir.empty()))
    return invalid("Must specify the state, alloc dir, and plugin dir if data-dir is omitted.");
  if (bootstrap_flag && !c.Server->Enabled) return invalid("Bootstrap requires server mode to be enabled");
  return {};
}

}  // namespace

Status check_config(const Config& c, const CheckOptions& options, const std::function<void(std::string)>& notice) {
  auto& server = *c.Server;
  auto& client = *c.Client;
  if (!server.Enabled && !client.Enabled)
    return invalid("Must specify either server, client or dev mode for the agent.");
  DROVER_CHECK(check_names(c));
  bool http = c.TLSConfig->EnableHTTP, rpc = c.TLSConfig->EnableRPC;
  if (!options.dev_mode && !(http && rpc))
    notice(fmt::format("WARNING: mTLS is not configured{} - Nomad is not secure without mTLS!", rpc ? " for HTTP" : http ? " for RPC" : ""));
  DROVER_CHECK(check_encryption(c, notice));
  DROVER_CHECK(check_paths(c));
  if (client.Enabled)
    for (auto& [key, value] : client.Meta)
      if (!valid_meta_key(key)) return invalid("Invalid Client.Meta key: " + key);
  if (auto& s = server.DefaultSchedulerConfig) DROVER_CHECK(check_scheduler_algorithm(s->SchedulerAlgorithm));
  DROVER_CHECK(check_ports(client));
  if (client.Artifact) DROVER_CHECK(check_artifact(*client.Artifact));
  if (!options.dev_mode) {
    DROVER_CHECK(check_directories(c, options.bootstrap_flag));
    if (server.Enabled && server.BootstrapExpect == 1)
      notice("WARNING: Bootstrap mode enabled! Potentially unsafe operation.");
    if (server.Enabled && server.BootstrapExpect % 2 == 0)
      notice("WARNING: Number of bootstrap servers should ideally be set to an odd number.");
  }
  // An operator who asks for access control must not get an agent that lets everybody in.
  if (c.ACL && c.ACL->Enabled)
    return invalid("acl.enabled is true, but this version does not check tokens yet; set it to false to run without access control");
  for (auto& text : without_effect(c)) notice(std::move(text));
  if (server.ProtocolVersion != 0) notice("Please remove deprecated protocol_version field from config.");
  return {};
}

}  // namespace drover::agent
