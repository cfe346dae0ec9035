// operator snapshot save, restore, inspect.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "archive/snapshot_archive.h"
#include "base/strings.h"
#include "cli/api.h"
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

constexpr size_t kPiece = 64 * 1024;

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(ErrorCode::kIo, errno_text(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// Into a file of another name: one of the final name is whole. Gives what to say when it fails.
Status save_to(Api& api, const Params& params, const std::string& file, const std::string& partial) {
  UniqueFd out(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) return internal("Failed to create file: open " + partial + ": " + errno_text(errno));
  bool begun = false;
  auto done = api.download("/v1/operator/snapshot", params, [&](std::string_view bytes) -> Status {
    begun = true;
    auto written = write_all(out.get(), bytes);
    if (!written) return std::move(written).error().with_context("write " + partial);
    return {};
  });
  // "Filed", as scripts know it.
  if (!done) return internal((begun ? "Filed to download snapshot file: " : "Failed to get snapshot file: ") + done.error().message);
  if (::fsync(out.get()) != 0 || ::rename(partial.c_str(), file.c_str()) != 0)
    return internal("Filed to finalize snapshot file: rename " + partial + " " + file + ": " + errno_text(errno));
  return {};
}

int run_save(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <filename>");
  auto file = c.args.rest.empty() ? default_file(c.now()) : c.args.rest[0];
  if (exists(file)) return c.misuse(fmt::format("Destination file already exists: {}", go_quote(file)));
  auto* api = c.connect();
  if (!api) return 1;
  Params params;
  if (c.args.on("stale")) params.emplace_back("stale", "");
  auto partial = file + ".tmp";
  auto saved = save_to(*api, params, file, partial);
  if (!saved) {
    ::unlink(partial.c_str());
    return c.fail(saved.error().message);
  }
  c.ui.output("State file written to " + file);
  return 0;
}

int run_restore(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <filename>");
  auto in = open_for_reading(c.args.rest[0]);
  if (!in) return c.fail("Error opening snapshot file: " + go_quote(in.error().message));
  auto* api = c.connect();
  if (!api) return 1;
  auto done = api->upload("/v1/operator/snapshot", [&]() -> Result<std::string> {
    std::string piece(kPiece, '\0');
    DROVER_TRY(size_t n, in->read(piece.data(), piece.size()));
    piece.resize(n);
    return piece;
  });
  if (!done) return c.fail("Failed to get restore snapshot: " + done.error().message);
  c.ui.output("Snapshot Restored");
  return 0;
}

int run_inspect(Context& c) {
  if (c.args.rest.size() != 1) return c.misuse("This command takes one argument: <filename>");
  auto in = open_for_reading(c.args.rest[0]);
  if (!in) return c.fail("Error opening snapshot file: " + in.error().message);
  auto meta = archive::verify_archive([&](char* into, size_t size) { return in->read(into, size); });
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
     .run = run_save,
     .bad_flags_note = "Failed to parse args: %s"},
    {.name = "operator snapshot restore",
     .synopsis = "Restore snapshot of Nomad server state",
     .usage = "Usage: nomad operator snapshot restore [options] <file>",
     .about = "Replaces the servers' state by that of a snapshot.",
     .general = General::kNoNamespace,
     .run = run_restore,
     .bad_flags_note = "Failed to parse args: %s"},
    {.name = "operator snapshot inspect",
     .synopsis = "Displays information about a Nomad snapshot file",
     .usage = "Usage: nomad operator snapshot inspect [options] <file>",
     .about = "Shows what a snapshot file is, after checking that it is whole.",
     .run = run_inspect,
     .raw = true},
};

}  // namespace

std::span<const Command> operator_snapshot_commands() { return kCommands; }

}  // namespace drover::cli
