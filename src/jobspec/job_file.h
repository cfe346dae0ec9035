// Job files as commands take them: which of the three languages a file is in, and what is said when it cannot be read
// (reference jobspec section 1.4). Commands read the file (or standard input) themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jobspec/jobspec.h"

namespace drover::jobspec {

struct JobFileOptions {
  bool json = false;                   // -json
  bool hcl1 = false;                   // -hcl1; turns strict off
  bool strict = true;                  // -hcl2-strict
  std::vector<std::string> args;       // -var
  std::vector<std::string> var_files;  // -var-file
  std::vector<std::string> env;        // the whole environment, "KEY=value"
  std::string home;
  Random* random = nullptr;
};

// "cannot parse job file as HCL and JSON." and the like.
Status check_options(const JobFileOptions& options);

// `path` is the argument as it was given; "-" is standard input, which diagnostics call "stdin". Errors:
// "Error parsing job file from x.hcl:\n<diagnostics>", the advice to use -hcl1 when that would work, or
// "Failed to parse JSON job: <reason>".
Result<api::Job> parse_job_file(std::string_view path, std::string text, const JobFileOptions& options);

// What is sent along with a job: "hcl2", "hcl1" or "json".
std::string_view submission_format(const JobFileOptions& options);

}  // namespace drover::jobspec
