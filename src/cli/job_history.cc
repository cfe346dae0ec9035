// job history, job inspect.
#include <fmt/format.h>

#include "base/strings.h"
#include "cli/api.h"
#include "cli/format.h"
#include "cli/job_commands.h"
#include "cli/job_diff.h"
#include "cli/output.h"
#include "cli/resolve.h"
#include "model/api_job.h"
#include "model/diff.h"

namespace drover::cli {

// What the versions endpoint gives, with jobs in the clients' shape.
struct VersionsAnswer {
  List<api::Job> Versions;
  List<JobDiff> Diffs;
};

}  // namespace drover::cli

namespace drover {
DROVER_TYPE(cli::VersionsAnswer)
}
DROVER_DESCRIBE(drover::cli::VersionsAnswer, "api.JobVersionsResponse", DROVER_FIELD(Versions), DROVER_FIELD(Diffs))

namespace drover::cli {
namespace {

Result<std::optional<uint64_t>> wanted_version(const Context& c) {
  auto text = c.args.text("version");
  if (text.empty()) return std::nullopt;
  auto n = parse_uint(text);
  if (!n)
    return invalid(fmt::format("Error parsing version value {0}: strconv.ParseUint: parsing {0}: invalid syntax", go_quote(text)));
  return *n;
}

void show_version(const Context& c, const api::Job& job, const JobDiff* diff) {
  std::vector<std::pair<std::string, std::string>> rows{
      {"Version", std::to_string(job.Version.value_or(0))},
      {"Stable", yes_no(job.Stable.value_or(false))},
      {"Submit Date", absolute_time(job.SubmitTime.value_or(0))},
  };
  if (diff)
    rows.emplace_back("Diff", "\n" + std::string(trim_space(c.ui.colorize(diff_text(*diff, false)))));
  if (c.args.on("full")) rows.emplace_back("Full", "JSON Job:\n" + json_text(job));
  std::string out;
  for (auto& [key, value] : rows)
    out += fmt::format("{}{:<11} = {}", out.empty() ? "" : "\n", key, value);
  c.ui.output(out);
}

int run_job_history(Context& c) {
  auto given = c.args.rest.size();
  if (given < 1 || given > 2) return c.misuse("This command takes one argument: <job>");  // a second one is not looked at
  if (formatted(c) && (c.args.on("p") || c.args.on("full")))
    return c.fail("-json and -t are exclusive with -p and -full");
  auto* api = c.connect();
  if (!api) return 1;
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto params = ref->params();
  bool with_diffs = c.args.on("p");
  params.emplace_back("diffs", yes_no(with_diffs));
  auto answer = api->get_as<VersionsAnswer>("/v1/job/" + escape(ref->id) + "/versions", params);
  if (!answer) return c.fail("Error retrieving job versions: " + answer.error().message);
  auto wanted = wanted_version(c);
  if (!wanted) return c.fail(wanted.error().message);
  auto& versions = answer->Versions;
  if (formatted(c) && !*wanted) return *print_formatted(c, versions);
  bool any = false;
  for (size_t i = 0; i < versions.size(); ++i) {
    if (*wanted && versions[i].Version.value_or(0) != **wanted) continue;
    if (formatted(c)) return *print_formatted(c, versions[i]);
    if (any) c.ui.output("");
    any = true;
    show_version(c, versions[i], with_diffs && i < answer->Diffs.size() ? &answer->Diffs[i] : nullptr);
  }
  return any ? 0 : c.fail("Error printing job history for non-existing job or job version");
}

int run_job_inspect(Context& c) {
  bool listing = c.args.rest.empty() && formatted(c);
  if (c.args.rest.size() != 1 && !listing) return c.misuse("This command takes one argument: <job>");
  auto* api = c.connect();
  if (!api) return 1;
  if (listing) {
    auto jobs = api->get_as<List<JobListStub>>("/v1/jobs");
    if (!jobs) return c.fail("Error querying jobs: " + jobs.error().message);
    return *print_formatted(c, *jobs);
  }
  auto ref = find_job(*api, c.args.rest[0]);
  if (!ref) return c.fail(ref.error().message);
  auto wanted = wanted_version(c);
  if (!wanted) return c.fail(wanted.error().message);
  auto path = "/v1/job/" + escape(ref->id);
  api::Job job;
  if (*wanted) {
    auto answer = api->get_as<VersionsAnswer>(path + "/versions", ref->params());
    if (!answer) return c.fail("Error inspecting job: " + answer.error().message);
    bool found = false;
    for (auto& v : answer->Versions) {
      if (v.Version.value_or(0) != **wanted) continue;
      job = v;
      found = true;
    }
    if (!found)
      return c.fail(fmt::format("Error inspecting job: job \"{}\" with version {} couldn't be found", ref->id, **wanted));
  } else {
    auto answer = api->get_as<api::Job>(path, ref->params());
    if (!answer) return c.fail("Error inspecting job: " + answer.error().message);
    job = std::move(*answer);
  }
  if (auto done = print_formatted(c, job)) return *done;
  c.ui.output("{\n    \"Job\": " + replace_all(json_text(job), "\n", "\n    ") + "\n}");
  return 0;
}

constexpr Flag kHistoryFlags[] = {
    {"p", FlagKind::kBool, "", "Show how each version differs from the one before.", ""},
    {"full", FlagKind::kBool, "", "Show the whole job of each version.", ""},
    {"version", FlagKind::kText, "=<version>", "Show this version only.", ""},
    kJsonFlag,
    kTemplateFlag,
};
constexpr Flag kInspectFlags[] = {
    {"version", FlagKind::kText, "=<version>", "Show this version of the job.", ""}, kJsonFlag, kTemplateFlag};

constexpr Command kCommands[] = {
    {.name = "job history",
     .synopsis = "Display all tracked versions of a job",
     .usage = "Usage: nomad job history [options] <job>",
     .about = "Shows the versions of a job that the servers keep; 'job revert' goes back to one.",
     .general = General::kAll,
     .options = "History Options",
     .flags = kHistoryFlags,
     .run = run_job_history},
    {.name = "job inspect",
     .synopsis = "Inspect a submitted job",
     .usage = "Usage: nomad job inspect [options] <job>\nAlias: nomad inspect",
     .about = "Shows a job as the servers have it, in JSON.",
     .general = General::kAll,
     .options = "Inspect Options",
     .flags = kInspectFlags,
     .run = run_job_inspect},
};

}  // namespace

std::span<const Command> job_history_commands() { return kCommands; }

}  // namespace drover::cli
