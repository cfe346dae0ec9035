#include "shim/rotation.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::shim {
namespace {

constexpr uint64_t kMiB = 1 << 20;

struct Case {
  const char* rule;
  LogPosition at;
  std::string data;
  size_t bytes;
  bool rotate;
};

TEST(Rotation, PlansOneWrite) {
  std::string long_line(100000, 'x');
  const Case cases[] = {
      {"what fits is written", {0, 100, true}, "abc\n", 4, false},
      {"to the last byte", {96, 100, true}, "abc\n", 4, false},
      {"a full file is left", {100, 100, true}, "abc\n", 0, true},
      {"a file that is over its size is left", {150, 100, true}, "abc\n", 0, true},
      {"lines that fit, then the next file", {90, 100, true}, "abc\ndef\nghi\n", 8, true},
      {"a line that does not fit moves whole", {97, 100, true}, "abc\n", 0, true},
      {"the rest of a begun line is cut", {97, 100, false}, "abc\n", 3, true},
      {"a line longer than a file is cut", {97, 100, true}, std::string(200, 'x'), 3, true},
      {"an empty file takes the start of a long line", {0, 100, true}, std::string(200, 'x'), 100, true},
      {"a very long line is cut rather than space given away", {0, kMiB, true}, "a\n" + std::string(2 * kMiB, 'x'), kMiB, true},
      {"a line moves only near the end", {kMiB - 40000, kMiB, true}, long_line, 40000, true},
      {"near the end it moves", {kMiB - 30000, kMiB, true}, long_line, 0, true},
  };
  for (const Case& c : cases) {
    WritePlan plan = plan_write(c.at, c.data.data(), c.data.size());
    EXPECT_EQ(plan.bytes, c.bytes) << c.rule;
    EXPECT_EQ(plan.rotate, c.rotate) << c.rule;
  }
}

// Whatever the pieces, every byte is written once and in order, no file exceeds its size, and no line that fits into a
// file is cut when it comes in one piece.
TEST(Rotation, KeepsBytesAndBounds) {
  uint64_t seed = 1;
  auto random = [&seed](uint64_t below) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % below;
  };
  for (int round = 0; round < 200; round++) {
    LogPosition at{0, 50 + random(300), true};
    std::string all, written;
    int files = 1;
    for (int i = 0; i < 50; i++) {
      std::string line(random(2 * at.max), static_cast<char>('a' + random(26)));
      line += '\n';
      all += line;
      const char* p = line.data();
      size_t left = line.size();
      int cuts = 0;
      while (left > 0) {
        WritePlan plan = plan_write(at, p, left);
        ASSERT_TRUE(plan.bytes > 0 || plan.rotate);
        ASSERT_LE(plan.bytes, left);
        written.append(p, plan.bytes);
        p += plan.bytes;
        left -= plan.bytes;
        at.size += plan.bytes;
        if (plan.bytes > 0) at.at_line_start = p[-1] == '\n';
        ASSERT_LE(at.size, at.max);
        if (plan.rotate && left > 0) {
          if (!at.at_line_start) cuts++;
          at.size = 0, at.at_line_start = true;
          files++;
        }
      }
      if (line.size() <= at.max) EXPECT_EQ(cuts, 0);
    }
    EXPECT_EQ(written, all);
    EXPECT_GT(files, 1);
  }
}

}  // namespace
}  // namespace drover::shim
