#include "cli/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/strings.h"
#include "cli/format.h"
#include "cli/tables.h"
#include "model/client_status.h"

namespace drover::cli {

std::string sanitize_uuid_prefix(std::string_view prefix) {
  auto digits = prefix.size() - static_cast<size_t>(std::count(prefix.begin(), prefix.end(), '-'));
  return std::string(digits % 2 ? prefix.substr(0, prefix.size() - 1) : prefix);
}

std::optional<AllocListStub> find_alloc_stub(Context& c, Api& api, const std::string& prefix, std::string_view too_short) {
  if (prefix.size() == 1) {
    c.fail(too_short);
    return std::nullopt;
  }
  auto found = api.get_as<List<AllocListStub>>("/v1/allocations", {{"prefix", sanitize_uuid_prefix(prefix)}});
  if (!found) {
    c.fail("Error querying allocation: " + found.error().message);
    return std::nullopt;
  }
  if (found->empty()) {
    c.fail(fmt::format("No allocation(s) with prefix or id \"{}\" found", prefix));
    return std::nullopt;
  }
  if (found->size() > 1) {
    c.fail("Prefix matched multiple allocations\n\n" + alloc_stub_list(*found, c.verbose(), c.now()));
    return std::nullopt;
  }
  return found->front();
}

std::optional<Allocation> find_alloc(Context& c, Api& api, const std::string& prefix, std::string_view too_short) {
  auto stub = find_alloc_stub(c, api, prefix, too_short);
  if (!stub) return std::nullopt;
  auto alloc = api.get_as<Allocation>("/v1/allocation/" + stub->ID.str(), {{"namespace", stub->Namespace}});
  if (!alloc) {
    c.fail("Error querying allocation: " + alloc.error().message);
    return std::nullopt;
  }
  return std::move(*alloc);
}

std::optional<std::string> random_alloc_of_job(Context& c, Api& api, const std::string& job) {
  auto found = api.get_as<List<AllocListStub>>("/v1/job/" + escape(job) + "/allocations");
  if (!found) {
    c.fail(fmt::format("Error fetching allocations: error querying job \"{}\": {}", job, found.error().message));
    return std::nullopt;
  }
  if (found->empty()) {
    c.fail(fmt::format("Error fetching allocations: job \"{}\" doesn't exist or it has no allocations", job));
    return std::nullopt;
  }
  std::vector<std::string> running, any;
  for (auto& a : *found) {
    any.push_back(a.ID.str());
    if (a.ClientStatus == "running") running.push_back(a.ID.str());
  }
  auto& from = running.empty() ? any : running;
  std::random_device device;
  return from[device() % from.size()];
}

Result<std::string> find_node_id(Api& api, const std::string& prefix, std::string_view too_short, std::string_view what) {
  if (prefix.size() == 1) return invalid(std::string(too_short));
  auto found = api.get_as<List<NodeListStub>>("/v1/nodes", {{"prefix", sanitize_uuid_prefix(prefix)}});
  if (!found) return invalid(fmt::format("Error {}: {}", what, found.error().message));
  if (found->empty()) return invalid(fmt::format("No node(s) with prefix or id \"{}\" found", prefix));
  if (found->size() > 1) return invalid("Prefix matched multiple nodes\n\n" + node_stub_list(*found, true));
  return found->front().ID.str();
}

std::optional<std::string> find_eval_id(Context& c, Api& api, const std::string& prefix) {
  if (prefix.size() == 1) {
    c.fail("Identifier must contain at least two characters.");
    return std::nullopt;
  }
  auto found = api.get_as<List<Evaluation>>("/v1/evaluations", {{"prefix", sanitize_uuid_prefix(prefix)}});
  if (!found) {
    c.fail("Error querying evaluation: " + found.error().message);
    return std::nullopt;
  }
  if (found->empty()) {
    c.fail(fmt::format("No evaluation(s) with prefix or id \"{}\" found", prefix));
    return std::nullopt;
  }
  if (found->size() > 1) {
    c.fail("Prefix matched multiple evaluations\n\n" + eval_list(*found, c.verbose()));
    return std::nullopt;
  }
  return found->front().ID.str();
}

Result<FoundDeployment> find_deployment(Api& api, const std::string& prefix) {
  if (prefix.size() == 36) {
    DROVER_TRY(auto d, api.get_as<Deployment>("/v1/deployment/" + escape(prefix)));
    return FoundDeployment{std::move(d), {}};
  }
  auto digits = replace_all(prefix, "-", "");
  if (digits.size() == 1) return invalid("Identifier must contain at least two characters.");
  if (digits.size() % 2) digits.pop_back();
  DROVER_TRY(auto found, api.get_as<List<Deployment>>("/v1/deployments", {{"prefix", digits}}));
  if (found.empty()) return not_found(fmt::format("Deployment ID \"{}\" matched no deployments", prefix));
  if (found.size() == 1) return FoundDeployment{found.front(), {}};
  return FoundDeployment{std::nullopt, std::move(found)};
}

Result<JobRef> find_job(Api& api, std::string_view prefix, const std::function<bool(const JobListStub&)>& fits,
                        std::string_view kind) {
  std::string id(trim_space(prefix));
  auto found = api.get_as<List<JobListStub>>("/v1/jobs", {{"prefix", id}});
  if (!found) {
    if (found.error().message.find("Permission denied") != std::string::npos) return JobRef{id, ""};
    return invalid(fmt::format("Error querying job prefix \"{}\": {}", id, found.error().message));
  }
  List<JobListStub> jobs;
  for (auto& job : *found)
    if (!fits || fits(job)) jobs.push_back(job);
  if (jobs.empty()) return not_found(fmt::format("No {}(s) with prefix or ID \"{}\" found", kind, id));
  if (jobs.size() > 1) {
    bool exact = jobs[0].ID == id;
    bool twice = api.all_namespaces() && jobs[0].ID == jobs[1].ID;
    if (!exact || twice)
      return invalid(fmt::format("Prefix \"{}\" matched multiple jobs\n\n{}", id, job_list(jobs, api.all_namespaces())));
  }
  return JobRef{jobs[0].ID, jobs[0].JobSummary ? jobs[0].JobSummary->Namespace : jobs[0].Namespace};
}

namespace {
std::vector<std::string> task_names(const Allocation& alloc) {
  std::vector<std::string> names;
  if (auto* group = alloc.Job ? task_group_of(alloc) : nullptr)
    for (auto& task : group->Tasks) names.push_back(task.Name);
  return names;
}
}  // namespace

Result<std::string> only_task(const Allocation& alloc, std::string_view) {
  auto names = task_names(alloc);
  if (names.empty()) return invalid("Could not find allocated task group");
  if (names.size() == 1) return names[0];
  auto text = fmt::format("Allocation \"{}\" is running the following tasks:\n", alloc.ID.short_str());
  for (auto& name : names) text += "  * " + name + "\n";
  return invalid(text + "\nPlease specify the task.");
}

Status check_task(const std::string& task, const Allocation& alloc) {
  auto names = task_names(alloc);
  if (std::find(names.begin(), names.end(), task) != names.end()) return {};
  return invalid(fmt::format("Could not find task named: {}, found:\n{}", task, join(names, "\n")));
}

}  // namespace drover::cli
