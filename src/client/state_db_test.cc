#include "client/state_db.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client_testing.h"
#include "client/state_dump.h"

namespace drover::client {
namespace {

class StateDbTest : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<StateDb> open() {
    if (!GetParam()) return make_memory_state(rows_);
    auto db = open_sqlite_state(dir_ / "state.db", note_);
    EXPECT_TRUE(db) << db.error().message;
    return std::move(*db);
  }
  TempDir dir_;
  std::string note_;
  std::shared_ptr<MemoryRows> rows_ = std::make_shared<MemoryRows>();
};

TEST_P(StateDbTest, AllocationsComeBackWhole) {
  SimRandom random(3);
  auto job = test_job();
  job.TaskGroups[0].Tasks.push_back(mock_task("web", {{"run_for", "1h"}}));
  auto alloc = test_alloc(job, random);
  auto id = alloc.ID;
  LocalTaskState local;
  local.Hooks["task_dir"] = HookState{true, {{"a", "b"}}, {{"K", "V"}}};
  local.TaskHandle = StoredHandle{"mock_driver", 1, "x/web/1", Bytes{std::string("\0\1state", 7)}};
  local.RestartCount = 2;
  TaskState state;
  state.State = "running";
  state.StartedAt = Time::from_unix_nanos(1'234'567'890'123'456'789);
  {
    auto db = open();
    ASSERT_TRUE(db->put_alloc(alloc));
    ASSERT_TRUE(db->put_task(id, "web", local, state));
    AllocDeploymentStatus health;
    health.Healthy = true;
    ASSERT_TRUE(db->put_deployment_status(id, Box<AllocDeploymentStatus>(health)));
    ASSERT_TRUE(db->put_network_status(id, Box<AllocNetworkStatus>(AllocNetworkStatus{"eth0", "1.2.3.4", {}})));
    auto acked = alloc;
    acked.ClientStatus = "running";
    ASSERT_TRUE(db->put_acknowledged(acked));
    ASSERT_TRUE(db->put_value("acted_index", "77"));
  }
  auto db = open();
  std::vector<std::string> damaged;
  auto all = db->load_allocs(damaged);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  EXPECT_TRUE(damaged.empty());
  auto& s = all->front();
  EXPECT_EQ(s.alloc.ID, id);
  EXPECT_EQ(s.alloc.Job->TaskGroups[0].Tasks[0].Config, alloc.Job->TaskGroups[0].Tasks[0].Config);
  EXPECT_EQ(s.task_local.at("web"), local);
  EXPECT_EQ(s.task_states.at("web"), state);
  EXPECT_EQ(*s.deployment_status->Healthy, true);
  EXPECT_EQ(s.network_status->Address, "1.2.3.4");
  EXPECT_EQ(s.acknowledged->ClientStatus, "running");
  EXPECT_EQ(*db->value("acted_index"), "77");
  ASSERT_TRUE(db->delete_alloc(id));
  EXPECT_TRUE(db->load_allocs(damaged)->empty());
}

TEST_P(StateDbTest, DeletingOneAllocationLeavesOthers) {
  SimRandom random(3);
  auto db = open();
  auto a = test_alloc(test_job(), random), b = test_alloc(test_job(), random);
  for (auto* alloc : {&a, &b}) {
    ASSERT_TRUE(db->put_alloc(*alloc));
    ASSERT_TRUE(db->put_task(alloc->ID, "t", {}, {}));
    CheckQueryResult check;
    check.ID = "c";
    ASSERT_TRUE(db->put_check_result(alloc->ID, check));
  }
  ASSERT_TRUE(db->delete_alloc(a.ID));
  std::vector<std::string> damaged;
  auto left = db->load_allocs(damaged);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ(left->front().alloc.ID, b.ID);
  EXPECT_EQ(left->front().task_local.size(), 1u);
  EXPECT_TRUE(db->check_results(a.ID)->empty());
  EXPECT_EQ(db->check_results(b.ID)->size(), 1u);
}

TEST_P(StateDbTest, NodeMetaKeepsTombstones) {
  auto db = open();
  EXPECT_TRUE(db->node_meta()->empty());
  Map<std::optional<std::string>> meta;
  meta.set("a", "1");
  meta.set("b", std::nullopt);
  ASSERT_TRUE(db->put_node_meta(meta));
  EXPECT_EQ(*db->node_meta(), meta);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StateDbTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Sqlite" : "Memory"; });

TEST(SqliteStateTest, FileIsPrivateAndAnUnreadableRowIsNamed) {
  TempDir dir;
  std::string note;
  auto db = open_sqlite_state(dir / "state.db", note);
  ASSERT_TRUE(db);
  struct stat st {};
  ASSERT_EQ(::stat((dir / "state.db").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST(SqliteStateTest, DamagedFileIsMovedAside) {
  TempDir dir;
  std::string note;
  spill_file(dir / "state.db", std::string(8192, 'x'));
  auto db = open_sqlite_state(dir / "state.db", note);
  ASSERT_TRUE(db) << db.error().message;
  EXPECT_NE(note.find("is damaged"), std::string::npos);
  EXPECT_TRUE(exists(dir / "state.db.damaged"));
  EXPECT_TRUE((*db)->put_value("a", "b"));
}

TEST(SqliteStateTest, OtherVersionIsRefused) {
  TempDir dir;
  std::string note;
  {
    auto db = open_sqlite_state(dir / "state.db", note);
    ASSERT_TRUE((*db)->put_value("version", "9"));
  }
  auto db = open_sqlite_state(dir / "state.db", note);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().message, "incompatible state version. expected \"1\" but found \"9\"");
}

// What fails is kept, newest of each row, and written as a whole when it can be.
TEST(PatientState, WritesLaterWhatItCouldNotWrite) {
  class Full final : public StateDbFilter {
   public:
    Full(std::unique_ptr<StateDb> inner, bool& full) : StateDbFilter(std::move(inner)), full_(full) {}
    Status write(const std::vector<Write>& batch) override {
      if (full_) return Error(ErrorCode::kIo, "database or disk is full");
      return StateDbFilter::write(batch);
    }

   private:
    bool& full_;
  };
  SimWorld sim{1};
  bool full = false;
  auto rows = std::make_shared<MemoryRows>();
  auto db = make_patient_state(std::make_unique<Full>(make_memory_state(rows), full), sim.loop);
  auto job = test_job();
  auto first = test_alloc(job, sim.random), second = test_alloc(job, sim.random);
  ASSERT_TRUE(db->put_alloc(first));
  ASSERT_TRUE(db->put_value("a", "1"));
  full = true;
  EXPECT_FALSE(db->put_value("a", "2"));
  EXPECT_FALSE(db->put_value("a", "3"));
  EXPECT_FALSE(db->put_alloc(second));
  EXPECT_FALSE(db->delete_alloc(first.ID));
  sim.loop.advance(5s);
  EXPECT_EQ(*db->value("a"), "1");
  full = false;
  sim.loop.advance(1s);
  EXPECT_EQ(*db->value("a"), "3");
  std::vector<std::string> damaged;
  auto allocs = db->load_allocs(damaged);
  ASSERT_TRUE(allocs);
  ASSERT_EQ(allocs->size(), 1u);
  EXPECT_EQ((*allocs)[0].alloc.ID, second.ID);
  // And a write that works takes what waits along.
  full = true;
  EXPECT_FALSE(db->put_value("a", "4"));
  full = false;
  EXPECT_TRUE(db->put_value("b", "5"));
  EXPECT_EQ(*db->value("a"), "4");
  EXPECT_EQ(*db->value("b"), "5");
}

TEST(StateDump, ShowsWhatIsStoredAndChangesNothing) {
  TempDir dir;
  EXPECT_TRUE(client_state_json(dir / "none").error().message.ends_with("no such file or directory"));
  SimRandom random(4);
  auto alloc = test_alloc(test_job(), random);
  std::string note;
  {
    auto db = open_sqlite_state(dir / "state.sqlite", note);
    ASSERT_TRUE(db);
    ASSERT_TRUE((*db)->put_alloc(alloc));
    TaskState state;
    state.State = "running";
    ASSERT_TRUE((*db)->put_task(alloc.ID, "web", {}, state));
  }
  auto text = client_state_json(dir / "");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->starts_with("{\"Allocations\":{\"" + alloc.ID.str() + "\":{\"Alloc\":{\"ID\":"));
  EXPECT_NE(text->find("\"Tasks\":{\"web\":{\"LocalState\":{"), std::string::npos);
  spill_file(dir / "state.sqlite", std::string(8192, 'x'));
  EXPECT_FALSE(client_state_json(dir / ""));
  EXPECT_EQ(::access((dir / "state.sqlite.damaged").c_str(), F_OK), -1);
}

}  // namespace
}  // namespace drover::client
