// Directories of allocations, and what operators may see of them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/alloc_dir.h"
#include "client/alloc_fs.h"
#include "client/client_testing.h"
#include "client/task_hooks_builtin.h"

namespace drover::client {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
}

TEST(AllocDirTest, LayoutAndModes) {
  TempDir dir;
  AllocPaths paths{dir / "a1"};
  TaskDirOptions options;
  options.mount_secrets = false;
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(build_alloc_dir(paths));
    ASSERT_TRUE(build_task_dir(paths, "web", options));
  }
  EXPECT_EQ(mode_of(paths.root), 0755u);
  for (auto* sub : {"/alloc", "/alloc/logs", "/alloc/tmp", "/alloc/data", "/web", "/web/local", "/web/secrets"})
    EXPECT_EQ(mode_of(paths.root + sub), 0777u) << sub;
  EXPECT_EQ(mode_of(paths.root + "/web/tmp"), 01777u);
  ASSERT_TRUE(destroy_alloc_dir(paths, {"web"}));
  EXPECT_FALSE(exists(paths.root));
  EXPECT_TRUE(destroy_alloc_dir(paths, {"web"}));
}

TEST(AllocDirTest, ChrootHasLinksAndCopiesNothingFromTheAllocDir) {
  TempDir dir;
  spill_file(dir / "host/bin/tool", "#!");
  ::chmod((dir / "host/bin/tool").c_str(), 0755);
  ASSERT_EQ(::symlink("tool", (dir / "host/bin/link").c_str()), 0);
  spill_file(dir / "host/allocs/secret", "x");
  ASSERT_TRUE(build_chroot(dir / "root", {{dir / "host", "/usr"}, {dir / "missing", "/opt"}}, dir / "host/allocs"));
  EXPECT_EQ(slurp_file(dir / "root/usr/bin/tool"), "#!");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "root/usr/bin/link"));
  EXPECT_FALSE(exists(dir / "root/usr/allocs"));
  EXPECT_FALSE(exists(dir / "root/opt"));
}

TEST(AllocDirTest, RemovalDoesNotFollowLinks) {
  TempDir dir;
  spill_file(dir / "outside/precious", "x");
  AllocPaths paths{dir / "a1"};
  ASSERT_TRUE(build_alloc_dir(paths));
  ASSERT_EQ(::symlink((dir / "outside").c_str(), (paths.data() + "/out").c_str()), 0);
  ASSERT_TRUE(destroy_alloc_dir(paths, {}));
  EXPECT_TRUE(exists(dir / "outside/precious"));
}

class AllocFsTest : public testing::Test {
 protected:
  AllocFsTest() {
    files_.paths.root = dir_ / "a1";
    files_.tasks["web"] = {true};
    files_.tasks["late"] = {false};
    EXPECT_TRUE(build_alloc_dir(files_.paths));
    TaskDirOptions options;
    options.mount_secrets = false;
    EXPECT_TRUE(build_task_dir(files_.paths, "web", options));
    spill_file(dir_ / "outside", "not yours");
    spill_file(files_.paths.root + "/web/local/a.txt", "hello world");
    spill_file(files_.paths.root + "/web/secrets/token", "s3cret");
    EXPECT_EQ(::symlink((dir_ / "outside").c_str(), (files_.paths.root + "/web/local/out").c_str()), 0);
    EXPECT_EQ(::symlink("../secrets/token", (files_.paths.root + "/web/local/sly").c_str()), 0);
  }
  template <class T>
  T go(Async<T> task) {
    return std::move(*run_async(sim_.loop, std::move(task)));
  }
  std::string error_of(const std::string& path) {
    auto r = go(read_file(sim_.world, files_, path, 0, 0));
    return r ? "read: " + *r : r.error().message;
  }
  void log(int n, const std::string& text) { spill_file(files_.paths.logs() + "/web.stdout." + std::to_string(n), text); }
  // All frames until the end, or until the reader waits.
  std::string drain(FrameReader& reader) {
    std::string out;
    for (;;) {
      auto frame = run_async(sim_.loop, reader.next(), std::chrono::milliseconds(50));
      if (!frame) return out + "|waits";
      if (!*frame) return out + "|" + frame->error().message;
      if (!**frame) return out + "|end";
      auto& f = ***frame;
      out += f.FileEvent.empty() ? f.Data.data : "<" + f.FileEvent + ">";
    }
  }

  TempDir dir_;
  SimWorld sim_;
  AllocFiles files_;
};

TEST_F(AllocFsTest, ListsAndStats) {
  auto list = go(list_files(sim_.world, files_, "/web"));
  ASSERT_TRUE(list) << list.error().message;
  std::vector<std::string> names;
  for (auto& f : *list) names.push_back(f.Name);
  EXPECT_EQ(names, (std::vector<std::string>{"local", "secrets", "tmp"}));
  EXPECT_EQ((*list)[2].FileMode, "dtrwxrwxrwx");
  auto stat = go(stat_file(sim_.world, files_, "web/local/a.txt"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->Size, 11);
  EXPECT_EQ(stat->ContentType, "text/plain; charset=utf-8");
  EXPECT_EQ(stat->Name, "a.txt");
  EXPECT_TRUE(go(list_files(sim_.world, files_, ""))->size() >= 2);
  auto missing = go(stat_file(sim_.world, files_, "web/nope"));
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "stat " + files_.paths.root + "/web/nope: no such file or directory");
  missing = go(stat_file(sim_.world, files_, "web/local/a.txt/x"));
  EXPECT_EQ(missing.error().code, ErrorCode::kIo);
  EXPECT_EQ(missing.error().message, "stat " + files_.paths.root + "/web/local/a.txt/x: not a directory");
  auto unlisted = go(list_files(sim_.world, files_, "web/local/a.txt"));
  EXPECT_EQ(unlisted.error().code, ErrorCode::kIo);
  EXPECT_EQ(unlisted.error().message, "open " + files_.paths.root + "/web/local/a.txt: not a directory");
  unlisted = go(list_files(sim_.world, files_, "nope"));
  EXPECT_EQ(unlisted.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(unlisted.error().message, "open " + files_.paths.root + "/nope: no such file or directory");
}

TEST_F(AllocFsTest, NothingOutsideAndNoSecretIsRead) {
  EXPECT_EQ(error_of("web/local/a.txt"), "read: hello world");
  EXPECT_EQ(error_of("../outside"), "Path escapes the alloc directory");
  EXPECT_EQ(error_of("web/../../outside"), "Path escapes the alloc directory");
  EXPECT_EQ(error_of("web/local/out"), "Path escapes the alloc directory");
  EXPECT_EQ(error_of("web/secrets/token"), "Reading secret file prohibited: web/secrets/token");
  EXPECT_EQ(error_of("web/local/sly"), "Reading secret file prohibited: web/local/sly");
  EXPECT_EQ(error_of("web"), "file \"web\" is a directory");
  EXPECT_EQ(error_of(""), "must provide a file path");
  EXPECT_EQ(go(stat_file(sim_.world, files_, "web/local/out")).error().message, "Path escapes the alloc directory");
  EXPECT_TRUE(go(list_files(sim_.world, files_, "web/secrets")));  // only content is secret
}

TEST_F(AllocFsTest, ReadsParts) {
  EXPECT_EQ(*go(read_file(sim_.world, files_, "web/local/a.txt", 6, 3)), "wor");
  auto tail = stream_file(sim_.world, files_, {"web/local/a.txt", 5, FileOrigin::kEnd, 0, false});
  EXPECT_EQ(drain(*tail), "world|end");
  EXPECT_FALSE(parse_origin("middle"));
}

TEST_F(AllocFsTest, FollowsAppendsTruncationAndRemoval) {
  auto path = files_.paths.root + "/web/local/a.txt";
  auto reader = stream_file(sim_.world, files_, {"web/local/a.txt", 0, FileOrigin::kStart, 0, true});
  EXPECT_EQ(drain(*reader), "hello world|waits");
  spill_file(path, "hello world, more");
  EXPECT_EQ(drain(*reader), ", more|waits");
  spill_file(path, "new");
  EXPECT_EQ(drain(*reader), "<file truncated>new|waits");
  std::filesystem::remove(path);
  EXPECT_EQ(drain(*reader), "<file deleted>|end");
}

TEST_F(AllocFsTest, LogsGoOverRotatedFiles) {
  log(1, "aaaa");
  log(2, "bbbb");
  log(10, "cc");
  auto logs = [&](int64_t offset, FileOrigin origin) {
    return drain(*stream_logs(sim_.world, files_, {"web", "stdout", offset, origin, false}));
  };
  EXPECT_EQ(logs(0, FileOrigin::kStart), "aaaabbbbcc|end");
  EXPECT_EQ(logs(6, FileOrigin::kStart), "bbcc|end");
  EXPECT_EQ(logs(99, FileOrigin::kStart), "|end");
  EXPECT_EQ(logs(3, FileOrigin::kEnd), "bcc|end");
  EXPECT_EQ(logs(99, FileOrigin::kEnd), "aaaabbbbcc|end");
}

TEST_F(AllocFsTest, LogsAreFollowedToTheNextFile) {
  log(0, "one ");
  auto reader = stream_logs(sim_.world, files_, {"web", "stdout", 0, FileOrigin::kStart, true});
  EXPECT_EQ(drain(*reader), "one |waits");
  log(0, "one two ");
  log(1, "three");
  EXPECT_EQ(drain(*reader), "two three|waits");
}

TEST_F(AllocFsTest, LogErrors) {
  auto error = [&](std::string task, std::string type) {
    return drain(*stream_logs(sim_.world, files_, {task, type, 0, FileOrigin::kStart, false}));
  };
  EXPECT_EQ(error("", "stdout"), "|must provide task name");
  EXPECT_EQ(error("web", "both"), "|must provide log type (stdout/stderr)");
  EXPECT_EQ(error("nope", "stdout"), "|unknown task name \"nope\"");
  EXPECT_EQ(error("late", "stdout"), "|task \"late\" not started yet. No logs available");
  EXPECT_EQ(error("web", "stderr"), "|log entry for task \"web\" and log type \"stderr\" not found");
}

TEST(ContentTypeTest, Sniffs) {
  EXPECT_EQ(sniff_content_type("  <html><body>"), "text/html; charset=utf-8");
  EXPECT_EQ(sniff_content_type("\x89PNG\r\n\x1a\n"), "image/png");
  EXPECT_EQ(sniff_content_type(std::string("\0\1\2", 3)), "application/octet-stream");
  EXPECT_EQ(sniff_content_type("plain"), "text/plain; charset=utf-8");
  EXPECT_EQ(sniff_content_type(""), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace drover::client
