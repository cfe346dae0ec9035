#include "drivers/mock_driver.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/sim_loop.h"
#include "codec/json.h"
#include "drivers/files.h"
#include "drivers/registry.h"

namespace drover::drivers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Mock : public testing::Test {
 protected:
  TaskSpec spec(std::string_view config) {
    TaskSpec s;
    s.id = "alloc/web/" + std::to_string(++serial_);
    s.name = "web";
    auto decoded = decode_config(driver_.task_config_spec(), *from_json<Value>(config));
    EXPECT_TRUE(decoded) << decoded.error().message;
    if (decoded) s.driver_config = *decoded;
    return s;
  }
  Result<Started> start(const TaskSpec& s) { return *run_async(sim_.loop, driver_.start(s, *driver_.prepare(s))); }
  std::string start_error(std::string_view config) {
    auto r = start(spec(config));
    return r ? "started" : r.error().message;
  }
  ExitResult wait(const std::string& id) { return **run_async(sim_.loop, driver_.wait(id)); }

  SimWorld sim_{3};
  MockDriver driver_{DriverContext{sim_.world}};
  int serial_ = 0;
};

TEST_F(Mock, RunsForItsTimeAndExitsAsTold) {
  TaskSpec s = spec(R"({"run_for":"90s","exit_code":3,"exit_signal":9,"exit_err_msg":"boom"})");
  Time begin = sim_.clock.now();
  ASSERT_TRUE(start(s));
  EXPECT_EQ((**run_async(sim_.loop, driver_.inspect(s.id))).state, TaskRunState::kRunning);
  EXPECT_EQ(wait(s.id), (ExitResult{.exit_code = 3, .signal = 9, .err = "boom"}));
  EXPECT_EQ(sim_.clock.now() - begin, seconds(90));
  auto status = **run_async(sim_.loop, driver_.inspect(s.id));
  EXPECT_EQ(status.state, TaskRunState::kExited);
  EXPECT_EQ(status.completed_at - status.started_at, seconds(90));
  EXPECT_EQ(wait(s.id).exit_code, 3) << "also later";
}

TEST_F(Mock, WithoutRunForItExitsAtOnce) {
  TaskSpec s = spec("{}");
  Time begin = sim_.clock.now();
  ASSERT_TRUE(start(s));
  EXPECT_TRUE(wait(s.id).successful());
  EXPECT_EQ(sim_.clock.now(), begin);
}

TEST_F(Mock, StartsLateAndFailsAsTold) {
  Time begin = sim_.clock.now();
  auto r = start(spec(R"({"start_block_for":"5s","start_error":"no","start_error_recoverable":true})"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "no");
  EXPECT_EQ(r.error().code, ErrorCode::kUnavailable) << "which means: worth another try";
  EXPECT_EQ(sim_.clock.now() - begin, seconds(5));
  EXPECT_NE(start(spec(R"({"start_error":"no"})")).error().code, ErrorCode::kUnavailable);
}

TEST_F(Mock, NamesBadConfig) {
  EXPECT_EQ(start_error(R"({"run_for":"5x"})"), "run_for 5x not a valid duration: time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(start_error(R"({"start_block_for":"q"})").find("start_block_for q not a valid duration: "), 0u);
  EXPECT_EQ(start_error(R"({"plugin_exit_after":"q"})").find("plugin_exit_after q not a valid duration: "), 0u);
  EXPECT_EQ(start_error(R"({"driver_port_map":"http"})"), "malformed port map: \"http\"");
  EXPECT_EQ(start_error(R"({"driver_port_map":"http:x"})"), "malformed port map: \"http:x\"");
}

TEST_F(Mock, TellsItsNetwork) {
  auto r = start(spec(R"({"run_for":"1s","driver_ip":"10.0.0.1","driver_advertise":true,"driver_port_map":"http:80"})"));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->network->ip, "10.0.0.1");
  EXPECT_TRUE(r->network->auto_advertise);
  EXPECT_EQ(r->network->port_map.at("http"), 80);
  EXPECT_TRUE(start(spec("{}"))->network.has_value());
}

TEST_F(Mock, AKillEndsItAtOnce) {
  TaskSpec s = spec(R"({"run_for":"1h","exit_code":2,"kill_after":"30s"})");
  ASSERT_TRUE(start(s));
  Time begin = sim_.clock.now();
  EXPECT_EQ((**run_async(sim_.loop, driver_.inspect(s.id))).state, TaskRunState::kRunning);
  EXPECT_EQ(run_async(sim_.loop, driver_.destroy(s.id, false))->error().message, "cannot destroy running task");
  ASSERT_TRUE(*run_async(sim_.loop, driver_.stop(s.id, seconds(5), "SIGTERM")));
  EXPECT_EQ(wait(s.id).exit_code, 2);
  EXPECT_EQ(sim_.clock.now(), begin);
  ASSERT_TRUE(*run_async(sim_.loop, driver_.destroy(s.id, false)));
  EXPECT_EQ(run_async(sim_.loop, driver_.stop(s.id, seconds(5), ""))->error().message, "task not found for given id");
}

TEST_F(Mock, ManyWaitersAllLearnTheExitAndMayDestroy) {
  TaskSpec s = spec(R"({"run_for":"1s"})");
  ASSERT_TRUE(start(s));
  int seen = 0;
  for (int i = 0; i < 3; i++)
    spawn([](Driver& d, std::string id, int& seen) -> Async<void> {
      (void)co_await d.wait(id);
      seen++;
      (void)co_await d.destroy(id, true);
    }(driver_, s.id, seen));
  sim_.loop.advance(seconds(2));
  EXPECT_EQ(seen, 3);
}

TEST_F(Mock, ItsPluginMayGoAway) {
  TaskSpec s = spec(R"({"run_for":"1h","plugin_exit_after":"3s"})");
  ASSERT_TRUE(start(s));
  Time begin = sim_.clock.now();
  EXPECT_EQ(wait(s.id).err, "plugin is shut down");
  EXPECT_EQ(sim_.clock.now() - begin, seconds(3));
}

TEST_F(Mock, RecoversWithTheRestOfItsTime) {
  TaskSpec s = spec(R"({"run_for":"60s","exit_code":4})");
  auto handle = start(s)->handle;
  sim_.loop.advance(seconds(20));
  MockDriver later(DriverContext{sim_.world});
  ASSERT_TRUE(*run_async(sim_.loop, later.recover(handle)));
  ASSERT_TRUE(*run_async(sim_.loop, later.recover(handle))) << "known already";
  Time begin = sim_.clock.now();
  EXPECT_EQ((**run_async(sim_.loop, later.wait(s.id))).exit_code, 4);
  EXPECT_EQ(sim_.clock.now() - begin, seconds(40));
  EXPECT_EQ((**run_async(sim_.loop, later.inspect(s.id))).name, "web");
  // The time has passed while nobody ran it.
  sim_.loop.advance(seconds(100));
  MockDriver last(DriverContext{sim_.world});
  ASSERT_TRUE(*run_async(sim_.loop, last.recover(handle)));
  EXPECT_EQ((**run_async(sim_.loop, last.wait(s.id))).exit_code, 4);
}

TEST_F(Mock, APreparedHandleIsNotARunningTask) {
  TaskSpec s = spec(R"({"run_for":"60s"})");
  EXPECT_EQ(run_async(sim_.loop, driver_.recover(*driver_.prepare(s)))->error().code, ErrorCode::kNotFound);
}

TEST_F(Mock, WritesItsOutputOverTime) {
  char dir[] = "/tmp/drover-mock-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  TaskSpec s = spec(R"({"run_for":"1s","stdout_string":"tick\n","stdout_repeat":3,"stdout_repeat_duration":"10s","stderr_string":"err\n"})");
  s.logs.dir = dir;
  s.logs.stdout_name = "web.stdout";
  s.logs.stderr_name = "web.stderr";
  Time begin = sim_.clock.now();
  ASSERT_TRUE(start(s));
  sim_.loop.advance(seconds(15));
  EXPECT_EQ(*read_whole(std::string(dir) + "/web.stdout.0"), "tick\ntick\n");
  wait(s.id);
  EXPECT_EQ(sim_.clock.now() - begin, seconds(30)) << "it waits for its output";
  EXPECT_EQ(*read_whole(std::string(dir) + "/web.stdout.0"), "tick\ntick\ntick\ntick\n");
  EXPECT_EQ(*read_whole(std::string(dir) + "/web.stderr.0"), "err\n");
  std::filesystem::remove_all(dir);
}

TEST_F(Mock, SignalsAndExecsAsTold) {
  TaskSpec s = spec(R"({"run_for":"1h","signal_error":"deaf","exec_command":{"run_for":"2s","stdout_string":"out","exit_code":7}})");
  ASSERT_TRUE(start(s));
  EXPECT_EQ(run_async(sim_.loop, driver_.signal(s.id, "SIGHUP"))->error().message, "deaf");
  EXPECT_EQ((**run_async(sim_.loop, driver_.exec(s.id, {"a", "b c"}, seconds(1)))).stdout_data, "Exec(\"web\", [\"a\" \"b c\"])");
  auto session = std::move(**run_async(sim_.loop, driver_.exec_stream(s.id, {{"x"}, false})));
  EXPECT_EQ((**run_async(sim_.loop, session->read())).data, "out");
  EXPECT_EQ((**run_async(sim_.loop, session->read())).result.exit_code, 7);
  auto echo = std::move(**run_async(sim_.loop, driver_.exec_stream(s.id, {{"showinput"}, true})));
  (void)run_async(sim_.loop, echo->write_stdin("abc"));
  (void)run_async(sim_.loop, echo->close_stdin());
  EXPECT_EQ((**run_async(sim_.loop, echo->read())).data, "TTY: true\nStdin:\nabc\n");
  EXPECT_EQ((**run_async(sim_.loop, echo->read())).kind, ExecOutput::Kind::kExit);
  TaskSpec bare = spec(R"({"run_for":"1h"})");
  ASSERT_TRUE(start(bare));
  EXPECT_EQ(run_async(sim_.loop, driver_.exec_stream(bare.id, {{"x"}, false}))->error().message, "no exec command is configured");
  EXPECT_EQ((**run_async(sim_.loop, driver_.stats(bare.id))).total.memory.measured, std::vector<std::string>{"RSS"});
}

TEST_F(Mock, FingerprintMayGoAway) {
  auto config = decode_config(driver_.plugin_config_spec(),
                              *from_json<Value>(R"({"fs_isolation":"image","shutdown_periodic_after":true,"shutdown_periodic_duration":2000000000})"));
  ASSERT_TRUE(driver_.configure(*config));
  EXPECT_EQ(driver_.capabilities().fs_isolation, FsIsolation::kImage);
  auto f = *run_async(sim_.loop, driver_.fingerprint());
  EXPECT_EQ(node_attributes("mock_driver", f).at("driver.mock_driver"), "1");
  sim_.loop.advance(seconds(3));
  f = *run_async(sim_.loop, driver_.fingerprint());
  EXPECT_EQ(f.health, Health::kUndetected);
  EXPECT_EQ(f.description, "disabled");
}

TEST(Registry, EveryDriverIsUsable) {
  SimWorld sim;
  for (auto& b : builtin_drivers()) {
    EXPECT_EQ(find_builtin_driver(b.name), &b);
    if (b.runs_processes) continue;
    auto d = b.make(DriverContext{sim.world});
    EXPECT_EQ(d->name(), b.name);
    auto config = decode_config(d->plugin_config_spec(), Value());
    ASSERT_TRUE(config);
    EXPECT_TRUE(d->configure(*config));
  }
  EXPECT_EQ(find_builtin_driver("nope"), nullptr);
}

}  // namespace
}  // namespace drover::drivers
