#include "server/bad_nodes.h"

#include <gtest/gtest.h>

namespace drover::server {
namespace {

Monotonic at(Duration d) { return Monotonic() + 1h + d; }

TEST(BadNodes, OffMeansOff) {
  BadNodes nodes({.enabled = false, .threshold = 1, .window = 1min});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(nodes.add("n", at(0s)));
  EXPECT_TRUE(nodes.scores(at(0s)).empty());
}

TEST(BadNodes, RejectionsWithinTheWindowCount) {
  BadNodes nodes({.enabled = true, .threshold = 3, .window = 1min});
  EXPECT_FALSE(nodes.add("n", at(0s)));
  EXPECT_FALSE(nodes.add("n", at(30s)));
  EXPECT_FALSE(nodes.add("n", at(61s))) << "the first is too old";
  EXPECT_FALSE(nodes.add("other", at(62s)));
  EXPECT_TRUE(nodes.add("n", at(63s)));
  auto scores = nodes.scores(at(63s));
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0], (std::pair<std::string, size_t>("n", 3)));
  EXPECT_EQ(nodes.scores(at(1h))[0].second, 0u);
}

TEST(BadNodes, FewAreMarkedAtATime) {
  BadNodes nodes({.enabled = true, .threshold = 1, .window = 5min});
  int marked = 0;
  for (int i = 0; i < 30; ++i) marked += nodes.add("n" + std::to_string(i), at(Duration(i)));
  EXPECT_EQ(marked, 10);
  marked = 0;
  for (int i = 0; i < 30; ++i) marked += nodes.add("m" + std::to_string(i), at(31min));
  EXPECT_EQ(marked, 5) << "five in half an hour";
}

TEST(BadNodes, OnlyTheLastAreKnown) {
  BadNodes nodes({.enabled = true, .threshold = 2, .window = 5min});
  EXPECT_FALSE(nodes.add("first", at(0s)));
  for (size_t i = 0; i < BadNodes::kNodesMax; ++i) EXPECT_FALSE(nodes.add(std::to_string(i), at(1s)));
  EXPECT_EQ(nodes.scores(at(1s)).size(), BadNodes::kNodesMax);
  EXPECT_FALSE(nodes.add("first", at(2s))) << "was forgotten";
}

}  // namespace
}  // namespace drover::server
