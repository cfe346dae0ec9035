// The log on disk: what a crash tears is cut, what is damaged is refused, what is compacted frees its segments.
#include "raft/file_log.h"

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/sim_loop.h"
#include "raft/crc32c.h"
#include "raft/engine.h"
#include "raft/mem_disk.h"

namespace drover::raft {
namespace {

struct Entry {
  uint64_t index, term;
  std::string data;
  friend bool operator==(const Entry&, const Entry&) = default;
};

class FileLogTest : public ::testing::Test {
 protected:
  FileLogTest() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
  ~FileLogTest() override { log.reset(); }

  Status open(uint64_t keep_from = 0) {
    log.reset();
    auto r = FileLog::open({"/log", segment, inline_sync, keep_from}, disk, sim.world, sim.pool, recovered);
    if (!r) return std::move(r).error();
    log = std::move(*r);
    return {};
  }
  void append(std::vector<Entry> entries, dr_hard_state hs = {1, 0, 0}, uint64_t snapshot = 0) {
    std::vector<dr_entry> es;
    for (auto& e : entries) es.push_back({e.index, e.term, 0, 0, bytes(e.data), {}});
    LogRecord r;
    r.hs = hs;
    r.snapshot_index = snapshot;
    r.snapshot_term = snapshot ? 1 : 0;
    r.entries = es.data();
    r.n_entries = es.size();
    auto ok = log->append(std::move(r), [this](Status s) { done.push_back(s ? "" : s.error().message); });
    ASSERT_TRUE(ok);
    if (*ok) done.emplace_back();
  }
  void fill(uint64_t from, uint64_t to, uint64_t term = 1) {
    for (uint64_t i = from; i <= to; i++) append({{i, term, "entry " + std::to_string(i)}}, {term, 0, i - 1});
    sim.loop.run_ready();
  }
  std::vector<Entry> read(uint64_t lo, uint64_t hi, uint64_t max = ~0ull) {
    std::vector<Entry> out;
    auto status = log->read(lo, hi, max, [&](const dr_entry& e) { out.push_back({e.index, e.term, std::string(view(e.data))}); });
    EXPECT_TRUE(status) << status.error().message;
    return out;
  }
  size_t files(const char* prefix) {
    size_t n = 0;
    for (auto& name : *disk.list("/log")) n += name.starts_with(prefix);
    return n;
  }
  std::string& file(uint64_t number) { return *disk.content("/log/" + segment_name(number)); }

  uint64_t segment = 4096;
  bool inline_sync = false;
  SimWorld sim{3};
  MemDisk disk;
  RecoveredLog recovered;
  std::unique_ptr<FileLog> log;
  std::vector<std::string> done;
};

TEST_F(FileLogTest, GivesBackWhatWasAppended) {
  ASSERT_TRUE(open());
  fill(1, 100);
  EXPECT_EQ(done.size(), 100u);
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.first, 1u);
  EXPECT_EQ(recovered.last, 100u);
  EXPECT_EQ(recovered.hs.commit, 99u);
  auto all = read(1, 101);
  ASSERT_EQ(all.size(), 100u);
  EXPECT_EQ(all[41], (Entry{42, 1, "entry 42"}));
  EXPECT_EQ(read(10, 60, 200).size(), 3u);  // 48 bytes and the data each
  EXPECT_EQ(read(10, 60, 1).size(), 1u);    // at least one
}

TEST_F(FileLogTest, OneSyncServesAllThatWaits) {
  ASSERT_TRUE(open());
  fill(1, 1);
  uint64_t before = log->stats().syncs;
  for (uint64_t i = 2; i <= 30; i++) append({{i, 1, "x"}});
  sim.loop.run_ready();
  EXPECT_EQ(done.size(), 30u);
  EXPECT_EQ(log->stats().syncs - before, 1u);
}

TEST_F(FileLogTest, OverwrittenEntriesAreGoneAfterARestart) {
  ASSERT_TRUE(open());
  fill(1, 10);
  append({{6, 2, "new 6"}, {7, 2, "new 7"}}, {2, 0, 5});
  sim.loop.run_ready();
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(read(5, 8), (std::vector<Entry>{{5, 1, "entry 5"}, {6, 2, "new 6"}, {7, 2, "new 7"}}));
    ASSERT_TRUE(open());
    EXPECT_EQ(recovered.last, 7u);
    ASSERT_EQ(recovered.runs.size(), 2u);
    EXPECT_EQ(recovered.runs[1].first, 6u);
    EXPECT_EQ(recovered.runs[1].term, 2u);
  }
}

TEST_F(FileLogTest, ASnapshotReplacesWhatWasBefore) {
  ASSERT_TRUE(open());
  fill(1, 10);
  append({}, {2, 0, 50}, 50);
  append({{51, 2, "x"}}, {2, 0, 50});
  sim.loop.run_ready();
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.snapshot_index, 50u);
  EXPECT_EQ(recovered.first, 51u);
  EXPECT_EQ(recovered.last, 51u);
}

TEST_F(FileLogTest, CompactionReusesSegments) {
  ASSERT_TRUE(open());
  fill(1, 200);
  size_t before = files("log-");
  ASSERT_GT(before, 4u);
  log->compact(190);
  sim.loop.run_ready();
  EXPECT_LE(files("log-"), 2u);
  EXPECT_EQ(files("free-"), 2u);
  fill(201, 300);
  EXPECT_LT(files("free-"), 2u);
  ASSERT_TRUE(open(190));
  EXPECT_EQ(recovered.last, 300u);
  EXPECT_LE(recovered.first, 191u);
  EXPECT_EQ(read(191, 301).size(), 110u);
}

TEST_F(FileLogTest, TheNextSegmentIsMadeInTheSecondHalfOfTheOneBefore) {
  ASSERT_TRUE(open());
  uint64_t last = 0;
  auto until = [&](auto reached) {
    for (; !reached() && last < 500; fill(last, last)) last++;
    ASSERT_LT(last, 500u);
  };
  fill(++last, last);
  EXPECT_EQ(files("free-"), 0u);
  until([&] { return files("free-") == 1; });
  EXPECT_EQ(files("log-"), 1u);
  EXPECT_GT(last, 10u);  // not at once
  until([&] { return files("log-") == 2; });
  EXPECT_EQ(files("free-"), 0u) << "it became the second segment";
  EXPECT_EQ(file(2).size(), segment);
  until([&] { return files("log-") == 4; });
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, last);
  EXPECT_EQ(read(1, last + 1).size(), last);
}

TEST_F(FileLogTest, ANextSegmentThatWasNotFinishedIsUsedAfterARestart) {
  ASSERT_TRUE(open());
  fill(1, 3);
  *disk.open("/log/free-ahead", OpenMode::kCreate);
  ASSERT_TRUE(open());
  uint64_t last = 3;
  for (; files("log-") < 3 && last < 500; fill(last, last)) last++;
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, last);
  EXPECT_EQ(read(1, last + 1).size(), last);
}

TEST_F(FileLogTest, TellsTheFirstOfTheNewestEntriesWithinSoManyBytes) {
  ASSERT_TRUE(open());
  EXPECT_EQ(log->first_within(1), 0u);
  fill(1, 9);
  append({{10, 1, std::string(1000, 'x')}});
  fill(11, 12);
  EXPECT_EQ(log->first_within(100'000), 0u);
  EXPECT_EQ(log->first_within(1000), 11u);
  EXPECT_EQ(log->first_within(1), 13u);
}

TEST_F(FileLogTest, AFrameOfAReusedFileIsNeverTakenForANewOne) {
  ASSERT_TRUE(open());
  fill(1, 400);
  log->compact(395);
  sim.loop.run_ready();
  ASSERT_EQ(files("free-"), 2u);
  uint64_t last = 400;
  while (files("free-") == 2) {
    last++;
    fill(last, last);
  }
  // The newest segment is a reused file: one new frame, old ones behind it.
  ASSERT_TRUE(open(395));
  EXPECT_EQ(recovered.last, last);
}

TEST_F(FileLogTest, ATornTailIsCutAtEveryByte) {
  ASSERT_TRUE(open());
  fill(1, 3);
  append({{4, 1, std::string(100, 'a')}, {5, 1, std::string(100, 'b')}}, {1, 0, 3});
  sim.loop.run_ready();
  std::string whole = file(1);
  size_t end = whole.find_last_not_of('\0') + 1;
  size_t start = whole.rfind("DRF1");
  log.reset();
  for (size_t at = start; at < end; at++) {
    file(1) = whole;
    std::fill(file(1).begin() + static_cast<ptrdiff_t>(at), file(1).begin() + static_cast<ptrdiff_t>(end), '\0');
    ASSERT_TRUE(open()) << at;
    EXPECT_EQ(recovered.last, 3u) << at;  // both entries or none
    EXPECT_EQ(recovered.hs.commit, 2u) << at;
    fill(4, 4, 2);
    ASSERT_TRUE(open()) << at;
    EXPECT_EQ(recovered.last, 4u) << at;
    log.reset();
  }
}

TEST_F(FileLogTest, ATornFrameBeforeWholeUnsyncedOnesIsCutWithThem) {
  ASSERT_TRUE(open());
  fill(1, 3);
  size_t tail = file(1).find_last_not_of('\0') + 1;
  for (uint64_t i = 4; i <= 8; i++) append({{i, 1, "entry " + std::to_string(i)}});
  sim.loop.run_ready();  // five frames, one sync
  log.reset();
  size_t at = file(1).find("entry 4", tail - 8);
  file(1)[at] ^= 1;
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, 3u);
  // What takes its place has the same length: frames 5 to 8 of the old write must not come back behind it.
  append({{4, 2, "entry X"}}, {2, 0, 3});
  sim.loop.run_ready();
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, 4u);
  EXPECT_EQ(read(4, 5)[0].data, "entry X");
}

TEST_F(FileLogTest, DamageBeforeTheTailIsRefusedWithFileOffsetAndAdvice) {
  ASSERT_TRUE(open());
  for (uint64_t i = 1; i <= 20; i++) fill(i, i);  // a sync each
  log.reset();
  for (auto* text : {"entry 1", "entry 9", "entry 18"}) {
    std::string whole = file(1);
    size_t at = whole.find(text);
    ASSERT_NE(at, std::string::npos);
    file(1)[at] ^= 1;
    auto status = open();
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(status.error().message.find("/log/log-0000000000000001 is damaged at offset "), std::string::npos) << status.error().message;
    EXPECT_NE(status.error().message.find("let it join again"), std::string::npos);
    file(1) = whole;
  }
  EXPECT_TRUE(open());
}

TEST_F(FileLogTest, AMissingSegmentAndADamagedHeaderAreRefused) {
  ASSERT_TRUE(open());
  fill(1, 200);
  log.reset();
  std::string saved = file(2);
  file(2)[10] ^= 1;
  EXPECT_FALSE(open());
  file(2) = saved;
  ASSERT_TRUE(open());
  log.reset();
  ASSERT_TRUE(disk.remove("/log/" + segment_name(2)));
  auto status = open();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("log-0000000000000002 is missing"), std::string::npos) << status.error().message;
}

TEST_F(FileLogTest, AnErrorStaysAndReachesEveryWaiter) {
  ASSERT_TRUE(open());
  fill(1, 1);
  disk.fail_on("/log/");
  append({{2, 1, "x"}});
  append({{3, 1, "x"}});
  sim.loop.run_ready();
  disk.fail_on("");
  append({{4, 1, "x"}});
  sim.loop.run_ready();
  ASSERT_EQ(done.size(), 4u);
  for (size_t i = 1; i < 4; i++) EXPECT_NE(done[i].find("Input/output error"), std::string::npos);
}

// Nothing is lost, nothing is answered too early, and what waited is there in order.
TEST_F(FileLogTest, AFullDiskIsWaitedFor) {
  for (bool on_the_loop : {false, true}) {
    inline_sync = on_the_loop;
    log.reset();
    ASSERT_TRUE(disk.remove_all("/log"));
    done.clear();
    ASSERT_TRUE(open());
    fill(1, 5);
    ASSERT_TRUE(log->room());
    disk.fill("/log/");
    fill(6, 150);
    EXPECT_TRUE(log->stats().stalled);
    ASSERT_FALSE(log->room());
    EXPECT_NE(log->room().error().message.find("no space left on device"), std::string::npos);
    auto before = done.size();
    EXPECT_LT(before, 150u);
    sim.loop.advance(5s);
    EXPECT_EQ(done.size(), before);
    disk.fill("");
    sim.loop.advance(1s);
    EXPECT_EQ(done, std::vector<std::string>(150));
    EXPECT_TRUE(log->room());
    EXPECT_FALSE(log->stats().stalled);
    fill(151, 160);
    ASSERT_TRUE(open());
    EXPECT_EQ(recovered.last, 160u);
    EXPECT_EQ(read(1, 161).size(), 160u);
  }
}

// The zeros ahead are a reserve: the log says that it is full while what little must be written still goes through.
TEST_F(FileLogTest, ItSaysThatItIsFullBeforeItIs) {
  segment = 4u << 20;
  ASSERT_TRUE(open());
  fill(1, 1);
  disk.fill("/log/");
  uint64_t next = 2;
  while (log->room() && next < 3000) {
    append({{next, 1, std::string(1000, 'x')}}, {1, 0, next - 1});
    sim.loop.run_ready();
    next++;
  }
  ASSERT_FALSE(log->room());
  EXPECT_FALSE(log->stats().stalled);
  fill(next, next + 50);
  EXPECT_FALSE(log->stats().stalled);
  EXPECT_EQ(done, std::vector<std::string>(next + 50));
  disk.fill("");
  sim.loop.advance(1s);
  EXPECT_TRUE(log->room());
}

TEST_F(FileLogTest, ALogThatWaitsForRoomCanBeClosed) {
  ASSERT_TRUE(open());
  disk.fill("/log/");
  fill(1, 150);
  ASSERT_TRUE(log->stats().stalled);
  auto last = done.size();
  log.reset();
  disk.fill("");
  sim.loop.advance(5s);
  EXPECT_EQ(done.size(), last);
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, last);
}

TEST_F(FileLogTest, ABigRecordGetsABiggerSegment) {
  ASSERT_TRUE(open());
  fill(1, 5);
  append({{6, 1, std::string(50'000, 'z')}});
  fill(7, 10);
  ASSERT_TRUE(open());
  EXPECT_EQ(recovered.last, 10u);
  EXPECT_EQ(read(6, 7)[0].data.size(), 50'000u);
}

// Random appends, overwrites, full disks and power cuts: what was acknowledged is there, and only whole records are.
TEST_F(FileLogTest, PowerCutsKeepAcknowledgedRecordsWhole) {
  ASSERT_TRUE(open());
  std::vector<Entry> model;  // acknowledged and maybe later ones
  size_t acknowledged = 0;
  uint64_t term = 1;
  for (int round = 0; round < 300; round++) {
    std::vector<Entry> pending = model;
    std::vector<std::vector<Entry>> states = {model};
    disk.cut_power_after(sim.random.below(12));
    size_t waiting = 0;
    for (int k = 0; k < 6; k++) {
      done.clear();
      if (sim.random.below(5) == 0 && !pending.empty()) {
        term++;
        pending.resize(sim.random.below(pending.size()) + 1);
      }
      std::vector<Entry> batch;
      for (uint64_t n = sim.random.below(4) + 1; n > 0; n--) {
        uint64_t next = pending.empty() ? 1 : pending.back().index + 1;
        batch.push_back({next, term, std::string(sim.random.below(700), static_cast<char>('a' + sim.random.below(26)))});
        pending.push_back(batch.back());
      }
      if (sim.random.below(4) == 0) disk.fill(sim.random.below(2) ? "/log/" : "");
      append(batch, {term, 0, 0});
      waiting++;
      states.push_back(pending);
      if (sim.random.below(2)) sim.loop.run_ready();
      if (sim.random.below(8) == 0) sim.loop.advance(1s);
      waiting -= done.size();
      bool ok = waiting == 0;
      for (auto& d : done) ok &= d.empty();
      if (ok) acknowledged = states.size() - 1;
    }
    log.reset();
    sim.loop.run_ready();
    disk.crash(sim.random);
    if (!open()) disk.fill("");  // a new segment may need room
    ASSERT_TRUE(open()) << round;
    auto got = recovered.last ? read(1, recovered.last + 1) : std::vector<Entry>();
    bool found = false;
    for (size_t i = acknowledged; i < states.size(); i++) found |= states[i] == got;
    ASSERT_TRUE(found) << "round " << round << ": " << got.size() << " entries recovered";
    model = got;
    acknowledged = 0;
  }
}

TEST(Crc32c, KnownValuesAndBothWaysAgree) {
  EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283u);
  SimRandom random(5);
  std::string bytes(1000, '\0');
  random.fill(bytes.data(), bytes.size());
  for (size_t n = 0; n < bytes.size(); n += 7) {
    EXPECT_EQ(crc32c(77, bytes.data(), n), detail::crc32c_table(77, bytes.data(), n));
  }
  EXPECT_EQ(crc32c(crc32c(0, "12345"), "6789"), 0xe3069283u);
}

}  // namespace
}  // namespace drover::raft
