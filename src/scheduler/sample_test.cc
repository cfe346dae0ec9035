// Limit, skip and max: reference scheduler 6.4, scenarios K21 to K29.
#include "scheduler/sample.h"

#include <gtest/gtest.h>

#include <numeric>

#include "scheduler/random.h"

namespace drover::scheduler {
namespace {

// The scores that are compared, in order, of a walk over nodes with these scores.
std::vector<double> compared(const std::vector<double>& scores, size_t limit, size_t max_set_aside) {
  Sample sample(limit, max_set_aside);
  for (uint32_t i = 0; i < scores.size() && !sample.full(); ++i) sample.offer(i, scores[i]);
  std::vector<double> out;
  for (auto& o : sample.finish()) out.push_back(o.score);
  return out;
}

TEST(Sample, K21ToK28LimitAndSkip) {
  struct Case {
    const char* name;
    std::vector<double> scores;
    size_t max_set_aside;
    std::vector<double> expected;
  };
  const Case cases[] = {
      {"K21", {1, 2, 3}, 3, {1, 2}},
      {"K22", {-1, 2, 3}, 2, {2, 3}},
      {"K22 in production", {-1, 2, 3}, 3, {2, 3}},
      {"K23", {-1, -2, 3, 4}, 2, {3, 4}},
      {"K24 set aside is full", {-1, -6, -3, -4}, 2, {-3, -4}},
      {"in production one more is set aside", {-1, -6, -3, -4}, 3, {-4, -1}},
      {"K25 only those", {-1, -6}, 2, {-1, -6}},
      {"K26", {-1, 5}, 2, {5, -1}},
      {"K27", {-1, 5, -2, 2}, 2, {5, 2}},
      {"K28", {-1}, 2, {-1}},
      {"0 is set aside too", {0, 1, 2}, 3, {1, 2}},
      {"none", {}, 3, {}},
  };
  for (auto& c : cases) EXPECT_EQ(compared(c.scores, 2, c.max_set_aside), c.expected) << c.name;
}

TEST(Sample, K29TheBest) {
  using Option = Sample::Option;
  EXPECT_EQ(best_of({{0, 1}, {1, 2}, {2, 3}}), (Option{2, 3}));
  EXPECT_EQ(best_of({{0, 3}, {1, 3}, {2, 1}}), (Option{0, 3}));  // of equals the first
  EXPECT_EQ(best_of({{0, -2}, {1, -1}}), (Option{1, -1}));
  EXPECT_EQ(best_of({}), std::nullopt);
}

// Over any scores: never more than the limit, never fewer than there are, and what is set aside never displaces what
// is better when nothing overflowed.
TEST(Sample, NothingGoodIsSkipped) {
  SeededRandom random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> scores(random.below(8));
    for (auto& s : scores) s = static_cast<double>(random.below(7)) - 3;
    size_t limit = 1 + random.below(4);
    auto out = compared(scores, limit, 3);
    ASSERT_EQ(out.size(), std::min(limit, scores.size()));
    auto bad = std::count_if(scores.begin(), scores.end(), [](double s) { return s <= 0; });
    auto good = static_cast<long>(scores.size()) - bad;
    auto good_out = std::count_if(out.begin(), out.end(), [](double s) { return s > 0; });
    if (bad <= 3) ASSERT_EQ(good_out, std::min<long>(good, static_cast<long>(limit)));
  }
}

}  // namespace
}  // namespace drover::scheduler
