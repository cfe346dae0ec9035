// The program: its commands and nothing else.
#include <string>
#include <vector>

#include "agent/agent_command.h"
#include "agent/config.h"
#include "base/allocator.h"
#include "cli/command.h"
#include "cli/io.h"
#include "main/local_commands.h"

namespace {

using drover::cli::Command;
using drover::cli::Context;

int agent(Context& c) { return drover::agent::run_agent(c.args.rest); }

int config_validate(Context& c) {
  // The general flags are taken like everywhere, though nothing is asked over HTTP.
  const std::span<const drover::cli::Flag> known[] = {drover::cli::general_flags()};
  auto args = drover::cli::Args::parse(known, c.args.rest);
  if (!args) {
    c.fail(args.error().message);
    c.ui.output(drover::cli::help_text(c.command));
    return c.fail(args.error().message);
  }
  if (args->rest.empty()) return c.fail("Must specify at least one config file or directory");
  return drover::agent::validate_config_files(
      args->rest, [&](const std::string& text) { c.io.out(text + "\n"); }, [&](const std::string& text) { c.io.err(text + "\n"); });
}

// The commands that are no HTTP client.
std::vector<Command> own_commands() {
  Command run_agent{.name = "agent", .synopsis = drover::agent::kAgentSynopsis, .usage = drover::agent::agent_usage(),
                    .run = agent, .raw = true};
  Command validate{.name = "config validate", .synopsis = "Validate config files/directories",
                   .usage = "Usage: nomad config validate <config_path> [<config_path...>]", .run = config_validate, .raw = true};
  std::vector<Command> all{run_agent, validate};
  auto local = drover::program::local_commands();
  all.insert(all.end(), local.begin(), local.end());
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  drover::tame_allocator();
  auto own = own_commands();
  auto io = drover::cli::process_io();
  if (argc > 0) io.program = argv[0];
  return drover::cli::run(argc, argv, io, own);
}
