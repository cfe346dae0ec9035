#include "base/blake2b.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace drover {
namespace {

std::string hex(size_t size, std::string_view text, std::string_view key = {}) {
  return hex_encode(Blake2b(size, key).update(text).finish());
}

TEST(Blake2b, RfcExample) {
  EXPECT_EQ(hex(64, "abc"), "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Blake2b, ShortDigests) {
  EXPECT_EQ(hex(32, ""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(hex(32, std::string(300, 'x')), "5aa7fbbf37986bb2a5d547c0d3c4d4326a24d786e7d57bf93fc784176e38b33d");
}

TEST(Blake2b, BlockBorders) {
  EXPECT_EQ(hex(32, std::string(128, 'a')), "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450");
  EXPECT_EQ(hex(32, std::string(256, 'a')), "eae4d3a7627549b383179dc18049964f91a6fed14c9f3fb26705eda3eeda5558");
  Blake2b pieces(32);
  for (int i = 0; i < 256; ++i) pieces.update("a");
  EXPECT_EQ(hex_encode(pieces.finish()), hex(32, std::string(256, 'a')));
}

TEST(Blake2b, Keyed) { EXPECT_EQ(hex(64, "abc", "secret"), "204c828c56fbe6dfe80f110efd16649b9baaad573a6fe4a9a3f492857ec46f8f01eb46d3d6b777f014802967b258fdf631947e68e70cbf9054edf69fa3bbb4a8"); }

}  // namespace
}  // namespace drover
