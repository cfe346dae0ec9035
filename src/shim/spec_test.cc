#include "shim/spec.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace drover::shim {
namespace {

std::string tag(Tag t, std::string_view body) {
  TagHeader h{static_cast<uint32_t>(t), static_cast<uint32_t>(body.size())};
  std::string out(reinterpret_cast<const char*>(&h), sizeof h);
  out += body;
  out.resize((out.size() + 7) & ~size_t{7});
  return out;
}
std::string text_tag(Tag t, std::string body) { return tag(t, body + '\0'); }
std::string number_tag(Tag t, uint32_t n) { return tag(t, {reinterpret_cast<const char*>(&n), sizeof n}); }

// Parses from a buffer of exactly that size, so that a sanitizer sees any read beyond.
const char* parse(const std::string& bytes, Spec& out, std::vector<uint8_t>& keep) {
  keep.assign(bytes.begin(), bytes.end());
  return parse_spec(keep.data(), keep.size(), out);
}

TEST(Spec, ReadsAllThatAStartNeeds) {
  LimitEntry limit{7, 0, 10, 20};
  std::string bytes = text_tag(Tag::kDir, "/d") + text_tag(Tag::kCommand, "/bin/sh") + text_tag(Tag::kCwd, "/w") +
                      number_tag(Tag::kUid, 5) + number_tag(Tag::kGid, 6) + number_tag(Tag::kGroup, 7) +
                      number_tag(Tag::kGroup, 8) + tag(Tag::kLimit, {reinterpret_cast<char*>(&limit), sizeof limit}) +
                      number_tag(static_cast<Tag>(9999), 1);
  for (int i = 0; i < 40; i++) bytes += text_tag(Tag::kArg, "a" + std::to_string(i));
  bytes += text_tag(Tag::kEnv, "K=V");
  Spec s;
  std::vector<uint8_t> keep;
  ASSERT_EQ(parse(bytes, s, keep), nullptr);
  EXPECT_STREQ(s.dir, "/d");
  EXPECT_STREQ(s.command, "/bin/sh");
  EXPECT_STREQ(s.cwd, "/w");
  EXPECT_TRUE(s.has_user);
  EXPECT_EQ(s.uid, 5u);
  EXPECT_EQ(s.gid, 6u);
  ASSERT_EQ(s.group_count, 2u);
  EXPECT_EQ(s.groups[1], 8u);
  ASSERT_EQ(s.limit_count, 1u);
  EXPECT_EQ(s.limits[0].hard, 20u);
  ASSERT_EQ(s.args.size, 40u);
  EXPECT_STREQ(s.args.items[39], "a39");
  EXPECT_EQ(s.args.items[40], nullptr);
  ASSERT_EQ(s.env.size, 1u);
  EXPECT_EQ(s.env.items[1], nullptr);
  s.release();
}

TEST(Spec, RefusesWhatIsCutOrUnterminated) {
  Spec s;
  std::vector<uint8_t> keep;
  EXPECT_NE(parse(tag(Tag::kCommand, "abc"), s, keep), nullptr);
  EXPECT_NE(parse(tag(Tag::kArg, "abc"), s, keep), nullptr);
  EXPECT_NE(parse(tag(Tag::kUid, "ab"), s, keep), nullptr);
  EXPECT_NE(parse(tag(Tag::kLogMaxBytes, "abcd"), s, keep), nullptr);
  std::string whole = text_tag(Tag::kCommand, "/bin/sh");
  for (size_t n = 1; n < whole.size(); n++) EXPECT_NE(parse(whole.substr(0, n), s, keep), nullptr) << n;
  std::string groups;
  for (size_t i = 0; i <= kMaxGroups; i++) groups += number_tag(Tag::kGroup, 1);
  EXPECT_STREQ(parse(groups, s, keep), "too many groups");
}

TEST(Spec, SurvivesAnyBytes) {
  uint64_t seed = 42;
  for (int round = 0; round < 20000; round++) {
    std::string bytes = text_tag(Tag::kArg, "a") + number_tag(Tag::kGroup, 3) + text_tag(Tag::kEnv, "K=V");
    for (int i = 0; i < 3; i++) {
      seed = seed * 6364136223846793005ull + 1442695040888963407ull;
      bytes[(seed >> 40) % bytes.size()] = static_cast<char>(seed >> 33);
    }
    Spec s;
    std::vector<uint8_t> keep;
    if (!parse(bytes, s, keep))
      for (size_t i = 0; i < s.args.size; i++) (void)strlen(s.args.items[i]);
    s.release();
  }
}

}  // namespace
}  // namespace drover::shim
