// The whole way of an HCL2 job file (reference hcl2 section 1).
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "codec/json.h"
#include "hcl/functions.h"
#include "hcl/variables.h"
#include "jobspec/decoder.h"
#include "jobspec/jobspec.h"
#include "jobspec/normalize.h"

namespace drover::jobspec {
namespace {

// The outer form of a JSON job.
struct JsonJob {
  Box<api::Job> Job;
};

}  // namespace
}  // namespace drover::jobspec

namespace drover {
DROVER_TYPE(jobspec::JsonJob)
}  // namespace drover
DROVER_DESCRIBE(drover::jobspec::JsonJob, "struct { NestedJob *api.Job; api.Job }", DROVER_FIELD(Job))

namespace drover::jobspec {
namespace {

using hcl::Diagnostics;

constexpr size_t kVarFileBytesMax = 64 << 20;

std::optional<std::string> read_file(const std::string& path, int& error) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    error = errno;
    return std::nullopt;
  }
  std::string bytes;
  char buffer[16384];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    bytes.append(buffer, n);
    if (bytes.size() > kVarFileBytesMax) break;
  }
  if (std::ferror(file.get())) {
    error = errno;
    return std::nullopt;
  }
  return bytes;
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + ('a' - 'A'));
  return text;
}

// Bodies of all var files, in order of precedence; or what is wrong with the first bad one.
Result<std::vector<hcl::Body>> read_var_files(const ParseOptions& options) {
  std::vector<hcl::Body> bodies;
  for (auto& path : options.var_files) {
    Diagnostics diagnostics;
    int error = 0;
    auto text = read_file(path, error);
    if (!text)
      diagnostics.add("Failed to read file", fmt::format("failed to read \"{0}\": {1} {0}: {2}", path, error == EISDIR ? "read" : "open",
                                                         lower_first(std::strerror(error))));
    else
      bodies.push_back(hcl::parse_file(path, std::move(*text), diagnostics).body());
    if (!diagnostics.empty()) return invalid("unable to parse var file: " + diagnostics.summary_line());
  }
  if (!options.var_content.empty()) {
    Diagnostics diagnostics;
    bodies.push_back(hcl::parse_file(options.path, options.var_content, diagnostics).body());
    if (!diagnostics.empty()) return invalid("unable to parse var content: " + diagnostics.summary_line());
  }
  return bodies;
}

const hcl::Schema& top_schema() {
  static const hcl::Schema schema{
      {}, {{"variables", {}}, {"variable", {"name"}}, {"locals", {}}, {"job", {"name"}}}};
  return schema;
}

// One parse: the file's variables, then its job.
class Parser {
 public:
  explicit Parser(const ParseOptions& options)
      : options_(options),
        functions_({.allow_files = options.allow_fs, .base_dir = options.base_dir, .home = options.home,
                    .random = options.random}),
        no_files_({.allow_files = false, .base_dir = "", .home = "", .random = options.random}) {
    scope_.functions = &functions_;
    scope_.undefined_as_text = true;
  }

  Result<api::Job> parse() {
    DROVER_TRY(auto var_files, read_var_files(options_));
    auto file = hcl::parse_file(options_.path, options_.text, diagnostics_);
    if (!diagnostics_.empty()) return invalid(diagnostics_.summary_line());
    auto content = file.body().content(top_schema(), diagnostics_);
    if (diagnostics_.empty()) variables(content, var_files);
    api::Job out;
    std::string opaque_problem;
    if (diagnostics_.empty()) opaque_problem = job(content, out);
    if (!diagnostics_.empty()) {
      diagnostics_.append(warnings_);
      return invalid(diagnostics_.all_lines());
    }
    if (!opaque_problem.empty()) return invalid(std::move(opaque_problem));
    return out;
  }

 private:
  void variables(const hcl::Content& content, const std::vector<hcl::Body>& var_files) {
    hcl::Variables variables;
    for (auto& block : content.blocks) {
      if (block.type == "variable") variables.declare(block, diagnostics_);
      if (block.type == "variables") variables.declare_shorthand(block, diagnostics_);
      if (block.type == "locals") variables.add_locals(block, diagnostics_);
    }
    size_t before = diagnostics_.size();
    variables.set_from_environment(options_.env, diagnostics_);
    auto& undefined = options_.strict ? diagnostics_ : warnings_;
    bool complete = std::all_of(var_files.begin(), var_files.end(), [&](auto& body) {
      return variables.set_from_file(body, diagnostics_.size() != before, undefined, diagnostics_);
    });
    if (complete) variables.set_from_arguments(options_.args, undefined, diagnostics_);
    variables.check(no_files_, diagnostics_);
    variables.evaluate_locals(scope_, diagnostics_);
  }

  // The first `job` block; null when there is none.
  const hcl::Block* job_block(const hcl::Content& content) {
    const hcl::Block* found = nullptr;
    for (auto& block : content.blocks) {
      if (block.type != "job") continue;
      if (found) {
        diagnostics_.add("Duplicate job block",
                         fmt::format("Only one block of type \"job\" is allowed. Previous definition was at {}.",
                                     hcl::Location(found->def_range).str()),
                         block.def_range);
        continue;
      }
      found = &block;
    }
    if (!found) diagnostics_.add("Missing job block", "A job block is required");
    return found;
  }

  // `vault` and `task` blocks directly in the job.
  void extras(const std::vector<hcl::Block>& blocks, Decoder& decoder, Box<api::Vault>& vault, List<api::Task>& tasks) {
    const hcl::Block* first_vault = nullptr;
    for (auto& block : blocks) {
      if (block.type == "task") {
        decoder.block(*task_spec(), block, &tasks.emplace_back());
      } else if (first_vault) {
        diagnostics_.add("Duplicate vault block",
                         fmt::format("Only one block of type \"vault\" is allowed. Previous definition was at {}.",
                                     hcl::Location(first_vault->def_range).str()),
                         block.def_range);
      } else {
        first_vault = &block;
        decoder.block(*vault_spec(), block, &vault.emplace());
      }
    }
  }

  // "" or what is wrong with the driver configs, when nothing else is wrong.
  std::string job(const hcl::Content& content, api::Job& out) {
    auto* block = job_block(content);
    if (!block) return "";
    Decoder decoder(scope_, diagnostics_);
    auto whole = hcl::expand_dynamic(block->body, &scope_);
    Map<std::string> meta;
    bool has_meta = decoder.map_attribute(whole, "meta", meta);
    hcl::Body body;
    auto extra = whole.partial_content({{}, {{"vault", {}}, {"task", {"name"}}}}, body, diagnostics_);
    Box<api::Vault> vault;
    List<api::Task> tasks;
    extras(extra.blocks, decoder, vault, tasks);
    decoder.body(*job_spec(), body, &out);
    if (has_meta) out.Meta = std::move(meta);
    if (!out.Name) out.Name = block->labels[0];
    if (!out.ID) out.ID = block->labels[0];
    normalize(out, std::move(tasks), std::move(vault));
    return decoder.opaque_diagnostics().summary_line();
  }

  const ParseOptions& options_;
  hcl::Functions functions_, no_files_;
  hcl::Scope scope_;
  Diagnostics diagnostics_;
  Diagnostics warnings_;  // told only beside errors
};

}  // namespace

Result<api::Job> parse(const ParseOptions& options) { return Parser(options).parse(); }

Result<api::Job> parse_json(std::string_view text) {
  DROVER_TRY(auto outer, from_json<JsonJob>(text));
  if (outer.Job) return std::move(*outer.Job);
  return from_json<api::Job>(text);
}

}  // namespace drover::jobspec
