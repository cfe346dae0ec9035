// Task events: their types, their makers and the text that is shown for them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/alloc.h"

namespace drover {

inline constexpr std::string_view kTaskSetupFailure = "Setup Failure";
inline constexpr std::string_view kTaskDriverFailure = "Driver Failure";
inline constexpr std::string_view kTaskReceived = "Received";
inline constexpr std::string_view kTaskFailedValidation = "Failed Validation";
inline constexpr std::string_view kTaskStarted = "Started";
inline constexpr std::string_view kTaskTerminated = "Terminated";
inline constexpr std::string_view kTaskKilling = "Killing";
inline constexpr std::string_view kTaskKilled = "Killed";
inline constexpr std::string_view kTaskRestarting = "Restarting";
inline constexpr std::string_view kTaskNotRestarting = "Not Restarting";
inline constexpr std::string_view kTaskRestartSignaled = "Restart Signaled";
inline constexpr std::string_view kTaskSignaling = "Signaling";
inline constexpr std::string_view kTaskDownloadingArtifacts = "Downloading Artifacts";
inline constexpr std::string_view kTaskArtifactDownloadFailed = "Failed Artifact Download";
inline constexpr std::string_view kTaskBuildingTaskDir = "Building Task Directory";
inline constexpr std::string_view kTaskSetup = "Task Setup";
inline constexpr std::string_view kTaskDiskExceeded = "Disk Resources Exceeded";
inline constexpr std::string_view kTaskSiblingFailed = "Sibling Task Failed";
inline constexpr std::string_view kTaskDriverMessage = "Driver";
inline constexpr std::string_view kTaskLeaderDead = "Leader Task Dead";
inline constexpr std::string_view kTaskMainDead = "Main Tasks Dead";
inline constexpr std::string_view kTaskHookFailed = "Task hook failed";
inline constexpr std::string_view kTaskHookMessage = "Task hook message";
inline constexpr std::string_view kTaskRestoreFailed = "Failed Restoring Task";
inline constexpr std::string_view kTaskPluginUnhealthy = "Plugin became unhealthy";
inline constexpr std::string_view kTaskPluginHealthy = "Plugin became healthy";
inline constexpr std::string_view kTaskClientReconnected = "Reconnected";
inline constexpr std::string_view kTaskWaitingShutdownDelay = "Waiting for shutdown delay";
inline constexpr std::string_view kTaskSkippingShutdownDelay = "Skipping shutdown delay";
inline constexpr std::string_view kTaskAllocUnhealthy = "Alloc Unhealthy";

// A task keeps its latest events.
inline constexpr size_t kMaxTaskEvents = 10;

// Reasons in restart events.
inline constexpr std::string_view kRestartReasonNoRestarts = "Policy allows no restarts";
inline constexpr std::string_view kRestartReasonUnrecoverable = "Error was unrecoverable";
inline constexpr std::string_view kRestartReasonWithinPolicy = "Restart within policy";
inline constexpr std::string_view kRestartReasonDelay = "Exceeded allowed attempts, applying a delay";
inline constexpr std::string_view kRestartReasonUnnecessary = "Restart unnecessary as task terminated successfully";

// A new event of `type` at `now`. The with_... functions fill in the flat field and the entry of Details that clients
// read, as the reference's setters do.
TaskEvent make_task_event(std::string_view type, Time now);
TaskEvent with_message(TaskEvent e, std::string_view message);
TaskEvent with_display(TaskEvent e, std::string_view display);
TaskEvent with_setup_error(TaskEvent e, std::string_view error);
TaskEvent with_driver_error(TaskEvent e, std::string_view error);
TaskEvent with_validation_error(TaskEvent e, std::string_view error);
TaskEvent with_download_error(TaskEvent e, std::string_view error);
TaskEvent with_exit(TaskEvent e, int64_t code, int64_t signal, std::string_view message, bool oom_killed);
TaskEvent with_kill_timeout(TaskEvent e, Duration timeout, Duration max_timeout);
TaskEvent with_kill_error(TaskEvent e, std::string_view error);
TaskEvent with_kill_reason(TaskEvent e, std::string_view reason);
TaskEvent with_restart_delay(TaskEvent e, Duration delay);
TaskEvent with_restart_reason(TaskEvent e, std::string_view reason);
TaskEvent with_signal(TaskEvent e, std::string_view signal, std::string_view reason = "");
TaskEvent with_failed_sibling(TaskEvent e, std::string_view task);
TaskEvent with_driver_message(TaskEvent e, std::string_view message);
TaskEvent failing_task(TaskEvent e);

// The text that is shown for an event whose DisplayMessage is empty (reference enums, "Task event types").
std::string display_message(const TaskEvent& event);

}  // namespace drover
