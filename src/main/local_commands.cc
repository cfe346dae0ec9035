#include "main/local_commands.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "base/strings.h"
#include "bexpr/bexpr.h"
#include "cli/files.h"
#include "client/state_dump.h"
#include "server/offline.h"
#include "server/recovery_check.h"

namespace drover::program {
namespace {

using cli::Context;
using cli::Flag;
using cli::FlagKind;

constexpr std::string_view kOnePath = "This command takes one argument: <path>";

server::LineFn to_output(Context& c) {
  return [&c](std::string_view line) { c.ui.output(line); };
}

// The exit code where the argument names nothing.
std::optional<int> missing(Context& c) {
  struct stat s;
  auto& path = c.args.rest[0];
  if (::lstat(path.c_str(), &s) == 0) return std::nullopt;
  return c.fail(errno_error("lstat " + path, errno).message);
}

int run_info(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse(kOnePath);
  if (auto done = missing(c)) return *done;
  auto done = server::raft_info(c.args.rest[0], raft::real_disk(), to_output(c));
  return done ? 0 : c.fail("failed to open raft logs: " + done.error().message);
}

int run_logs(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse(kOnePath);
  if (auto done = missing(c)) return *done;
  auto done = server::raft_logs(c.args.rest[0], raft::real_disk(), c.args.on("pretty"), to_output(c));
  return done ? 0 : c.fail("failed to read raft logs: " + done.error().message);
}

int run_state(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse(kOnePath);
  if (auto done = missing(c)) return *done;
  auto last = c.args.number("last-index");
  auto state = server::raft_state(c.args.rest[0], raft::real_disk(), last > 0 ? static_cast<uint64_t>(last) : 0);
  if (!state) return c.fail("failed to load state: " + state.error().message);
  auto text = server::state_json(*state, "", "");
  if (!text) return c.fail("failed to encode output: " + text.error().message);
  c.ui.output(*text);
  return 0;
}

int run_check_peers(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse(kOnePath);
  auto done = server::check_peers(c.args.rest[0], raft::real_disk(), to_output(c));
  return done ? 0 : c.fail("The recovery would fail: " + done.error().message);
}

int run_snapshot_state(Context& c) {
  auto filter = c.args.text("filter");
  if (!filter.empty()) {
    auto parsed = bexpr::Filter::parse(filter);
    if (!parsed) return c.fail("Invalid filter expression [" + go_quote(filter) + "]: " + parsed.error().message);
  }
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <file>");
  auto file = cli::open_for_reading(c.args.rest[0]);
  if (!file) return c.fail("Error opening snapshot file: " + file.error().message);
  auto text = server::archive_json([&](uint64_t at, char* into, size_t size) { return file->read_at(at, into, size); }, filter);
  if (!text) return c.fail("Failed to read archive file: " + text.error().message);
  c.ui.output(*text);
  return 0;
}

int run_client_state(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <nomad-data-dir>");
  auto text = client::client_state_json(c.args.rest[0]);
  if (!text) return c.fail("failed to open client state: " + text.error().message);
  c.ui.output(*text);
  return 0;
}

constexpr Flag kLogsFlags[] = {{"pretty", FlagKind::kBool, "", "Indent the JSON.", ""}};
constexpr Flag kStateFlags[] = {{"last-index", FlagKind::kInt, "=<index>", "Stop at this index. Defaults to the last one there is.", "0"}};
constexpr Flag kFilterFlags[] = {{"filter", FlagKind::kText, "=<expression>", "Keep only what the expression selects.", ""}};

constexpr cli::Command kCommands[] = {
    {.name = "operator client-state",
     .synopsis = "Dump the nomad client state",
     .usage = "Usage: nomad operator client-state <path_to_nomad_dir>",
     .about = "Prints what a client agent has written down of its allocations, as JSON. The path is\n"
              "that of the client's state directory; the agent must be stopped.",
     .run = run_client_state,
     .raw = true},
    {.name = "operator raft info",
     .synopsis = "Display info of the raft log",
     .usage = "Usage: nomad operator raft info <path to nomad data dir>",
     .about = "Shows which entries the log of a server has. The server must be stopped.",
     .run = run_info,
     .raw = true},
    {.name = "operator raft logs",
     .synopsis = "Display raft log content",
     .usage = "Usage: nomad operator raft logs <path to nomad data dir>",
     .about = "Prints the entries of a server's log as JSON, one after the other. The server must be\n"
              "stopped. They may have secrets in them.",
     .options = "Logs Options",
     .flags = kLogsFlags,
     .run = run_logs},
    {.name = "operator raft state",
     .synopsis = "Display raft server state",
     .usage = "Usage: nomad operator raft state <path to nomad data dir>",
     .about = "Prints the state that a server's snapshot and log lead to, as JSON. The server must be\n"
              "stopped. Entries count that were perhaps never committed.",
     .options = "State Options",
     .flags = kStateFlags,
     .run = run_state,
     .bad_flags_note = "Failed to parse args: %s"},
    {.name = "operator raft check-peers",
     .synopsis = "Show what a peers.json would come to",
     .usage = "Usage: nomad operator raft check-peers <path to nomad data dir>",
     .about = "Reads a server's peers.json, log and snapshots as a recovery would, and changes nothing. The\n"
              "server must be stopped.",
     .run = run_check_peers,
     .shown = cli::Shown::kHidden},
    {.name = "operator snapshot state",
     .synopsis = "Displays information about a Nomad snapshot file",
     .usage = "Usage: nomad operator snapshot state [options] <file>",
     .about = "Prints the state that is in a snapshot file, as JSON.",
     .options = "Snapshot State Options",
     .flags = kFilterFlags,
     .run = run_snapshot_state,
     .bad_flags_note = "Failed to parse args: %s"},
};

}  // namespace

std::span<const cli::Command> local_commands() { return kCommands; }

}  // namespace drover::program
