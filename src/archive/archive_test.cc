// Archives: written and read back, one of the reference, and every way to be damaged.
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include "archive/snapshot_archive.h"
#include "archive/tar_reader.h"
#include "base/strings.h"

namespace drover::archive {
namespace {

SnapshotMeta some_meta() {
  SnapshotMeta meta;
  meta.ID = "3-77-1795533135657";
  meta.Index = 77;
  meta.Term = 3;
  meta.Peers = Bytes("\x91\xaf" "127.0.0.1:34647");
  meta.Configuration.Servers.push_back({0, "e55a3c2c-b899-941f-81e0-b262a450d3a7", "127.0.0.1:34647"});
  meta.ConfigurationIndex = 1;
  return meta;
}

std::string gzip(std::string_view bytes) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string hex_sha(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  return hex_encode(sha.finish());
}

std::string member(std::string_view name, std::string_view body) {
  return tar_header(name, body.size(), 1) + std::string(body) + tar_padding(body.size());
}

constexpr std::string_view kMeta = R"({"Version":1,"ID":"2-8-1","Index":8,"Term":2,"Size":5})";

// The members of a good archive; a test damages one.
struct Members {
  std::string meta{kMeta}, state = "state", sums;
  std::string tar() const {
    auto lines = sums.empty() ? hex_sha(meta) + "  meta.json\n" + hex_sha(state) + "  state.bin\n" : sums;
    return member("meta.json", meta) + member("state.bin", state) + member("SHA256SUMS", lines) + tar_end();
  }
};

struct Outcome {
  std::string error, state;
  SnapshotMeta meta;
};

Outcome read(std::string_view archive, size_t step = 1 << 20) {
  Outcome o;
  ArchiveReader reader([&](std::string_view b) { return o.state += b, Status(); });
  for (size_t at = 0; at < archive.size(); at += step) {
    auto ok = reader.write(archive.substr(at, step));
    if (!ok) return o.error = ok.error().message, o;
  }
  auto meta = reader.finish();
  if (meta) o.meta = *meta;
  else o.error = meta.error().message;
  return o;
}

std::string whole(const SavedArchive& saved) {
  std::string out(saved.size(), '\0');
  auto n = saved.read_at(0, out.data(), out.size());
  EXPECT_EQ(n.value_or(0), out.size());
  return out;
}

SavedArchive save(std::string_view state, size_t step) {
  auto saved = save_archive(some_meta(), Time::from_unix_seconds(1'700'000'000), [&](const BytesFn& out) -> Status {
    for (size_t at = 0; at < state.size(); at += step) DROVER_CHECK(out(state.substr(at, step)));
    return {};
  }, testing::TempDir());
  EXPECT_TRUE(saved);
  return std::move(*saved);
}

std::string noise(size_t size) {
  std::string out;
  uint64_t x = 88172645463325252ull;
  while (out.size() < size) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    out += static_cast<char>(x & 0x3f);
  }
  return out;
}

TEST(Archive, WhatIsSavedReadsBack) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{511}, size_t{512}, size_t{513}, size_t{3'000'000}}) {
    auto state = noise(size);
    auto saved = save(state, 70'000);
    auto bytes = whole(saved);
    for (size_t step : {size_t{1} << 20, size_t{4099}}) {
      auto o = read(bytes, step);
      EXPECT_EQ(o.error, "");
      EXPECT_TRUE(o.state == state) << size;
      EXPECT_EQ(o.meta.Index, 77u);
      EXPECT_EQ(o.meta.Size, static_cast<int64_t>(size));
      EXPECT_EQ(o.meta.Configuration.Servers.size(), 1u);
      EXPECT_EQ(o.meta.Peers, some_meta().Peers);
    }
    Sha256 sha;
    sha.update(bytes);
    EXPECT_EQ(saved.digest(), "sha-256=" + base64_encode(sha.finish()));
    // Pieces from anywhere are pieces of the whole.
    for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 37) {
      std::string piece(1000, '\0');
      auto n = saved.read_at(at, piece.data(), piece.size());
      ASSERT_TRUE(n);
      EXPECT_TRUE(bytes.substr(at, 1000) == piece.substr(0, *n));
    }
    EXPECT_EQ(saved.read_at(bytes.size(), nullptr, 0).value_or(1), 0u);
  }
}

TEST(Archive, AStateThatFailsMakesNoArchive) {
  auto saved = save_archive(some_meta(), Time(), [](const BytesFn& out) -> Status {
    DROVER_CHECK(out(noise(2'000'000)));
    return internal("the state is gone");
  }, testing::TempDir());
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().message, "the state is gone");
  auto nowhere = save_archive(some_meta(), Time(), [](const BytesFn&) { return Status(); }, "/none/such");
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(nowhere.error().message.starts_with("open /none/such/")) << nowhere.error().message;
}

TEST(Archive, OneOfTheReferenceIsRead) {
  std::ifstream in(TESTDATA "/reference.snap", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  auto o = read(bytes);
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.meta.ID, "2-8-1795533135657");
  EXPECT_EQ(o.meta.Index, 8u);
  EXPECT_EQ(o.meta.Term, 2u);
  EXPECT_EQ(o.meta.Size, 4856);
  EXPECT_EQ(o.state.size(), 4856u);
  EXPECT_EQ(o.meta.Configuration.Servers[0].Address, "127.0.0.1:34647");
}

TEST(Archive, WhatIsNoGzip) {
  EXPECT_EQ(read("").error, "failed to decompress snapshot: EOF");
  EXPECT_EQ(read("junk\n").error, "failed to decompress snapshot: unexpected EOF");
  EXPECT_EQ(read("not an archive").error, "failed to decompress snapshot: gzip: invalid header");
  EXPECT_EQ(read(std::string_view("\x1f\x8b\x07\0\0\0\0\0\0\xff", 10)).error, "failed to decompress snapshot: gzip: invalid header");
  EXPECT_EQ(read(gzip(Members().tar()) + "more bytes behind it").error, "gzip: invalid header");
  EXPECT_EQ(read(gzip(Members().tar()) + "more").error, "unexpected EOF");
}

TEST(Archive, WhatIsCutAnywhere) {
  auto good = whole(save(noise(200'000), 50'000));
  ASSERT_EQ(read(good).error, "");
  for (size_t size = 0; size < good.size(); size += 1 + size / 50) {
    auto o = read(good.substr(0, size));
    EXPECT_TRUE(o.error.ends_with("EOF")) << size << ": " << o.error;
  }
  auto tar = Members().tar();
  EXPECT_EQ(read(gzip(tar.substr(0, 700))).error, "failed to read snapshot file: failed reading snapshot: unexpected EOF");
  EXPECT_EQ(read(gzip(tar.substr(0, 520))).error, "failed to read snapshot file: failed to read snapshot metadata: unexpected EOF");
  EXPECT_EQ(read(gzip(tar.substr(0, tar.size() - 1024))).error, "");  // closing blocks are optional
}

TEST(Archive, AFlippedBitIsFound) {
  auto good = whole(save(noise(20'000), 5'000));
  for (size_t at = 0; at < good.size(); at += 23) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    auto o = read(bad);
    // Time, system and flags of a member's header are nobody's concern.
    if (o.error.empty()) EXPECT_TRUE(o.state == noise(20'000)) << at;
  }
  auto bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
  EXPECT_NE(read(bad).error, "");
}

TEST(Archive, WrongDigestsAndMembers) {
  const std::string kSums = "failed to read snapshot file: failed checking integrity of snapshot: ";
  Members m;
  ASSERT_EQ(read(gzip(m.tar())).error, "");
  m.sums = hex_sha(m.meta) + "  meta.json\n" + hex_sha("other") + "  state.bin\n";
  EXPECT_EQ(read(gzip(m.tar())).error, kSums + "hash check failed for \"state.bin\"");
  m.sums = hex_sha(m.meta) + "  meta.json\n";
  EXPECT_EQ(read(gzip(m.tar())).error, kSums + "file missing for \"state.bin\"");
  m.sums = hex_sha(m.meta) + "  meta.json\n" + hex_sha("state") + "  other\n";
  EXPECT_EQ(read(gzip(m.tar())).error, kSums + "list missing hash for \"other\"");
  m.sums = "0123  meta.json\n";
  EXPECT_EQ(read(gzip(m.tar())).error, kSums + "malformed line \"0123  meta.json\"");
  EXPECT_EQ(read(gzip(tar_end())).error, kSums + "file missing for \"meta.json\"");
  EXPECT_EQ(read(gzip(member("evil", "x") + Members().tar())).error, "failed to read snapshot file: unexpected file \"evil\" in snapshot");
  EXPECT_EQ(read(gzip(member("../state.bin", "x"))).error,
            "failed to read snapshot file: unexpected file \"../state.bin\" in snapshot");
  EXPECT_EQ(read(gzip(Members().tar() + "tail")).error, "4 unread uncompressed bytes remain");
  m = {};
  m.meta = "{\"Version\":";
  EXPECT_EQ(read(gzip(m.tar())).error.substr(0, 66), "failed to read snapshot file: failed to decode snapshot metadata: ");
  // State twice is not the state that was summed up.
  m = {};
  EXPECT_EQ(read(gzip(member("state.bin", "x") + m.tar())).error, kSums + "hash check failed for \"state.bin\"");
}

TEST(Archive, BadTarHeaders) {
  const std::string kBad = "failed to read snapshot file: failed reading snapshot: archive/tar: invalid tar header";
  auto tar = Members().tar();
  auto bad = tar;
  bad[0] = 'M';  // the sum of the header does not fit any more
  EXPECT_EQ(read(gzip(bad)).error, kBad);
  EXPECT_EQ(read(gzip(std::string(512, '\0') + tar)).error, kBad);
  EXPECT_EQ(read(gzip(std::string(512, 'x'))).error, kBad);
  // More is promised than comes.
  EXPECT_EQ(read(gzip(tar_header("state.bin", uint64_t{1} << 40, 1) + "abc")).error,
            "failed to read snapshot file: failed to read or write snapshot data: unexpected EOF");
  EXPECT_EQ(read(gzip(tar_header("meta.json", 9'000'000, 1) + std::string(2'000'000, ' '))).error,
            "failed to read snapshot file: failed to read snapshot metadata: file too large");
  EXPECT_EQ(read(gzip(tar_header("SHA256SUMS", 9'000'000, 1) + std::string(2'000'000, ' '))).error,
            "failed to read snapshot file: failed to read snapshot hashes: file too large");
}

TEST(Archive, SizesBeyondOctalDigitsGoThroughPax) {
  auto header = tar_header("state.bin", 9'000'000'000, 1);
  EXPECT_EQ(header.size(), 3 * 512u);
  TarHeader seen;
  TarReader reader({.begin = [&](const TarHeader& h) { return seen = h, Status(); },
                    .bytes = [](std::string_view) { return Status(); },
                    .end = [] { return Status(); },
                    .finish = [] { return Status(); }});
  ASSERT_TRUE(reader.write(header));
  EXPECT_EQ(seen.name, "state.bin");
  EXPECT_EQ(seen.size, 9'000'000'000u);
  EXPECT_FALSE(reader.finish());
}

TEST(Archive, TheStatesOwnErrorEndsTheReading) {
  ArchiveReader reader([](std::string_view) -> Status { return Error(ErrorCode::kIo, "write: no space left on device"); });
  auto ok = reader.write(gzip(Members().tar()));
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().message, "failed to read snapshot file: failed to read or write snapshot data: write: no space left on device");
  ArchiveReader none([](std::string_view) { return Status(); });
  EXPECT_EQ(none.broken(internal("failed to read after 0: gone")).message, "failed to decompress snapshot: failed to read after 0: gone");
}

TEST(Archive, AGreatDealOutOfLittleIsPassedOnInPieces) {
  std::string zeros(64 << 20, '\0');
  auto archive = gzip(tar_header("state.bin", zeros.size(), 1) + zeros);
  ASSERT_LT(archive.size(), 100'000u);
  size_t longest = 0, total = 0;
  ArchiveReader reader([&](std::string_view b) { return longest = std::max(longest, b.size()), total += b.size(), Status(); });
  ASSERT_TRUE(reader.write(archive));
  EXPECT_EQ(total, zeros.size());
  EXPECT_LE(longest, 64u * 1024);
}

}  // namespace
}  // namespace drover::archive
