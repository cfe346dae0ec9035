// acl role.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/acl_shapes.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"

namespace drover::cli {
namespace {

std::string policies_text(const List<ACLRolePolicyLink>& links) {
  std::vector<std::string> names;
  for (auto& l : links) names.push_back(l.Name);
  std::sort(names.begin(), names.end());
  return join(names, ",");
}

int show(Context& c, const AclRole& r, bool formats = true) {
  if (formats)
    if (auto done = print_formatted(c, r)) return *done;
  c.ui.output(key_values({"ID|" + r.ID, "Name|" + r.Name, "Description|" + r.Description, "Policies|" + policies_text(r.Policies),
                          fmt::format("Create Index|{}", r.CreateIndex), fmt::format("Modify Index|{}", r.ModifyIndex)}));
  return 0;
}

int run_create(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  AclRole role;
  role.Name = c.args.text("name");
  role.Description = c.args.text("description");
  for (auto& p : c.args.list("policy")) role.Policies.push_back({p});
  if (role.Name.empty()) return c.fail("ACL role name must be specified using the -name flag");
  if (role.Policies.empty()) return c.fail("At least one policy name must be specified using the -policy flag");
  auto* api = c.connect();
  if (!api) return 1;
  auto made = api->put_as<AclRole>("/v1/acl/role", role);
  if (!made) return c.fail("Error creating ACL role: " + made.error().message);
  return show(c, *made);
}

int run_update(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_role_id>");
  auto name = c.args.text("name"), description = c.args.text("description");
  auto policies = c.args.list("policy");
  auto* api = c.connect();
  if (!api) return 1;
  auto& id = c.args.rest[0];
  auto current = api->get_as<AclRole>("/v1/acl/role/" + escape(id));
  if (!current) return c.fail("Error when retrieving ACL role: " + current.error().message);
  AclRole role;
  if (c.args.on("no-merge")) {
    if (name.empty()) return c.fail("ACL role name must be specified using the -name flag");
    if (policies.empty()) return c.fail("At least one policy name must be specified using the -policy flag");
    role.ID = id;
    role.Name = name;
    role.Description = description;
  } else {
    if (name.empty() && description.empty() && policies.empty())
      return c.misuse("Please provide at least one flag to update the ACL role");
    role = std::move(*current);
    if (!name.empty()) role.Name = name;
    if (!description.empty()) role.Description = description;
  }
  for (auto& p : policies)
    if (std::none_of(role.Policies.begin(), role.Policies.end(), [&](auto& l) { return l.Name == p; })) role.Policies.push_back({p});
  auto updated = api->put_as<AclRole>("/v1/acl/role/" + escape(id), role);
  if (!updated) return c.fail("Error updating ACL role: " + updated.error().message);
  return show(c, *updated);
}

int run_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_role_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto path = c.args.on("by-name") ? "/v1/acl/role/name/" : "/v1/acl/role/";
  auto role = api->get_as<AclRole>(path + escape(c.args.rest[0]));
  if (!role) return c.fail("Error reading ACL role: " + role.error().message);
  return show(c, *role);
}

int run_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_role_id>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/acl/role/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting ACL role: " + done.error().message);
  c.ui.output(fmt::format("ACL role {} successfully deleted", c.args.rest[0]));
  return 0;
}

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<AclRoleStub>>("/v1/acl/roles");
  if (!found) return c.fail("Error listing ACL roles: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output("No ACL roles found");
    return 0;
  }
  Rows rows{"ID|Name|Description|Policies"};
  for (auto& r : *found) rows.push_back(fmt::format("{}|{}|{}|{}", r.ID, r.Name, r.Description, policies_text(r.Policies)));
  c.ui.output(table(rows));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText;
constexpr Flag kNameFlag{"name", kText, "=<name>", "Name of the role.", ""};
constexpr Flag kDescriptionFlag{"description", kText, "=<text>", "What the role is for.", ""};
constexpr Flag kPolicyFlag{"policy", FlagKind::kList, "=<policy>", "Policy of the role. May be given several times.", ""};
constexpr Flag kCreateFlags[] = {kNameFlag, kDescriptionFlag, kPolicyFlag, kJsonFlag, kTemplateFlag};
constexpr Flag kUpdateFlags[] = {
    kNameFlag, kDescriptionFlag, kPolicyFlag,
    {"no-merge", FlagKind::kBool, "", "Replace the role instead of adding to it.", ""},
    kJsonFlag, kTemplateFlag,
};
constexpr Flag kInfoFlags[] = {
    {"by-name", FlagKind::kBool, "", "The argument is the role's name.", ""}, kJsonFlag, kTemplateFlag};
constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "acl role",
     .synopsis = "Interact with ACL roles",
     .usage = "Usage: nomad acl role <subcommand> [options] [args]",
     .about = "Commands for roles, which are sets of policies."},
    {.name = "acl role create",
     .synopsis = "Create a new ACL role",
     .usage = "Usage: nomad acl role create [options]",
     .about = "Makes a role.",
     .general = General::kNoNamespace,
     .options = "ACL Create Options",
     .flags = kCreateFlags,
     .run = run_create},
    {.name = "acl role update",
     .synopsis = "Update an existing ACL role",
     .usage = "Usage: nomad acl role update [options] <acl_role_id>",
     .about = "Changes a role: what is named is put over what was, policies are added.",
     .general = General::kNoNamespace,
     .options = "Update Options",
     .flags = kUpdateFlags,
     .run = run_update},
    {.name = "acl role delete",
     .synopsis = "Delete an existing ACL role",
     .usage = "Usage: nomad acl role delete <acl_role_id>",
     .about = "Deletes a role.",
     .general = General::kNoNamespace,
     .run = run_delete},
    {.name = "acl role info",
     .synopsis = "Fetch information on an existing ACL role",
     .usage = "Usage: nomad acl role info [options] <acl_role_id>",
     .about = "Shows a role.",
     .general = General::kNoNamespace,
     .options = "ACL Info Options",
     .flags = kInfoFlags,
     .run = run_info},
    {.name = "acl role list",
     .synopsis = "List ACL roles",
     .usage = "Usage: nomad acl role list [options]",
     .about = "Lists roles.",
     .general = General::kNoNamespace,
     .options = "ACL List Options",
     .flags = kFormatFlags,
     .run = run_list},
};

}  // namespace

std::span<const Command> acl_role_commands() { return kCommands; }

}  // namespace drover::cli
