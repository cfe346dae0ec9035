// namespace apply, delete, inspect, list, status.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/newest.h"
#include "cli/output.h"
#include "hcl/hcl1.h"

namespace drover::cli {

// A namespace as clients have it: without the servers' hash.
struct ApiNamespaceCapabilities {
  List<std::string> EnabledTaskDrivers;
  List<std::string> DisabledTaskDrivers;
};
struct ApiNamespace {
  std::string Name;
  std::string Description;
  std::string Quota;
  Box<ApiNamespaceCapabilities> Capabilities;
  Map<std::string> Meta;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::ApiNamespaceCapabilities)
DROVER_TYPE(cli::ApiNamespace)
}  // namespace drover
DROVER_DESCRIBE(drover::cli::ApiNamespaceCapabilities, "api.NamespaceCapabilities", DROVER_FIELD(EnabledTaskDrivers),
                DROVER_FIELD(DisabledTaskDrivers))
DROVER_DESCRIBE(drover::cli::ApiNamespace, "api.Namespace", DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Quota),
                DROVER_FIELD(Capabilities), DROVER_FIELD(Meta), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

namespace drover::cli {
namespace {

std::string namespace_list(List<ApiNamespace> spaces) {
  if (spaces.empty()) return "No namespaces found";
  std::sort(spaces.begin(), spaces.end(), [](auto& a, auto& b) { return a.Name < b.Name; });
  Rows rows{"Name|Description"};
  for (auto& n : spaces) rows.push_back(n.Name + "|" + n.Description);
  return table(rows);
}

// The namespace that the argument begins; says why there is none.
std::optional<ApiNamespace> resolve(Context& c, Api& api, const std::string& prefix) {
  auto found = api.get_as<List<ApiNamespace>>("/v1/namespaces", {{"prefix", prefix}});
  if (!found) {
    c.fail("Error retrieving namespaces: " + found.error().message);
    return std::nullopt;
  }
  for (auto& n : *found)
    if (n.Name == prefix || found->size() == 1) return n;
  if (found->empty()) c.fail(fmt::format("Error retrieving namespaces: Namespace \"{}\" matched no namespaces", prefix));
  else c.fail("Prefix matched multiple namespaces\n\n" + namespace_list(std::move(*found)));
  return std::nullopt;
}

int run_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<ApiNamespace>>("/v1/namespaces");
  if (!found) return c.fail("Error retrieving namespaces: " + found.error().message);
  newest_first(*found);
  if (auto done = print_formatted(c, *found)) return *done;
  c.ui.output(namespace_list(std::move(*found)));
  return 0;
}

int run_status(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <namespace>");
  auto* api = c.connect();
  if (!api) return 1;
  auto n = resolve(c, *api, c.args.rest[0]);
  if (!n) return 1;
  if (auto done = print_formatted(c, *n)) return *done;
  std::string enabled = "*", disabled;
  if (n->Capabilities) {
    auto text = [](const List<std::string>& l) { return join(std::vector<std::string>(l.begin(), l.end()), ","); };
    if (!n->Capabilities->EnabledTaskDrivers.empty()) enabled = text(n->Capabilities->EnabledTaskDrivers);
    disabled = text(n->Capabilities->DisabledTaskDrivers);
  }
  c.ui.output(key_values({"Name|" + n->Name, "Description|" + n->Description, "Quota|" + n->Quota, "EnabledDrivers|" + enabled,
                          "DisabledDrivers|" + disabled}));
  if (!n->Meta.empty()) {
    Rows rows;
    for (auto& [k, v] : n->Meta) rows.push_back(k + "|" + v);
    c.ui.output("\n" + c.ui.bold("Metadata"));
    c.ui.output(key_values(rows));
  }
  return 0;
}

int run_inspect(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <namespace>");
  auto* api = c.connect();
  if (!api) return 1;
  auto n = resolve(c, *api, c.args.rest[0]);
  if (!n) return 1;
  if (auto done = print_formatted(c, *n)) return *done;
  c.ui.output(json_text(*n));
  return 0;
}

int run_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <namespace>");
  auto* api = c.connect();
  if (!api) return 1;
  auto& name = c.args.rest[0];
  if (auto done = api->remove("/v1/namespace/" + escape(name)); !done)
    return c.fail("Error deleting namespace: " + done.error().message);
  c.ui.output(fmt::format("Successfully deleted namespace \"{}\"!", name));
  return 0;
}

Result<ApiNamespace> parse_hcl(const std::string& text) {
  DROVER_TRY(auto root, hcl1::parse(text));
  ApiNamespace n;
  for (auto& item : root.items) {
    auto& key = item.keys[0].text;
    auto& value = item.value;
    if (key == "name") n.Name = value.as_string().value_or("");
    else if (key == "description") n.Description = value.as_string().value_or("");
    else if (key == "quota") n.Quota = value.as_string().value_or("");
    else if (key == "meta") {
      for (auto& m : value.items) n.Meta.set(m.keys[0].text, m.value.as_string().value_or(""));
    } else if (key == "capabilities") {
      auto& caps = n.Capabilities.ensure();
      for (auto& m : value.items) {
        auto drivers = m.value.as_strings();
        if (!drivers) return invalid(fmt::format("{}: expected a list of text", m.keys[0].text));
        if (m.keys[0].text == "enabled_task_drivers") caps.EnabledTaskDrivers = *drivers;
        else if (m.keys[0].text == "disabled_task_drivers") caps.DisabledTaskDrivers = *drivers;
        else return invalid(fmt::format("invalid key: {}", m.keys[0].text));
      }
    } else {
      return invalid(fmt::format("invalid key: {}", key));
    }
  }
  return n;
}

int run_apply(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <input>");
  auto& arg = c.args.rest[0];
  bool from_file = arg == "-" || (exists(arg) && !is_directory(arg));
  auto* api = c.connect();
  if (!api) return 1;
  ApiNamespace n;
  if (from_file) {
    if (c.args.given("quota") || c.args.given("description")) c.ui.warn("Flags are ignored when a file is specified!");
    auto text = arg == "-" ? Result<std::string>(c.io.read_all()) : read_file(arg);
    if (!text) return c.fail("Failed to read file: " + text.error().message);
    auto parsed = c.args.on("json") ? from_json<ApiNamespace>(*text) : parse_hcl(*text);
    if (!parsed) return c.fail("Error parsing quota specification: " + parsed.error().message);
    n = std::move(*parsed);
  } else {
    auto existing = api->get_as<ApiNamespace>("/v1/namespace/" + escape(arg));
    if (!existing && existing.error().code != ErrorCode::kNotFound)
      return c.fail("Error looking up namespace: " + existing.error().message);
    if (existing) n = std::move(*existing);
    n.Name = arg;
    if (c.args.given("description")) n.Description = c.args.text("description");
    if (c.args.given("quota")) n.Quota = c.args.text("quota");
  }
  if (auto done = api->put("/v1/namespace", n); !done) return c.fail("Error applying namespace: " + done.error().message);
  c.ui.output(fmt::format("Successfully applied namespace \"{}\"!", n.Name));
  return 0;
}

constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};
constexpr Flag kInspectFlags[] = {kTemplateFlag};
constexpr Flag kApplyFlags[] = {
    {"quota", FlagKind::kText, " <quota>", "Quota of the namespace (Enterprise).", ""},
    {"description", FlagKind::kText, " <text>", "What the namespace is for.", ""},
    {"json", FlagKind::kBool, "", "The file is JSON.", ""},
};

constexpr Command kCommands[] = {
    {.name = "namespace apply",
     .synopsis = "Create or update a namespace",
     .usage = "Usage: nomad namespace apply [options] <input>",
     .about = "Makes or changes a namespace: the argument is its name, or a file with its specification\n"
              "(\"-\" is standard input).",
     .general = General::kNoNamespace,
     .options = "Apply Options",
     .flags = kApplyFlags,
     .run = run_apply},
    {.name = "namespace delete",
     .synopsis = "Delete a namespace",
     .usage = "Usage: nomad namespace delete [options] <namespace>",
     .about = "Deletes a namespace that has nothing in it any more.",
     .general = General::kNoNamespace,
     .run = run_delete},
    {.name = "namespace inspect",
     .synopsis = "Inspect a namespace",
     .usage = "Usage: nomad namespace inspect [options] <namespace>",
     .about = "Shows a namespace in JSON.",
     .general = General::kNoNamespace,
     .options = "Inspect Options",
     .flags = kInspectFlags,
     .run = run_inspect},
    {.name = "namespace list",
     .synopsis = "List namespaces",
     .usage = "Usage: nomad namespace list [options]",
     .about = "Lists the namespaces that the token may see.",
     .general = General::kNoNamespace,
     .options = "List Options",
     .flags = kFormatFlags,
     .run = run_list},
    {.name = "namespace status",
     .synopsis = "Display a namespace's status",
     .usage = "Usage: nomad namespace status [options] <namespace>",
     .about = "Shows a namespace.",
     .general = General::kNoNamespace,
     .options = "Status Specific Options",
     .flags = kFormatFlags,
     .run = run_status},
};

}  // namespace

std::span<const Command> namespace_commands() { return kCommands; }

}  // namespace drover::cli
