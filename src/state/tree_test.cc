// The tree against std::map, with snapshots taken along the way that must never change.
#include "state/tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "state/keys.h"

namespace drover::state {
namespace {

using Key = std::tuple<uint64_t, uint64_t>;
using Value = std::shared_ptr<const std::string>;
using MapTree = Tree<Key, Value, KeyOrder>;
using Model = std::map<Key, Value>;

Value value(uint64_t n) { return std::make_shared<const std::string>("v" + std::to_string(n)); }

void expect_equal(const MapTree& tree, const Model& model) {
  ASSERT_EQ(tree.size(), model.size());
  auto c = tree.first();
  for (auto& [k, v] : model) {
    ASSERT_FALSE(c.at_end());
    ASSERT_EQ(c.key(), k);
    ASSERT_EQ(c.value(), v);
    c.next();
  }
  ASSERT_TRUE(c.at_end());
  for (auto it = model.rbegin(); it != model.rend(); ++it) {
    c.prev();
    ASSERT_EQ(c.key(), it->first);
  }
}

void expect_ranges(const MapTree& tree, const Model& model, uint64_t first) {
  auto from = tree.seek(std::tuple(first)), to = tree.seek(std::tuple(first), true);
  auto lo = model.lower_bound({first, 0}), hi = model.lower_bound({first + 1, 0});
  for (; lo != hi; ++lo, from.next()) ASSERT_EQ(from.key(), lo->first);
  ASSERT_TRUE(from == to);
  auto behind = tree.seek(std::tuple(first, AtMost<uint64_t>{7}), true);
  auto expected = model.upper_bound({first, 7});
  ASSERT_EQ(behind.at_end(), expected == model.end());
  if (expected != model.end()) ASSERT_EQ(behind.key(), expected->first);
}

void expect_diff(const MapTree& a, const MapTree& b, const Model& ma, const Model& mb) {
  std::map<Key, std::pair<Value, Value>> want, got;
  for (auto& [k, v] : ma)
    if (auto it = mb.find(k); it == mb.end() || it->second != v) want[k].first = v;
  for (auto& [k, v] : mb)
    if (auto it = ma.find(k); it == ma.end() || it->second != v) want[k].second = v;
  MapTree::diff(a, b, [&](const Key& k, const Value* before, const Value* after) {
    ASSERT_FALSE(got.contains(k));
    got[k] = {before ? *before : nullptr, after ? *after : nullptr};
  });
  ASSERT_EQ(got, want);
}

// shape 0: random keys; 1: mostly ascending; 2: grows, then shrinks to nothing.
void run(uint64_t seed, int shape, int steps) {
  std::mt19937_64 rng(seed);
  MapTree tree;
  Model model;
  std::vector<std::pair<MapTree, Model>> snapshots;
  uint64_t next = 0;
  for (int i = 0; i < steps; ++i) {
    bool shrink = shape == 2 ? i > steps / 2 : rng() % 3 == 0;
    Key key = shape == 1 ? Key{next / 40, next % 40} : Key{rng() % 50, rng() % 40};
    if (shrink && !model.empty() && rng() % 4) {
      auto it = model.lower_bound(key);
      if (it != model.end()) key = it->first;
    }
    if (shrink) {
      ASSERT_EQ(tree.erase(key), model.erase(key) == 1);
    } else {
      ++next;
      auto v = value(rng() % 1000);
      auto old = tree.put(key, v);
      auto it = model.find(key);
      ASSERT_EQ(old.has_value(), it != model.end());
      if (old) ASSERT_EQ(*old, it->second);
      model[key] = v;
    }
    ASSERT_EQ(tree.find(key) != nullptr, model.contains(key));
    if (rng() % (steps / 8) == 0) snapshots.emplace_back(tree, model);
  }
  expect_equal(tree, model);
  for (uint64_t first = 0; first < 52; ++first) expect_ranges(tree, model, first);
  snapshots.emplace_back(tree, model);
  for (auto& [t, m] : snapshots) {
    expect_equal(t, m);
    expect_diff(t, tree, m, model);
    expect_diff(snapshots[0].first, t, snapshots[0].second, m);
  }
}

TEST(Tree, AgreesWithAMapAndKeepsSnapshots) {
  for (uint64_t seed = 1; seed <= 12; ++seed)
    for (int shape = 0; shape < 3; ++shape) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " shape " << shape);
      run(seed, shape, 3000);
      if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(Tree, AscendingKeysFillTheirNodes) {
  Tree<std::tuple<uint64_t>, std::monostate, KeyOrder> set;
  for (uint64_t i = 0; i < 10000; ++i) set.put(std::tuple(i));
  EXPECT_LT(set.memory(), 10000 * 10u);
}

int g_compared = 0;
struct CountingOrder {
  template <class A, class B>
  int operator()(const A& a, const B& b) const {
    return ++g_compared, KeyOrder()(a, b);
  }
};

TEST(Tree, DiffSkipsSharedNodes) {
  using Counted = Tree<std::tuple<uint64_t>, Value, CountingOrder>;
  Counted tree;
  for (uint64_t i = 0; i < 100000; ++i) tree.put(std::tuple(i), value(i));
  auto before = tree;
  tree.put(std::tuple(uint64_t{500}), value(1));
  tree.erase(std::tuple(uint64_t{70000}));
  g_compared = 0;
  std::vector<uint64_t> seen;
  Counted::diff(before, tree, [&](auto& key, auto*, auto*) { seen.push_back(std::get<0>(key)); });
  EXPECT_EQ(seen, (std::vector<uint64_t>{500, 70000}));
  EXPECT_LT(g_compared, 200);
}

TEST(Keys, PrefixProbesSelectTheirRun) {
  Tree<std::tuple<SharedString, SharedString>, std::monostate, KeyOrder> set;
  for (auto ns : {"a", "ab", "b"})
    for (auto id : {"web", "web-1", "we", "x"}) set.put(std::tuple(SharedString(ns), SharedString(id)));
  auto keys = [&](auto probe) {
    std::string out;
    for (auto c = set.seek(probe), e = set.seek(probe, true); !(c == e); c.next())
      out += std::get<0>(c.key()).str() + "/" + std::get<1>(c.key()).str() + " ";
    return out;
  };
  EXPECT_EQ(keys(std::tuple(std::string_view("a"))), "a/we a/web a/web-1 a/x ");
  EXPECT_EQ(keys(std::tuple(std::string_view("ab"), Prefix{"web"})), "ab/web ab/web-1 ");
  EXPECT_EQ(keys(std::tuple(Prefix{"ab"})), "ab/we ab/web ab/web-1 ab/x ");
  EXPECT_EQ(keys(std::tuple(std::string_view("c"))), "");
}

TEST(Keys, UuidPrefixes) {
  auto id = *Uuid::parse("a1b2c3d4-0000-0000-0000-000000000000");
  EXPECT_EQ(compare_part(id, *UuidPrefix::parse("a1b2")), 0);
  EXPECT_EQ(compare_part(id, *UuidPrefix::parse("A1B2C3D4-00")), 0);
  EXPECT_EQ(compare_part(id, *UuidPrefix::parse("")), 0);
  EXPECT_LT(compare_part(id, *UuidPrefix::parse("a1b3")), 0);
  EXPECT_EQ(UuidPrefix::parse("a1b").error().message, "Input (without hyphens) must be even length");
  EXPECT_EQ(UuidPrefix::parse("a1b", true)->nibbles, 2);
  EXPECT_FALSE(UuidPrefix::parse("xyzw"));
}

}  // namespace
}  // namespace drover::state
