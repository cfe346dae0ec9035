// Tasks: artifacts, templates, vault, volumes, lifecycle, and the whole.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/strings.h"
#include "model/env_text.h"
#include "model/job_defaults.h"
#include "model/task_kind.h"
#include "model/validate_parts.h"

namespace drover {

using validation::among;

namespace {

// Absolute path, cleaned, as its elements.
std::vector<std::string> elements(std::string_view path) {
  std::vector<std::string> out;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      out.push_back(part);
    else if (!out.empty())
      out.pop_back();
  }
  return out;
}

std::string hex_problem(const std::string& text) {
  auto digit = [](unsigned char c) { return std::isxdigit(c) != 0; };
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    if (digit(c)) continue;
    bool shown = c >= 0x20 && c < 0x7f;
    std::string as_quoted = shown ? (c == '\'' ? "'\\''" : c == '\\' ? "'\\\\'" : fmt::format("'{}'", static_cast<char>(c)))
                                  : "";
    return fmt::format("encoding/hex: invalid byte: U+{:04X}{}", c, shown ? " " + as_quoted : "");
  }
  return text.size() % 2 ? "encoding/hex: odd length hex string" : "";
}

std::string checksum_problem(const TaskArtifact& artifact) {
  auto* given = artifact.GetterOptions.find("checksum");
  if (!given || contains_env(*given)) return "";
  std::string text(trim_space(*given));
  if (text.empty()) return "checksum value cannot be empty";
  auto parts = split(text, ':');
  if (parts.size() != 2) return "checksum must be given as \"type:value\"; got " + go_quote(text);
  if (auto problem = hex_problem(parts[1]); !problem.empty()) return "invalid checksum: " + problem;
  static const std::map<std::string_view, size_t> kHexLengths{
      {"md5", 32}, {"sha1", 40}, {"sha256", 64}, {"sha512", 128}};
  auto length = kHexLengths.find(parts[0]);
  if (length == kHexLengths.end()) return "unsupported checksum type: " + parts[0];
  if (parts[1].size() != length->second) return fmt::format("invalid {} checksum: {}", parts[0], parts[1]);
  return "";
}

MultiError artifact_problems(const TaskArtifact& artifact) {
  MultiError errors;
  if (artifact.GetterSource.empty()) errors.add("source must be specified");
  if (!among(artifact.GetterMode, {"", "any", "file", "dir"}))
    errors.add(fmt::format("invalid artifact mode {}; must be one of: any, file, dir", go_quote(artifact.GetterMode)));
  if (path_escapes_alloc("task", artifact.RelativeDest)) errors.add("destination escapes allocation directory");
  if (auto problem = checksum_problem(artifact); !problem.empty()) errors.add(problem);
  return errors;
}

MultiError vault_problems(const Vault& vault) {
  MultiError errors;
  if (vault.Policies.empty()) errors.add("Policy list cannot be empty");
  for (auto& policy : vault.Policies)
    if (policy == "root") errors.add("Can not specify \"root\" policy");
  if (vault.ChangeMode == "signal") {
    if (vault.ChangeSignal.empty()) errors.add("Signal must be specified when using change mode \"signal\"");
  } else if (!among(vault.ChangeMode, {"noop", "restart"})) {
    errors.add("Unknown change mode " + go_quote(vault.ChangeMode));
  }
  return errors;
}

void change_mode(const Template& tmpl, MultiError& errors) {
  if (tmpl.ChangeMode == "signal") {
    if (tmpl.ChangeSignal.empty()) errors.add("Must specify signal value when change mode is signal");
    if (tmpl.Envvars) errors.add("cannot use signals with env var templates");
  } else if (tmpl.ChangeMode == "script") {
    if (!tmpl.ChangeScript)
      errors.add("must specify change script configuration value when change mode is script");
    else if (tmpl.ChangeScript->Command.empty())
      errors.add("must specify script path value when change mode is script");
  } else if (!among(tmpl.ChangeMode, {"noop", "restart"})) {
    errors.add("Invalid change mode. Must be one of the following: noop, signal, script, restart");
  }
}

// Go's words for text that is no octal number of 12 bits; "" when it is one.
std::string octal_problem(const std::string& text) {
  bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  uint64_t value = 0;
  if (digits)
    for (char c : text) value = std::min<uint64_t>(value * 8 + static_cast<uint64_t>(c - '0'), 1 << 20);
  if (digits && value < 1 << 12) return "";
  return fmt::format("Failed to parse {0} as octal: strconv.ParseUint: parsing {0}: {1}", go_quote(text),
                     digits ? "value out of range" : "invalid syntax");
}

MultiError template_problems(const Template& tmpl) {
  MultiError errors;
  if (tmpl.SourcePath.empty() && tmpl.EmbeddedTmpl.empty())
    errors.add("Must specify a source path or have an embedded template");
  if (tmpl.DestPath.empty()) errors.add("Must specify a destination for the template");
  if (path_escapes_alloc("task", tmpl.DestPath)) errors.add("destination escapes allocation directory");
  change_mode(tmpl, errors);
  if (tmpl.Splay < 0s) errors.add("Must specify positive splay value");
  if (!tmpl.Perms.empty())
    if (auto problem = octal_problem(tmpl.Perms); !problem.empty()) errors.add(problem);
  if (auto* wait = tmpl.Wait.get(); wait && wait->Min && wait->Max && *wait->Min > *wait->Max)
    errors.add(fmt::format("wait min {} is greater than max {}", format_duration(*wait->Min), format_duration(*wait->Max)));
  return errors;
}

void templates(const Task& task, MultiError& errors) {
  std::map<std::string_view, size_t> destinations;
  for (size_t i = 0; i < task.Templates.size(); ++i) {
    errors.add_nested(fmt::format("Template {} validation failed: ", i + 1), template_problems(task.Templates[i]));
    auto [at, fresh] = destinations.emplace(task.Templates[i].DestPath, i + 1);
    if (!fresh) errors.add(fmt::format("Template {} has same destination as {}", i + 1, at->second));
  }
}

void proxy_kind(const Task& task, const TaskGroup& group, MultiError& errors) {
  auto service = connect_proxy_service(task.Kind);
  if (!service) return;
  if (!task.Services.empty()) errors.add("Connect proxy task must not have a service block");
  if (task.Leader) errors.add("Connect proxy task must not have leader set");
  std::vector<std::string> names;
  for (auto& candidate : group.Services) {
    if (!candidate.Connect || !candidate.Connect->SidecarService) continue;
    if (candidate.Name == *service) return;
    names.push_back(candidate.Name);
  }
  if (names.empty())
    errors.add(fmt::format("No Connect services in task group with Connect proxy ({})", go_quote(*service)));
  else
    errors.add(fmt::format("Connect proxy service name ({}) not found in Connect services from task group: [{}]",
                           go_quote(*service), join(names, " ")));
}

void names(const Task& task, MultiError& errors) {
  if (task.Name.empty()) errors.add("Missing task name");
  if (task.Name.find_first_of("/\\") != std::string::npos)
    errors.add("Task name cannot include slashes");
  else if (task.Name.find('\0') != std::string::npos)
    errors.add("Task name cannot include null characters");
  if (task.Driver.empty()) errors.add("Missing task driver");
  if (task.KillTimeout < 0s) errors.add("KillTimeout must be a positive value");
  if (task.ShutdownDelay < 0s) errors.add("ShutdownDelay must be a positive value");
}

MultiError log_problems(const LogConfig& logs) {
  MultiError errors;
  if (logs.MaxFiles < 1) errors.add(fmt::format("minimum number of files is 1; got {}", logs.MaxFiles));
  if (logs.MaxFileSizeMB < 1) errors.add(fmt::format("minimum file size is 1MB; got {}", logs.MaxFileSizeMB));
  return errors;
}

void placement(const Task& task, std::string_view type, MultiError& errors) {
  for (size_t i = 0; i < task.Constraints.size(); ++i) {
    auto& constraint = task.Constraints[i];
    errors.add_nested(fmt::format("Constraint {} validation failed: ", i + 1), validate(constraint));
    if (among(constraint.Operand, {"distinct_hosts", "distinct_property"}))
      errors.add(fmt::format("Constraint {} has disallowed Operand at task level: {}", i + 1, constraint.Operand));
  }
  validation::affinities(task.Affinities, type, errors);
}

void helpers(const Task& task, MultiError& errors) {
  if (task.DispatchPayload && path_escapes_alloc("task/local/", task.DispatchPayload->File))
    errors.add("Dispatch Payload validation failed: destination escapes allocation directory");
  if (auto* lifecycle = task.Lifecycle.get()) {
    if (lifecycle->Hook.empty())
      errors.add("Lifecycle validation failed: no lifecycle hook provided");
    else if (!among(lifecycle->Hook, {"prestart", "poststart", "poststop"}))
      errors.add("Lifecycle validation failed: invalid hook: " + lifecycle->Hook);
  }
}

void mounts_and_plugin(const Task& task, MultiError& errors) {
  for (size_t i = 0; i < task.VolumeMounts.size(); ++i) {
    auto& mode = task.VolumeMounts[i].PropagationMode;
    if (!among(mode, {"", "private", "host-to-task", "bidirectional"}))
      errors.add(fmt::format("Volume Mount ({}) has an invalid propagation mode: \"{}\"", i, mode));
  }
  auto* plugin = task.CSIPluginConfig.get();
  if (!plugin) return;
  if (plugin->ID.empty()) errors.add("CSIPluginConfig must have a non-empty PluginID");
  if (!among(plugin->Type, {"node", "controller", "monolith"}))
    errors.add(fmt::format("CSIPluginConfig PluginType must be one of 'node', 'controller', or 'monolith', got: \"{}\"",
                           plugin->Type));
}

}  // namespace

bool path_escapes_alloc(std::string_view prefix, std::string_view path) {
  // Two made-up levels stand for the allocation's directory; only their number counts.
  auto parts = elements(fmt::format("/allocs/alloc/{}/{}", prefix, path));
  if (parts.size() < 2 || parts[0] != "allocs" || parts[1] != "alloc") return true;
  return parts.size() > 2 && parts[2].starts_with("..");
}

MultiError validate(const Task& task, std::string_view type, const TaskGroup& group) {
  MultiError errors;
  names(task, errors);
  if (!task.Resources)
    errors.add("Missing task resources");
  else
    errors.add_nested(validate(*task.Resources));
  if (!task.LogConfig)
    errors.add("Missing Log Config");
  else
    errors.add_nested(log_problems(*task.LogConfig));
  placement(task, type, errors);
  errors.add_nested(validation::task_services(task, group.Networks));
  if (task.LogConfig && group.EphemeralDisk) {
    int64_t logs_mb = task.LogConfig->MaxFiles * task.LogConfig->MaxFileSizeMB;
    if (group.EphemeralDisk->SizeMB <= logs_mb)
      errors.add(fmt::format("log storage ({} MB) must be less than requested disk capacity ({} MB)", logs_mb,
                             group.EphemeralDisk->SizeMB));
  }
  for (size_t i = 0; i < task.Artifacts.size(); ++i)
    errors.add_nested(fmt::format("Artifact {} validation failed: ", i + 1), artifact_problems(task.Artifacts[i]));
  if (task.Vault) errors.add_nested("Vault validation failed: ", vault_problems(*task.Vault));
  templates(task, errors);
  helpers(task, errors);
  proxy_kind(task, group, errors);
  mounts_and_plugin(task, errors);
  return errors;
}

}  // namespace drover
