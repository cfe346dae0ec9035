#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "cli/format.h"

namespace drover::cli {
namespace {

constexpr FlagKind kText = FlagKind::kText, kBool = FlagKind::kBool;

// The words of the first and second are those that scripts compare; they stay as they are.
constexpr Flag kGeneral[] = {
    {"address", kText, "=<addr>",
     "The address of the Nomad server.\nOverrides the NOMAD_ADDR environment variable if set.\n"
     "Default = http://127.0.0.1:4646", ""},
    {"region", kText, "=<region>",
     "The region of the Nomad servers to forward commands to.\nOverrides the NOMAD_REGION environment variable if set.\n"
     "Defaults to the Agent's local region.", ""},
    {"namespace", kText, "=<namespace>",
     "The target namespace for queries and actions bound to a namespace.\n"
     "Overrides the NOMAD_NAMESPACE environment variable if set.\n"
     "If set to '*', subcommands which support this functionality query\nall namespaces authorized to user.\n"
     "Defaults to the \"default\" namespace.", ""},
    {"no-color", kBool, "",
     "Disables colored command output. Alternatively, NOMAD_CLI_NO_COLOR may be\n"
     "set. This option takes precedence over -force-color.", ""},
    {"force-color", kBool, "",
     "Forces colored command output. This can be used in cases where the usual\n"
     "terminal detection fails. Alternatively, NOMAD_CLI_FORCE_COLOR may be set.\n"
     "This option has no effect if -no-color is also used.", ""},
    {"ca-cert", kText, "=<path>",
     "Path to a PEM encoded CA cert file to use to verify the\nNomad server SSL certificate. Overrides the NOMAD_CACERT\n"
     "environment variable if set.", ""},
    {"ca-path", kText, "=<path>",
     "Path to a directory of PEM encoded CA cert files to verify\n"
     "the Nomad server SSL certificate. If both -ca-cert and\n-ca-path are specified, -ca-cert is used. Overrides the\n"
     "NOMAD_CAPATH environment variable if set.", ""},
    {"client-cert", kText, "=<path>",
     "Path to a PEM encoded client certificate for TLS authentication\n"
     "to the Nomad server. Must also specify -client-key. Overrides\nthe NOMAD_CLIENT_CERT environment variable if set.",
     ""},
    {"client-key", kText, "=<path>",
     "Path to an unencrypted PEM encoded private key matching the\nclient certificate from -client-cert. Overrides the\n"
     "NOMAD_CLIENT_KEY environment variable if set.", ""},
    {"tls-server-name", kText, "=<value>",
     "The server name to use as the SNI host when connecting via\n"
     "TLS. Overrides the NOMAD_TLS_SERVER_NAME environment variable if set.", ""},
    {"tls-skip-verify", kBool, "",
     "Do not verify TLS certificate. This is highly not recommended. Verification\n"
     "will also be skipped if NOMAD_SKIP_VERIFY is set.", ""},
    {"token", kText, "",
     "The SecretID of an ACL token to use to authenticate API requests with.\n"
     "Overrides the NOMAD_TOKEN environment variable if set.", ""},
    {"insecure", kBool, "", "", ""},
};

constexpr std::string_view kCommon[] = {"run", "stop", "status", "alloc", "job", "node", "agent"};

void add_flag(std::string& out, const Flag& flag) {
  out += fmt::format("\n\n  -{}{}\n", flag.name, flag.hint);
  if (flag.help.find('\n') == flag.help.npos) {
    out += wrap(flag.help, 78, "    ");
    return;
  }
  bool first = true;
  for (auto& line : split(flag.help, '\n')) {
    out += (first ? "    " : "\n    ") + line;
    first = false;
  }
}

const Command* find(std::span<const Command* const> all, std::string_view name) {
  for (auto* c : all)
    if (c->name == name) return c;
  return nullptr;
}

std::string list_of(const std::vector<Child>& rows, size_t gap) {
  size_t width = 0;
  for (auto& row : rows) width = std::max(width, row.word.size());
  std::string out;
  for (auto& row : rows)
    out += fmt::format("    {}{}{}\n", row.word, std::string(width - row.word.size() + gap, ' '), row.synopsis);
  return out;
}

}  // namespace

std::span<const Flag> general_flags() { return kGeneral; }

const Command& resolved(const Command& command, std::span<const Command* const> all) {
  if (command.alias_of.empty()) return command;
  auto* original = find(all, command.alias_of);
  return original ? *original : command;
}

std::string help_text(const Command& command) {
  std::string out(command.usage);
  if (!command.about.empty()) {
    for (auto& line : split(command.about, '\n')) out += line.empty() ? "\n" : "\n  " + line;
    if (!command.usage.empty()) out.insert(command.usage.size(), "\n");
  }
  if (command.general != General::kNone && command.general != General::kUnshown) {
    out += "\n\nGeneral Options:";
    for (auto& flag : kGeneral)
      if (!flag.help.empty() && (flag.name != "namespace" || command.general == General::kAll)) add_flag(out, flag);
  }
  bool any = std::any_of(command.flags.begin(), command.flags.end(), [](auto& f) { return !f.help.empty(); });
  if (any) {
    out += fmt::format("\n\n{}:", command.options);
    for (auto& flag : command.flags)
      if (!flag.help.empty()) add_flag(out, flag);
  }
  return out;
}

std::vector<Child> children(std::span<const Command* const> all, std::string_view group, bool hidden_too) {
  std::map<std::string, std::string> found;
  std::string prefix = group.empty() ? "" : std::string(group) + " ";
  for (auto* row : all) {
    auto& c = resolved(*row, all);
    if (!row->name.starts_with(prefix) || (row->shown != Shown::kYes && !hidden_too)) continue;
    if (hidden_too && row->shown == Shown::kHidden) continue;
    auto rest = row->name.substr(prefix.size());
    auto word = rest.substr(0, rest.find(' '));
    if (word.empty()) continue;
    auto& synopsis = found[std::string(word)];
    if (word.size() == rest.size()) synopsis = c.synopsis;
  }
  std::vector<Child> out;
  for (auto& [word, synopsis] : found) out.push_back({word, synopsis});
  return out;
}

std::string top_help(std::span<const Command* const> all) {
  std::string out = "Usage: nomad [-version] [-help] [-autocomplete-(un)install] <command> [args]\n\nCommon commands:\n";
  auto rows = children(all, "");
  std::vector<Child> common, other;
  for (auto word : kCommon)
    for (auto& row : rows)
      if (row.word == word) common.push_back(row);
  for (auto& row : rows)
    if (std::find(std::begin(kCommon), std::end(kCommon), row.word) == std::end(kCommon)) other.push_back(row);
  // Rows of a table with a tab stop: the widest name and six spaces.
  out += list_of(common, 6) + "\nOther commands:\n" + list_of(other, 6);
  out.pop_back();
  return out;
}

std::string full_help(std::span<const Command* const> all, std::string_view name) {
  std::string out;
  if (auto* c = find(all, name)) out = help_text(resolved(*c, all));
  else out = "This command is a group; name one of the subcommands below.";
  auto rows = children(all, name);
  if (!rows.empty()) {
    out += "\n\nSubcommands:\n" + list_of(rows, 4);
    out.pop_back();
  }
  return out;
}

}  // namespace drover::cli
