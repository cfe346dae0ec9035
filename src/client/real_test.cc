// The client with raw_exec under the real shim, in real time: what no false world shows.
#include <gtest/gtest.h>
#include <signal.h>

#include "client/alloc_fs.h"
#include "client/client_testing.h"
#include "drivers/shim_binary.h"
#include "drivers/testing_world.h"

namespace drover::client {
namespace {

class RealTest : public testing::Test {
 protected:
  RealTest() : server_(w_.loop), host_(make_linux_host()) {
    config_.state_dir = dir_ / "state";
    config_.alloc_dir = dir_ / "alloc";
    config_.network_interface = "lo";
    config_.host_env = {{"PATH", "/usr/bin:/bin"}};
    auto path = drivers::unpack_shim(dir_ / "bin");
    EXPECT_TRUE(path) << path.error().message;
    if (path) shim_ = *path;
  }
  void TearDown() override {
    // Nothing of a failed test may stay behind.
    for (auto& [id, alloc] : server_.allocs)
      if (client_ && client_->has_alloc(id) && !is_server_terminal(alloc)) server_.stop(id);
    if (client_)
      until([&] {
        for (auto& a : client_->allocs())
          if (!is_client_terminal(*a)) return false;
        return true;
      });
    client_.reset();
  }

  void boot() {
    std::string note;
    auto state = open_sqlite_state(dir_ / "state.db", note);
    ASSERT_TRUE(state) << state.error().message;
    ClientDeps deps{w_.world, server_, *host_, std::move(*state)};
    deps.fds = &w_.loop;
    deps.shim_path = shim_;
    deps.make_drivers = [](const drivers::DriverContext& context) {
      std::vector<std::unique_ptr<drivers::Driver>> out;
      out.push_back(drivers::find_builtin_driver("raw_exec")->make(context));
      EXPECT_TRUE(out[0]->configure(Value(Value::Object{{"enabled", Value(true)}, {"no_cgroups", Value(true)}})));
      return out;
    };
    client_ = std::make_unique<Client>(config_, std::move(deps));
    auto status = w_.await(client_->start());
    ASSERT_TRUE(status && *status) << (status ? status->error().message : "no answer");
  }
  bool until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(20)) {
    return w_.loop.run_until(
        [&] {
          poke_ = w_.loop.after(std::chrono::milliseconds(2), [] {});
          return done();
        },
        limit);
  }
  Uuid place(std::string type, const std::string& script) {
    Task task;
    task.Name = "main";
    task.Driver = "raw_exec";
    task.KillTimeout = std::chrono::seconds(2);
    Value::Array args = Value::Array::empty_list();
    args.push_back("-c");
    args.push_back(Value(script));
    task.Config.set("command", "/bin/sh");
    task.Config.set("args", Value(args));
    auto job = test_job(std::move(type));
    job.TaskGroups[0].RestartPolicy->Attempts = 0;
    job.TaskGroups[0].Tasks.push_back(task);
    auto alloc = test_alloc(job, w_.random);
    server_.put(alloc);
    return alloc.ID;
  }
  bool reaches(const Uuid& id, std::string_view status) {
    return until([&] { return server_.status(id) == status; });
  }
  std::string logs(const Uuid& id, std::string type = "stdout") {
    auto files = client_->alloc_files(id);
    if (!files) return files.error().message;
    auto reader = stream_logs(w_.world, *files, {"main", type, 0, FileOrigin::kStart, false});
    std::string out;
    for (;;) {
      auto frame = w_.await(reader->next());
      if (!frame || !*frame) return out + (frame ? frame->error().message : "no answer");
      if (!**frame) return out;
      out += (**frame)->Data.data;
    }
  }

  TempDir dir_;
  drivers::TestingWorld w_;
  FakeServer server_;
  std::unique_ptr<HostSource> host_;
  Config config_;
  std::string shim_;
  Timer poke_;
  std::unique_ptr<Client> client_;
};

TEST_F(RealTest, BatchTaskRunsPrintsAndCompletes) {
  boot();
  auto id = place("batch", "echo task=$NOMAD_TASK_NAME; echo local=$NOMAD_TASK_DIR; echo arch=${attr.cpu.arch}; echo oops >&2");
  ASSERT_TRUE(reaches(id, "complete"));
  auto root = config_.alloc_dir + "/" + id.str();
  EXPECT_EQ(logs(id), "task=main\nlocal=" + root + "/main/local\narch=" + client_->node()->Attributes.get_or("cpu.arch") + "\n");
  EXPECT_EQ(logs(id, "stderr"), "oops\n");
  EXPECT_EQ(server_.event_types(id, "main"), (std::vector<std::string>{"Received", "Task Setup", "Started", "Terminated"}));
}

TEST_F(RealTest, ExitCodeFailsTheTask) {
  boot();
  auto id = place("batch", "exit 7");
  ASSERT_TRUE(reaches(id, "failed"));
  auto& events = server_.allocs[id].TaskStates.at("main").Events;
  EXPECT_EQ(events[3].DisplayMessage, "Exit Code: 7");
}

TEST_F(RealTest, TaskSurvivesTheAgentAndIsStoppedByItsSuccessor) {
  boot();
  auto id = place("service", "echo $$ > $NOMAD_TASK_DIR/pid; trap 'echo bye; exit 0' INT; while :; do sleep 0.05; done");
  ASSERT_TRUE(reaches(id, "running"));
  auto pid_file = config_.alloc_dir + "/" + id.str() + "/main/local/pid";
  ASSERT_TRUE(until([&] { return !slurp_file(pid_file).empty(); }));
  auto pid = static_cast<pid_t>(*parse_int(trim_space(slurp_file(pid_file))));
  client_.reset();  // as kill -9 does
  EXPECT_EQ(::kill(pid, 0), 0);
  boot();
  ASSERT_TRUE(until([&] { return client_->alloc(id) && client_->alloc(id)->ClientStatus == "running"; }));
  EXPECT_EQ(::kill(pid, 0), 0);
  EXPECT_EQ(*parse_int(trim_space(slurp_file(pid_file))), pid);
  server_.stop(id);
  ASSERT_TRUE(reaches(id, "complete"));
  EXPECT_NE(logs(id).find("bye"), std::string::npos);
  EXPECT_EQ(server_.event_types(id, "main"),
            (std::vector<std::string>{"Received", "Task Setup", "Started", "Killing", "Terminated", "Killed"}));
}

TEST_F(RealTest, TaskThatEndedWithoutAnAgentIsFoundByItsSuccessor) {
  boot();
  auto id = place("batch", "sleep 0.3; exit 4");
  ASSERT_TRUE(reaches(id, "running"));
  client_.reset();
  auto until_then = w_.clock.monotonic() + std::chrono::milliseconds(600);
  until([&] { return w_.clock.monotonic() > until_then; });
  boot();
  ASSERT_TRUE(reaches(id, "failed"));
  EXPECT_EQ(server_.allocs[id].TaskStates.at("main").Events[3].DisplayMessage, "Exit Code: 4");
}

TEST_F(RealTest, ExecRunsBesideTheTaskAndStatsAreTold) {
  boot();
  auto id = place("service", "sleep 30");
  ASSERT_TRUE(reaches(id, "running"));
  auto session = w_.await(client_->exec(id, "main", {"/bin/sh", "-c", "echo in $NOMAD_TASK_NAME; exit 3"}, false));
  ASSERT_TRUE(session && *session) << (session ? session->error().message : "no answer");
  std::string out;
  for (;;) {
    auto part = w_.await((**session)->read());
    ASSERT_TRUE(part && *part) << out;
    out += (*part)->data;
    if ((*part)->kind != drivers::ExecOutput::Kind::kExit) continue;
    EXPECT_EQ((*part)->result.exit_code, 3);
    break;
  }
  EXPECT_EQ(out, "in main\n");
  session.reset();
  EXPECT_EQ(w_.await(client_->exec(id, "nope", {"x"}, false))->error().message, "task not found");
  auto stats = w_.await(client_->alloc_stats(id, ""));
  ASSERT_TRUE(stats && *stats);
  EXPECT_TRUE((*stats)->Tasks.contains("main"));
}

}  // namespace
}  // namespace drover::client
