// Fixture of the tests that run real tasks under the real shim.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/files.h"
#include "drivers/raw_exec.h"
#include "drivers/shim_binary.h"
#include "drivers/testing_world.h"

namespace drover::drivers {

namespace fs = std::filesystem;

inline std::string slurp(const std::string& path) {
  auto text = read_whole(path);
  return text ? *text : "";
}

class ShimFixture : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/drover-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    fs::permissions(root_, fs::perms(0755));
    for (const char* dir : {"/alloc/alloc/logs", "/alloc/web/local"}) {
      fs::create_directories(root_ + dir);
      fs::permissions(root_ + dir, fs::perms(0777));
    }
    auto path = unpack_shim(root_ + "/bin");
    ASSERT_TRUE(path) << path.error().message;
    shim_ = *path;
    driver_ = make_driver(w_);
  }
  void TearDown() override {
    for (auto& id : started_) (void)w_.await(driver_->destroy(id, true));
    driver_.reset();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  std::unique_ptr<RawExecDriver> make_driver(TestingWorld& w, bool no_cgroups = false) {
    DriverContext context{w.world};
    context.fds = &w.loop;
    context.state_dir = root_ + "/state";
    context.shim_path = shim_;
    context.total_compute_mhz = 2000;
    context.cpu_cores = 2;
    auto d = std::make_unique<RawExecDriver>(std::move(context));
    EXPECT_TRUE(d->configure(Value(Value::Object{{"enabled", Value(true)}, {"no_cgroups", Value(no_cgroups)}})));
    return d;
  }

  TaskSpec spec(const std::string& command, std::vector<std::string> args) {
    TaskSpec s;
    s.id = "0a1b2c3d-0000-0000-0000-000000000000/web/" + std::to_string(::getpid()) + "-" + std::to_string(++serial_);
    s.name = "web";
    s.alloc_id = "0a1b2c3d-0000-0000-0000-000000000000";
    s.alloc_dir = root_ + "/alloc";
    s.env = {{"PATH", "/usr/bin:/bin"}, {"NOMAD_TASK_NAME", "web"}};
    s.logs.dir = root_ + "/alloc/alloc/logs";
    s.logs.stdout_name = "web.stdout";
    s.logs.stderr_name = "web.stderr";
    Value::Array list = Value::Array::empty_list();
    for (auto& a : args) list.push_back(Value(a));
    auto config = decode_config(driver_->task_config_spec(), Value(Value::Object{{"command", Value(command)}, {"args", Value(list)}}));
    EXPECT_TRUE(config);
    s.driver_config = *config;
    return s;
  }
  TaskSpec script(const std::string& text) { return spec("/bin/sh", {"-c", text}); }

  // Starts, and returns the task id.
  std::string start(const TaskSpec& s) {
    auto handle = driver_->prepare(s);
    auto started = w_.await(driver_->start(s, *handle));
    EXPECT_TRUE(started && *started) << (started ? started->error().message : "no answer");
    started_.push_back(s.id);
    return s.id;
  }
  std::string start_error(const TaskSpec& s) {
    auto started = w_.await(driver_->start(s, *driver_->prepare(s)));
    if (!started) return "no answer";
    if (*started) started_.push_back(s.id);
    return *started ? "started" : started->error().message;
  }
  ExitResult wait(const std::string& id) {
    auto r = w_.await(driver_->wait(id));
    EXPECT_TRUE(r && *r) << (r ? r->error().message : "no answer");
    return r && *r ? **r : ExitResult{};
  }
  ExitResult run(const TaskSpec& s) { return wait(start(s)); }
  // Lets the loop run, and looks every 2 ms, until `done`; false after 10 s.
  bool eventually(const std::function<bool()>& done) {
    return w_.loop.run_until(
        [&] {
          poke_ = w_.loop.after(std::chrono::milliseconds(2), [] {});
          return done();
        },
        std::chrono::seconds(10));
  }
  bool seen(const std::string& file, const std::string& text) {
    return eventually([&] { return slurp(file).find(text) != std::string::npos; });
  }
  void pause(Duration d) {
    auto until = w_.clock.monotonic() + d;
    eventually([&] { return w_.clock.monotonic() > until; });
  }
  std::string out() const { return root_ + "/alloc/alloc/logs/web.stdout.0"; }
  std::string err() const { return root_ + "/alloc/alloc/logs/web.stderr.0"; }
  int pid_of(const std::string& id) {
    auto s = w_.await(driver_->inspect(id));
    return s && *s ? std::stoi((*s)->driver_attributes["pid"]) : -1;
  }
  static int parent_of(int pid) {
    std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
    auto at = stat.rfind(')');
    return at == std::string::npos ? -1 : std::stoi(stat.substr(at + 4));
  }
  static bool alive(int pid) {
    std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
    auto at = stat.rfind(')');
    return at != std::string::npos && stat[at + 2] != 'Z';
  }

  TestingWorld w_;
  Timer poke_;
  std::string root_, shim_;
  std::unique_ptr<RawExecDriver> driver_;
  std::vector<std::string> started_;
  int serial_ = 0;
};

}  // namespace drover::drivers
