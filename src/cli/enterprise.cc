// Commands of features that only Nomad Enterprise servers have: they ask, and the server says so.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "codec/value.h"
#include "hcl/hcl1.h"

namespace drover::cli {
namespace {

using Object = Map<Value>;

std::string text_in(const Object& o, std::string_view key) {
  auto* v = o.find(key);
  if (!v || v->is_nil()) return {};
  auto* s = v->as_string();
  return s ? *s : to_json(*v);
}

// A list as -json or -t ask, else a table of the named fields.
int show_list(Context& c, std::string_view path, const Params& params, std::string_view error, std::string_view nothing,
              const std::vector<std::pair<std::string, std::string>>& columns_of) {
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<Object>>(path, params);
  if (!found) return c.fail(fmt::format("{}: {}", error, found.error().message));
  if (auto done = print_formatted(c, *found)) return *done;
  if (found->empty()) {
    c.ui.output(nothing);
    return 0;
  }
  std::string header;
  for (auto& [title, key] : columns_of) header += (header.empty() ? "" : "|") + title;
  Rows rows{header};
  for (auto& o : *found) {
    std::string row;
    bool first = true;
    for (auto& [title, key] : columns_of) {
      row += (first ? "" : "|") + text_in(o, key);
      first = false;
    }
    rows.push_back(row);
  }
  c.ui.output(table(rows));
  return 0;
}

int show_object(Context& c, std::string_view path, std::string_view error, bool json_by_default) {
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<Object>(path);
  if (!found) return c.fail(fmt::format("{}: {}", error, found.error().message));
  if (auto done = print_formatted(c, *found)) return *done;
  if (json_by_default) {
    c.ui.output(json_text(*found));
    return 0;
  }
  Rows rows;
  for (auto& [key, value] : *found) rows.push_back(key + "|" + text_in(*found, key));
  c.ui.output(key_values(rows));
  return 0;
}

// ---- license

int run_license_get(Context& c) {
  auto* api = c.connect();
  if (!api) return 1;
  auto reply = api->ask("GET", "/v1/operator/license");
  if (!reply) return c.fail("Error getting license: " + reply.error().message);
  if (reply->status == 204) return c.fail("Error getting license: Nomad Enterprise only endpoint");
  if (reply->status != 200) return c.fail("Error getting license: " + unexpected_status(*reply).message);
  c.ui.output(reply->body);
  return 0;
}

// ---- quota

constexpr std::string_view kQuotaHcl = R"hcl(name        = "default-quota"
description = "Limit the shared default namespace"

# A limit for each region.
limit {
  region = "global"

  region_limit {
    cpu        = 2500
    memory     = 1000
    memory_max = 1000
  }
}
)hcl";
constexpr std::string_view kQuotaJson = R"json({
  "Name": "default-quota",
  "Description": "Limit the shared default namespace",
  "Limits": [
    {
      "Region": "global",
      "RegionLimit": {
        "CPU": 2500,
        "MemoryMB": 1000,
        "MemoryMaxMB": 1000
      }
    }
  ]
}
)json";

Result<Object> parse_quota(const std::string& text) {
  DROVER_TRY(auto root, hcl1::parse(text));
  Object spec;
  Value::Array limits;
  for (auto& item : root.items) {
    auto& key = item.keys[0].text;
    if (key == "name") spec.set("Name", item.value.as_string().value_or(""));
    else if (key == "description") spec.set("Description", item.value.as_string().value_or(""));
    else if (key == "limit") {
      Object limit, region;
      limit.set("Region", item.value.find("region") ? item.value.find("region")->as_string().value_or("") : "");
      if (auto* r = item.value.find("region_limit")) {
        static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
            {"cpu", "CPU"}, {"memory", "MemoryMB"}, {"memory_max", "MemoryMaxMB"}};
        for (auto& [from, to] : kNames)
          if (auto* n = r->find(from)) region.set(to, n->as_int().value_or(0));
      }
      limit.set("RegionLimit", Value(std::move(region)));
      limits.push_back(Value(std::move(limit)));
    } else {
      return invalid("invalid key: " + key);
    }
  }
  spec.set("Limits", Value(std::move(limits)));
  return spec;
}

int run_quota_apply(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <input>");
  auto& path = c.args.rest[0];
  auto text = path == "-" ? Result<std::string>(c.io.read_all()) : read_file(path);
  if (!text) return c.fail("Failed to read file: " + text.error().message);
  auto spec = c.args.on("json") || path.ends_with(".json") ? from_json<Object>(*text) : parse_quota(*text);
  if (!spec) return c.fail("Error parsing quota specification: " + spec.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->put("/v1/quota", *spec); !done) return c.fail("Error applying quota specification: " + done.error().message);
  c.ui.output(fmt::format("Successfully applied quota specification \"{}\"!", text_in(*spec, "Name")));
  return 0;
}
int run_quota_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <quota>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/quota/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting quota: " + done.error().message);
  c.ui.output(fmt::format("Successfully deleted quota \"{}\"!", c.args.rest[0]));
  return 0;
}
int run_quota_init(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes no arguments or one: <filename>");
  bool json = c.args.on("json");
  std::string file = !c.args.rest.empty() ? c.args.rest[0] : json ? "spec.json" : "spec.hcl";
  if (exists(file)) return c.fail(fmt::format("Quota specification \"{}\" already exists", file));
  if (auto done = write_file(file, json ? kQuotaJson : kQuotaHcl, 0660); !done)
    return c.fail(fmt::format("Failed to write \"{}\": {}", file, done.error().message));
  c.ui.output("Example quota specification written to " + file);
  return 0;
}
int run_quota_inspect(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <quota>");
  return show_object(c, "/v1/quota/" + escape(c.args.rest[0]), "Error retrieving quota", true);
}
int run_quota_status(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <quota>");
  return show_object(c, "/v1/quota/" + escape(c.args.rest[0]), "Error retrieving quota", false);
}
int run_quota_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  return show_list(c, "/v1/quotas", {}, "Error retrieving quotas", "No quotas found", {{"Name", "Name"}, {"Description", "Description"}});
}

// ---- recommendations

int apply_or_dismiss(Context& c, bool apply, std::string_view error, std::string_view done_text) {
  if (c.args.rest.empty()) return c.misuse("This command takes at least one argument: <recommendation_id>");
  auto* api = c.connect();
  if (!api) return 1;
  Status done;
  if (apply) {
    Object body;
    Value::Array ids;
    for (auto& id : c.args.rest) ids.push_back(id);
    body.set("Apply", Value(std::move(ids)));
    body.set("PolicyOverride", c.args.on("policy-override"));
    done = api->put("/v1/recommendations/apply", body);
  } else {
    List<std::string> ids(c.args.rest);
    auto reply = api->call("DELETE", "/v1/recommendations", {}, to_json(ids));
    if (!reply) done = std::move(reply).error();
  }
  if (!done) return c.fail(fmt::format("{}: {}", error, done.error().message));
  c.ui.output(done_text);
  return 0;
}
int run_recommendation_apply(Context& c) {
  return apply_or_dismiss(c, true, "Error applying recommendations", "Successfully applied recommendations");
}
int run_recommendation_dismiss(Context& c) {
  return apply_or_dismiss(c, false, "Error dismissing recommendations", "Successfully dismissed recommendations");
}
int run_recommendation_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <recommendation_id>");
  return show_object(c, "/v1/recommendation/" + escape(c.args.rest[0]), "Error reading recommendation", false);
}
int run_recommendation_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  if (!c.args.text("group").empty() && c.args.text("job").empty()) return c.fail("Job flag must be supplied when using group flag");
  if (!c.args.text("task").empty() && c.args.text("group").empty()) return c.fail("Group flag must be supplied when using task flag");
  Params params;
  for (auto name : {"job", "group", "task"})
    if (auto value = c.args.text(name); !value.empty()) params.emplace_back(name, value);
  return show_list(c, "/v1/recommendations", params, "Error listing recommendations", "No recommendations found",
                   {{"ID", "ID"}, {"Job", "JobID"}, {"Group", "Group"}, {"Task", "Task"}, {"Resource", "Resource"}, {"Value", "Value"}});
}

// ---- sentinel

int run_sentinel_apply(Context& c) {
  if (c.args.rest.size() != 2) return c.misuse("This command takes exactly two arguments: <name> <file>");
  auto& path = c.args.rest[1];
  auto text = path == "-" ? Result<std::string>(c.io.read_all()) : read_file(path);
  if (!text) return c.fail("Failed to read file: " + text.error().message);
  Object policy;
  policy.set("Name", c.args.rest[0]);
  policy.set("Description", c.args.text("description"));
  policy.set("Scope", c.args.text("scope"));
  policy.set("EnforcementLevel", c.args.text("level"));
  policy.set("Policy", *text);
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->put("/v1/sentinel/policy/" + escape(c.args.rest[0]), policy); !done)
    return c.fail("Error writing Sentinel policy: " + done.error().message);
  c.ui.output(fmt::format("Successfully wrote \"{}\" Sentinel policy!", c.args.rest[0]));
  return 0;
}
int run_sentinel_delete(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <name>");
  auto* api = c.connect();
  if (!api) return 1;
  if (auto done = api->remove("/v1/sentinel/policy/" + escape(c.args.rest[0])); !done)
    return c.fail("Error deleting Sentinel policy: " + done.error().message);
  c.ui.output(fmt::format("Successfully deleted \"{}\" Sentinel policy!", c.args.rest[0]));
  return 0;
}
int run_sentinel_list(Context& c) {
  if (!c.args.rest.empty()) return c.misuse("This command takes no arguments");
  return show_list(c, "/v1/sentinel/policies", {}, "Error listing Sentinel policies", "No policies found",
                   {{"Name", "Name"}, {"Scope", "Scope"}, {"Enforcement Level", "EnforcementLevel"}, {"Description", "Description"}});
}
int run_sentinel_read(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <name>");
  auto* api = c.connect();
  if (!api) return 1;
  auto policy = api->get_as<Object>("/v1/sentinel/policy/" + escape(c.args.rest[0]));
  if (!policy) return c.fail("Error querying Sentinel policy: " + policy.error().message);
  if (c.args.on("raw")) {
    c.ui.output(text_in(*policy, "Policy"));
    return 0;
  }
  c.ui.output(key_values({"Name|" + text_in(*policy, "Name"), "Scope|" + text_in(*policy, "Scope"),
                          "Enforcement Level|" + text_in(*policy, "EnforcementLevel"),
                          "Description|" + text_in(*policy, "Description")}));
  c.ui.output("Policy:\n");
  c.ui.output(text_in(*policy, "Policy"));
  return 0;
}

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool;
constexpr Flag kFormatFlags[] = {kJsonFlag, kTemplateFlag};
constexpr Flag kJsonInput[] = {{"json", kBool, "", "The file is JSON, or shall be.", ""}};
constexpr Flag kApplyFlags[] = {
    kDetachFlag, {"policy-override", kBool, "", "Apply against soft mandatory Sentinel policies.", ""}, kVerboseFlag};
constexpr Flag kListFlags[] = {
    {"job", kText, "=<job>", "For this job only.", ""}, {"group", kText, "=<group>", "For this group only.", ""},
    {"task", kText, "=<task>", "For this task only.", ""}, kJsonFlag, kTemplateFlag};
constexpr Flag kSentinelFlags[] = {
    {"description", kText, "=<text>", "What the policy is for.", ""},
    {"scope", kText, "=<scope>", "Scope of the policy.", "submit-job"},
    {"level", kText, "=<level>", "\"advisory\", \"soft-mandatory\" or \"hard-mandatory\".", "advisory"},
};
constexpr Flag kRawFlags[] = {{"raw", kBool, "", "Print the policy's rules only.", ""}};

#define ENTERPRISE(about) about " (Nomad Enterprise.)"
constexpr Command row(std::string_view name, std::string_view synopsis, std::string_view usage, std::string_view about,
                      General general, std::span<const Flag> flags, int (*run)(Context&)) {
  return {.name = name, .synopsis = synopsis, .usage = usage, .about = about, .general = general, .options = "Options", .flags = flags,
          .run = run};
}
constexpr General kAll = General::kAll, kNoNamespace = General::kNoNamespace;

constexpr Command kCommands[] = {
    {.name = "license get", .synopsis = "Retrieve the current Nomad Enterprise License", .usage = "\nUsage: nomad license get [options]",
     .about = ENTERPRISE("Shows the license."), .general = kNoNamespace, .run = run_license_get,
     .bad_flags_note = "Error parsing flags: %s"},
    {.name = "quota", .synopsis = "Interact with quotas", .usage = "Usage: nomad quota <subcommand> [options] [args]",
     .about = ENTERPRISE("Commands for quotas.")},
    row("quota apply", "Create or update a quota specification", "Usage: nomad quota apply [options] <input>",
        ENTERPRISE("Makes or changes a quota."), kAll, kJsonInput, run_quota_apply),
    row("quota delete", "Delete a quota specification", "Usage: nomad quota delete [options] <quota>",
        ENTERPRISE("Deletes a quota."), kAll, {}, run_quota_delete),
    row("quota init", "Create an example quota specification file", "Usage: nomad quota init <filename>",
        ENTERPRISE("Writes an example of a quota."), General::kNone, kJsonInput, run_quota_init),
    row("quota inspect", "Inspect a quota specification", "Usage: nomad quota inspect [options] <quota>",
        ENTERPRISE("Shows a quota in JSON."), kAll, kFormatFlags, run_quota_inspect),
    row("quota list", "List quota specifications", "Usage: nomad quota list [options]", ENTERPRISE("Lists quotas."), kAll,
        kFormatFlags, run_quota_list),
    row("quota status", "Display a quota's status and current usage", "Usage: nomad quota status [options] <quota>",
        ENTERPRISE("Shows a quota and what is used of it."), kAll, kFormatFlags, run_quota_status),
    {.name = "recommendation", .synopsis = "Interact with the Nomad recommendation endpoint",
     .usage = "Usage: nomad recommendation <subcommand> [options]", .about = ENTERPRISE("Commands for recommendations.")},
    row("recommendation apply", "Apply one or more Nomad recommendations",
        "Usage: nomad recommendation apply [options] <recommendation_ids>", ENTERPRISE("Applies recommendations."), kAll,
        kApplyFlags, run_recommendation_apply),
    row("recommendation dismiss", "Dismiss one or more Nomad recommendations",
        "Usage: nomad recommendation dismiss [options] <recommendation_ids>", ENTERPRISE("Dismisses recommendations."), kAll, {},
        run_recommendation_dismiss),
    row("recommendation info", "Display an individual Nomad recommendation",
        "Usage: nomad recommendation info [options] <recommendation_id>", ENTERPRISE("Shows a recommendation."), kAll,
        kFormatFlags, run_recommendation_info),
    row("recommendation list", "Display all Nomad recommendations", "Usage: nomad recommendation list [options]",
        ENTERPRISE("Lists recommendations."), kAll, kListFlags, run_recommendation_list),
    {.name = "sentinel", .synopsis = "Interact with Sentinel policies", .usage = "Usage: nomad sentinel <subcommand> [options] [args]",
     .about = ENTERPRISE("Commands for Sentinel policies.")},
    row("sentinel apply", "Create a new or update existing Sentinel policies",
        "Usage: nomad sentinel apply [options] <name> <file>", ENTERPRISE("Makes or changes a policy."), kNoNamespace,
        kSentinelFlags, run_sentinel_apply),
    row("sentinel delete", "Delete an existing Sentinel policies", "Usage: nomad sentinel delete [options] <name>",
        ENTERPRISE("Deletes a policy."), kNoNamespace, {}, run_sentinel_delete),
    row("sentinel list", "Display all Sentinel policies", "Usage: nomad sentinel list [options]", ENTERPRISE("Lists policies."),
        kNoNamespace, {}, run_sentinel_list),
    row("sentinel read", "Inspects an existing Sentinel policies", "Usage: nomad sentinel read [options] <name>",
        ENTERPRISE("Shows a policy."), kNoNamespace, kRawFlags, run_sentinel_read),
};

}  // namespace

std::span<const Command> enterprise_commands() { return kCommands; }

}  // namespace drover::cli
