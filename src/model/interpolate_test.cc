#include "model/interpolate.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TaskEnv env() {
  return TaskEnv({{"NOMAD_META_color", "blue"}, {"NOMAD_PORT_http", "8080"}}, {{"node.class", "big"}, {"attr.cpu.arch", "amd64"}});
}

TEST(Interpolate, ReplacesKnownNamesOnly) {
  EXPECT_EQ(env().replace("${NOMAD_META_color}-x"), "blue-x");
  EXPECT_EQ(env().replace("x-${node.class}-${attr.cpu.arch}"), "x-big-amd64");
  EXPECT_EQ(env().replace("${nope} $${node.class} ${ node.class } ${a[0]} ${"), "${nope} $big ${ node.class } ${a[0]} ${");
  EXPECT_EQ(env().replace(""), "");
}

TEST(Interpolate, ServicesChangeWhereTheyMay) {
  Service service;
  service.Name = "s-${NOMAD_META_color}";
  service.Tags = {"${NOMAD_META_color}", "${nope}"};
  service.Meta = {{"${node.class}", "${NOMAD_PORT_http}"}};
  service.OnUpdate = "${node.class}";
  auto& check = service.Checks.emplace_back();
  check.Path = "/${node.class}";
  check.Body = "${node.class}";
  check.Header["H"] = {"${node.class}"};
  auto out = env().replace(service);
  EXPECT_EQ(out.Name, "s-blue");
  EXPECT_EQ(out.Tags, (List<std::string>{"blue", "${nope}"}));
  EXPECT_EQ(out.Meta.get_or("big"), "8080");
  EXPECT_EQ(out.OnUpdate, "${node.class}");
  EXPECT_EQ(out.Checks[0].Path, "/big");
  EXPECT_EQ(out.Checks[0].Body, "${node.class}");
  EXPECT_EQ(out.Checks[0].Header.at("H")[0], "big");
}

TEST(Interpolate, CleansNames) {
  EXPECT_EQ(clean_env_name("NOMAD_META_a-b.c/d"), "NOMAD_META_a_b.c_d");
  EXPECT_EQ(clean_env_name("9x", true), "_x");
  EXPECT_EQ(clean_env_name("x9", true), "x9");
}

TEST(Interpolate, DeepestMetaWins) {
  Job job;
  job.Meta = {{"k", "job"}, {"only", "job"}};
  TaskGroup group;
  group.Meta = {{"k", "group"}};
  Task task;
  task.Meta = {{"k", "task"}};
  std::map<std::string, std::string> out;
  add_meta(job, group, &task, out);
  EXPECT_EQ(out["NOMAD_META_k"], "task");
  EXPECT_EQ(out["NOMAD_META_K"], "task");
  EXPECT_EQ(out["NOMAD_META_only"], "job");
}

}  // namespace
}  // namespace drover
