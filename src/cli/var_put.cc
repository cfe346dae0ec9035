// var put.
#include <fmt/format.h>

#include <cctype>
#include <set>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/variables.h"
#include "codec/json.h"
#include "hcl/hcl1.h"

namespace drover::cli {
namespace {

bool is_spec(std::string_view word) { return word == "-" || (word.size() > 1 && word[0] == '@'); }

Result<Variable> parse_hcl(const std::string& text) {
  DROVER_TRY(auto root, hcl1::parse(text));
  Variable v;
  auto number = [](const hcl1::Node& n) { return n.as_int().value_or(0); };
  for (auto& item : root.items) {
    auto& key = item.keys[0].text;
    auto& value = item.value;
    if (key == "namespace") v.Namespace = value.as_string().value_or("");
    else if (key == "path") v.Path = value.as_string().value_or("");
    else if (key == "create_index") v.CreateIndex = static_cast<uint64_t>(number(value));
    else if (key == "modify_index") v.ModifyIndex = static_cast<uint64_t>(number(value));
    else if (key == "create_time") v.CreateTime = number(value);
    else if (key == "modify_time") v.ModifyTime = number(value);
    else if (key == "items") {
      for (auto& i : value.items) v.Items.set(i.keys[0].text, i.value.as_string().value_or(""));
    } else {
      return invalid(fmt::format("invalid key: {}", key));
    }
  }
  return v;
}

Result<Variable> parse_json(const std::string& text) {
  auto v = from_json<Variable>(text);
  if (v) return v;
  return invalid("error unmarshaling json: " + unmarshal_text(v.error()));
}

class Put {
 public:
  explicit Put(Context& c) : c_(c) {}

  int run() {
    auto words = std::span<const std::string>(c_.args.rest);
    auto index = c_.args.text("check-index");
    if (!index.empty() && !parse_uint(index))
      return c_.fail(fmt::format("Error parsing check-index value {0}: strconv.ParseUint: parsing {0}: invalid syntax", go_quote(index)));
    if (words.empty()) return c_.misuse("Not enough arguments (expected >1, got 0)");
    auto format = variable_format(c_, c_.io.stdout_tty ? "none" : "json");
    if (auto bad = check_format(c_, format, kVariableFormats); !bad.empty()) return c_.misuse(bad);
    auto in = c_.args.text("in");
    if (!in.empty() && in != "json" && in != "hcl") return c_.misuse("Invalid value for \"-in\"; valid values are [hcl, json]");
    if (c_.args.text("namespace") == "*") return c_.fail(kWildcardNamespace);
    auto check = read_check_index(c_);
    if (!check) return c_.fail(check.error().message);
    if (words.size() == 1 && !is_spec(words[0])) return c_.misuse("Must supply data");
    if (auto done = gather(words, in); !done) return c_.fail(done.error().message);
    if (*check) v_.ModifyIndex = **check;
    return send(format);
  }

 private:
  // Path, specification and items out of the arguments.
  Status gather(std::span<const std::string> words, const std::string& in) {
    std::string path;
    if (!is_spec(words[0])) {
      path = trim_slashes(words[0]);
      words = words.subspan(1);
    }
    if (!words.empty() && is_spec(words[0])) {
      DROVER_CHECK(read_spec(words[0], in));
      words = words.subspan(1);
    }
    auto space = c_.args.text("namespace");
    bool moved = (!path.empty() && path != v_.Path) || (!space.empty() && space != v_.Namespace);
    if (moved) v_.CreateIndex = v_.ModifyIndex = 0;
    if (!path.empty()) v_.Path = path;
    if (!space.empty()) v_.Namespace = space;
    if (v_.Path.empty()) return invalid("Variable path required in specification or as the first argument.");
    for (auto& word : words)
      if (auto done = add_item(word); !done)
        return std::move(done).error().with_context(
            fmt::format("Failed to parse K=V data: invalid key/value pair {}", go_quote(word)));
    return {};
  }

  Status read_spec(const std::string& word, std::string format) {
    Result<std::string> text;
    if (word == "-") {
      text = c_.io.read_all();
      stdin_used_ = true;
      if (format.empty()) format = "json";
    } else {
      auto file = word.substr(1);
      if (file.ends_with(".json")) format = "json";
      else if (file.ends_with(".hcl")) format = "hcl";
      else if (format.empty()) return invalid(fmt::format("Unable to determine format of {}; Use the -in flag to specify it.", file));
      text = read_file(file);
      if (!text) return std::move(text).error().with_context(fmt::format("Error reading {}", go_quote(file)));
    }
    auto v = format == "json" ? parse_json(*text) : parse_hcl(*text);
    if (!v) return std::move(v).error().with_context("Failed to parse variable data");
    v_ = std::move(*v);
    v_.Path = trim_slashes(v_.Path);
    return {};
  }

  Status add_item(const std::string& word) {
    auto equals = word.find('=');
    if (equals == word.npos) {
      if (is_spec(word)) return add_object(word);
      return invalid("format must be key=value");
    }
    auto key = word.substr(0, equals), value = word.substr(equals + 1);
    if (value.empty()) {
      v_.Items.erase(key);
      return {};
    }
    DROVER_TRY(auto text, value_of(value));
    v_.Items.set(key, std::move(text));
    return {};
  }

  // "@file", "-" or the value; "\@x" is "@x".
  Result<std::string> value_of(const std::string& value) {
    if (value.starts_with("\\@")) return value.substr(1);
    if (value == "-") {
      if (stdin_used_) return invalid("stdin already consumed");
      stdin_used_ = true;
      return c_.io.read_all();
    }
    if (!value.starts_with('@')) return value;
    auto text = read_file(value.substr(1));
    if (!text) return std::move(text).error().with_context("error reading file");
    return text;
  }

  Status add_object(const std::string& word) {
    DROVER_TRY(auto text, value_of(word));
    auto items = from_json<Map<std::string>>(text);
    if (!items) return std::move(items).error();
    for (auto& [k, v] : *items) v_.Items.set(k, v);
    return {};
  }

  // Keys that templates cannot name directly.
  void warn() const {
    std::vector<std::string> warnings;
    for (auto& [key, value] : v_.Items) {
      std::set<char> odd;
      for (char ch : key)
        if (!std::isalnum(static_cast<unsigned char>(ch)) && ch != '_') odd.insert(ch);
      if (odd.empty()) continue;
      std::vector<std::string> quoted;
      for (char ch : odd) quoted.push_back(go_quote(std::string(1, ch)));
      warnings.push_back(fmt::format("* {} contains characters [{}] that require the 'index' function for direct access in templates",
                                     go_quote(key), join(quoted, ",")));
    }
    if (warnings.empty()) return;
    auto n = static_cast<int64_t>(warnings.size());
    c_.ui.warn(fmt::format("Variable Warnings:\n{} {}:\n\n{}\n", n, plural("warning", n), join(warnings, "\n")));
  }

  int send(const std::string& format) {
    auto* api = c_.connect();
    if (!api) return 1;
    warn();
    Params params;
    if (!c_.args.on("force")) params.emplace_back("cas", std::to_string(v_.ModifyIndex));
    if (!v_.Namespace.empty()) params.emplace_back("namespace", v_.Namespace);
    if (c_.verbose()) c_.ui.warn(fmt::format("Writing to path {}", go_quote(v_.Path)));
    auto reply = api->ask("PUT", variable_path(v_.Path), params, to_json(v_));
    if (!reply) return c_.fail("Error creating variable: " + reply.error().message);
    if (reply->status == 409) return show_conflict(c_, reply->body, v_.ModifyIndex);
    if (reply->status != 200) return c_.fail("Error creating variable: " + unexpected_status(*reply).message);
    auto written = from_json<Variable>(reply->body);
    if (!written) return c_.fail("Error creating variable: " + written.error().message);
    auto told = fmt::format("Created variable \"{}\" with modify index {}", written->Path, written->ModifyIndex);
    if (format == "none") {
      c_.ui.info(told);
      return 0;
    }
    if (c_.verbose()) c_.ui.warn(told);
    return show_variable(c_, *written, format);
  }

  Context& c_;
  Variable v_;
  bool stdin_used_ = false;
};

int run_put(Context& c) { return Put(c).run(); }

constexpr FlagKind kText = FlagKind::kText;
constexpr Flag kFlags[] = {
    {"check-index", kText, " <index>",
     "Write only if the variable's modify index is this one; 0 means that the variable must not exist.", ""},
    {"force", FlagKind::kBool, "", "Write whatever the variable's index is.", ""},
    {"in", kText, " <format>", "Format of the specification where the file's name does not tell: \"hcl\" or \"json\".", ""},
    {"out", kText, " <format>",
     "One of go-template, hcl, json, none, table; by default none for terminals and JSON otherwise.", ""},
    {"template", kText, " <template>", "With -out=go-template: the template.", ""},
    {"verbose", FlagKind::kBool, "", "Tell on standard error what is done.", ""},
};

constexpr Command kCommands[] = {
    {.name = "var put",
     .synopsis = "Create or update a variable",
     .usage = "Usage:\nnomad var put [options] <variable spec file reference> [<key>=<value>]...\n"
              "nomad var put [options] <path to store variable> [<variable spec file reference>] [<key>=<value>]...",
     .about = "Makes or changes a variable. A specification is \"@file\", or \"-\" for standard input; items\n"
              "may be given as key=value, where a value \"@file\" or \"-\" is read from there, and an empty\n"
              "value takes the item away. Unless forced, the variable must be as it was when its index was\nread.",
     .general = General::kAll,
     .options = "Var put Options",
     .flags = kFlags,
     .run = run_put,
     .bad_flags_note = "For additional help try 'nomad var put -help'"},
};

}  // namespace

std::span<const Command> var_put_commands() { return kCommands; }

}  // namespace drover::cli
