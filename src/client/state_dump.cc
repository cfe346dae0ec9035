#include "client/state_dump.h"

#include <unistd.h>

#include "base/strings.h"
#include "client/state_db.h"
#include "codec/json.h"

namespace drover::client {

struct TaskDump {
  Box<LocalTaskState> LocalState;
  Box<TaskState> RemoteState;
  std::optional<std::string> DriverState;  // of drivers of the reference's; ours keep none here
};

struct AllocDump {
  Allocation Alloc;
  Box<AllocDeploymentStatus> DeployStatus;
  Map<TaskDump> Tasks;
};

struct ClientDump {
  Map<AllocDump> Allocations;
};

}  // namespace drover::client

namespace drover {
DROVER_TYPE(client::TaskDump)
DROVER_TYPE(client::AllocDump)
DROVER_TYPE(client::ClientDump)
}  // namespace drover
DROVER_DESCRIBE(drover::client::TaskDump, "state.taskState", DROVER_FIELD(LocalState), DROVER_FIELD(RemoteState),
                DROVER_FIELD(DriverState))
DROVER_DESCRIBE(drover::client::AllocDump, "state.clientStateAlloc", DROVER_FIELD(Alloc), DROVER_FIELD(DeployStatus),
                DROVER_FIELD(Tasks))
DROVER_DESCRIBE(drover::client::ClientDump, "state.debugDB", DROVER_FIELD(Allocations))

namespace drover::client {
namespace {

AllocDump dump(StoredAlloc& stored) {
  AllocDump out;
  out.Alloc = std::move(stored.alloc);
  out.DeployStatus = std::move(stored.deployment_status);
  out.Tasks = Map<TaskDump>::empty_map();
  for (auto& [name, local] : stored.task_local) out.Tasks[name].LocalState.ensure() = local;
  for (auto& [name, state] : stored.task_states) out.Tasks[name].RemoteState.ensure() = state;
  return out;
}

}  // namespace

Result<std::string> client_state_json(const std::string& dir) {
  auto path = dir + "/state.sqlite";
  if (::access(path.c_str(), R_OK) != 0) return errno_error("open " + path, errno);
  DROVER_TRY(auto db, read_sqlite_state(path));
  std::vector<std::string> damaged;
  DROVER_TRY(auto allocs, db->load_allocs(damaged));
  ClientDump out;
  out.Allocations = Map<AllocDump>::empty_map();
  for (auto& stored : allocs) out.Allocations[stored.alloc.ID.str()] = dump(stored);
  return to_json(out, {.float_point = false, .bare = true});
}

}  // namespace drover::client
