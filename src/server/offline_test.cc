// A stopped server's log and snapshots, read back as text.
#include "server/offline.h"

#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "base/sim_loop.h"
#include "codec/json.h"
#include "model/raft_requests.h"
#include "raft/engine.h"
#include "raft/file_log.h"
#include "raft/mem_disk.h"
#include "raft/offline.h"
#include "archive/snapshot_archive.h"
#include "server/peers_file.h"
#include "server/recovery_check.h"
#include "state/fsm.h"
#include "state/snapshot_io.h"

namespace drover::server {
namespace {

class OfflineTest : public ::testing::Test {
 protected:
  OfflineTest() {
    raft::RecoveredLog recovered;
    auto made = raft::FileLog::open({"/data/server/raft/log", 8192, false, 0}, disk, sim.world, sim.pool, recovered);
    EXPECT_TRUE(made);
    log = std::move(*made);
  }
  void put(uint64_t index, uint64_t term, const std::string& data) {
    dr_entry e{index, term, 0, 0, raft::bytes(data), {}};
    raft::LogRecord r;
    r.hs = {term, 0, index};
    r.entries = &e;
    r.n_entries = 1;
    ASSERT_TRUE(log->append(std::move(r), [](Status) {}));
    sim.loop.run_ready();
  }
  static std::string namespace_entry(const std::string& name) {
    rpc::NamespaceUpsertRequest req;
    Namespace ns;
    ns.Name = name;
    req.Namespaces.push_back(ns);
    return std::string(1, '\0') + state::encode_entry(state::EntryType::kNamespaceUpsert, req, Time::from_unix_seconds(1));
  }
  static std::string job_entry(const std::string& id) {
    rpc::JobRegisterRequest req;
    auto& job = req.Job.ensure();
    job.ID = job.Name = id;
    job.Namespace = "default";
    job.Type = "batch";
    return std::string(1, '\0') + state::encode_entry(state::EntryType::kJobRegister, req, Time::from_unix_seconds(1));
  }
  std::vector<std::string> lines(const std::function<Status(const LineFn&)>& run) {
    std::vector<std::string> out;
    auto done = run([&](std::string_view line) { out.emplace_back(line); });
    EXPECT_TRUE(done) << done.error().message;
    return out;
  }

  SimWorld sim{3};
  raft::MemDisk disk;
  std::unique_ptr<raft::FileLog> log;
};

TEST_F(OfflineTest, EntriesThatWereReplacedAreNotShown) {
  put(1, 1, "");
  put(2, 1, job_entry("lost"));
  put(3, 1, job_entry("lost-too"));
  put(2, 2, "");
  put(3, 2, job_entry("kept"));
  EXPECT_EQ(lines([&](auto& line) { return raft_info("/data", disk, line); }),
            (std::vector<std::string>{"path:        /data/server/raft", "length:      3", "first index: 1", "last index:  3"}));
  auto shown = lines([&](auto& line) { return raft_logs("/data", disk, false, line); });
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[1], R"({"LogType":"LogNoop","Term":2,"Index":2})");
  EXPECT_TRUE(shown[2].starts_with(R"({"LogType":"LogCommand","Term":2,"Index":3,"CommandType":"JobRegisterRequestType","Body":{)"));
  EXPECT_NE(shown[2].find(R"("ID":"kept")"), std::string::npos);
}

TEST_F(OfflineTest, IndentedEntriesAreTheSameJson) {
  put(1, 1, job_entry("j"));
  auto flat = lines([&](auto& line) { return raft_logs("/data/server", disk, false, line); });
  auto pretty = lines([&](auto& line) { return raft_logs("/data/server", disk, true, line); });
  ASSERT_EQ(pretty.size(), 1u);
  EXPECT_TRUE(pretty[0].starts_with("{\n  \"LogType\": \"LogCommand\",\n"));
  EXPECT_EQ(*from_json<Value>(pretty[0]), *from_json<Value>(flat[0]));
}

TEST_F(OfflineTest, TheStateStopsAtTheIndexAskedFor) {
  put(1, 1, "");
  put(2, 1, job_entry("a"));
  put(3, 1, job_entry("b"));
  auto all = raft_state("/data", disk, 0);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_TRUE(all->jobs.get("default", "b"));
  auto some = raft_state("/data", disk, 2);
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->jobs.get("default", "a"));
  EXPECT_FALSE(some->jobs.get("default", "b"));
}

TEST_F(OfflineTest, FilterKeepsRowsThatItSelects) {
  put(1, 1, job_entry("a"));
  put(2, 1, job_entry("b"));
  auto state = raft_state("/data", disk, 0);
  ASSERT_TRUE(state);
  auto text = state_json(*state, "ID == \"b\"", "{\"Index\": 2}");
  ASSERT_TRUE(text);
  auto value = from_json<Value>(*text);
  ASSERT_TRUE(value) << value.error().message;
  auto& tables = *value->as_object();
  EXPECT_EQ(tables.size(), 18u);
  EXPECT_EQ(tables.find("Jobs")->as_array()->size(), 1u);
  EXPECT_FALSE(tables.find("Indexes")->is_nil());  // not asked
  EXPECT_EQ(tables.find("SnapshotMeta")->as_array()->size(), 1u);
  EXPECT_FALSE(state_json(*state, "ID ==", ""));
}

TEST_F(OfflineTest, AnArchiveIsTheSameAsTheState) {
  put(1, 1, namespace_entry("team"));
  put(2, 1, job_entry("a"));
  auto state = raft_state("/data", disk, 0);
  ASSERT_TRUE(state);
  auto shared = std::make_shared<const state::State>(std::move(*state));
  archive::SnapshotMeta meta;
  meta.Index = 2;
  auto saved = archive::save_archive(meta, Time(), [&](const archive::BytesFn& out) {
    return state::write_snapshot(state::Snapshot(shared), out, state::SnapshotStyle::kReference);
  }, testing::TempDir());
  ASSERT_TRUE(saved) << saved.error().message;
  auto read_at = [&](uint64_t at, char* out, size_t size) { return saved->read_at(at, out, size); };
  auto text = archive_json(read_at, "");
  ASSERT_TRUE(text) << text.error().message;
  auto shown = from_json<Value>(*text), expected = from_json<Value>(*state_json(*shared, "", ""));
  ASSERT_TRUE(shown && expected);
  auto& metas = *shown->as_object()->find("SnapshotMeta")->as_array();
  ASSERT_EQ(metas.size(), 1u);
  EXPECT_EQ(to_json(*metas[0].as_object()->find("Index"), {.trailing_newline = false, .float_point = false}), "2");
  for (auto& [key, rows] : *expected->as_object()) EXPECT_EQ(to_json(*shown->as_object()->find(key)), to_json(rows)) << key;
  auto half = [&](uint64_t at, char* out, size_t size) { return saved->read_at(at, out, at > 0 ? 0 : std::min<size_t>(size, 100)); };
  auto cut = archive_json(half, "");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message, "failed to read snapshot: failed to read snapshot file: failed reading snapshot: unexpected EOF");
}

TEST_F(OfflineTest, WhatPeersJsonWouldComeToIsShown) {
  put(1, 1, "");
  put(2, 1, job_entry("a"));
  put(3, 4, job_entry("b"));
  auto write = [&](const std::string& path, std::string_view text) {
    auto file = disk.open(path, raft::OpenMode::kCreate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(0, {&text, 1}));
  };
  auto refused = [&] { return check_peers("/data", disk, [](std::string_view) {}).error().message; };
  EXPECT_NE(refused().find("peers.json"), std::string::npos) << "there is none";
  write("/data/server/raft/peers.json", R"([{"id": "me", "address": "10.0.0.1:4647"}, {"id": "it", "address": "10.0.0.2:4647", "non_voter": true}])");
  EXPECT_NE(refused().find("node-id"), std::string::npos);
  write("/data/server/node-id", "me\n");
  auto before = *disk.content("/data/server/raft/log/" + raft::segment_name(1));
  auto shown = lines([&](auto& line) { return check_peers("/data", disk, line); });
  ASSERT_GE(shown.size(), 5u);
  EXPECT_EQ(shown[0], "This server:  me");
  EXPECT_EQ(shown[1], "Ends at:      index 3, term 4");
  EXPECT_EQ(shown[2], "State:        2 jobs, 0 nodes, 0 allocations, 0 evaluations");
  EXPECT_EQ(shown[3], "Would have:   me at 10.0.0.1:4647, voter");
  EXPECT_EQ(shown[4], "Would have:   it at 10.0.0.2:4647, no voter");
  EXPECT_EQ(*disk.content("/data/server/raft/log/" + raft::segment_name(1)), before);
  EXPECT_EQ(disk.list("/data/server/raft")->size(), 2u) << "log and peers.json";
  write("/data/server/node-id", "other");
  EXPECT_EQ(refused(), "recovery refused: this server (other) is not in peers.json; the id of a server is in its file \"node-id\"");
}

TEST(PeersFile, WhatCannotBeAClusterIsRefused) {
  for (auto& [text, why] : std::map<std::string, std::string>{
           {"[]", "need at least one voter in configuration"},
           {R"([{"id": "a", "address": "x:1", "non_voter": true}])", "need at least one voter in configuration"},
           {R"([{"id": "a", "address": "here"}])", "\"here\" is no address of the form host:port"},
           {R"([{"id": "a", "address": "x:99999"}])", "\"x:99999\" is no address of the form host:port"},
           {R"([{"id": "a"}])", "every server needs an \"id\" and an \"address\""},
           {R"([{"id": "a", "address": "x:1"}, {"id": "a", "address": "y:1"}])", "found duplicate ID in configuration: a"},
           {R"([{"id": "a", "address": "x:1"}, {"id": "b", "address": "x:1"}])", "found duplicate address in configuration: x:1"}}) {
    auto servers = parse_peers(text);
    ASSERT_FALSE(servers) << text;
    EXPECT_EQ(servers.error().message, "recovery failed to parse peers.json: " + why);
  }
  EXPECT_FALSE(parse_peers(R"(["10.0.0.1:4647"])"));
  EXPECT_FALSE(parse_peers("{"));
}

TEST(PeersFile, AFileThatCannotBeReadIsRefused) {
  auto name = (std::filesystem::temp_directory_path() / "peers_testXXXXXX").string();
  std::string dir = mkdtemp(name.data());
  EXPECT_FALSE(*read_peers_file(dir));
  std::filesystem::create_directory(dir + "/peers.json");
  auto read = read_peers_file(dir);
  std::filesystem::remove_all(dir);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "recovery failed to parse peers.json: read " + dir + "/peers.json: is a directory");
}

TEST_F(OfflineTest, ALogIsFoundFurtherDown) {
  put(1, 1, "");
  EXPECT_EQ(*raft::find_raft_dir("/data/server/raft", disk), "/data/server/raft");
  EXPECT_EQ(raft::find_raft_dir("/elsewhere", disk).error().message, "no raft log in /elsewhere");
}

TEST_F(OfflineTest, ATornTailJustEnds) {
  put(1, 1, "");
  put(2, 1, job_entry("a"));
  auto& file = *disk.content("/data/server/raft/log/" + raft::segment_name(1));
  auto at = file.find("batch");
  ASSERT_NE(at, std::string::npos);
  file[at] ^= 1;
  auto before = file;
  auto shown = lines([&](auto& line) { return raft_logs("/data", disk, false, line); });
  EXPECT_EQ(shown.size(), 1u);
  EXPECT_EQ(*disk.content("/data/server/raft/log/" + raft::segment_name(1)), before);
}

}  // namespace
}  // namespace drover::server
