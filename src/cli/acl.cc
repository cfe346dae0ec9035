// acl bootstrap, acl policy, acl token.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/acl_tokens.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"

namespace drover::cli {

int show_token(Context& c, const AclToken& t) {
  if (auto done = print_formatted(c, t)) return *done;
  Rows rows{"Accessor ID|" + t.AccessorID,
            "Secret ID|" + t.SecretID,
            "Name|" + t.Name,
            "Type|" + t.Type,
            "Global|" + yes_no(t.Global),
            "Create Time|" + go_time(t.CreateTime),
            "Expiry Time|" + (t.ExpirationTime && !t.ExpirationTime->unset() ? go_time(*t.ExpirationTime) : "<none>"),
            fmt::format("Create Index|{}", t.CreateIndex),
            fmt::format("Modify Index|{}", t.ModifyIndex)};
  if (t.Type == "management") {
    rows.emplace_back("Policies|n/a");
    rows.emplace_back("Roles|n/a");
    c.ui.output(key_values(rows));
    return 0;
  }
  rows.push_back("Policies|[" + join(std::vector<std::string>(t.Policies.begin(), t.Policies.end()), " ") + "]");
  c.ui.output(key_values(rows));
  Rows roles{"ID|Name"};
  for (auto& r : t.Roles) roles.push_back(r.ID + "|" + r.Name);
  c.ui.output("\n" + c.ui.bold("Roles"));
  c.ui.output(t.Roles.empty() ? "<none>" : table(roles));
  return 0;
}

namespace {


int run_bootstrap(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes up to one argument");
  ACLTokenBootstrapRequest request;
  if (!c.args.rest.empty()) {
    auto& source = c.args.rest[0];
    auto text = source == "-" ? Result<std::string>(c.io.read_all()) : read_file(source);
    if (!text) return c.fail("Error reading provided token: " + text.error().message);
    if (text->ends_with('\n')) text->pop_back();
    request.BootstrapSecret = *text;
  }
  auto* api = c.connect();
  if (!api) return 1;
  auto token = api->put_as<AclToken>("/v1/acl/bootstrap", request);
  if (!token) return c.fail("Error bootstrapping: " + token.error().message);
  return show_token(c, *token);
}

// ---- policies

int run_policy_apply(Context& c) {
  if (c.args.rest.size() != 2) return c.misuse("This command takes two arguments: <name> and <path>");
  auto& name = c.args.rest[0];
  auto& path = c.args.rest[1];
  auto text = path == "-" ? Result<std::string>(c.io.read_all()) : read_file(path);
  if (!text) return c.fail(fmt::format("Failed to read {}: {}", path == "-" ? "stdin" : "file", text.error().message));
  ACLPolicy policy;
  policy.Name = name;
  policy.Description = c.args.text("description");
  policy.Rules = *text;
  auto space = c.args.text("namespace"), job = c.args.text("job"), group = c.args.text("group"), task = c.args.text("task");
  if (!job.empty() && space.empty()) return c.fail("-namespace is required if -job is set");
  if (!group.empty() && job.empty()) return c.fail("-job is required if -group is set");
  if (!task.empty() && group.empty()) return c.fail("-group is required if -task is set");
  if (!space.empty()) policy.JobACL = JobACL{space, job, group, task};
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->put("/v1/acl/policy/" + escape(name), policy); !done)
    return c.fail("Error writing ACL policy: " + done.error().message);
  c.ui.output(fmt::format("Successfully wrote \"{}\" ACL policy!", name));
  return 0;
}

int run_policy_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto& name = c.args.rest[0];
  if (auto done = api->remove("/v1/acl/policy/" + escape(name)); !done)
    return c.fail("Error deleting ACL policy: " + done.error().message);
  c.ui.output(fmt::format("Successfully deleted {} policy!", name));
  return 0;
}

int run_policy_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto p = api->get_as<ACLPolicy>("/v1/acl/policy/" + escape(c.args.rest[0]));
  if (!p) return c.fail("Error fetching info on ACL policy: " + p.error().message);
  c.ui.output(key_values({"Name|" + p->Name, "Description|" + p->Description, fmt::format("CreateIndex|{}", p->CreateIndex),
                          fmt::format("ModifyIndex|{}", p->ModifyIndex)}));
  if (p->JobACL) {
    Rows rows{"Namespace|" + p->JobACL->Namespace, "JobID|" + p->JobACL->JobID, "Group|" + p->JobACL->Group,
              "Task|" + p->JobACL->Task};
    c.ui.output("\n" + c.ui.bold("Associated Workload"));
    c.ui.output(key_values(rows));
  }
  c.ui.output("\n" + c.ui.bold("Rules"));
  c.ui.output("");
  c.ui.output(p->Rules);
  return 0;
}

int run_policy_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<AclPolicyStub>>("/v1/acl/policies");
  if (!found) return c.fail("Error listing ACL policies: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output("No policies found");
    return 0;
  }
  Rows rows{"Name|Description"};
  for (auto& p : *found) rows.push_back(p.Name + "|" + p.Description);
  c.ui.output(table(rows));
  return 0;
}

// ---- tokens

int run_token_create(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  AclToken token;
  token.Name = c.args.text("name");
  token.Type = c.args.text("type");
  token.Global = c.args.on("global");
  for (auto& p : c.args.list("policy")) token.Policies.push_back(p);
  for (auto& id : c.args.list("role-id")) token.Roles.push_back({id, ""});
  for (auto& name : c.args.list("role-name")) token.Roles.push_back({"", name});
  if (auto ttl = c.args.text("ttl"); !ttl.empty()) {
    auto d = parse_duration(ttl);
    if (!d) return c.fail("Failed to parse TTL as time duration: " + d.error().message);
    token.ExpirationTTL = *d;
  }
  auto* api = c.connect();
  if (!api) return 1;
  auto made = api->put_as<AclToken>("/v1/acl/token", token);
  if (!made) return c.fail("Error creating token: " + made.error().message);
  return show_token(c, *made);
}

int run_token_update(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <token_accessor_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto path = "/v1/acl/token/" + escape(c.args.rest[0]);
  auto token = api->get_as<AclToken>(path);
  if (!token) return c.fail("Error fetching token: " + token.error().message);
  if (auto name = c.args.text("name"); !name.empty()) token->Name = name;
  token->Type = c.args.text("type");
  token->Global = c.args.on("global");
  if (auto policies = c.args.list("policy"); !policies.empty()) token->Policies = List<std::string>(policies);
  auto updated = api->put_as<AclToken>(path, *token);
  if (!updated) return c.fail("Error updating token: " + updated.error().message);
  return show_token(c, *updated);
}

int run_token_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <token_accessor_id>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/acl/token/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting token: " + done.error().message);
  c.ui.output(fmt::format("Token {} successfully deleted", c.args.rest[0]));
  return 0;
}

int run_token_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <token_accessor_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto token = api->get_as<AclToken>("/v1/acl/token/" + escape(c.args.rest[0]));
  if (!token) return c.fail("Error fetching token: " + token.error().message);
  return show_token(c, *token);
}

int run_token_self(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto token = api->get_as<AclToken>("/v1/acl/token/self");
  if (!token) return c.fail("Error fetching self token: " + token.error().message);
  return show_token(c, *token);
}

int run_token_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<AclTokenStub>>("/v1/acl/tokens");
  if (!found) return c.fail("Error listing ACL tokens: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output("No tokens found");
    return 0;
  }
  Rows rows{"Name|Type|Global|Accessor ID|Expired"};
  for (auto& t : *found) {
    bool expired = t.ExpirationTime && !t.ExpirationTime->unset() && *t.ExpirationTime < c.now();
    rows.push_back(fmt::format("{}|{}|{}|{}|{}", t.Name, t.Type, t.Global, t.AccessorID, expired));
  }
  c.ui.output(table(rows));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText;
constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};
constexpr Flag kApplyFlags[] = {
    {"description", kText, "=<text>", "What the policy is for.", ""},
    {"job", kText, "=<job>", "Attach the policy to this job of the namespace.", ""},
    {"group", kText, "=<group>", "Attach the policy to this group of the job.", ""},
    {"task", kText, "=<task>", "Attach the policy to this task of the group.", ""},
};
constexpr Flag kCreateFlags[] = {
    {"name", kText, "=\"\"", "Name of the token.", ""},
    {"type", kText, "=\"client\"", "\"client\" or \"management\".", "client"},
    {"global", FlagKind::kBool, "=false", "Whether the token is valid in all regions.", "false"},
    {"policy", FlagKind::kList, "=\"\"", "Policy of the token. May be given several times.", ""},
    {"role-id", FlagKind::kList, "=\"\"", "Role of the token, by id. May be given several times.", ""},
    {"role-name", FlagKind::kList, "=\"\"", "Role of the token, by name. May be given several times.", ""},
    {"ttl", kText, "=<duration>", "How long the token is valid.", ""},
    kJsonFlag, kTemplateFlag,
};
constexpr Flag kUpdateFlags[] = {
    {"name", kText, "=\"\"", "New name of the token.", ""},
    {"type", kText, "=\"client\"", "\"client\" or \"management\".", "client"},
    {"global", FlagKind::kBool, "=false", "Whether the token is valid in all regions.", "false"},
    {"policy", FlagKind::kList, "=\"\"", "Policy of the token. May be given several times.", ""},
};

constexpr Command kCommands[] = {
    {.name = "acl bootstrap",
     .synopsis = "Bootstrap the ACL system for initial token",
     .usage = "Usage: nomad acl bootstrap [options]",
     .about = "Makes the first management token. A file or standard input (\"-\") may give its secret.",
     .general = General::kNoNamespace,
     .options = "Bootstrap Options",
     .flags = kFormatFlags,
     .run = run_bootstrap},
    {.name = "acl policy",
     .synopsis = "Interact with ACL policies",
     .usage = "Usage: nomad acl policy <subcommand> [options] [args]",
     .about = "Commands for policies, which say what tokens may do."},
    {.name = "acl policy apply",
     .synopsis = "Create or update an ACL policy",
     .usage = "Usage: nomad acl policy apply [options] <name> <path>",
     .about = "Makes or changes a policy, with the rules of a file or of standard input (\"-\").",
     .general = General::kAll,
     .options = "Apply Options",
     .flags = kApplyFlags,
     .run = run_policy_apply},
    {.name = "acl policy delete",
     .synopsis = "Delete an existing ACL policy",
     .usage = "Usage: nomad acl policy delete <name>",
     .about = "Deletes a policy.",
     .general = General::kNoNamespace,
     .run = run_policy_delete},
    {.name = "acl policy info",
     .synopsis = "Fetch info on an existing ACL policy",
     .usage = "Usage: nomad acl policy info <name>",
     .about = "Shows a policy with its rules.",
     .general = General::kNoNamespace,
     .run = run_policy_info},
    {.name = "acl policy list",
     .synopsis = "List ACL policies",
     .usage = "Usage: nomad acl policy list",
     .about = "Lists policies.",
     .general = General::kNoNamespace,
     .options = "List Options",
     .flags = kFormatFlags,
     .run = run_policy_list},
    {.name = "acl token",
     .synopsis = "Interact with ACL tokens",
     .usage = "Usage: nomad acl token <subcommand> [options] [args]",
     .about = "Commands for tokens."},
    {.name = "acl token create",
     .synopsis = "Create a new ACL token",
     .usage = "Usage: nomad acl token create [options]",
     .about = "Makes a token.",
     .general = General::kNoNamespace,
     .options = "Create Options",
     .flags = kCreateFlags,
     .run = run_token_create},
    {.name = "acl token update",
     .synopsis = "Update an existing ACL token",
     .usage = "Usage: nomad acl token update <token_accessor_id>",
     .about = "Changes a token. Type and reach become what the flags say, their defaults too.",
     .general = General::kNoNamespace,
     .options = "Update Options",
     .flags = kUpdateFlags,
     .run = run_token_update},
    {.name = "acl token delete",
     .synopsis = "Delete an existing ACL token",
     .usage = "Usage: nomad acl token delete <token_accessor_id>",
     .about = "Deletes a token.",
     .general = General::kNoNamespace,
     .run = run_token_delete},
    {.name = "acl token info",
     .synopsis = "Fetch information on an existing ACL token",
     .usage = "Usage: nomad acl token info <token_accessor_id>",
     .about = "Shows a token.",
     .general = General::kNoNamespace,
     .run = run_token_info},
    {.name = "acl token list",
     .synopsis = "List ACL tokens",
     .usage = "Usage: nomad acl token list",
     .about = "Lists tokens.",
     .general = General::kNoNamespace,
     .options = "List Options",
     .flags = kFormatFlags,
     .run = run_token_list},
    {.name = "acl token self",
     .synopsis = "Lookup self ACL token",
     .usage = "Usage: nomad acl token self",
     .about = "Shows the token that the command was given.",
     .general = General::kNoNamespace,
     .run = run_token_self},
};

}  // namespace

std::span<const Command> acl_commands() { return kCommands; }

}  // namespace drover::cli
