// The table of all commands: the groups' own rows, aliases, and what each file brings.
#include <vector>

#include "cli/alloc_commands.h"
#include "cli/command.h"
#include "cli/job_commands.h"
#include "cli/misc_commands.h"
#include "cli/node_commands.h"
#include "cli/variables.h"

namespace drover::cli {
namespace {

constexpr Command group(std::string_view name, std::string_view synopsis, std::string_view usage, std::string_view about) {
  return {.name = name, .synopsis = synopsis, .usage = usage, .about = about};
}

constexpr Command alias(std::string_view name, std::string_view of, Shown shown = Shown::kAlias, std::string_view successor = "") {
  return {.name = name, .shown = shown, .alias_of = of, .successor = successor};
}

constexpr Command kGroups[] = {
    group("acl", "Interact with ACL policies and tokens", "Usage: nomad acl <subcommand> [options] [args]",
          "Commands for access control: policies, tokens, roles, and logging in with other systems."),
    group("alloc", "Interact with allocations", "Usage: nomad alloc <subcommand> [options] [args]",
          "Commands for allocations, which are jobs' groups on nodes.\n\n"
          "Show one:\n\n    $ nomad alloc status <alloc-id>\n\nShow its tasks' output:\n\n    $ nomad alloc logs -f <alloc-id> <task>"),
    group("config", "Interact with configurations", "Usage: nomad config <subcommand> [options] [args]",
          "Commands for agents' configuration."),
    group("deployment", "Interact with deployments", "Usage: nomad deployment <subcommand> [options] [args]",
          "Commands for deployments, which bring a new version of a job about."),
    group("eval", "Interact with evaluations", "Usage: nomad eval <subcommand> [options] [args]",
          "Commands for evaluations, which are what the scheduler works on."),
    group("job", "Interact with jobs", "Usage: nomad job <subcommand> [options] [args]",
          "Commands for jobs.\n\nRun one, or a new version of it:\n\n    $ nomad job run <path>\n\n"
          "See before what it would change:\n\n    $ nomad job plan <path>\n\nStop it:\n\n    $ nomad job stop <job>"),
    group("license", "Interact with Nomad Enterprise License", "Usage: nomad license <subcommand> [options] [args]",
          "Commands for the license of Nomad Enterprise."),
    group("namespace", "Interact with namespaces", "Usage: nomad namespace <subcommand> [options] [args]",
          "Commands for namespaces, which keep jobs and what belongs to them apart."),
    group("node", "Interact with nodes", "Usage: nomad node <subcommand> [options] [args]",
          "Commands for nodes, the machines that run allocations."),
    group("operator", "Provides cluster-level tools for Nomad operators", "Usage: nomad operator <subcommand> [options]",
          "Tools for those who run the cluster. Some of them can do harm; read their help first."),
    group("plugin", "Inspect plugins", "Usage nomad plugin status [options] [plugin]", "Commands for plugins."),
    group("scaling", "Interact with the Nomad scaling endpoint", "Usage: nomad scaling <subcommand> [options]",
          "Commands for scaling policies."),
    group("server", "Interact with servers", "Usage: nomad server <subcommand> [options] [args]",
          "Commands for servers and their membership."),
    group("service", "Interact with registered services", "Usage: nomad service <subcommand> [options]",
          "Commands for services that are registered with the built-in provider."),
    group("system", "Interact with the system API", "Usage: nomad system <subcommand> [options]",
          "Commands for the upkeep of the servers' state."),
    group("tls", "Generate Self Signed TLS Certificates for Nomad", "Usage: nomad tls <subcommand> <subcommand> [options]",
          "Commands for certificates of a cluster's own authority."),
    group("var", "Interact with variables", "Usage: nomad var <subcommand> [options] [args]",
          "Commands for variables, which are kept encrypted on the servers."),
    group("volume", "Interact with volumes", "Usage: nomad volume <subcommand> [options]",
          "Commands for volumes of storage plugins."),
};

constexpr Command kAliases[] = {
    alias("run", "job run", Shown::kYes),
    alias("stop", "job stop", Shown::kYes),
    alias("exec", "alloc exec", Shown::kYes),
    alias("fs", "alloc fs"),
    alias("logs", "alloc logs"),
    alias("init", "job init"),
    alias("inspect", "job inspect"),
    alias("plan", "job plan"),
    alias("validate", "job validate"),
    alias("alloc-status", "alloc status", Shown::kHidden),
    alias("node-status", "node status", Shown::kHidden),
    alias("node-drain", "node drain", Shown::kHidden),
    alias("eval-status", "eval status", Shown::kHidden),
    alias("debug", "operator debug", Shown::kHidden),
    alias("server-members", "server members", Shown::kHidden, "server members"),
    alias("server-join", "server join", Shown::kHidden, "server join"),
    alias("server-force-leave", "server force-leave", Shown::kHidden, "server force-leave"),
    alias("client-config", "node config", Shown::kHidden, "node config"),
};

std::vector<Command> all() {
  std::vector<Command> out(std::begin(kGroups), std::end(kGroups));
  out.insert(out.end(), std::begin(kAliases), std::end(kAliases));
  for (auto part : {job_run_commands(), job_init_commands(), job_status_commands(), job_history_commands(),
                    job_change_commands(), job_restart_commands(), alloc_exec_commands(), alloc_status_commands(), alloc_action_commands(), alloc_file_commands(), node_status_commands(),
                    node_drain_commands(), node_setting_commands(), misc_commands(), eval_commands(), deployment_commands(),
                    namespace_commands(), server_commands(), service_commands(), operator_commands(),
                    operator_api_commands(), acl_commands(), acl_role_commands(), acl_auth_commands(), login_commands(), var_commands(),
                    var_put_commands(), volume_commands(), plugin_commands(), enterprise_commands(), operator_keyring_commands(),
                    operator_snapshot_commands(), debug_commands(), tls_commands()})
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

std::span<const Command> builtin_commands() {
  static const std::vector<Command> table = all();
  return table;
}

}  // namespace drover::cli
