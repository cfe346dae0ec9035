#include "client/local_state.h"

DROVER_DESCRIBE(drover::client::HookState, "client.HookState", DROVER_FIELD(PrestartDone), DROVER_FIELD(Data),
                DROVER_FIELD(Env))
DROVER_DESCRIBE(drover::client::StoredHandle, "client.TaskHandle", DROVER_FIELD(Driver), DROVER_FIELD(Version),
                DROVER_FIELD(TaskID), DROVER_FIELD(DriverState))
DROVER_DESCRIBE(drover::client::StoredNetwork, "client.DriverNetwork", DROVER_FIELD(PortMap), DROVER_FIELD(IP),
                DROVER_FIELD(AutoAdvertise))
DROVER_DESCRIBE(drover::client::StoredExit, "client.ExitResult", DROVER_FIELD(ExitCode), DROVER_FIELD(Signal),
                DROVER_FIELD(OOMKilled), DROVER_FIELD(Err))
DROVER_DESCRIBE(drover::client::LocalTaskState, "client.LocalState", DROVER_FIELD(Hooks), DROVER_FIELD(TaskHandle),
                DROVER_FIELD(DriverNetwork), DROVER_FIELD(RunComplete), DROVER_FIELD(Exit), DROVER_FIELD(Killing),
                DROVER_FIELD(RestartCount), DROVER_FIELD(RestartIntervalStart), DROVER_FIELD(RestartAt))

namespace drover::client {

StoredHandle to_stored(const drivers::TaskHandle& handle) {
  return {handle.driver, handle.version, handle.task_id, Bytes{handle.driver_state}};
}

drivers::TaskHandle from_stored(const StoredHandle& handle) {
  return {handle.Driver, static_cast<int>(handle.Version), handle.TaskID, handle.DriverState.data};
}

}  // namespace drover::client
