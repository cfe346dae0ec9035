// operator snapshot save, restore, inspect.
#include <fmt/format.h>
#include <stdio.h>
#include <time.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/archive.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/misc_commands.h"

namespace drover::cli {
namespace {

// "nomad-state-2026117-1795505400.snap": year, month, day without padding, seconds.
std::string default_file(Time now) {
  time_t seconds = now.unix_seconds();
  tm t{};
  localtime_r(&seconds, &t);
  return fmt::format("nomad-state-{:04d}{:02d}{}-{}.snap", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, seconds);
}

int run_save(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <filename>");
  auto file = c.args.rest.empty() ? default_file(c.now()) : c.args.rest[0];
  if (exists(file)) return c.misuse(fmt::format("Destination file already exists: {}", go_quote(file)));
  auto* api = c.connect();
  if (!api) return 1;
  Params params;
  if (c.args.on("stale")) params.emplace_back("stale", "");
  auto reply = api->call("GET", "/v1/operator/snapshot", params);
  if (!reply) return c.fail("Failed to get snapshot file: " + reply.error().message);
  // Under another name first: a file of the final name is whole.
  auto partial = file + ".tmp";
  auto done = write_file(partial, reply->body, 0600);
  if (!done) return c.fail("Failed to create snapshot file: " + done.error().message);
  auto checked = inspect_snapshot(reply->body);
  if (!checked) return c.fail("Error verifying snapshot: " + checked.error().message);
  if (::rename(partial.c_str(), file.c_str()) != 0) return c.fail("Error renaming snapshot file: " + errno_text(errno));
  c.ui.output("State file written to " + file);
  return 0;
}

int run_restore(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <filename>");
  auto archive = read_file(c.args.rest[0]);
  if (!archive) return c.fail("Error opening snapshot file: " + go_quote(archive.error().message));
  auto* api = c.connect();
  if (!api) return 1;
  auto done = api->call("PUT", "/v1/operator/snapshot", {}, std::move(*archive));
  if (!done) return c.fail("Failed to get restore snapshot: " + done.error().message);
  c.ui.output("Snapshot Restored");
  return 0;
}

int run_inspect(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <filename>");
  auto archive = read_file(c.args.rest[0]);
  if (!archive) return c.fail("Error opening snapshot file: " + archive.error().message);
  auto meta = inspect_snapshot(*archive);
  if (!meta) return c.fail("Error verifying snapshot: " + meta.error().message);
  c.ui.output(table({"ID|" + meta->ID, fmt::format("Size|{}", meta->Size), fmt::format("Index|{}", meta->Index),
                     fmt::format("Term|{}", meta->Term), fmt::format("Version|{}", meta->Version)}));
  return 0;
}

constexpr Flag kSaveFlags[] = {
    {"stale", FlagKind::kBool, "=[true|false]", "Any server may give the snapshot, not only the leader.", "false"}};

constexpr Command kCommands[] = {
    {.name = "operator snapshot",
     .synopsis = "Saves and inspects snapshots of Nomad server state",
     .usage = "Usage: nomad operator snapshot <subcommand> [options]",
     .about = "Commands for snapshots of the servers' state."},
    {.name = "operator snapshot save",
     .synopsis = "Saves snapshot of Nomad server state",
     .usage = "Usage: nomad operator snapshot save [options] <file>",
     .about = "Writes the servers' state to a file, which 'operator snapshot restore' takes.",
     .general = General::kNoNamespace,
     .options = "Snapshot Save Options",
     .flags = kSaveFlags,
     .run = run_save},
    {.name = "operator snapshot restore",
     .synopsis = "Restore snapshot of Nomad server state",
     .usage = "Usage: nomad operator snapshot restore [options] <file>",
     .about = "Replaces the servers' state by that of a snapshot.",
     .general = General::kNoNamespace,
     .run = run_restore},
    {.name = "operator snapshot inspect",
     .synopsis = "Displays information about a Nomad snapshot file",
     .usage = "Usage: nomad operator snapshot inspect [options] <file>",
     .about = "Shows what a snapshot file is, after checking that it is whole.",
     .run = run_inspect},
};

}  // namespace

std::span<const Command> operator_snapshot_commands() { return kCommands; }

}  // namespace drover::cli
