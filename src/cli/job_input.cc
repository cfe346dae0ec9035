#include "cli/job_input.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/files.h"
#include "cli/format.h"
#include "jobspec/job_file.h"
#include "model/canonicalize.h"
#include "model/cron.h"
#include "net/blocking_http.h"

namespace drover::cli {
namespace {

// Follows what a URL gives; the schemes of version control systems need their programs and are not for job files here.
Result<std::string> download(const std::string& url) {
  net::BlockingHttp http;
  net::HttpCall call;
  call.url = url;
  DROVER_TRY(auto response, http.call(std::move(call)));
  if (response.status != 200) return internal(fmt::format("bad response code: {}", response.status));
  return std::move(response.body);
}

Result<std::string> fetch(const std::string& source) {
  if (source.starts_with("http://") || source.starts_with("https://")) return download(source);
  auto path = source;
  if (path.starts_with("file://")) path = path.substr(7);
  else if (auto scheme = path.find("://"), force = path.find("::"); scheme != path.npos || force != path.npos)
    return invalid(fmt::format("download not supported for scheme '{}'", path.substr(0, std::min(scheme, force))));
  if (!path.starts_with('/')) path = working_directory() + "/" + path;
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return not_found("source path error: stat " + path + ": " + errno_text(errno));
  if (S_ISDIR(s.st_mode)) return invalid("source path must be a file");
  return read_file(path);
}

std::string env_or(const Context& c, std::string_view flag, std::string_view variable) {
  auto value = c.args.text(flag);
  return value.empty() ? c.io.getenv(variable) : value;
}

Result<api::JobSubmission> submission_of(const jobspec::JobFileOptions& options, const std::string& text) {
  api::JobSubmission s;
  s.Source = text;
  s.Format = jobspec::submission_format(options);
  for (auto& pair : options.args) {
    auto equals = pair.find('=');
    if (equals != pair.npos) s.VariableFlags.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  for (auto& file : options.var_files) {
    DROVER_TRY(auto content, read_file(file));
    s.Variables += content + "\n";
  }
  return s;
}

}  // namespace

std::optional<JobInput> read_job(Context& c, const std::string& path) {
  jobspec::JobFileOptions options;
  options.json = c.args.on("json");
  options.hcl1 = c.args.on("hcl1");
  options.strict = c.args.on("hcl2-strict") && !options.hcl1;
  options.args = c.args.list("var");
  options.var_files = c.args.list("var-file");
  options.env = c.io.env;
  options.home = c.io.getenv("HOME");
  if (auto ok = jobspec::check_options(options); !ok) {
    c.fail("Invalid job options: " + ok.error().message);
    return std::nullopt;
  }
  auto give_up = [&](const Error& e) -> std::optional<JobInput> {
    c.fail("Error getting job struct: " + e.message);
    return std::nullopt;
  };
  if (path.empty()) return give_up(invalid("Error jobfile path has to be specified."));
  auto text = path == "-" ? Result<std::string>(c.io.read_all()) : fetch(path);
  if (!text) return give_up(std::move(text).error().with_context(fmt::format("Error getting jobfile from \"{}\"", path)));
  auto job = jobspec::parse_job_file(path, *text, options);
  if (!job) return give_up(job.error());
  auto submission = submission_of(options, *text);
  if (!submission) return give_up(submission.error());
  return JobInput{std::move(*job), std::move(*submission)};
}

void add_vault(Context& c, api::Job& job) {
  if (auto token = env_or(c, "vault-token", "VAULT_TOKEN"); !token.empty()) job.VaultToken = token;
  if (auto space = c.args.text("vault-namespace"); !space.empty()) job.VaultNamespace = space;
}

void add_consul(Context& c, api::Job& job) {
  if (auto token = env_or(c, "consul-token", "CONSUL_HTTP_TOKEN"); !token.empty()) job.ConsulToken = token;
  if (auto space = c.args.text("consul-namespace"); !space.empty()) job.ConsulNamespace = space;
}

void follow_job(Api& api, const api::Job& job) {
  if (job.Region && !job.Region->empty()) api.set_region(*job.Region);
  if (job.Namespace && !job.Namespace->empty()) api.set_namespace(*job.Namespace);
}

void show_warnings(const Context& c, std::string_view warnings) {
  if (!warnings.empty()) c.ui.output(c.ui.colorize(fmt::format("[bold][yellow]Job Warnings:\n{}[reset]\n", warnings)));
}

std::string next_launch_text(const api::Job& job, Time now) {
  if (!job.Periodic) return {};
  api::Job filled;
  filled.ID = job.ID;
  filled.Periodic = job.Periodic;
  canonicalize(filled);
  auto& p = *filled.Periodic;
  PeriodicConfig periodic{p.Enabled.value_or(true), p.Spec.value_or(""), p.SpecType.value_or("cron"),
                          p.ProhibitOverlap.value_or(false), p.TimeZone.value_or("UTC")};
  auto next = next_launch(periodic, now);
  if (!next) return {};
  return fmt::format("{} ({} from now)", format_launch(*next, periodic.TimeZone), whole_seconds(*next - now));
}

}  // namespace drover::cli
