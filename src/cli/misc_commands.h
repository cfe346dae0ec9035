// Commands outside the large groups.
#pragma once

#include "cli/command.h"

namespace drover::cli {

std::span<const Command> misc_commands();          // version, fmt, status, check, agent-info, monitor, ui
std::span<const Command> eval_commands();
std::span<const Command> deployment_commands();
std::span<const Command> namespace_commands();
std::span<const Command> server_commands();        // server, system
std::span<const Command> service_commands();
std::span<const Command> operator_commands();      // scheduler, autopilot, raft, metrics
std::span<const Command> operator_api_commands();
std::span<const Command> operator_keyring_commands();
std::span<const Command> operator_snapshot_commands();
std::span<const Command> debug_commands();
std::span<const Command> acl_commands();           // bootstrap, policy, token
std::span<const Command> acl_role_commands();
std::span<const Command> acl_auth_commands();      // auth-method, binding-rule
std::span<const Command> login_commands();
std::span<const Command> var_commands();
std::span<const Command> volume_commands();
std::span<const Command> plugin_commands();        // plugin, scaling
std::span<const Command> enterprise_commands();    // license, quota, recommendation, sentinel
std::span<const Command> tls_commands();

}  // namespace drover::cli
