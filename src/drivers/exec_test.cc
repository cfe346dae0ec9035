// Commands beside a task, and statistics of it.
#include <csignal>

#include "drivers/shim_testing.h"

namespace drover::drivers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Streams {
  std::string out, err;
  bool out_closed = false, err_closed = false;
  std::optional<ExitResult> exit;
};

class Exec : public ShimFixture {
 protected:
  void SetUp() override {
    ShimFixture::SetUp();
    id_ = start(script("echo up; sleep 1000"));
  }
  std::unique_ptr<ExecSession> open(std::vector<std::string> command, bool tty = false) {
    auto s = w_.await(driver_->exec_stream(id_, {std::move(command), tty}));
    EXPECT_TRUE(s && *s) << (s ? s->error().message : "no answer");
    return s && *s ? std::move(**s) : nullptr;
  }
  // Reads until the exit, or until `enough` says so.
  Streams drain(ExecSession& session, std::function<bool(const Streams&)> enough = {}) {
    Streams s;
    while (!s.exit && !(enough && enough(s))) {
      auto r = w_.await(session.read());
      if (!r || !*r) {
        ADD_FAILURE() << (r ? r->error().message : "no answer");
        break;
      }
      ExecOutput& o = **r;
      if (o.kind == ExecOutput::Kind::kStdout) s.out += o.data, s.out_closed |= o.close;
      if (o.kind == ExecOutput::Kind::kStderr) s.err += o.data, s.err_closed |= o.close;
      if (o.kind == ExecOutput::Kind::kExit) s.exit = o.result;
    }
    return s;
  }
  std::string id_;
};

TEST_F(Exec, RunsOneCommandInTheTasksSurroundings) {
  auto r = w_.await(driver_->exec(id_, {"sh", "-c", "pwd; echo $NOMAD_TASK_NAME; echo err >&2; exit 4"}, seconds(10)));
  ASSERT_TRUE(r && *r) << r->error().message;
  EXPECT_EQ((*r)->stdout_data, root_ + "/alloc/web\nweb\nerr\n");
  EXPECT_EQ((*r)->exit.exit_code, 4);
}

TEST_F(Exec, KeepsTheEndOfMuchOutput) {
  auto r = w_.await(driver_->exec(id_, {"sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo end"}, seconds(10)));
  EXPECT_EQ((*r)->stdout_data.size(), 4096u);
  EXPECT_TRUE((*r)->stdout_data.ends_with("xend\n"));
}

TEST_F(Exec, EndsACommandAtItsDeadline) {
  auto r = w_.await(driver_->exec(id_, {"sh", "-c", "echo $$ > pid; exec sleep 1000"}, milliseconds(200)));
  EXPECT_EQ(r->error().message, "context deadline exceeded");
  int pid = std::stoi(slurp(root_ + "/alloc/web/pid"));
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
}

TEST_F(Exec, NamesWhatCannotBeRun) {
  auto error = [&](std::vector<std::string> command) {
    return w_.await(driver_->exec(id_, std::move(command), seconds(10)))->error().message;
  };
  EXPECT_EQ(error({"no-such-program"}), "rpc error: code = Unknown desc = failed to start command: exec: \"no-such-program\": executable file not found in $PATH");
  EXPECT_EQ(error({"/no/such"}), "rpc error: code = Unknown desc = failed to start command: fork/exec /no/such: no such file or directory");
  EXPECT_EQ(error({"/etc"}), "rpc error: code = Unknown desc = failed to start command: fork/exec /etc: permission denied");
  EXPECT_EQ(error({}), "command is required but was empty");
  EXPECT_EQ(error({std::string(100000, 'x')}), "rpc error: code = Unknown desc = failed to start command: argument list too long");
}

TEST_F(Exec, StreamsAllThree) {
  auto session = open({"sh", "-c", "pwd; cat; echo done >&2; exit 5"});
  ASSERT_TRUE(*w_.await(session->write_stdin("hello\n")));
  ASSERT_TRUE(*w_.await(session->write_stdin("world\n")));
  ASSERT_TRUE(*w_.await(session->close_stdin()));
  Streams s = drain(*session);
  EXPECT_EQ(s.out, "/\nhello\nworld\n");
  EXPECT_EQ(s.err, "done\n");
  EXPECT_TRUE(s.out_closed && s.err_closed);
  EXPECT_EQ(s.exit->exit_code, 5);
}

TEST_F(Exec, MovesMuchBothWays) {
  auto session = open({"cat"});
  std::string big;
  for (int i = 0; i < 200000; i++) big += std::to_string(i) + "\n";
  Running writer([](ExecSession& s, std::string data) -> Async<void> {
    (void)co_await s.write_stdin(std::move(data));
    (void)co_await s.close_stdin();
  }(*session, big));
  Streams s = drain(*session);
  EXPECT_EQ(s.exit->exit_code, 0);
  EXPECT_TRUE(s.out == big) << s.out.size() << " of " << big.size();
}

TEST_F(Exec, ATerminalIsOne) {
  auto session = open({"sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo tty; read x; stty size; echo got $x"}, true);
  Streams s = drain(*session, [](auto& s) { return s.out.find("tty") != std::string::npos; });
  ASSERT_TRUE(*w_.await(session->resize(33, 77)));
  ASSERT_TRUE(*w_.await(session->write_stdin("line\n")));
  s = drain(*session);
  EXPECT_NE(s.out.find("33 77"), std::string::npos) << s.out;
  EXPECT_NE(s.out.find("got line"), std::string::npos) << s.out;
  EXPECT_EQ(s.exit->exit_code, 0);
}

TEST_F(Exec, ControlCReachesTheTerminalsProgram) {
  auto session = open({"cat"}, true);
  ASSERT_TRUE(*w_.await(session->write_stdin("hi\n")));
  drain(*session, [](auto& s) { return s.out.find("hi\r\nhi\r\n") != std::string::npos; });
  ASSERT_TRUE(*w_.await(session->write_stdin("\x03")));
  Streams s = drain(*session);
  EXPECT_EQ(s.exit->exit_code, 130);
}

TEST_F(Exec, DroppingTheSessionKillsTheCommand) {
  auto session = open({"sh", "-c", "echo $$; exec sleep 1000"});
  Streams s = drain(*session, [](auto& s) { return s.out.find('\n') != std::string::npos; });
  int pid = std::stoi(s.out);
  EXPECT_TRUE(alive(pid));
  session.reset();
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
  EXPECT_TRUE(alive(pid_of(id_)));
}

TEST_F(Exec, EndsWithTheTask) {
  auto session = open({"sh", "-c", "echo $$; exec sleep 1000"});
  int pid = std::stoi(drain(*session, [](auto& s) { return s.out.find('\n') != std::string::npos; }).out);
  ASSERT_TRUE(*w_.await(driver_->stop(id_, Duration::zero(), "")));
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
  EXPECT_EQ(w_.await(driver_->exec(id_, {"true"}, seconds(1)))->error().message, "os: process already finished");
}

TEST_F(Exec, ACommandsDaemonDoesNotHoldItsEnd) {
  auto session = open({"sh", "-c", "setsid sleep 1000 & echo started"});
  Streams s = drain(*session);
  EXPECT_EQ(s.out, "started\n");
  EXPECT_EQ(s.exit->exit_code, 0);
}

TEST_F(Exec, StatisticsCoverTheWholeTree) {
  auto id = start(script("(while :; do :; done) & (setsid sleep 1000) & echo two; wait"));
  ASSERT_TRUE(seen(out(), "two"));
  auto first = w_.await(driver_->stats(id));
  ASSERT_TRUE(first && *first) << first->error().message;
  EXPECT_EQ((*first)->total.cpu.percent, 0);
  pause(milliseconds(300));
  auto second = w_.await(driver_->stats(id));
  ASSERT_TRUE(second && *second);
  EXPECT_GE((*second)->pids.size(), 3u);
  EXPECT_GT((*second)->total.memory.rss, 1u << 20);
  EXPECT_GT((*second)->total.cpu.percent, 5);
  EXPECT_NEAR((*second)->total.cpu.total_ticks, (*second)->total.cpu.percent * 10, 1e-6);
  EXPECT_EQ((*second)->total.memory.measured, (std::vector<std::string>{"RSS", "Swap"}));
  EXPECT_TRUE((*second)->pids.contains(std::to_string(pid_of(id))));
}

TEST_F(Exec, StatisticsWithoutCgroupsFollowTheTree) {
  ASSERT_TRUE(*w_.await(driver_->destroy(id_, true)));
  driver_ = make_driver(w_, true);
  auto id = start(script("(setsid sh -c 'sleep 1000 & echo $$ > pid; echo deep; wait') & wait"));
  ASSERT_TRUE(seen(out(), "deep"));
  // Out of reach for the clean-up by process group.
  int escaped = std::stoi(slurp(root_ + "/alloc/web/pid"));
  auto usage = w_.await(driver_->stats(id));
  ::kill(-escaped, SIGKILL);
  ASSERT_TRUE(usage && *usage);
  EXPECT_GE((*usage)->pids.size(), 3u);
}

}  // namespace
}  // namespace drover::drivers
