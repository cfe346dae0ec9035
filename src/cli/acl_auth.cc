// acl auth-method, acl binding-rule.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/acl_shapes.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"

namespace drover::cli {
namespace {

// ---- auth methods

std::string list_text(const List<std::string>& l) { return join(std::vector<std::string>(l.begin(), l.end()), ","); }
std::string map_text(const Map<std::string>& m) {
  std::vector<std::string> parts;
  for (auto& [k, v] : m) parts.push_back(fmt::format("{{{}: {}}}", k, v));
  return join(parts, "; ");
}

int show(Context& c, const AuthMethod& m) {
  if (auto done = print_formatted(c, m)) return *done;
  c.ui.output(key_values({"Name|" + m.Name, "Type|" + m.Type, "Locality|" + m.TokenLocality,
                          "MaxTokenTTL|" + format_duration(m.MaxTokenTTL), "Default|" + yes_no(m.Default),
                          fmt::format("Create Index|{}", m.CreateIndex), fmt::format("Modify Index|{}", m.ModifyIndex)}));
  if (!m.Config) return 0;
  auto& g = *m.Config;
  c.ui.output("\n" + c.ui.bold("Auth Method Config") + "\n");
  c.ui.output(key_values({"JWT Validation Public Keys|" + list_text(g.JWTValidationPubKeys), "JWKS URL|" + g.JWKSURL,
                          "OIDC Discovery URL|" + g.OIDCDiscoveryURL, "OIDC Client ID|" + g.OIDCClientID,
                          "OIDC Client Secret|" + g.OIDCClientSecret, "OIDC Scopes|" + list_text(g.OIDCScopes),
                          "Bound audiences|" + list_text(g.BoundAudiences), "Bound issuer|" + list_text(g.BoundIssuer),
                          "Allowed redirects URIs|" + list_text(g.AllowedRedirectURIs),
                          "Discovery CA pem|" + list_text(g.DiscoveryCaPem), "JWKS CA cert|" + g.JWKSCACert,
                          "Signing algorithms|" + list_text(g.SigningAlgs),
                          "Expiration Leeway|" + format_duration(g.ExpirationLeeway),
                          "NotBefore Leeway|" + format_duration(g.NotBeforeLeeway),
                          "ClockSkew Leeway|" + format_duration(g.ClockSkewLeeway), "Claim mappings|" + map_text(g.ClaimMappings),
                          "List claim mappings|" + map_text(g.ListClaimMappings)}));
  return 0;
}

// "@file", "-" or the JSON itself.
Result<ACLAuthMethodConfig> read_config(const Context& c, const std::string& source) {
  Result<std::string> text = source;
  if (source == "-") text = c.io.read_all();
  else if (source.starts_with('@')) {
    text = read_file(source.substr(1));
    if (!text) return std::move(text).error().with_context("Error loading configuration: Failed to read file");
  }
  auto config = from_json<ACLAuthMethodConfig>(*text);
  if (!config) return invalid("Unable to parse config: " + unmarshal_text(config.error()));
  return config;
}

bool known_type(std::string_view type) { return type == "OIDC" || type == "JWT"; }

int run_create(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  AuthMethod m;
  m.Name = c.args.text("name");
  m.TokenLocality = c.args.text("token-locality");
  m.MaxTokenTTL = c.args.duration("max-token-ttl");
  m.Type = to_upper(c.args.text("type"));
  m.Default = c.args.on("default");
  auto source = c.args.text("config");
  if (m.Name.empty()) return c.fail("ACL auth method name must be specified using the -name flag");
  if (m.TokenLocality != "local" && m.TokenLocality != "global")
    return c.fail("Token locality must be set to either 'local' or 'global'");
  if (m.MaxTokenTTL.count() < 1)
    return c.fail("Max token TTL must be set to a value between min and max TTL configured for the server.");
  if (!known_type(m.Type)) return c.fail("ACL auth method type must be set to 'OIDC' or 'JWT'");
  if (source.empty()) return c.fail("Must provide ACL auth method config in JSON format");
  auto config = read_config(c, source);
  if (!config) return c.fail(config.error().message);
  m.Config = std::move(*config);
  auto* api = c.connect();
  if (!api) return 1;
  auto made = api->put_as<AuthMethod>("/v1/acl/auth-method", m);
  if (!made) return c.fail("Error creating ACL auth method: " + made.error().message);
  return show(c, *made);
}

int run_update(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_auth_method_name>");
  bool any = false;
  for (auto flag : {"type", "token-locality", "max-token-ttl", "default", "config"}) any |= c.args.given(flag);
  if (!any) return c.fail("Please provide at least one flag to update the ACL auth method");
  auto* api = c.connect();
  if (!api) return 1;
  auto path = "/v1/acl/auth-method/" + escape(c.args.rest[0]);
  auto m = api->get_as<AuthMethod>(path);
  if (!m) return c.fail("Error when retrieving ACL auth method: " + m.error().message);
  if (c.args.given("type")) {
    m->Type = to_upper(c.args.text("type"));
    if (!known_type(m->Type)) return c.fail("ACL auth method type must be set to 'OIDC' or 'JWT'");
  }
  if (c.args.given("token-locality")) {
    m->TokenLocality = c.args.text("token-locality");
    if (m->TokenLocality != "local" && m->TokenLocality != "global")
      return c.fail("Token locality must be set to either 'local' or 'global'");
  }
  if (c.args.given("max-token-ttl")) {
    m->MaxTokenTTL = c.args.duration("max-token-ttl");
    if (m->MaxTokenTTL.count() < 1)
      return c.fail("Max token TTL must be set to a value between min and max TTL configured for the server.");
  }
  if (c.args.given("default")) m->Default = c.args.on("default");
  if (c.args.given("config")) {
    auto config = read_config(c, c.args.text("config"));
    if (!config) return c.fail(config.error().message);
    m->Config = std::move(*config);
  }
  auto updated = api->put_as<AuthMethod>(path, *m);
  if (!updated) return c.fail("Error updating ACL auth method: " + updated.error().message);
  return show(c, *updated);
}

int run_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_auth_method_name>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/acl/auth-method/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting ACL auth method: " + done.error().message);
  c.ui.output(fmt::format("ACL auth method {} successfully deleted", c.args.rest[0]));
  return 0;
}

int run_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_auth_method_name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto m = api->get_as<AuthMethod>("/v1/acl/auth-method/" + escape(c.args.rest[0]));
  if (!m) return c.fail("Error reading ACL auth method: " + m.error().message);
  return show(c, *m);
}

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<AuthMethodStub>>("/v1/acl/auth-methods");
  if (!found) return c.fail("Error listing ACL auth methods: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output("No ACL auth methods found");
    return 0;
  }
  Rows rows{"Name|Type|Default"};
  for (auto& m : *found) rows.push_back(fmt::format("{}|{}|{}", m.Name, m.Type, m.Default));
  c.ui.output(table(rows));
  return 0;
}

// ---- binding rules

int show(Context& c, const BindingRule& r) {
  if (auto done = print_formatted(c, r)) return *done;
  c.ui.output(key_values({"ID|" + r.ID, "Description|" + r.Description, "Auth Method|" + r.AuthMethod,
                          "Selector|" + go_quote(r.Selector), "Bind Type|" + r.BindType, "Bind Name|" + r.BindName,
                          "Create Time|" + go_time(r.CreateTime), "Modify Time|" + go_time(r.ModifyTime),
                          fmt::format("Create Index|{}", r.CreateIndex), fmt::format("Modify Index|{}", r.ModifyIndex)}));
  return 0;
}

int run_rule_create(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  BindingRule r;
  r.Description = c.args.text("description");
  r.AuthMethod = c.args.text("auth-method");
  r.Selector = c.args.text("selector");
  r.BindType = c.args.text("bind-type");
  r.BindName = c.args.text("bind-name");
  if (r.AuthMethod.empty()) return c.fail("ACL binding rule auth method must be specified using the -auth-method flag");
  if (r.BindType.empty()) return c.fail("ACL binding rule bind type must be specified using the -bind-type flag");
  auto* api = c.connect();
  if (!api) return 1;
  auto made = api->put_as<BindingRule>("/v1/acl/binding-rule", r);
  if (!made) return c.fail("Error creating ACL binding rule: " + made.error().message);
  return show(c, *made);
}

int run_rule_update(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_binding_rule_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto path = "/v1/acl/binding-rule/" + escape(c.args.rest[0]);
  auto current = api->get_as<BindingRule>(path);
  if (!current) return c.fail("Error when retrieving ACL binding rule: " + current.error().message);
  auto description = c.args.text("description"), selector = c.args.text("selector"), type = c.args.text("bind-type"),
       name = c.args.text("bind-name");
  BindingRule r = *current;
  if (c.args.on("no-merge")) {
    if (type.empty()) return c.fail("ACL binding rule bind type must be specified using the -bind-type flag");
    r.Description = description;
    r.Selector = selector;
    r.BindType = type;
    r.BindName = name;
  } else {
    if (description.empty() && selector.empty() && type.empty() && name.empty())
      return c.misuse("Please provide at least one update for the ACL binding rule");
    if (!description.empty()) r.Description = description;
    if (!selector.empty()) r.Selector = selector;
    if (!type.empty()) r.BindType = type;
    if (!name.empty()) r.BindName = name;
  }
  auto updated = api->put_as<BindingRule>(path, r);
  if (!updated) return c.fail("Error updating ACL binding rule: " + updated.error().message);
  return show(c, *updated);
}

int run_rule_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_binding_rule_id>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/acl/binding-rule/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting ACL binding rule: " + done.error().message);
  c.ui.output(fmt::format("ACL binding rule {} successfully deleted", c.args.rest[0]));
  return 0;
}

int run_rule_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <acl_binding_rule_id>");
  auto* api = c.connect();
  if (!api) return 1;
  auto r = api->get_as<BindingRule>("/v1/acl/binding-rule/" + escape(c.args.rest[0]));
  if (!r) return c.fail("Error reading ACL binding rule: " + r.error().message);
  return show(c, *r);
}

int run_rule_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<BindingRuleStub>>("/v1/acl/binding-rules");
  if (!found) return c.fail("Error listing ACL binding rules: " + found.error().message);
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output("No ACL binding rules found");
    return 0;
  }
  Rows rows{"ID|Description|Auth Method"};
  for (auto& r : *found) rows.push_back(fmt::format("{}|{}|{}", r.ID, r.Description, r.AuthMethod));
  c.ui.output(table(rows));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool;
constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};
constexpr Flag kTypeFlag{"type", kText, "=<type>", "\"OIDC\" or \"JWT\".", ""};
constexpr Flag kLocalityFlag{"token-locality", kText, "=<locality>", "Whether tokens are \"local\" or \"global\".", ""};
constexpr Flag kTtlFlag{"max-token-ttl", FlagKind::kDuration, "=<duration>", "How long tokens are valid at most.", "0s"};
constexpr Flag kDefaultFlag{"default", kBool, "", "Log in with this method when none is named.", ""};
constexpr Flag kConfigFlag{"config", kText, "=<json>", "Configuration: JSON, \"@file\", or \"-\" for standard input.", ""};
constexpr Flag kCreateFlags[] = {
    {"name", kText, "=<name>", "Name of the method.", ""}, kTypeFlag, kTtlFlag, kLocalityFlag, kDefaultFlag, kConfigFlag,
    kJsonFlag, kTemplateFlag};
constexpr Flag kUpdateFlags[] = {kTypeFlag, kTtlFlag, kLocalityFlag, kDefaultFlag, kConfigFlag, kJsonFlag, kTemplateFlag};
constexpr Flag kRuleDescription{"description", kText, "=<text>", "What the rule is for.", ""};
constexpr Flag kRuleMethod{"auth-method", kText, "=<name>", "The auth method whose logins the rule is for.", ""};
constexpr Flag kRuleSelector{"selector", kText, "=<expression>", "Which logins the rule is for.", ""};
constexpr Flag kRuleType{"bind-type", kText, "=<type>", "\"role\", \"policy\" or \"management\".", ""};
constexpr Flag kRuleName{"bind-name", kText, "=<name>", "The role or policy; may refer to the login's claims.", ""};
constexpr Flag kRuleCreateFlags[] = {kRuleDescription, kRuleMethod, kRuleSelector, kRuleType, kRuleName, kJsonFlag, kTemplateFlag};
constexpr Flag kRuleUpdateFlags[] = {
    kRuleDescription,
    {"auth-method", FlagKind::kDoc, "=<name>", "The method of a rule stays; make another rule.", ""},
    kRuleSelector, kRuleType, kRuleName,
    {"no-merge", kBool, "", "", ""},
    kJsonFlag, kTemplateFlag,
};

constexpr Command kCommands[] = {
    {.name = "acl auth-method",
     .synopsis = "Interact with ACL auth methods",
     .usage = "Usage: nomad acl auth-method <subcommand> [options] [args]",
     .about = "Commands for the ways to log in with other systems."},
    {.name = "acl auth-method create",
     .synopsis = "Create a new ACL auth method",
     .usage = "Usage: nomad acl auth-method create [options]",
     .about = "Makes an auth method.",
     .general = General::kNoNamespace,
     .options = "ACL Auth Method Create Options",
     .flags = kCreateFlags,
     .run = run_create},
    {.name = "acl auth-method update",
     .synopsis = "Update an existing ACL auth method",
     .usage = "Usage: nomad acl auth-method update [options] <acl_auth_method_name>",
     .about = "Changes an auth method; what is not named stays.",
     .general = General::kNoNamespace,
     .options = "ACL Auth Method Update Options",
     .flags = kUpdateFlags,
     .run = run_update},
    {.name = "acl auth-method delete",
     .synopsis = "Delete an existing ACL auth method",
     .usage = "Usage: nomad acl auth-method delete <acl_method_name>",
     .about = "Deletes an auth method.",
     .general = General::kNoNamespace,
     .run = run_delete},
    {.name = "acl auth-method info",
     .synopsis = "Fetch information on an existing ACL auth method",
     .usage = "Usage: nomad acl auth-method info [options] <acl_method_name>",
     .about = "Shows an auth method.",
     .general = General::kNoNamespace,
     .options = "ACL Info Options",
     .flags = kFormatFlags,
     .run = run_info},
    {.name = "acl auth-method list",
     .synopsis = "List ACL auth methods",
     .usage = "Usage: nomad acl auth-method list [options]",
     .about = "Lists auth methods.",
     .general = General::kNoNamespace,
     .options = "ACL List Options",
     .flags = kFormatFlags,
     .run = run_list},
    {.name = "acl binding-rule",
     .synopsis = "Interact with ACL binding rules",
     .usage = "Usage: nomad acl binding-rule <subcommand> [options] [args]",
     .about = "Commands for binding rules, which say what those may do who log in by an auth method.\n\nMake one:\n\n"
              "    $ nomad acl binding-rule create \\\n          -description \"engineers may read\" \\\n"
              "          -auth-method \"auth0\" \\\n          -selector \"engineering in list.roles\" \\\n"
              "          -bind-type \"role\" \\\n          -bind-name \"eng-read-only\""},
    {.name = "acl binding-rule create",
     .synopsis = "Create a new ACL binding rule",
     .usage = "Usage: nomad acl binding-rule create [options]",
     .about = "Makes a binding rule.",
     .general = General::kNoNamespace,
     .options = "ACL Binding Rule Create Options",
     .flags = kRuleCreateFlags,
     .run = run_rule_create},
    {.name = "acl binding-rule update",
     .synopsis = "Update an existing ACL binding rule",
     .usage = "Usage: nomad acl binding-rule update [options] <acl_binding_rule_id>",
     .about = "Changes a binding rule; what is not named stays. (With no-merge all is replaced.)",
     .general = General::kNoNamespace,
     .options = "ACL Binding Rule Update Options",
     .flags = kRuleUpdateFlags,
     .run = run_rule_update},
    {.name = "acl binding-rule delete",
     .synopsis = "Delete an existing ACL binding rule",
     .usage = "Usage: nomad acl binding-rule delete <acl_binding_rule_id>",
     .about = "Deletes a binding rule.",
     .general = General::kNoNamespace,
     .run = run_rule_delete},
    {.name = "acl binding-rule info",
     .synopsis = "Fetch information on an existing ACL binding rule",
     .usage = "Usage: nomad acl binding-rule info [options] <acl_binding_rule_id>",
     .about = "Shows a binding rule.",
     .general = General::kNoNamespace,
     .options = "ACL Info Options",
     .flags = kFormatFlags,
     .run = run_rule_info},
    {.name = "acl binding-rule list",
     .synopsis = "List ACL binding rules",
     .usage = "Usage: nomad acl binding-rule list [options]",
     .about = "Lists binding rules.",
     .general = General::kNoNamespace,
     .options = "ACL List Options",
     .flags = kFormatFlags,
     .run = run_rule_list},
};

}  // namespace

std::span<const Command> acl_auth_commands() { return kCommands; }

}  // namespace drover::cli
