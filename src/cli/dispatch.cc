// Which command a command line means, and running it (reference cli section 1.1).
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/format.h"
#include "cli/help.h"
#include "cli/version.h"

namespace drover::cli {
namespace {

constexpr int kUnknownCommand = 127;

struct Line {
  bool help = false;
  bool version = false;
  bool install = false, uninstall = false;
  std::vector<std::string> early_flags;  // before the command
  std::string name;                      // "job periodic force"; "" when there is none
  bool found = false;                    // a row or a parent of rows
  std::vector<std::string> args;
};

class Table {
 public:
  Table(std::span<const Command> more) {
    for (auto& c : more) rows_.push_back(&c);
    for (auto& c : builtin_commands())
      if (!find(c.name)) rows_.push_back(&c);
  }
  const Command* find(std::string_view name) const {
    for (auto* c : rows_)
      if (c->name == name) return c;
    return nullptr;
  }
  // Whether rows stand below `name`: "operator root" is a group without a row of its own.
  bool parent(std::string_view name) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](auto* c) {
      return c->name.size() > name.size() && c->name.starts_with(name) && c->name[name.size()] == ' ';
    });
  }
  std::span<const Command* const> rows() const { return rows_; }

 private:
  std::vector<const Command*> rows_;
};

// The longest run of words from `at` on that is a command or group.
size_t name_length(const Table& table, std::span<const std::string> words, std::string& name) {
  std::string candidate;
  size_t best = 0;
  for (size_t n = 0; n < words.size(); ++n) {
    auto& word = words[n];
    if (word.empty() || word[0] == '-' || word.find(' ') != word.npos) break;
    candidate += (n ? " " : "") + word;
    if (!table.find(candidate) && !table.parent(candidate)) continue;
    best = n + 1;
    name = candidate;
  }
  return best;
}

Line read_line(const Table& table, std::span<const std::string> words) {
  Line line;
  for (size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (word == "--") break;
    if (word == "-h" || word == "-help" || word == "--help") {
      line.help = true;
      continue;
    }
    if (!line.name.empty()) continue;
    if (word == "-v" || word == "-version" || word == "--version") {
      line.version = true;
    } else if (word == "-autocomplete-install") {
      line.install = true;
    } else if (word == "-autocomplete-uninstall") {
      line.uninstall = true;
    } else if (word.starts_with('-')) {
      line.early_flags.push_back(word);
    } else {
      size_t taken = name_length(table, words.subspan(i), line.name);
      line.found = taken > 0;
      if (!taken) {
        line.name = word.empty() ? " " : word;
        taken = 1;
      }
      line.args.assign(words.begin() + static_cast<ptrdiff_t>(i + taken), words.end());
      i += taken - 1;
    }
  }
  return line;
}

// -no-color wins over everything that asks for colours.
bool wants_color(std::span<const std::string> words, const Io& io) {
  bool no = !io.getenv("NOMAD_CLI_NO_COLOR").empty();
  bool force = !io.getenv("NOMAD_CLI_FORCE_COLOR").empty();
  for (auto& word : words) {
    if (word == "-no-color" || word == "--no-color") no = true;
    if (word == "-force-color" || word == "--force-color") force = true;
  }
  return !no && (force || io.stdout_tty);
}

void warn_deprecated(const Command& row, const Ui& ui) {
  if (row.successor.empty()) return;
  ui.warn(wrap(fmt::format("WARNING! The \"nomad {}\" command is deprecated. Please use \"nomad {}\" instead. This "
                           "command will be removed a later version of Nomad.",
                           row.name, row.successor),
               78));
  ui.warn("");
}

int bad_flags(const Command& command, const Error& why, const Ui& ui) {
  for (auto& text : split(why.message, '\n')) ui.error(text);
  ui.output(help_text(command));
  if (!command.bad_flags_note.empty())
    ui.error(replace_all(replace_all(std::string(command.bad_flags_note), "%q", go_quote(why.message)), "%s", why.message));
  return command.bad_flags;
}

int run_command(const Command& row, const Table& table, const Line& line, std::span<const std::string> words, const Io& io,
                std::span<const Command> more) {
  bool color = wants_color(words, io);
  Ui ui(io, color);
  auto& command = resolved(row, table.rows());
  warn_deprecated(row, ui);
  Args args;
  if (command.raw) {
    args.rest = line.args;
  } else {
    std::vector<std::span<const Flag>> known{command.flags};
    if (command.general != General::kNone) known.push_back(general_flags());
    auto parsed = Args::parse(known, line.args);
    if (!parsed) return bad_flags(command, parsed.error(), ui);
    args = std::move(*parsed);
  }
  Context context(command, std::move(args), io, color, words);
  context.more = more;
  return command.run(context);
}

}  // namespace

int run(std::span<const std::string> words, const Io& io, std::span<const Command> more) {
  Table table(more);
  if (auto request = io.getenv("COMP_LINE"); !request.empty()) return complete(table.rows(), request, io);
  auto line = read_line(table, words);
  auto say = [&](std::string_view text) { io.out(std::string(text) + "\n"); };
  if (line.version && !line.help && line.name.empty()) {
    say(version_text());
    return 0;
  }
  if (line.install || line.uninstall) return install_completion(io, line.install, line.uninstall);
  if (!line.early_flags.empty() && !line.help) {
    say("Invalid flags before the subcommand. If these flags are for\nthe subcommand, please put them after the subcommand.\n");
    say(line.found ? full_help(table.rows(), line.name) : top_help(table.rows()));
    return 1;
  }
  if (!line.found) {
    say(top_help(table.rows()));
    return line.help && line.name.empty() ? 0 : kUnknownCommand;
  }
  auto* row = table.find(line.name);
  if (line.help) {
    if (row) warn_deprecated(*row, Ui(io, false));
    say(full_help(table.rows(), line.name));
    return 0;
  }
  if (!row || !resolved(*row, table.rows()).run) {
    say(full_help(table.rows(), line.name));
    return 1;
  }
  return run_command(*row, table, line, words, io, more);
}

int run(int argc, char** argv, const Io& io, std::span<const Command> more) {
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return run(words, io, more);
}

}  // namespace drover::cli
