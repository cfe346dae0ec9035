#include "model/admission.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "model/canonicalize.h"
#include "model/job_diff.h"
#include "model/validate.h"

namespace drover {
namespace {

const Namespace* find_default(std::string_view name) {
  static const Namespace ns = [] {
    Namespace n;
    n.Name = "default";
    n.Capabilities.emplace().DisabledTaskDrivers = {"java"};
    return n;
  }();
  return name == "default" ? &ns : nullptr;
}

Job job_of(std::string_view json) {
  auto job = from_json<api::Job>(json);
  EXPECT_TRUE(job) << (job ? "" : job.error().message);
  return job_from_api(job ? *job : api::Job{});
}

Admission admitted(std::string_view json) {
  AdmissionOptions options;
  options.find_namespace = find_default;
  return admit(job_of(json), options);
}

constexpr std::string_view kGood =
    R"({"ID": "j", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "raw_exec"}]}]})";

TEST(Canonicalize, IsIdempotentOnBothSides) {
  auto job = *from_json<api::Job>(kGood);
  canonicalize(job);
  auto again = job;
  canonicalize(again);
  EXPECT_EQ(job, again);
  auto server = job_from_api(job);
  canonicalize(server);
  auto server_again = server;
  canonicalize(server_again);
  EXPECT_EQ(server, server_again);
}

TEST(Canonicalize, GroupPoliciesLieOverTheJobs) {
  auto job = job_of(R"({"ID": "j", "Type": "service", "Update": {"MaxParallel": 4, "AutoRevert": true},
    "TaskGroups": [{"Name": "a"}, {"Name": "b", "Update": {"MaxParallel": 1, "AutoRevert": false}}]})");
  EXPECT_EQ(job.TaskGroups[0].Update->MaxParallel, 4);
  EXPECT_TRUE(job.TaskGroups[0].Update->AutoRevert);
  EXPECT_EQ(job.TaskGroups[1].Update->MaxParallel, 1);
  EXPECT_FALSE(job.TaskGroups[1].Update->AutoRevert);
  EXPECT_EQ(job.Update.MaxParallel, 4);
  EXPECT_EQ(job.Update.HealthyDeadline, 0s);
}

TEST(Canonicalize, ServerFieldsOfAClientAreDropped) {
  auto job = job_of(R"({"ID": "j", "Dispatched": true, "ParentID": "p", "Version": 7, "Status": "dead", "Stable": true})");
  EXPECT_FALSE(job.Dispatched);
  EXPECT_EQ(job.ParentID, "");
  EXPECT_EQ(job.Version, 0u);
  EXPECT_EQ(job.Status, "");
}

TEST(Admission, TakesAGoodJob) {
  auto out = admitted(kGood);
  EXPECT_FALSE(out.mutator_error);
  EXPECT_EQ(out.errors.text(), "");
  EXPECT_TRUE(out.warnings.empty());
  EXPECT_EQ(out.job.Datacenters, List<std::string>{"*"});
}

TEST(Admission, NestsProblemsAsText) {
  auto out = admitted(R"({"ID": "two words", "TaskGroups": [{"Name": "g", "Count": -3, "Tasks": [{"Name": "t"}]}]})");
  EXPECT_EQ(out.errors.text(),
            "2 errors occurred:\n\t* Job ID contains a space\n\t* Task group g validation failed: 2 errors occurred:\n\t* "
            "Task group count can't be negative\n\t* Task t validation failed: 1 error occurred:\n\t* Missing task "
            "driver\n\n\n\n\n\n");
}

TEST(Admission, HoldsNamespacesToTheirDrivers) {
  auto out = admitted(R"({"ID": "j", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "java"}]}]})");
  ASSERT_EQ(out.errors.items().size(), 1u);
  EXPECT_EQ(out.errors.items()[0], R"(used task driver "java" is not allowed in namespace "default")");
  out = admitted(R"({"ID": "j", "Namespace": "no", "TaskGroups": [{"Name": "g", "Tasks": [{"Name": "t", "Driver": "x"}]}]})");
  ASSERT_EQ(out.errors.items().size(), 1u);
  EXPECT_EQ(out.errors.items()[0], R"(job "j" is in nonexistent namespace "no")");
}

TEST(Admission, AsksVaultForWhatTheTokenMayDo) {
  auto job = job_of(R"({"ID": "j", "VaultToken": "s", "TaskGroups": [{"Name": "g", "Tasks": [
    {"Name": "t", "Driver": "raw_exec", "Vault": {"Policies": ["a", "b"]}}]}]})");
  AdmissionOptions options;
  EXPECT_EQ(admit(job, options).errors.items().front(), "Vault not enabled but used in the job");
  options.vault_enabled = true;
  EXPECT_FALSE(vault_token_needed(job, options));
  EXPECT_TRUE(admit(job, options).errors.empty());
  options.vault_allow_unauthenticated = false;
  EXPECT_TRUE(vault_token_needed(job, options));
  options.vault_token = VaultTokenLookup{.lookup_error = "", .policies_error = "", .policies = {"b"}};
  EXPECT_EQ(admit(job, options).errors.items().front(),
            "Vault token doesn't allow access to the following policies: a");
  options.vault_token->policies = {"root"};
  EXPECT_TRUE(admit(job, options).errors.empty());
}

constexpr std::string_view kMeshed = R"({"ID": "j", "TaskGroups": [{"Name": "g", "Networks": [{"Mode": "bridge"}],
  "Services": [{"Name": "s", "PortLabel": "9090", "Connect": {"SidecarService": {}},
    "Checks": [{"Type": "http", "Path": "/health", "Expose": true, "Interval": 1000000000, "Timeout": 1000000000}]}],
  "Tasks": [{"Name": "t", "Driver": "raw_exec"}]}]})";

TEST(Admission, AddsSidecarsOnce) {
  auto out = admitted(kMeshed);
  ASSERT_FALSE(out.mutator_error) << out.mutator_error->message;
  EXPECT_EQ(out.errors.text(), "");
  auto& group = out.job.TaskGroups[0];
  ASSERT_EQ(group.Tasks.size(), 2u);
  EXPECT_EQ(group.Tasks[1].Name, "connect-proxy-s");
  EXPECT_EQ(group.Tasks[1].Kind, "connect-proxy:s");
  // The proxy's own port and the exposed check's.
  EXPECT_EQ(group.Networks[0].DynamicPorts.size(), 2u);
  auto& paths = group.Services[0].Connect->SidecarService->Proxy->Expose->Paths;
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].LocalPathPort, 9090);
  EXPECT_EQ(paths[0].ListenerPort, group.Services[0].Checks[0].PortLabel);

  AdmissionOptions options;
  options.find_namespace = find_default;
  auto again = admit(out.job, options);
  EXPECT_EQ(again.job, out.job);
}

TEST(Admission, AMutatorsErrorEndsIt) {
  auto out = admitted(R"({"ID": "j", "TaskGroups": [{"Name": "g", "Networks": [{}], "Services": [{"Name": "n", "Connect":
    {"Native": true}}], "Tasks": [{"Name": "a", "Driver": "x"}, {"Name": "b", "Driver": "x"}]}]})");
  ASSERT_TRUE(out.mutator_error);
  EXPECT_EQ(out.mutator_error->code, ErrorCode::kInternal);
  EXPECT_EQ(out.mutator_error->message,
            "error in job mutator connect: task for Consul Connect Native service g->n is ambiguous and must be set");
}

TEST(Validate, PathsStayInTheAllocation) {
  EXPECT_FALSE(path_escapes_alloc("task", "local/x"));
  EXPECT_FALSE(path_escapes_alloc("task", "../alloc/x"));
  EXPECT_TRUE(path_escapes_alloc("task", "../../x"));
  EXPECT_TRUE(path_escapes_alloc("task", "/../../etc"));
  EXPECT_FALSE(path_escapes_alloc("task/local/", "../../alloc/x"));
  EXPECT_TRUE(path_escapes_alloc("task/local/", "../../../x"));
}

Job canonical(std::string_view json) {
  auto job = job_of(json);
  canonicalize(job);
  return job;
}

const ObjectDiff* find(const List<ObjectDiff>& objects, std::string_view name) {
  for (auto& o : objects)
    if (o.Name == name) return &o;
  return nullptr;
}

TEST(JobDiff, EqualJobsHaveNone) {
  auto job = canonical(kGood);
  auto diff = *diff_jobs(&job, &job, true);
  EXPECT_EQ(diff.Type, "None");
  EXPECT_TRUE(diff.Fields.is_nil());
  EXPECT_EQ(diff.TaskGroups[0].Type, "None");
  EXPECT_EQ(diff.TaskGroups[0].Tasks[0].Type, "None");
}

TEST(JobDiff, ListsUnchangedFieldsOfChangedObjects) {
  auto before = canonical(kGood), after = before;
  after.TaskGroups[0].Tasks[0].Resources->CPU = 777;
  auto diff = *diff_jobs(&before, &after, true);
  EXPECT_EQ(diff.Type, "Edited");
  auto* resources = find(diff.TaskGroups[0].Tasks[0].Objects, "Resources");
  ASSERT_TRUE(resources);
  EXPECT_EQ(resources->Fields.size(), 6u);
  EXPECT_EQ(resources->Fields[0].Type, "Edited");
  EXPECT_EQ(resources->Fields[1].Type, "None");
  EXPECT_FALSE(find(diff.TaskGroups[0].Tasks[0].Objects, "LogConfig"));
  auto plain = *diff_jobs(&before, &after, false);
  EXPECT_EQ(find(plain.TaskGroups[0].Tasks[0].Objects, "Resources")->Fields.size(), 1u);
}

TEST(JobDiff, WhatIsNotListedStillCounts) {
  auto before = canonical(kGood), after = before;
  after.TaskGroups[0].Tasks[0].VolumeMounts = {VolumeMount{.Volume = "v"}};
  auto diff = *diff_jobs(&before, &after, true);
  EXPECT_EQ(diff.TaskGroups[0].Tasks[0].Type, "Edited");
  EXPECT_TRUE(diff.TaskGroups[0].Tasks[0].Objects.empty());
  annotate_diff(diff, {});
  EXPECT_EQ(diff.TaskGroups[0].Tasks[0].Annotations, List<std::string>{"forces in-place update"});
}

TEST(JobDiff, PairsTemplatesByDestination) {
  auto before = canonical(kGood);
  auto& task = before.TaskGroups[0].Tasks[0];
  task.Templates = {Template{.DestPath = "a", .EmbeddedTmpl = "1"}, Template{.DestPath = "b", .EmbeddedTmpl = "2"}};
  auto after = before;
  auto& changed = after.TaskGroups[0].Tasks[0].Templates;
  std::swap(changed[0], changed[1]);
  changed[1].Uid = 7;
  changed[1].Wait = WaitConfig{.Min = Duration(5), .Max = std::nullopt};
  auto diff = *diff_jobs(&before, &after, false);
  auto& objects = diff.TaskGroups[0].Tasks[0].Objects;
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].Type, "Edited");
  ASSERT_EQ(objects[0].Fields.size(), 1u);
  EXPECT_EQ(objects[0].Fields[0].Name, "Uid");
  ASSERT_EQ(objects[0].Objects.size(), 1u);
  EXPECT_EQ(objects[0].Objects[0].Fields[1].New, "5");
}

TEST(JobDiff, PairsServicesByNamePortAndPlace) {
  auto before = canonical(kGood), after = before;
  auto service = [](std::string name, std::string port) { return Service{.Name = std::move(name), .PortLabel = std::move(port)}; };
  before.TaskGroups[0].Services = {service("a", "x"), service("b", "y"), service("c", "z")};
  after.TaskGroups[0].Services = {service("c", "z"), service("a", "w"), service("n", "q")};
  auto diff = *diff_jobs(&before, &after, false);
  std::vector<std::string> types;
  for (auto& o : diff.TaskGroups[0].Objects) types.push_back(o.Type);
  EXPECT_EQ(types, (std::vector<std::string>{"Edited", "Added", "Deleted"}));
}

TEST(JobDiff, RefusesDifferentJobs) {
  auto a = canonical(kGood), b = a;
  b.ID = "other";
  EXPECT_FALSE(diff_jobs(&a, &b, true));
}

TEST(JobDiff, AddedAndDeletedMirrorEachOther) {
  auto job = canonical(kMeshed);
  auto added = *diff_jobs(nullptr, &job, true), deleted = *diff_jobs(&job, nullptr, true);
  EXPECT_EQ(added.Type, "Added");
  EXPECT_EQ(deleted.Type, "Deleted");
  EXPECT_EQ(added.Fields.size(), deleted.Fields.size());
  EXPECT_EQ(added.TaskGroups[0].Objects.size(), deleted.TaskGroups[0].Objects.size());
}

}  // namespace
}  // namespace drover
