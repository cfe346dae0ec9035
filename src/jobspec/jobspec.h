// Job files to api::Job: HCL2 in native and JSON syntax, the legacy HCL1, and JSON jobs (reference jobspec sections 1 to
// 5 and 12, hcl2 section 1). The result is not canonicalized (model/canonicalize.h does that).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/api_job.h"

namespace drover {
class Random;
}

namespace drover::jobspec {

struct ParseOptions {
  std::string path;                    // the file's name in diagnostics
  std::string text;
  std::vector<std::string> args;       // "name=value" of -var
  std::vector<std::string> var_files;  // paths of -var-file, read here (allow_fs does not matter)
  std::string var_content;             // text of one more var file (the API's Variables), named like `path`
  std::vector<std::string> env;        // "KEY=value"; NOMAD_VAR_<name> sets variables
  bool allow_fs = false;               // file functions work
  bool strict = true;                  // values for variables that the file does not declare are errors
  std::string base_dir;                // where relative paths of file functions start; "" is the working directory
  std::string home;                    // for `~` in file functions
  Random* random = nullptr;            // for uuidv4 and bcrypt; the system's if null
};

// HCL2. The error's message is the diagnostics as the CLI prints them, without a final newline.
Result<api::Job> parse(const ParseOptions& options);

// HCL1, also in its JSON form.
Result<api::Job> parse_hcl1(std::string_view text);

// A job as the API has it: {"Job": {...}} or the job itself.
Result<api::Job> parse_json(std::string_view text);

}  // namespace drover::jobspec
