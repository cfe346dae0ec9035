#include "drivers/shim_binary.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "drivers/files.h"
#include "drivers/shim_launch.h"
#include "drivers/signals.h"
#include "drivers/usage.h"

namespace drover::drivers {
namespace {

namespace fs = std::filesystem;

TEST(ShimBinary, IsUnpackedOnceAndMendedWhenDamaged) {
  char name[] = "/tmp/drover-bin-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  std::string dir = std::string(name) + "/a/b";
  auto path = unpack_shim(dir);
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*read_whole(*path), shim_image());
  EXPECT_EQ(fs::status(*path).permissions(), fs::perms(0755));
  struct stat before, after;
  ASSERT_EQ(::stat(path->c_str(), &before), 0);
  EXPECT_EQ(*unpack_shim(dir), *path);
  ASSERT_EQ(::stat(path->c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "an intact one is left alone";
  fs::resize_file(*path, 100);
  EXPECT_EQ(*unpack_shim(dir), *path);
  EXPECT_EQ(*read_whole(*path), shim_image());
  EXPECT_EQ(std::distance(fs::directory_iterator(dir), {}), 1) << "no temporary files";
  fs::remove_all(name);
}

TEST(ShimBinary, HasATemporaryPlaceWithoutADataDirectory) {
  auto path = unpack_shim("");
  ASSERT_TRUE(path);
  EXPECT_TRUE(fs::exists(*path));
  fs::remove_all(fs::path(*path).parent_path());
}

TEST(ShimBinary, NamesADirectoryThatCannotBeMade) {
  EXPECT_EQ(unpack_shim("/dev/null/x").error().message, "mkdir /dev/null: not a directory");
}

TEST(ExitRecord, IsReadWholeOrNotAtAll) {
  auto r = parse_exit_record("drover-exit 1\ncode=137\nsignal=9\noom=1\nstarted=5\nfinished=7\nfuture=x\nerror=e\nend\n");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->result, (ExitResult{.exit_code = 137, .signal = 9, .oom_killed = true, .err = "e"}));
  EXPECT_EQ(r->started_at.unix_nanos, 5);
  EXPECT_EQ(r->finished_at.unix_nanos, 7);
  EXPECT_FALSE(parse_exit_record("drover-exit 1\ncode=137\n"));
  EXPECT_FALSE(parse_exit_record(""));
  EXPECT_FALSE(parse_exit_record("code=1\nend\n"));
}

TEST(Signals, AreTheReferencesNames) {
  EXPECT_EQ(signal_number("SIGTERM"), 15);
  EXPECT_EQ(signal_number("SIGNULL"), 0);
  EXPECT_FALSE(signal_number("sigterm"));
  EXPECT_FALSE(signal_number("SIGCHLD"));
  EXPECT_FALSE(signal_number(""));
}

TEST(Usage, PercentIsCpuOverWallTime) {
  UsageMeter meter;
  ComputeCapacity capacity{4000, 2};
  constexpr uint64_t s = 1'000'000'000;
  auto sample = [&](uint64_t at, std::vector<shim::ProcessEntry> p) {
    shim::UsageReply sums;
    sums.time_ns = at;
    for (auto& e : p) sums.rss_bytes += e.rss_bytes;
    return meter.measure(sums, p, Time{}, capacity);
  };
  auto first = sample(10 * s, {{1, 0, 100, 0, 7 * s, 1 * s}});
  EXPECT_EQ(first.total.cpu.percent, 0);
  EXPECT_EQ(first.total.memory.rss, 100u);
  // One process used 1.0 s and 0.5 s in 2 s; a new one 0.5 s.
  auto second = sample(12 * s, {{1, 0, 100, 0, 8 * s, 3 * s / 2}, {2, 0, 50, 0, s / 2, 0}});
  EXPECT_DOUBLE_EQ(second.pids.at("1").cpu.user_mode, 50);
  EXPECT_DOUBLE_EQ(second.pids.at("1").cpu.system_mode, 25);
  EXPECT_DOUBLE_EQ(second.pids.at("2").cpu.percent, 25);
  EXPECT_DOUBLE_EQ(second.total.cpu.percent, 100);
  EXPECT_DOUBLE_EQ(second.total.cpu.total_ticks, 2000);
  // A process that ended does not make the sum fall below zero.
  auto third = sample(13 * s, {{2, 0, 50, 0, s / 2, 0}});
  EXPECT_DOUBLE_EQ(third.total.cpu.percent, 0);
}

}  // namespace
}  // namespace drover::drivers
