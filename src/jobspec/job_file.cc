#include "jobspec/job_file.h"

#include <fmt/format.h>

namespace drover::jobspec {

Status check_options(const JobFileOptions& options) {
  bool variables = !options.args.empty() || !options.var_files.empty();
  if (options.hcl1 && options.json) return invalid("cannot parse job file as HCL and JSON.");
  if (variables && options.json) return invalid("cannot use variables with JSON files.");
  if (variables && options.hcl1) return invalid("cannot use variables with HCLv1.");
  return {};
}

Result<api::Job> parse_job_file(std::string_view path, std::string text, const JobFileOptions& options) {
  if (options.json) {
    auto job = parse_json(text);
    if (!job) return invalid("Failed to parse JSON job: " + job.error().message);
    return job;
  }
  auto failed = [&](const Error& error) {
    return invalid(fmt::format("Error parsing job file from {}:\n{}", path, error.message));
  };
  if (options.hcl1) {
    auto job = parse_hcl1(text);
    return job ? std::move(job) : failed(job.error());
  }
  ParseOptions parse_options;
  parse_options.path = path == "-" ? "stdin" : path.substr(path.rfind('/') + 1);
  parse_options.text = std::move(text);
  parse_options.args = options.args;
  parse_options.var_files = options.var_files;
  parse_options.env = options.env;
  parse_options.allow_fs = true;
  parse_options.strict = options.strict;
  parse_options.home = options.home;
  parse_options.random = options.random;
  auto job = parse(parse_options);
  if (job) return job;
  if (parse_hcl1(parse_options.text))
    return invalid(
        "Failed to parse using HCL 2. Use the HCL 1 parser with `nomad run -hcl1`, or address the following issues:\n" +
        job.error().message);
  return failed(job.error());
}

std::string_view submission_format(const JobFileOptions& options) {
  return options.json ? "json" : options.hcl1 ? "hcl1" : "hcl2";
}

}  // namespace drover::jobspec
