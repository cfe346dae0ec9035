// job init.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/job_commands.h"
#include "cli/job_examples.h"
#include "model/config_records.h"

namespace drover::cli {
namespace {

constexpr std::string_view kDefaultFile = "example.nomad.hcl";
constexpr std::string_view kTemplatesPath = "nomad/job-templates";
constexpr mode_t kFileMode = 0660;

int list_templates(Context& c) {
  auto* api = c.connect();
  if (!api) return 1;
  auto found = api->get_as<List<VariableMetadata>>("/v1/vars", {{"prefix", std::string(kTemplatesPath)}});
  if (!found) return c.fail("Error retrieving job templates: " + found.error().message);
  if (found->empty()) return c.fail("No variables in nomad/job-templates");
  c.ui.output("Use nomad job init -template=<template> with any of the following:");
  for (auto& v : *found) {
    auto name = std::string_view(v.Path);
    if (name.starts_with(kTemplatesPath)) name.remove_prefix(std::min(name.size(), kTemplatesPath.size() + 1));
    c.ui.output(fmt::format("  {}", name));
  }
  return 0;
}

// The text of a template that operators keep as a variable.
Result<std::string> stored_template(Context& c, const std::string& name) {
  DROVER_TRY(auto* api, c.api());
  auto variable = api->get_as<VariableDecrypted>("/v1/var/" + std::string(kTemplatesPath) + "/" + escape(name));
  if (!variable) {
    if (variable.error().code == ErrorCode::kNotFound) return not_found("Variable not found");
    return invalid("Error retrieving job template: " + variable.error().message);
  }
  auto* text = variable->Items.find("template");
  if (!text) return not_found(fmt::format("Job template {} is malformed and is missing the template field. Please visit the jobs "
                                          "run template route in the Nomad UI to add it", go_quote(name)));
  c.ui.output("Initializing a job template from " + name);
  return *text;
}

int run_job_init(Context& c) {
  if (c.args.rest.size() > 1) return c.misuse("This command takes either no arguments or one: <filename>");
  if (c.args.on("list-templates")) return list_templates(c);
  std::string file(c.args.rest.empty() ? std::string(kDefaultFile) : c.args.rest[0]);
  if (exists(file)) return c.fail(fmt::format("Job '{}' already exists", file));
  std::string text;
  auto name = c.args.text("template");
  if (!name.empty()) {
    auto stored = stored_template(c, name);
    if (!stored) return c.fail(stored.error().message);
    text = std::move(*stored);
  } else {
    bool brief = c.args.on("short"), connect = c.args.on("connect");
    text = connect ? kConnectJob : brief ? kShortJob : kExampleJob;
  }
  if (auto done = write_file(file, text, kFileMode); !done)
    return c.fail(fmt::format("Failed to write '{}': {}", file, done.error().message));
  c.ui.output("Example job file written to " + file);
  return 0;
}

constexpr Flag kFlags[] = {
    {"short", FlagKind::kBool, "", "Write the example without comments.", ""},
    {"connect", FlagKind::kBool, "", "Write an example with a service mesh.", ""},
    {"template", FlagKind::kText, "=<name>", "Write this template, one of those that are kept as variables.", ""},
    {"list-templates", FlagKind::kBool, "", "List the templates that there are.", ""},
};

constexpr Command kCommands[] = {
    {.name = "job init",
     .synopsis = "Create a new job file",
     .usage = "Usage: nomad job init <filename>\nAlias: nomad init",
     .about = "Writes an example of a job file to start from, \"example.nomad.hcl\" by default.",
     .general = General::kUnshown,  // templates are asked of the servers
     .options = "Init Options",
     .flags = kFlags,
     .run = run_job_init},
};

}  // namespace

std::span<const Command> job_init_commands() { return kCommands; }

}  // namespace drover::cli
