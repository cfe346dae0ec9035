#include "cli/variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/output.h"
#include "codec/json.h"

DROVER_DESCRIBE(drover::cli::Variable, "api.Variable", DROVER_FIELD(Namespace), DROVER_FIELD(Path), DROVER_FIELD(CreateIndex),
                DROVER_FIELD(ModifyIndex), DROVER_FIELD(CreateTime), DROVER_FIELD(ModifyTime), DROVER_FIELD(Items))

namespace drover::cli {
namespace {

std::string hcl_text(const Variable& v) {
  std::string out = fmt::format(
      "\nnamespace    = {}\npath         = {}\ncreate_index = {}  # Set by server\n"
      "modify_index = {}  # Set by server; consulted for check-and-set\ncreate_time  = {}   # Set by server\n"
      "modify_time  = {}   # Set by server\n\nitems = {{\n",
      go_quote(v.Namespace), go_quote(v.Path), v.CreateIndex, v.ModifyIndex, v.CreateTime, v.ModifyTime);
  size_t width = 0;
  for (auto& [key, value] : v.Items) width = std::max(width, key.size());
  for (auto& [key, value] : v.Items)
    out += fmt::format("  {}{} = {}\n", std::string(width - key.size(), ' '), key, go_quote(value));
  return out + "}\n";
}

void show_table(const Context& c, const Variable& v) {
  Rows rows{"Namespace|" + v.Namespace, "Path|" + v.Path, "Create Time|" + absolute_time(v.ModifyTime)};
  if (v.CreateTime != v.ModifyTime) rows.push_back("Modify Time|" + go_time(Time::from_unix_nanos(v.ModifyTime)));
  rows.push_back(fmt::format("Check Index|{}", v.ModifyIndex));
  c.ui.output(key_values(rows));
  Rows items;
  for (auto& [key, value] : v.Items) items.push_back(key + "|" + value);
  c.ui.output("\n" + c.ui.bold("Items"));
  c.ui.output(key_values(items));
}

}  // namespace

std::string variable_format(const Context& c, std::string_view fallback) {
  auto format = c.args.text("out");
  return format.empty() ? std::string(fallback) : format;
}

std::string check_format(const Context& c, std::string_view format, std::span<const std::string_view> known) {
  if (std::find(known.begin(), known.end(), format) == known.end()) {
    std::vector<std::string> names(known.begin(), known.end());
    return fmt::format("Invalid value for \"-out\"; valid values are [{}]", join(names, ", "));
  }
  bool has = !c.args.text("template").empty();
  if (format == "go-template" && !has) return "A template must be supplied using '-template' when using go-template formatting";
  if (format != "go-template" && has) return "The '-template' flag is only valid when using 'go-template' formatting";
  return {};
}

int show_variable(Context& c, const Variable& v, std::string_view format) {
  if (format == "json") {
    c.ui.output(to_json(v, {.pretty = true, .escape_html = true, .indent = 2, .trailing_newline = false, .float_point = false}));
  } else if (format == "hcl") {
    c.ui.output(hcl_text(v));
  } else if (format == "table") {
    show_table(c, v);
  } else if (format == "go-template") {
    auto text = apply_template(c.args.text("template"), type_of<Variable>(), &v, false);
    if (!text) return c.fail("Error formatting the data: " + text.error().message);
    c.ui.output(*text);
  }
  return 0;
}

int show_conflict(Context& c, const std::string& body, uint64_t given) {
  auto theirs = from_json<Variable>(body);
  if (!theirs) return c.fail("Error reading the conflict: " + theirs.error().message);
  // A variable that one may not read comes without its times.
  auto when = theirs->ModifyTime ? absolute_time(theirs->ModifyTime) : "an unknown date";
  auto text = fmt::format(
      "Your provided check-index ({0}) does not match the server-side index ({1}). The server-side item was last updated on "
      "{2}. If you are sure you want to perform this operation, add the -force or -check-index={1} flag before the positional "
      "arguments.",
      given, theirs->ModifyIndex, when);
  return c.fail("\nCheck-and-Set conflict\n\n" + wrap(text, 82, "    ") + "\n");
}

Result<std::optional<uint64_t>> read_check_index(const Context& c) {
  auto text = c.args.text("check-index");
  if (text.empty()) return std::nullopt;
  auto n = parse_uint(text);
  if (!n) return invalid(fmt::format("Invalid -check-index value {}: not parsable as uint64", go_quote(text)));
  return *n;
}

std::string trim_slashes(std::string_view path) {
  path = trim_space(path);
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

std::string variable_path(std::string_view path) {
  std::string out = "/v1/var";
  for (auto& segment : split(path, '/')) out += "/" + escape(segment);
  return out;
}

}  // namespace drover::cli
