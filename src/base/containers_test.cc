// PackedVector, List, Map and SharedMap against std::vector and std::map, and every element made is destroyed.
#include "base/containers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace drover {
namespace {

// Counts the living, and notices a value that is used after it was destroyed.
struct Counted {
  static inline int alive = 0;
  std::string text;  // long enough for the heap: a sanitizer sees what goes wrong
  int number = 0;

  Counted(int n = 0) : text(30, static_cast<char>('a' + n % 26)), number(n) { ++alive; }  // NOLINT
  Counted(const Counted& o) : text(o.text), number(o.number) { ++alive; }
  Counted(Counted&& o) noexcept : text(std::move(o.text)), number(o.number) { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --alive; }
  friend bool operator==(const Counted&, const Counted&) = default;
};

using Packed = PackedVector<Counted>;

void expect_same(const Packed& packed, const std::vector<Counted>& model) {
  ASSERT_EQ(packed.size(), model.size());
  ASSERT_TRUE(std::equal(packed.begin(), packed.end(), model.begin(), model.end()));
  ASSERT_GE(packed.capacity(), packed.size());
}

TEST(PackedVector, DoesWhatAVectorDoes) {
  {
    std::mt19937 random(7);
    Packed packed;
    std::vector<Counted> model;
    for (int step = 0; step < 20000; ++step) {
      size_t n = model.size(), at = n ? random() % (n + 1) : 0, to = at + (n > at ? random() % (n - at + 1) : 0);
      switch (random() % 9) {
        case 0:
        case 1: packed.emplace_back(step), model.emplace_back(step); break;
        case 2: packed.insert(packed.begin() + at, step), model.insert(model.begin() + static_cast<long>(at), step); break;
        case 3:
          if (at < n) packed.erase(packed.begin() + at), model.erase(model.begin() + static_cast<long>(at));
          break;
        case 4:
          if (to - at < 4) {
            auto* next = packed.erase(packed.begin() + at, packed.begin() + to);
            model.erase(model.begin() + static_cast<long>(at), model.begin() + static_cast<long>(to));
            ASSERT_EQ(next, packed.begin() + at);
          }
          break;
        case 5: packed.resize(at), model.resize(at); break;
        case 6: packed.reserve(n + 3); break;
        case 7: packed.shrink_to_fit(); ASSERT_EQ(packed.capacity(), packed.size()); break;
        default: {
          Packed copy = packed;
          ASSERT_EQ(copy.capacity(), n);
          if (random() % 2) packed = std::move(copy);
          else if (random() % 50 == 0) packed.clear(), model.clear();
        }
      }
      expect_same(packed, model);
    }
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(PackedVector, NilAndEmptyTakeNothing) {
  Packed nil, empty;
  empty.ensure();
  EXPECT_TRUE(nil.is_nil());
  EXPECT_FALSE(empty.is_nil());
  EXPECT_EQ(nil.capacity() + empty.capacity(), 0u);
  nil.clear(), empty.clear();
  nil.shrink_to_fit(), empty.shrink_to_fit();
  EXPECT_TRUE(nil.is_nil());
  EXPECT_FALSE(empty.is_nil());
  Packed copy = empty;
  EXPECT_FALSE(copy.is_nil());
  copy.emplace_back(1);
  EXPECT_TRUE(empty.empty());  // the block that all empty ones share is never written
  copy.reset();
  EXPECT_TRUE(copy.is_nil());
  empty.resize(0);
  EXPECT_FALSE(empty.is_nil());
}

TEST(PackedVector, TakesItsOwnElementsAndItself) {
  Packed v;
  v.emplace_back(1);
  for (int i = 0; i < 20; ++i) v.emplace_back(v[0]);  // grows under the argument
  for (auto& e : v) EXPECT_EQ(e, Counted(1));
  v.push_back(v.back());
  v.insert(v.begin(), v.back());
  auto& self = v;
  v = self;
  EXPECT_EQ(v.size(), 23u);
  v = std::move(self);
  EXPECT_EQ(v.size(), 23u);
  Packed moved = std::move(v);
  EXPECT_TRUE(v.is_nil());  // NOLINT: that is the promise
  v.emplace_back(2);
  EXPECT_EQ(v.size(), 1u);
  EXPECT_EQ(moved.size(), 23u);
}

struct Tree {
  int n = 0;
  List<Tree> children;  // incomplete here
  Map<Tree> named;
};

TEST(List, HoldsItsOwnKind) {
  Tree root{.n = 1};
  root.children.push_back({.n = 2, .children = {{.n = 3}}});
  root.named["x"].n = 4;
  root.children = root.children[0].children;  // a part of what is replaced
  ASSERT_EQ(root.children.size(), 1u);
  EXPECT_EQ(root.children[0].n, 3);
  root.named = std::move(root.named["x"].named);
  EXPECT_TRUE(root.named.is_nil());
}

TEST(List, MovesAVectorIn) {
  std::vector<std::unique_ptr<int>> v;
  v.push_back(std::make_unique<int>(1));
  int* raw = v[0].get();
  List<std::unique_ptr<int>> list(std::move(v));
  EXPECT_EQ(list[0].get(), raw);
  EXPECT_EQ((List<int>{3, 1}.to_vector()), (std::vector<int>{3, 1}));
}

TEST(Map, DoesWhatASortedMapDoes) {
  std::mt19937 random(11);
  Map<Counted> map;
  std::map<std::string, Counted> model;
  for (int step = 0; step < 5000; ++step) {
    auto key = std::to_string(random() % 40);
    if (random() % 3) map.set(key, step), model[key] = step;
    else ASSERT_EQ(map.erase(key), model.erase(key) == 1);
    ASSERT_TRUE(std::equal(map.begin(), map.end(), model.begin(), model.end(),
                           [](auto& a, auto& b) { return a.first == b.first && a.second == b.second; }));
    ASSERT_EQ(map.contains(key), model.contains(key));
  }
}

TEST(SharedMap, SharesUntilOneChanges) {
  SharedMap<std::string> a{{"exit_code", "0"}}, b = a;
  EXPECT_TRUE(a.same(b));
  EXPECT_FALSE(a.unique());
  b.set("signal", "9");
  EXPECT_FALSE(a.same(b));
  EXPECT_FALSE(a.contains("signal"));
  EXPECT_EQ(b.at("exit_code"), "0");
  EXPECT_TRUE(a.unique() && b.unique());
  auto* before = b.find("signal");
  b["exit_code"] = "1";  // alone: in place
  EXPECT_EQ(b.find("signal"), before);
  EXPECT_FALSE(a == b);
  EXPECT_TRUE(b.erase("signal"));
  EXPECT_FALSE(b.erase("signal"));
  b.set("exit_code", a.at("exit_code"));
  EXPECT_EQ(a, b);
  b = a;
  auto& self = b;
  b = self;
  EXPECT_TRUE(b.same(a));
}

TEST(SharedMap, KeepsNilApartFromEmpty) {
  SharedMap<std::string> nil, empty = SharedMap<std::string>::empty_map();
  EXPECT_TRUE(nil.is_nil());
  EXPECT_FALSE(empty.is_nil());
  EXPECT_FALSE(nil == empty);
  EXPECT_TRUE(empty.same(SharedMap<std::string>::empty_map()));
  EXPECT_EQ(nil.begin(), nil.end());
  SharedMap<std::string> other = empty;
  other.set("a", "b");
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(other.size(), 1u);
  other.make_empty();
  EXPECT_EQ(other, empty);
  other.reset();
  EXPECT_TRUE(other.is_nil());
  EXPECT_TRUE(SharedMap<std::string>(Map<std::string>()).is_nil());
  nil["k"] = "v";
  EXPECT_EQ(nil.get_or("k"), "v");
}

}  // namespace
}  // namespace drover
