// What the shim can do beyond raw_exec's use of it, and the shim under the product's own loop.
#include "drivers/shim_task.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "drivers/shim_testing.h"
#include "net/real_world.h"

namespace drover::drivers {
namespace {

using std::chrono::seconds;

class ShimTaskTest : public ShimFixture {
 protected:
  ShimSpec shim_spec(const std::string& text) {
    ShimSpec s;
    s.dir = root_ + "/shim-" + std::to_string(++serial_);
    s.task_id = "test";
    s.command = "/bin/sh";
    s.argv = {"sh", "-c", text};
    s.env = {"PATH=/usr/bin:/bin"};
    s.cwd = root_ + "/alloc/web";
    s.logs = script("").logs;
    return s;
  }
  ExitResult run(ShimSpec s) {
    auto task = w_.await(ShimTask::start(host_, std::move(s)));
    EXPECT_TRUE(task && *task) << (task ? task->error().message : "no answer");
    if (!task || !*task) return {};
    auto exit = w_.await((**task)->wait());
    EXPECT_TRUE(exit);
    auto clean = [](ShimTask::Ptr t) -> Async<bool> {
      co_await t->clean_up();
      co_return true;
    };
    EXPECT_TRUE(w_.await(clean(**task)));
    return exit.value_or(ExitResult{});
  }
  void SetUp() override {
    ShimFixture::SetUp();
    host_.shim_path = shim_;
  }
  ShimHost host_{w_.world, w_.loop, ""};
};

TEST_F(ShimTaskTest, ContainsInV2) {
  isolate::Path mount;
  if (::geteuid() != 0 || !isolate::find_cgroup_mount(nullptr, mount)) GTEST_SKIP() << "no cgroup v2 here";
  ShimSpec s = shim_spec("setsid sleep 1000 & echo $!; sleep 0.1; cat /proc/self/cgroup");
  s.cgroup_kind = isolate::CgroupKind::kV2;
  s.cgroup_path = std::string(mount.c_str()) + "/drover-test-" + std::to_string(::getpid()) + "/web.scope";
  bool created;
  if (isolate::make_cgroup(s.cgroup_path.c_str(), &created)) GTEST_SKIP() << "cgroup v2 is read-only";
  EXPECT_TRUE(run(s).successful());
  EXPECT_NE(slurp(out()).find("/web.scope"), std::string::npos);
  EXPECT_FALSE(alive(std::stoi(slurp(out()))));
  EXPECT_TRUE(fs::exists(s.cgroup_path)) << "one that the client made is the client's to remove";
  std::string top = fs::path(s.cgroup_path).parent_path();
  EXPECT_TRUE(eventually([&] { return !isolate::remove_cgroup(top.c_str()); }));
}

TEST_F(ShimTaskTest, ACgroupThatCannotBeMadeCostsOnlyTheContainment) {
  ShimSpec s = shim_spec("echo ran");
  s.cgroup_kind = isolate::CgroupKind::kV1Freezer;
  s.cgroup_path = "/proc/self/none/x";
  EXPECT_TRUE(run(s).successful());
  EXPECT_EQ(slurp(out()), "ran\n");
}

TEST_F(ShimTaskTest, AppliesLimitsAndOomScore) {
  ShimSpec s = shim_spec("ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj");
  s.limits = {{RLIMIT_NOFILE, 111, 222}};
  s.oom_score_adj = 345;
  EXPECT_TRUE(run(s).successful());
  EXPECT_EQ(slurp(out()), "111\n222\n345\n");
}

TEST_F(ShimTaskTest, TellsWhenMemoryRanOut) {
  isolate::Path mount;
  if (::geteuid() != 0 || !isolate::find_cgroup_mount("memory", mount)) GTEST_SKIP() << "no memory cgroup v1 here";
  std::string group = std::string(mount.c_str()) + "/drover-test-" + std::to_string(::getpid());
  bool created;
  if (isolate::make_cgroup(group.c_str(), &created)) GTEST_SKIP() << "the memory hierarchy is read-only";
  if (isolate::write_file((group + "/memory.limit_in_bytes").c_str(), "20971520", "limit")) GTEST_SKIP() << "no memory limits here";
  ShimSpec s = shim_spec("exec tail /dev/zero");
  s.cgroup_joins = {group};
  s.memory_cgroup = group;
  ExitResult r = run(s);
  EXPECT_TRUE(r.oom_killed);
  EXPECT_EQ(r.signal, 9);
  s = shim_spec("kill -9 $$");
  s.cgroup_joins = {group};
  s.memory_cgroup = group;
  r = run(s);
  EXPECT_FALSE(r.oom_killed) << "an earlier kill in the group is not this task's";
  EXPECT_TRUE(eventually([&] { return !isolate::remove_cgroup(group.c_str()); }));
}

TEST_F(ShimTaskTest, AGroupThatMustBeJoinedIsNotOptional) {
  ShimSpec s = shim_spec("echo ran");
  s.cgroup_joins = {"/proc/self/none"};
  auto task = w_.await(ShimTask::start(host_, s));
  ASSERT_TRUE(task && !*task);
  EXPECT_EQ(task->error().message, "join cgroup: no such file or directory");
  EXPECT_FALSE(fs::exists(s.dir));
  EXPECT_EQ(slurp(out()), "");
}

// An agent may die at any moment of a start: the next one finds the task, its exit, or nothing; and nothing stays nothing.
TEST_F(ShimTaskTest, AStartInterruptedAnywhereIsAllOrNothing) {
  int found = 0, absent = 0;
  for (int round = 0; round < 40; round++) {
    TaskSpec s = script("echo run $$; exec sleep 1000");
    s.logs.stdout_name = "round" + std::to_string(round);
    pid_t agent = ::fork();
    if (agent == 0) {
      TestingWorld w;
      auto driver = make_driver(w);
      (void)w.await(driver->start(s, *driver->prepare(s)));
      for (;;) ::pause();
    }
    ::usleep(static_cast<useconds_t>(round * 700));
    ::kill(agent, SIGKILL);
    ::waitpid(agent, nullptr, 0);
    auto recovered = w_.await(driver_->recover(*driver_->prepare(s)));
    ASSERT_TRUE(recovered);
    std::string log = s.logs.dir + "/" + s.logs.stdout_name + ".0";
    if (*recovered) {
      found++;
      ASSERT_TRUE(seen(log, "run"));
      ASSERT_TRUE(*w_.await(driver_->destroy(s.id, true)));
    } else {
      absent++;
      EXPECT_EQ(recovered->error().code, ErrorCode::kNotFound);
      pause(std::chrono::milliseconds(20));
      EXPECT_EQ(slurp(log).find("run"), std::string::npos) << "it started after it was given up";
    }
  }
  RecordProperty("found", found);
  RecordProperty("absent", absent);
  EXPECT_EQ(found + absent, 40);
}

TEST_F(ShimTaskTest, WorksUnderTheRealLoopAndPool) {
  net::RealWorld real;
  DriverContext context{real.world};
  context.fds = &real.loop;
  context.state_dir = root_ + "/state";
  context.shim_path = shim_;
  RawExecDriver driver(std::move(context));
  ASSERT_TRUE(driver.configure(Value(Value::Object{{"enabled", Value(true)}})));
  TaskSpec s = script("trap 'exit 8' TERM; echo up; while :; do sleep 0.01; done");
  auto flow = [](Driver& d, TaskSpec s) -> Async<std::string> {
    auto started = co_await d.start(s, *d.prepare(s));
    if (!started) co_return started.error().message;
    auto ran = co_await d.exec(s.id, {"sh", "-c", "until grep -q up " + s.logs.dir + "/web.stdout.0; do sleep 0.01; done; echo seen"}, seconds(10));
    if (!ran) co_return ran.error().message;
    if (auto st = co_await d.stop(s.id, seconds(10), "SIGTERM"); !st) co_return st.error().message;
    auto exit = co_await d.wait(s.id);
    if (auto st = co_await d.destroy(s.id, false); !st) co_return st.error().message;
    co_return ran->stdout_data + std::to_string(exit->exit_code);
  };
  EXPECT_EQ(net::block_on(real.loop, flow(driver, s)), "seen\n8");
}

}  // namespace
}  // namespace drover::drivers
