// Tar text, and the stream of an allocation's files.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/alloc_dir.h"
#include "client/alloc_snapshot.h"
#include "client/client_testing.h"
#include "client/tar.h"

namespace drover::client {
namespace {

// "name kind text|" of every entry; the archive comes in pieces of `piece` bytes.
std::string unpack(const std::string& archive, size_t piece) {
  TarReader reader;
  std::string out;
  for (size_t at = 0;; at += piece) {
    for (;;) {
      auto item = reader.next();
      if (!item) return out + "error: " + item.error().message;
      if (!*item) break;
      if ((*item)->end) return out + "end";
      if (auto& e = (*item)->entry) {
        constexpr const char* kKinds[] = {"file", "dir", "link", "other"};
        out += "|" + e->name + " " + kKinds[static_cast<int>(e->kind)] + " " + e->link;
      }
      out += (*item)->data;
    }
    if (at >= archive.size()) return out + "error: " + reader.finish().error().message;
    reader.feed(std::string_view(archive).substr(at, piece));
  }
}

std::string file(const std::string& name, const std::string& text) {
  TarEntry e;
  e.name = name;
  e.size = static_cast<int64_t>(text.size());
  return tar_header(e) + text + std::string(tar_padding(e.size), '\0');
}

TEST(TarTest, ReadsWhatItWritesInAnyPieces) {
  std::string long_name(300, 'n'), big(1500, 'x');
  TarEntry link;
  link.name = "l";
  link.kind = TarKind::kSymlink;
  link.link = std::string(200, 't');
  auto archive = file("a", "hello") + file("dir/" + long_name, big) + tar_header(link) + file("empty", "") + tar_end();
  auto expected = "|a file hello|dir/" + long_name + " file " + big + "|l link " + link.link + "|empty file end";
  for (size_t piece : {1ul, 7ul, 512ul, 100000ul}) EXPECT_EQ(unpack(archive, piece), expected) << piece;
}

TEST(TarTest, RefusesDamageAndTellsOfAnEarlyEnd) {
  auto archive = file("a", "hello") + tar_end();
  auto damaged = archive;
  damaged[0] = 'b';
  EXPECT_EQ(unpack(damaged, 512), "error: invalid tar header");
  EXPECT_EQ(unpack(archive.substr(0, 514), 512), "|a file heerror: unexpected EOF");
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    files_.paths.root = dir_ / "11111111-2222-3333-4444-555555555555";
    files_.tasks["web"] = {true};
    EXPECT_TRUE(build_alloc_dir(files_.paths));
    TaskDirOptions options;
    options.mount_secrets = false;
    EXPECT_TRUE(build_task_dir(files_.paths, "web", options));
  }
  std::string stream() {
    auto stream = snapshot_alloc(sim_.world, files_);
    std::string archive;
    for (;;) {
      auto bytes = run_async(sim_.loop, stream->next());
      if (!bytes || bytes->empty()) return unpack(archive, 4096);
      archive += *bytes;
    }
  }

  TempDir dir_;
  SimWorld sim_;
  AllocFiles files_;
};

TEST_F(SnapshotTest, HoldsWhatASuccessorTakesOver) {
  spill_file(files_.paths.data() + "/db/one", "1");
  spill_file(files_.paths.local("web") + "/two", "22");
  spill_file(files_.paths.secrets("web") + "/token", "s3cret");
  spill_file(files_.paths.logs() + "/web.stdout.0", "log");
  ASSERT_EQ(::symlink("/etc/passwd", (files_.paths.data() + "/out").c_str()), 0);
  ASSERT_EQ(::mkfifo((files_.paths.data() + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(stream(),
            "|alloc/data dir |alloc/data/db dir |alloc/data/db/one file 1|alloc/data/out link /etc/passwd|web/local dir "
            "|web/local/two file 22end");
}

TEST_F(SnapshotTest, TellsOfAnErrorInsideTheArchive) {
  std::filesystem::remove_all(files_.paths.root);
  auto id = files_.paths.root.substr(files_.paths.root.rfind('/') + 1);
  EXPECT_EQ(stream(), "|NOMAD-" + id + "-ERROR.log file Error snapshotting: lstat " + files_.paths.root +
                          "/alloc/data: no such file or directoryend");
}

TEST_F(SnapshotTest, ATaskThatNeverHadADirectoryIsLeftOut) {
  files_.tasks["late"] = {false};
  EXPECT_EQ(stream(), "|alloc/data dir |web/local dir end");
}

}  // namespace
}  // namespace drover::client
