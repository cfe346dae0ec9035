// The client's own memory: what has to survive the agent. A typed face over small atomic batches of rows; one
// implementation keeps them in SQLite, one in memory (dev mode, tests).
//
// All calls are made on the loop's thread and block it for well under a millisecond: SQLite in WAL mode does not sync on
// commit. That is enough: a killed agent loses nothing, and when the machine dies its tasks are gone as well; after that
// nothing but system tasks begins again before the servers were heard, as what they said last may be lost.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/local_state.h"
#include "model/alloc.h"

namespace drover {
class Loop;
}

namespace drover::client {

// What is known of one allocation.
struct StoredAlloc {
  Allocation alloc;
  Box<AllocDeploymentStatus> deployment_status;
  Box<AllocNetworkStatus> network_status;
  Box<Allocation> acknowledged;  // the update that the servers took last
  std::map<std::string, LocalTaskState> task_local;
  std::map<std::string, TaskState> task_states;
};

class StateDb {
 public:
  virtual ~StateDb() = default;

  // Rows that cannot be read are left out and named in `damaged`.
  Result<std::vector<StoredAlloc>> load_allocs(std::vector<std::string>& damaged);

  Status put_alloc(const Allocation& alloc);
  Status put_deployment_status(const Uuid& id, const Box<AllocDeploymentStatus>& status);
  Status put_network_status(const Uuid& id, const Box<AllocNetworkStatus>& status);
  Status put_acknowledged(const Allocation& update);
  // Both or neither.
  Status put_task(const Uuid& id, std::string_view task, const LocalTaskState& local, const TaskState& state);
  Status delete_alloc(const Uuid& id);

  Status put_check_result(const Uuid& id, const CheckQueryResult& result);
  Result<std::vector<CheckQueryResult>> check_results(const Uuid& id);
  Status delete_check_results(const Uuid& id);

  // Dynamic node metadata; a null value masks a static key.
  Status put_node_meta(const Map<std::optional<std::string>>& meta);
  Result<Map<std::optional<std::string>>> node_meta();

  // Small facts of the client itself by name; "" when never put.
  Status put_value(std::string_view name, std::string_view value);
  Result<std::string> value(std::string_view name);

  struct Row {
    std::string key, value;
  };
  struct Write {
    enum class Kind : unsigned char { kPut, kErase, kErasePrefix };
    Kind kind = Kind::kPut;
    std::string_view table;  // one of kTables
    std::string key, value;
  };
  static constexpr std::string_view kTables[] = {"meta",          "alloc",       "deploy_status",
                                                 "network_status", "acknowledged_state", "local_state",
                                                 "task_state",    "check_results", "node_meta"};

 protected:
  // All writes or none.
  virtual Status write(const std::vector<Write>& batch) = 0;
  // In order of key; only keys that begin with `prefix`.
  virtual Result<std::vector<Row>> read(std::string_view table, std::string_view prefix) = 0;

  friend class StateDbFilter;
};

// Opens or creates `path` (mode 0600). A file of another version is refused: "incompatible state version. expected "1"
// but found "9""; one that is held: "timed out while opening database, is another Nomad process accessing data_dir
// <dir>?"; a damaged one is moved aside to "<path>.damaged" and a fresh one begun, which `note` then says.
Result<std::unique_ptr<StateDb>> open_sqlite_state(const std::string& path, std::string& note);

// An existing database, to look at: nothing of it is changed, and a damaged one is an error.
Result<std::unique_ptr<StateDb>> read_sqlite_state(const std::string& path);

// Rows in memory; `shared` lets several generations of a client in one test use the same rows.
using MemoryRows = std::map<std::string, std::map<std::string, std::string>>;
std::unique_ptr<StateDb> make_memory_state(std::shared_ptr<MemoryRows> shared = nullptr);

// Passes everything through; for tests that look at or break off writes.
class StateDbFilter : public StateDb {
 public:
  explicit StateDbFilter(std::unique_ptr<StateDb> inner) : inner_(std::move(inner)) {}

 protected:
  Status write(const std::vector<Write>& batch) override { return inner_->write(batch); }
  Result<std::vector<Row>> read(std::string_view table, std::string_view prefix) override {
    return inner_->read(table, prefix);
  }
  std::unique_ptr<StateDb> inner_;
};

// Keeps what could not be written (a full disk, say) and writes it when it can be; the caller learns of the failure all
// the same. What is read meanwhile is what is on disk. On the loop, which outlives it.
std::unique_ptr<StateDb> make_patient_state(std::unique_ptr<StateDb> inner, Loop& loop);

}  // namespace drover::client
