// Jobs: whole job files, and the shapes that arrive over the wire.
#include <string>

#include "base/world.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "fuzz/targets.h"
#include "jobspec/jobspec.h"
#include "model/admission.h"
#include "model/canonicalize.h"
#include "model/cron.h"
#include "model/job_diff.h"

namespace drover::fuzz {
namespace {

class FixedRandom : public Random {
 public:
  uint64_t next() override { return state_ += 0x9e3779b97f4a7c15; }

 private:
  uint64_t state_ = 1;
};

// What a server does with a job. It may refuse it; it must come to an end.
void admit_anyway(api::Job parsed) {
  auto canonical = parsed;
  canonicalize(canonical);
  auto once = to_json(canonical);
  canonicalize(canonical);
  promise(to_json(canonical) == once, "canonical jobs stay as they are");
  FixedRandom random;
  AdmissionOptions options;
  options.random = &random;
  auto admission = admit(job_from_api(std::move(parsed)), options);
  static_cast<void>(admission.errors.text());
  auto other = admission.job;
  other.Priority += 1;
  for (auto& group : other.TaskGroups) group.Count += 1;
  static_cast<void>(diff_jobs(&admission.job, &other, true));
  static_cast<void>(diff_jobs(nullptr, &other, false));
}

}  // namespace

void decoder(std::string_view input) {
  jobspec::ParseOptions options;
  options.path = "f.hcl";
  options.text = input;
  options.env = {"NOMAD_VAR_a=1", "NOMAD_VAR_b=[\"x\"]"};
  auto job = jobspec::parse(options);
  if (job) return admit_anyway(std::move(*job));
  promise(!job.error().message.empty(), "an error says something");
}

void json(std::string_view input) {
  auto parsed = from_json<api::Job>(input);
  if (parsed) {
    auto text = to_json(*parsed);
    auto again = from_json<api::Job>(text);
    promise(again.has_value() && to_json(*again) == text, "what is written reads back");
    admit_anyway(std::move(*parsed));
  }
  static_cast<void>(from_json<Job>(input));
  static_cast<void>(jobspec::parse_json(input));
}

void msgpack(std::string_view input) {
  auto job = from_msgpack<Job>(input);
  if (!job) return;
  auto bytes = to_msgpack(*job);
  auto again = from_msgpack<Job>(bytes);
  promise(again.has_value() && to_msgpack(*again) == bytes, "what is written reads back");
}

void cron(std::string_view input) {
  auto split = input.find('\n');
  auto parsed = Cron::parse(input.substr(0, split));
  std::string zone(split == std::string_view::npos ? "UTC" : input.substr(split + 1));
  if (!parsed || !check_time_zone(zone)) return;
  auto at = Time::from_unix_seconds(1'700'000'000);
  for (int i = 0; i < 5; ++i) {
    auto next = parsed->next(at, zone);
    if (!next) return;
    promise(*next > at, "launches go forward");
    static_cast<void>(format_launch(*next, zone));
    at = *next;
  }
}

}  // namespace drover::fuzz
