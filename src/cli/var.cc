// var get, list, purge, init. (var put is in var_put.cc.)
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"
#include "cli/output.h"
#include "cli/pages.h"
#include "cli/variables.h"
#include "model/config_records.h"

namespace drover::cli {
namespace {

constexpr std::string_view kListFormats[] = {"go-template", "json", "table", "terse"};

int run_get(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <path>");
  auto format = variable_format(c, c.io.stdout_tty ? "table" : "json");
  if (auto bad = check_format(c, format, kVariableFormats); !bad.empty()) return c.misuse(bad);
  if (c.args.text("namespace") == "*") return c.fail(kWildcardNamespace);
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<Variable>(variable_path(trim_slashes(c.args.rest[0])));
  if (!found) {
    if (found.error().code == ErrorCode::kNotFound) return c.fail("Variable not found");
    return c.fail("Error retrieving variable: " + found.error().message);
  }
  if (auto item = c.args.text("item"); !item.empty()) {
    auto* value = found->Items.find(item);
    if (!value) return c.fail(fmt::format("Variable does not contain \"{}\" item", item));
    c.io.out(*value);
    return 0;
  }
  return show_variable(c, *found, format);
}

// The page's list with where the next one starts, as clients print it.
void print_page(Context& c, const List<VariableMetadata>& list, const std::string& token) {
  auto indented = replace_all(json_text(list), "\n", "\n    ");
  std::string quoted;
  json_quote(token, quoted);
  c.ui.output(fmt::format("{{\n    \"Data\": {},\n    \"QueryMeta\": {{\n        \"KnownLeader\": true,\n        \"LastContact\": 0,\n"
                          "        \"LastIndex\": {},\n        \"NextToken\": {},\n        \"RequestTime\": 0\n    }}\n}}",
                          indented, c.api().value()->last().index, quoted));
}

int run_list(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes flags and either no arguments or one: <prefix>");
  auto format = variable_format(c, c.io.stdout_tty ? "table" : "json");
  if (auto bad = check_format(c, format, kListFormats); !bad.empty()) return c.misuse(bad);
  auto* api = c.connect();
  if (!api) return 1;
  auto params = page_params(c);
  if (!c.args.rest.empty()) params.emplace_back("prefix", c.args.rest[0]);
  if (!c.args.text("filter").empty())
    c.ui.warn("A filter looks at every variable of the namespace; a prefix, where it will do, is much cheaper.");
  auto found = api->get_as<List<VariableMetadata>>("/v1/vars", params);
  if (!found) return c.fail("Error retrieving vars: " + found.error().message);
  auto token = api->last().next_token;
  bool paged = c.args.number("per-page") > 0;
  if (format == "json") {
    if (paged) print_page(c, *found, token);
    else c.ui.output(json_text(*found));
    return 0;
  }
  if (format == "go-template") {
    auto text = apply_template(c.args.text("template"), type_of<List<VariableMetadata>>(), &*found);
    if (!text) return c.fail("Error formatting the data: " + text.error().message);
    c.ui.output(*text);
  } else {
    auto& list = *found;
    std::sort(list.begin(), list.end(), [](auto& a, auto& b) { return std::tie(a.Namespace, a.Path) < std::tie(b.Namespace, b.Path); });
    Rows rows;
    if (format == "table") {
      for (auto& v : list) rows.push_back(fmt::format("{}|{}|{}", v.Namespace, v.Path, absolute_time(v.ModifyTime)));
      if (!rows.empty()) rows.insert(rows.begin(), "Namespace|Path|Last Updated");
      c.ui.output(rows.empty() ? "No matching variables found" : table(rows));
    } else {
      bool all = c.args.text("namespace") == "*";
      for (auto& v : list) rows.push_back(all ? v.Namespace + "|" + v.Path : v.Path);
      if (!rows.empty()) c.ui.output(table(rows));
    }
  }
  if (!token.empty()) c.ui.warn("Next page token: " + token);
  return 0;
}

int run_purge(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <path>");
  if (c.args.text("namespace") == "*") return c.fail(kWildcardNamespace);
  auto check = read_check_index(c);
  if (!check) return c.fail(check.error().message);
  auto* api = c.connect();
  if (!api) return 1;
  auto path = trim_slashes(c.args.rest[0]);
  Params params;
  if (*check) params.emplace_back("cas", std::to_string(**check));
  auto reply = api->ask("DELETE", variable_path(path), params);
  if (!reply) return c.fail("Error purging variable: " + reply.error().message);
  if (reply->status == 409) return show_conflict(c, reply->body, check->value_or(0));
  if (reply->status != 200 && reply->status != 204)
    return c.fail("Error purging variable: " + unexpected_status(*reply).message);
  c.ui.output(fmt::format("Successfully purged variable \"{}\"!", path));
  return 0;
}

// ---- init

constexpr std::string_view kExampleHcl = R"hcl(# A variable: who may read it is said by policies for its path.

# Namespace and path may be left out here and given on the command line.
# namespace = "default"
# path      = "path/to/variable"

# For updates: the index of the version that is to be replaced.
# modify_index = 0

# What is kept. Everything below is encrypted as one piece. Keys without dots are easier to use in templates.
items {
  key1 = "value 1"
  key2 = "value 2"
}
)hcl";
constexpr std::string_view kExampleJson = R"json({
  "Namespace": "default",
  "Path": "path/to/variable",
  "Items": {
    "key1": "value 1",
    "key2": "value 2"
  }
}
)json";

int run_init(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes no arguments or one: <filename>");
  auto format = c.args.text("out");
  std::string file = format == "hcl" ? "spec.nv.hcl" : format == "json" ? "spec.nv.json" : "";
  if (!c.args.rest.empty()) file = c.args.rest[0];
  if (!file.empty() && exists(file)) return c.fail(fmt::format("File \"{}\" already exists", file));
  auto done = write_file(file, format == "json" ? kExampleJson : kExampleHcl, 0660);
  if (!done) return c.fail(fmt::format("Failed to write \"{}\": {}", file, done.error().message));
  if (format == "json") {
    c.ui.info(wrap("The Items map is the only strictly required part of a variable specification, since path and namespace can be "
                   "set via other means. It contains the sensitive material to encrypt and store as a Nomad variable. The entire "
                   "Items map is encrypted and decrypted as a single unit.", 70));
    c.ui.warn(wrap("REMINDER: While keys in the Items map can contain dots, using them in templates is easier when they do not. "
                   "As a best practice, avoid dotted keys when possible.", 70));
  }
  c.ui.output("Example variable specification written to " + file);
  return 0;
}

constexpr FlagKind kText = FlagKind::kText;
constexpr Flag kTemplate{"template", kText, " <template>", "With -out=go-template: the template.", ""};
constexpr Flag kGetFlags[] = {
    {"item", kText, " <key>", "Print the value of this item only.", ""},
    {"out", kText, " <format>", "One of go-template, hcl, json, none, table; by default a table for terminals and JSON otherwise.",
     ""},
    kTemplate,
};
constexpr Flag kListFlags[] = {
    kPerPageFlag, kPageTokenFlag, kFilterFlag,
    {"out", kText, " <format>", "One of go-template, json, table, terse; by default a table for terminals and JSON otherwise.", ""},
    kTemplate,
};
constexpr Flag kPurgeFlags[] = {
    {"check-index", kText, " <index>", "Purge only if the variable's modify index is this one.", ""}};
constexpr Flag kInitFlags[] = {{"out", kText, " <format>", "\"hcl\" or \"json\".", "hcl"}};

constexpr Command kCommands[] = {
    {.name = "var get",
     .synopsis = "Read a variable",
     .usage = "Usage: nomad var get [options] <path>",
     .about = "Shows a variable, or one item of it.",
     .general = General::kAll,
     .options = "Read Options",
     .flags = kGetFlags,
     .run = run_get},
    {.name = "var list",
     .synopsis = "List variable metadata",
     .usage = "Usage: nomad var list [options] <prefix>",
     .about = "Lists the variables whose paths begin so; what is in them is not shown.",
     .general = General::kAll,
     .options = "List Options",
     .flags = kListFlags,
     .run = run_list},
    {.name = "var purge",
     .synopsis = "Purge a variable",
     .usage = "Usage: nomad var purge [options] <path>",
     .about = "Removes a variable for good.",
     .general = General::kAll,
     .options = "Purge Options",
     .flags = kPurgeFlags,
     .run = run_purge},
    {.name = "var init",
     .synopsis = "Create an example variable specification file",
     .usage = "Usage: nomad var init <filename>",
     .about = "Writes an example of a variable's specification to start from.",
     .options = "Init Options",
     .flags = kInitFlags,
     .run = run_init},
};

}  // namespace

std::span<const Command> var_commands() { return kCommands; }

}  // namespace drover::cli
