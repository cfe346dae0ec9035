// Commands of operators that read files of agents or gather a bundle. This build has their help texts; running one says
// plainly that it is not there.
#include <fmt/format.h>

#include "cli/misc_commands.h"

namespace drover::cli {
namespace {

int not_here(Context& c) {
  return c.fail(fmt::format("nomad {}: not available in this build", c.command.name));
}

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool;
constexpr Flag kDebugFlags[] = {
    {"duration", kText, "=<duration>", "How long to gather. Defaults to 2m.", "2m"},
    {"interval", kText, "=<interval>", "How often to take a picture of the state. Defaults to 30s.", "30s"},
    {"log-level", kText, "=<level>", "Level of the logs. Defaults to DEBUG.", "DEBUG"},
    {"max-nodes", FlagKind::kInt, "=<n>", "How many clients to ask at most. Defaults to 10.", "10"},
    {"node-class", kText, "=<class>", "Ask clients of this class only.", ""},
    {"node-id", kText, "=<id>,<id>", "Clients to ask. Defaults to all.", "all"},
    {"server-id", kText, "=<name>,<name>", "Servers to ask. Defaults to all.", "all"},
    {"stale", kBool, "", "Any server may answer, for clusters without a leader.", ""},
    {"event-index", FlagKind::kInt, "=<index>", "Index to gather events from.", "0"},
    {"event-topic", kText, "=<topic>", "Events to gather. Defaults to none.", "none"},
    {"output", kText, "=<dir>", "Folder to write to, instead of an archive.", ""},
    {"pprof-duration", kText, "=<duration>", "How long each profile is. Defaults to 1s.", "1s"},
    {"pprof-interval", kText, "=<interval>", "How often to take profiles. Defaults to 250ms.", "250ms"},
    kVerboseFlag,
    {"consul-http-addr", kText, "=<addr>", "Consul's address.", ""},
    {"consul-auth", kText, "", "", ""},
    {"consul-token", kText, "=<token>", "Consul's token.", ""},
    {"consul-token-file", kText, "=<path>", "File with Consul's token.", ""},
    {"consul-client-cert", kText, "=<path>", "Certificate for Consul.", ""},
    {"consul-client-key", kText, "=<path>", "Key for Consul.", ""},
    {"consul-ca-cert", kText, "=<path>", "Authority of Consul.", ""},
    {"consul-ca-path", kText, "=<path>", "Folder of authorities of Consul.", ""},
    {"vault-address", kText, "=<addr>", "Vault's address.", ""},
    {"vault-token", kText, "=<token>", "Vault's token.", ""},
    {"vault-client-cert", kText, "=<path>", "Certificate for Vault.", ""},
    {"vault-client-key", kText, "=<path>", "Key for Vault.", ""},
    {"vault-ca-cert", kText, "=<path>", "Authority of Vault.", ""},
    {"vault-ca-path", kText, "=<path>", "Folder of authorities of Vault.", ""},
};

constexpr Command kCommands[] = {
    {.name = "operator debug",
     .synopsis = "Build a debug archive",
     .usage = "Usage: nomad operator debug [options]",
     .about = "Gathers logs, profiles and state of the cluster for those who look into a problem.",
     .general = General::kNoNamespace,
     .options = "Debug Options",
     .flags = kDebugFlags,
     .run = not_here,
     .self = "debug"},
};

}  // namespace

std::span<const Command> operator_local_commands() { return kCommands; }

}  // namespace drover::cli
