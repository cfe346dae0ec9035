#include "base/log.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "base/log_file.h"

namespace drover {
namespace {

const Time kNow = Time::from_unix_nanos(1'795'505'507'012'345'678);

std::string line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {}) {
  return format_log_line(kNow, 0, false, level, "client.gc", message, fields);
}

struct TempDir {
  std::string path;
  TempDir() {
    char name[] = "/tmp/drover_log_XXXXXX";
    path = mkdtemp(name);
  }
  ~TempDir() {
    for (auto& f : files()) ::unlink((path + "/" + f).c_str());
    ::rmdir(path.c_str());
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    DIR* d = ::opendir(path.c_str());
    while (auto* e = ::readdir(d))
      if (e->d_name[0] != '.') out.emplace_back(e->d_name);
    ::closedir(d);
    std::sort(out.begin(), out.end());
    return out;
  }
  std::string read(const std::string& f) const {
    std::ostringstream s;
    s << std::ifstream(path + "/" + f).rdbuf();
    return s.str();
  }
};

TEST(LogLine, TextIsTheReferenceFormat) {
  EXPECT_EQ(line(LogLevel::kInfo, "started"), "2026-11-24T07:31:47.012Z [INFO]  client.gc: started");
  EXPECT_EQ(line(LogLevel::kError, "failed", {{"id", "a1"}, {"error", "no such file"}, {"path", ""}}),
            "2026-11-24T07:31:47.012Z [ERROR] client.gc: failed: id=a1 error=\"no such file\" path=\"\"");
  EXPECT_EQ(line(LogLevel::kWarn, "m", {{"k", "a\"b"}}), "2026-11-24T07:31:47.012Z [WARN]  client.gc: m: k=\"a\\\"b\"");
  EXPECT_EQ(line(LogLevel::kDebug, "m", {{"k", "a\nb"}}),
            "2026-11-24T07:31:47.012Z [DEBUG] client.gc: m:\n  k=\n  | a\n  | b\n  ");
  EXPECT_EQ(format_log_line(kNow, 3600, false, LogLevel::kTrace, "", "m"), "2026-11-24T08:31:47.012+0100 [TRACE] m");
}

TEST(LogLine, JsonHasSortedKeysAndEscapes) {
  EXPECT_EQ(format_log_line(kNow, 0, true, LogLevel::kInfo, "agent", "a\"<b>\n", {{"z", "1"}, {"b", "\xff"}}),
            "{\"@level\":\"info\",\"@message\":\"a\\\"\\u003cb\\u003e\\n\",\"@module\":\"agent\","
            "\"@timestamp\":\"2026-11-24T07:31:47.012345Z\",\"b\":\"\\ufffd\",\"z\":\"1\"}");
}

TEST(LogLevels, ParseAnyCase) {
  LogLevel l;
  EXPECT_TRUE(parse_log_level("warn", l));
  EXPECT_EQ(l, LogLevel::kWarn);
  EXPECT_TRUE(parse_log_level("TRACE", l));
  EXPECT_EQ(l, LogLevel::kTrace);
  EXPECT_FALSE(parse_log_level("LOUD", l));
}

TEST(Log, SubscriberSeesBelowTheProcessLevelUntilItLeaves) {
  LogOptions quiet;
  quiet.console = false;
  quiet.level = LogLevel::kError;
  ASSERT_TRUE(configure_log(quiet));
  std::vector<std::string> lines;
  int id = subscribe_log(LogLevel::kDebug, false, [&](const std::string& l) { lines.push_back(l); });
  log_trace("a", "not this");
  log_debug("a", "this");
  unsubscribe_log(id);
  log_error("a", "nor this");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with("[DEBUG] a: this\n")) << lines[0];
}

TEST(Log, ConsoleIndentsAndHolds) {
  LogOptions options;
  ASSERT_TRUE(configure_log(options));
  testing::internal::CaptureStdout();
  hold_log();
  log_info("a", "early");
  log_debug("a", "below the level");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  testing::internal::CaptureStdout();
  release_log();
  log_info("a", "late");
  std::string out = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(out.starts_with("    20")) << out;
  EXPECT_LT(out.find("early"), out.find("late"));
  EXPECT_EQ(out.find("below"), std::string::npos);
}

TEST(Log, FileGetsLinesWithoutIndent) {
  TempDir dir;
  LogOptions options;
  options.console = false;
  options.file = dir.path + "/agent.log";
  ASSERT_TRUE(configure_log(options));
  log_info("a", "kept");
  std::string text = dir.read("agent.log");
  EXPECT_TRUE(text.starts_with("20") && text.ends_with("[INFO]  a: kept\n")) << text;
  ASSERT_TRUE(configure_log({}));
}

TEST(Log, BadOptionsAreErrorsAndChangeNothing) {
  LogOptions bad;
  bad.file = "/nonexistent/dir/agent.log";
  auto s = configure_log(bad);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message, "open /nonexistent/dir/agent.log: no such file or directory");
  bad = {};
  bad.syslog_facility = "LOUD";
  EXPECT_FALSE(configure_log(bad));
}

TEST(LogFile, RotatesBySizeAndAgeAndKeepsTheNewest) {
  TempDir dir;
  LogFile file({dir.path + "/agent.log", 10, Duration(60s), 2});
  ASSERT_TRUE(file.open(Time::from_unix_seconds(100)));
  file.write(Time::from_unix_seconds(100), "0123456789\n");  // may pass the limit by one line
  file.write(Time::from_unix_seconds(101), "a\n");           // rotated first: large
  file.write(Time::from_unix_seconds(170), "b\n");           // rotated first: old
  EXPECT_EQ(dir.files(),
            (std::vector<std::string>{"agent-101000000000.log", "agent-170000000000.log", "agent.log"}));
  EXPECT_EQ(dir.read("agent-101000000000.log"), "0123456789\n");
  EXPECT_EQ(dir.read("agent.log"), "b\n");
  file.write(Time::from_unix_seconds(300), "c\n");
  EXPECT_EQ(dir.files(),
            (std::vector<std::string>{"agent-170000000000.log", "agent-300000000000.log", "agent.log"}));
}

}  // namespace
}  // namespace drover
