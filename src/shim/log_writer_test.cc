#include "shim/log_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace drover::shim {
namespace {

namespace fs = std::filesystem;

class LogWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/drover-logs-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }
  void put(const std::string& name, const std::string& text) { std::ofstream(dir_ + "/" + name) << text; }
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    for (auto& e : fs::directory_iterator(dir_)) {
      std::ifstream in(e.path());
      out[e.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return out;
  }
  std::string dir_;
};
using Files = std::map<std::string, std::string>;

TEST_F(LogWriterTest, RotatesByLinesAndKeepsTheNewest) {
  LogWriter w;
  ASSERT_FALSE(w.open(dir_.c_str(), "web.stdout", 2, 10));
  for (const char* line : {"one\n", "two\n", "three\n", "four\n", "five\n"}) w.write(line, strlen(line));
  w.close();
  EXPECT_EQ(files(), (Files{{"web.stdout.1", "three\n"}, {"web.stdout.2", "four\nfive\n"}}));
  EXPECT_EQ(w.lost(), 0u);
}

TEST_F(LogWriterTest, GoesOnInTheNewestFile) {
  put("web.stdout.3", "old\n");
  put("web.stdout.12", "new\n");
  put("web.stdout.x", "other");
  put("web.stdoutfoo.99", "other");
  LogWriter w;
  ASSERT_FALSE(w.open(dir_.c_str(), "web.stdout", 3, 10));
  w.write("more\n", 5);
  w.write("next\n", 5);
  w.close();
  EXPECT_EQ(files(), (Files{{"web.stdout.12", "new\nmore\n"}, {"web.stdout.13", "next\n"}, {"web.stdout.x", "other"}, {"web.stdoutfoo.99", "other"}}));
}

TEST_F(LogWriterTest, SkipsAFileThatIsFull) {
  put("t.stderr.0", "0123456789abc");
  LogWriter w;
  ASSERT_FALSE(w.open(dir_.c_str(), "t.stderr", 10, 10));
  w.write("x", 1);
  w.close();
  EXPECT_EQ(files(), (Files{{"t.stderr.0", "0123456789abc"}, {"t.stderr.1", "x"}}));
}

// The task can write to the directory: names that lead elsewhere or count too high must do no harm.
TEST_F(LogWriterTest, IsNotMisledByTheTask) {
  put("target", "precious");
  fs::create_symlink(dir_ + "/target", dir_ + "/t.stdout.0");
  put("t.stdout.18446744073709551615", "");
  LogWriter w;
  isolate::Fault f = w.open(dir_.c_str(), "t.stdout", 10, 10);
  EXPECT_EQ(f.err, ELOOP);
  EXPECT_STREQ(f.op, "open log file");
  w.close();
  EXPECT_EQ(files()["target"], "precious");
}

TEST_F(LogWriterTest, FilesAreReadableByAll) {
  umask(077);
  LogWriter w;
  ASSERT_FALSE(w.open(dir_.c_str(), "t.stdout", 10, 10));
  w.close();
  umask(022);
  EXPECT_EQ(fs::status(dir_ + "/t.stdout.0").permissions(), fs::perms(0644));
}

TEST_F(LogWriterTest, NamesTheMissingDirectory) {
  LogWriter w;
  isolate::Fault f = w.open((dir_ + "/none").c_str(), "t.stdout", 10, 10);
  EXPECT_EQ(f.err, ENOENT);
  EXPECT_STREQ(f.op, "open log directory");
}

}  // namespace
}  // namespace drover::shim
