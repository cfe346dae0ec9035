// The table of commands, and what a running command has at hand.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/flags.h"
#include "cli/io.h"
#include "cli/ui.h"

namespace drover::cli {

class Api;
class Context;

// The flags that every command with HTTP takes. Of kNoNamespace the help text does not show -namespace, of kUnshown none of them:
// that is a command which can do without a server.
enum class General : unsigned char { kNone, kUnshown, kNoNamespace, kAll };
enum class Shown : unsigned char { kYes, kHidden, kAlias };  // an alias is completed, but not in the help text

// A row of the table. A row without `run` is a group: it lists the commands below it.
struct Command {
  std::string_view name;               // "job periodic force"
  std::string_view synopsis;           // one line in the list of the group above
  std::string_view usage;              // the head of the help text: "Usage: nomad job run [options] <path>"
  std::string_view about;              // paragraphs below it
  General general = General::kNone;
  std::string_view options;            // title of the command's own flags: "Run Options"
  std::span<const Flag> flags;
  int (*run)(Context&) = nullptr;      // gives the exit code
  std::string_view self;               // how advice names it; default: its name
  int bad_flags = 1;                   // exit code for flags that cannot be read
  std::string_view bad_flags_note;     // said then too; %q is the error, quoted, %s as it is
  Shown shown = Shown::kYes;
  std::string_view alias_of;           // everything but name and `shown` is that command's
  std::string_view successor;          // deprecated in favour of it: said on standard error before the rest
  bool raw = false;                    // flags are the command's own affair: args.rest has everything
};

// Every command of the product but those in `more` (agent, config validate), which the program brings along.
std::span<const Command> builtin_commands();

std::span<const Flag> general_flags();

// The program: `words` is argv without the program's name. Gives the exit code.
int run(std::span<const std::string> words, const Io& io, std::span<const Command> more = {});
int run(int argc, char** argv, const Io& io, std::span<const Command> more = {});

// The help text of a command, without its list of subcommands.
std::string help_text(const Command& command);

class Context {
 public:
  Context(const Command& command, Args args, const Io& io, bool color, std::span<const std::string> words);
  ~Context();

  const Command& command;
  Args args;
  const Io& io;
  Ui ui;
  std::span<const std::string> words;  // the whole command line, for hints that repeat it
  std::span<const Command> more;       // for commands that run others

  // The HTTP client for the general flags and the environment, made once. nullptr after saying
  // "Error initializing client: ...".
  Api* connect();
  Result<Api*> api();

  int fail(std::string_view message) const;    // on standard error; 1
  int misuse(std::string_view message) const;  // the same and the advice to read the help; 1
  bool verbose() const { return args.on("verbose"); }
  Time now() const;

 private:
  std::unique_ptr<Api> api_;
};

// Questions that an exact "y" answers (reference cli 9.5). nullopt: go on; else the exit code.
std::optional<int> confirm(const Context& c, std::string_view question, std::string_view cancelled);

// Flags that many commands share.
inline constexpr Flag kVerboseFlag{"verbose", FlagKind::kBool, "", "Show full information: long ids, more columns.", ""};
inline constexpr Flag kJsonFlag{"json", FlagKind::kBool, "", "Output in JSON.", ""};
inline constexpr Flag kTemplateFlag{"t", FlagKind::kText, " <template>", "Format the output with this Go template.", ""};
inline constexpr Flag kDetachFlag{
    "detach", FlagKind::kBool, "", "Return at once instead of following the evaluation; its id is printed.", ""};
inline constexpr Flag kFilterFlag{"filter", FlagKind::kText, "=<expression>", "Keep only what the expression selects.", ""};
inline constexpr Flag kPerPageFlag{"per-page", FlagKind::kInt, "=<n>", "How many results to show on a page.", "0"};
inline constexpr Flag kPageTokenFlag{"page-token", FlagKind::kText, "=<token>", "Where the next page starts.", ""};

}  // namespace drover::cli
