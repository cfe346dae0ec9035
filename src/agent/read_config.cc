#include "agent/read_config.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "agent/config.h"
#include "agent/config_merge.h"
#include "base/strings.h"
#include "client/host_source.h"

namespace drover::agent {
namespace {

std::string environment(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

bool in_path(std::string_view program) {
  for (auto& dir : split(environment("PATH"), ':'))
    if (access(fmt::format("{}/{}", dir, program).c_str(), X_OK) == 0) return true;
  return false;
}

// `-dev-connect`: dev mode reachable from network namespaces.
Result<Config> dev_connect_config(const HostNetworks& host) {
  if (geteuid() != 0) return invalid("-dev-connect uses network namespaces and is only supported for root.");
  if (!in_path("consul")) return invalid("-dev-connect requires a 'consul' binary in Nomad's $PATH");
  if (host.default_interface.empty())
    return invalid("-dev=connect uses network namespaces: could not find public network interface");
  auto config = dev_config();
  config.BindAddr = "0.0.0.0";
  config.Client->NetworkInterface = host.default_interface;
  return config;
}

}  // namespace

Result<Config> read_config(const AgentFlags& given, const Notice& notice) {
  auto flags = given;
  DROVER_CHECK(apply_late_flags(flags));
  auto machine = client::make_linux_host();
  auto host = host_networks(*machine);
  bool dev = flags.dev || flags.dev_connect;
  Config config;
  if (flags.dev_connect) {
    DROVER_TRY(config, dev_connect_config(host));
  } else {
    config = dev ? dev_config() : default_config();
  }
  for (auto& path : flags.config_paths) {
    auto loaded = load_config(path);
    if (!loaded) return std::move(loaded).error().with_context("Error loading configuration from " + path);
    merge_config(config, *loaded);
  }
  merge_config(config, flags.config);
  DROVER_CHECK(finish_config(config, host, environment));
  DROVER_CHECK(check_config(config, {.dev_mode = dev, .bootstrap_flag = flags.bootstrap_expect}, notice));
  return config;
}

}  // namespace drover::agent
