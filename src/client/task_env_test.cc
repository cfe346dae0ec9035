#include "client/task_env.h"

#include <gtest/gtest.h>

#include "client/client_testing.h"
#include "client/driver_config.h"

namespace drover::client {
namespace {

class TaskEnvTest : public testing::Test {
 protected:
  TaskEnvTest() {
    node_.ID = Uuid::generate(random_);
    node_.Name = "n1";
    node_.Datacenter = "dc1";
    node_.NodeClass = "big";
    node_.CgroupParent = "nomad.slice";
    node_.Attributes.set("cpu.arch", "amd64");
    node_.Meta.set("rack", "r1");
    job_ = test_job();
    job_.Meta.set("owner", "job");
    job_.Meta.set("a-b", "dashed");
    job_.TaskGroups[0].Meta.set("owner", "group");
    Task task = mock_task("web", {});
    task.Meta.set("where", "${node.datacenter}");
    task.Env.set("URL", "http://${NOMAD_ADDR_http}/${attr.cpu.arch}/${unknown}");
    task.Env.set("PATH", "/own");
    job_.TaskGroups[0].Tasks.push_back(task);
    job_.TaskGroups[0].Tasks.push_back(mock_task("db", {}));
  }
  RunEnv env(drivers::FsIsolation isolation = drivers::FsIsolation::kNone) {
    auto alloc = test_alloc(job_, random_);
    auto resources = *alloc.AllocatedResources;
    resources.Shared.Ports.push_back({"http", 22000, 8080, "10.0.0.7"});
    resources.Shared.Ports.push_back({"v6-port", 22001, 0, "fe80::7"});
    NetworkResource old;
    old.IP = "10.0.0.8";
    old.DynamicPorts.push_back({"sql", 23000, 0, ""});
    resources.Tasks["db"].Networks.push_back(old);
    resources.Tasks["web"].Cpu.ReservedCores = {1, 3, 4, 5};
    resources.Tasks["web"].Memory.MemoryMaxMB = 512;
    alloc.AllocatedResources = std::make_shared<const AllocatedResources>(resources);
    alloc_ = alloc;
    Map<std::string> hook{{"FROM_HOOK", "1"}};
    return build_task_env({node_, alloc_, alloc_.Job->TaskGroups[0].Tasks[0], "global",
                           task_dirs_of(isolation, "/allocs/x", "web"), &host_env_, {&hook}, nullptr});
  }

  SimRandom random_{4};
  Node node_;
  Job job_;
  Allocation alloc_;
  std::map<std::string, std::string> host_env_{{"PATH", "/host"}, {"HOME", "/root"}};
};

TEST_F(TaskEnvTest, AllVariables) {
  auto e = env().vars;
  auto id = alloc_.ID.str();
  const std::map<std::string, std::string> want = {
      {"FROM_HOOK", "1"},
      {"HOME", "/root"},
      {"NOMAD_ADDR_db_sql", "10.0.0.8:23000"},
      {"NOMAD_ADDR_http", "10.0.0.7:22000"},
      {"NOMAD_ADDR_v6_port", "[fe80::7]:22001"},
      {"NOMAD_ALLOC_DIR", "/allocs/x/alloc"},
      {"NOMAD_ALLOC_ID", id},
      {"NOMAD_ALLOC_INDEX", "0"},
      {"NOMAD_ALLOC_NAME", "example.web[0]"},
      {"NOMAD_ALLOC_PORT_http", "8080"},
      {"NOMAD_ALLOC_PORT_v6_port", "22001"},
      {"NOMAD_CPU_CORES", "1,3-5"},
      {"NOMAD_CPU_LIMIT", "500"},
      {"NOMAD_DC", "dc1"},
      {"NOMAD_GROUP_NAME", "web"},
      {"NOMAD_HOST_ADDR_http", "10.0.0.7:22000"},
      {"NOMAD_HOST_ADDR_v6_port", "[fe80::7]:22001"},
      {"NOMAD_HOST_IP_http", "10.0.0.7"},
      {"NOMAD_HOST_IP_v6_port", "fe80::7"},
      {"NOMAD_HOST_PORT_http", "22000"},
      {"NOMAD_HOST_PORT_v6_port", "22001"},
      {"NOMAD_IP_db_sql", "10.0.0.8"},
      {"NOMAD_IP_http", "10.0.0.7"},
      {"NOMAD_IP_v6_port", "fe80::7"},
      {"NOMAD_JOB_ID", "example"},
      {"NOMAD_JOB_NAME", "example"},
      {"NOMAD_MEMORY_LIMIT", "256"},
      {"NOMAD_MEMORY_MAX_LIMIT", "512"},
      {"NOMAD_META_A_B", "dashed"},
      {"NOMAD_META_a_b", "dashed"},
      {"NOMAD_META_OWNER", "group"},
      {"NOMAD_META_owner", "group"},
      {"NOMAD_META_WHERE", "dc1"},
      {"NOMAD_META_where", "dc1"},
      {"NOMAD_NAMESPACE", "default"},
      {"NOMAD_PARENT_CGROUP", "nomad.slice"},
      {"NOMAD_PORT_db_sql", "23000"},
      {"NOMAD_PORT_http", "8080"},
      {"NOMAD_PORT_v6_port", "22001"},
      {"NOMAD_REGION", "global"},
      {"NOMAD_SECRETS_DIR", "/allocs/x/web/secrets"},
      {"NOMAD_SHORT_ALLOC_ID", id.substr(0, 8)},
      {"NOMAD_TASK_DIR", "/allocs/x/web/local"},
      {"NOMAD_TASK_NAME", "web"},
      {"PATH", "/own"},
      {"URL", "http://10.0.0.7:22000/amd64/${unknown}"},
  };
  EXPECT_EQ(e, want);
}

TEST_F(TaskEnvTest, IsolatedTasksSeeTheirOwnPaths) {
  auto e = env(drivers::FsIsolation::kChroot).vars;
  EXPECT_EQ(e["NOMAD_ALLOC_DIR"], "/alloc");
  EXPECT_EQ(e["NOMAD_TASK_DIR"], "/local");
  EXPECT_EQ(e["NOMAD_SECRETS_DIR"], "/secrets");
}

TEST_F(TaskEnvTest, DispatchedJobsHaveTheirOptionalMeta) {
  job_.ParameterizedJob.emplace().MetaOptional = {"maybe"};
  auto e = env().vars;
  EXPECT_TRUE(e.contains("NOMAD_META_MAYBE"));
  EXPECT_EQ(e["NOMAD_META_MAYBE"], "");
}

TEST_F(TaskEnvTest, DriverConfigIsEvaluated) {
  auto e = env();
  Map<Value> config;
  Value::Array args = Value::Array::empty_list();
  args.push_back("${NOMAD_PORT_http}");
  args.push_back("p=${upper(node.class)}-${attr.cpu.arch}-${meta.rack}-${node.attr.cpu.arch}");
  args.push_back("${env[\"NOMAD_META_a_b\"]}");
  args.push_back("plain $HOME %d");
  args.push_back("$${kept}");
  config.set("args", Value(args));
  config.set("n", 5);
  auto out = evaluate_driver_config(config, e);
  ASSERT_TRUE(out) << out.error().message;
  auto& list = *out->as_object()->find("args")->as_array();
  EXPECT_EQ(*list[0].as_string(), "8080");
  EXPECT_EQ(*list[1].as_string(), "p=BIG-amd64-r1-amd64");
  EXPECT_EQ(*list[2].as_string(), "dashed");
  EXPECT_EQ(*list[3].as_string(), "plain $HOME %d");
  EXPECT_EQ(*list[4].as_string(), "${kept}");
  EXPECT_EQ(*out->as_object()->find("n")->as_int(), 5);
  config.set("bad", "${nonesuch}");
  auto bad = evaluate_driver_config(config, e);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("Unknown variable: There is no variable named \"nonesuch\"."), std::string::npos)
      << bad.error().message;
}

TEST(InheritedEnvTest, DeniedNamesAreLeftOut) {
  auto e = inherited_env({{"A", "1"}, {"VAULT_TOKEN", "x"}}, {"VAULT_TOKEN"});
  EXPECT_EQ(e, (std::map<std::string, std::string>{{"A", "1"}}));
}

}  // namespace
}  // namespace drover::client
