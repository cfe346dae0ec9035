#include "model/task_events.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"

namespace drover {

TaskEvent make_task_event(std::string_view type, Time now) {
  TaskEvent e;
  e.Type = type;
  e.Time = now.unix_nanos;
  e.Details.make_empty();
  return e;
}

TaskEvent with_message(TaskEvent e, std::string_view message) {
  e.Message = message;
  e.Details.set("message", std::string(message));
  return e;
}

TaskEvent with_display(TaskEvent e, std::string_view display) {
  e.DisplayMessage = display;
  return e;
}

TaskEvent with_setup_error(TaskEvent e, std::string_view error) {
  e.more.ensure().SetupError = error;
  if (!error.empty()) e.Details.set("setup_error", std::string(error));
  return e;
}

TaskEvent with_driver_error(TaskEvent e, std::string_view error) {
  e.more.ensure().DriverError = error;
  if (!error.empty()) e.Details.set("driver_error", std::string(error));
  return e;
}

TaskEvent with_validation_error(TaskEvent e, std::string_view error) {
  e.more.ensure().ValidationError = error;
  if (!error.empty()) e.Details.set("validation_error", std::string(error));
  return e;
}

TaskEvent with_download_error(TaskEvent e, std::string_view error) {
  e.more.ensure().DownloadError = error;
  if (!error.empty()) e.Details.set("download_error", std::string(error));
  return e;
}

TaskEvent with_exit(TaskEvent e, int64_t code, int64_t signal, std::string_view message, bool oom_killed) {
  e.more.ensure().ExitCode = code;
  e.more.ensure().Signal = signal;
  e.Details.set("exit_code", std::to_string(code));
  e.Details.set("signal", std::to_string(signal));
  e.Details.set("oom_killed", oom_killed ? "true" : "false");
  if (!message.empty()) {
    e.Message = message;
    e.Details.set("exit_message", std::string(message));
  }
  return e;
}

TaskEvent with_kill_timeout(TaskEvent e, Duration timeout, Duration max_timeout) {
  e.more.ensure().KillTimeout = std::min(timeout, max_timeout);
  e.Details.set("kill_timeout", format_duration(e.more->KillTimeout));
  return e;
}

TaskEvent with_kill_error(TaskEvent e, std::string_view error) {
  e.more.ensure().KillError = error;
  if (!error.empty()) e.Details.set("kill_error", std::string(error));
  return e;
}

TaskEvent with_kill_reason(TaskEvent e, std::string_view reason) {
  e.more.ensure().KillReason = reason;
  e.Details.set("kill_reason", std::string(reason));
  return e;
}

TaskEvent with_restart_delay(TaskEvent e, Duration delay) {
  e.more.ensure().StartDelay = delay.count();
  e.Details.set("start_delay", std::to_string(delay.count()));
  return e;
}

TaskEvent with_restart_reason(TaskEvent e, std::string_view reason) {
  e.more.ensure().RestartReason = reason;
  e.Details.set("restart_reason", std::string(reason));
  return e;
}

TaskEvent with_signal(TaskEvent e, std::string_view signal, std::string_view reason) {
  e.more.ensure().TaskSignal = signal;
  e.Details.set("task_signal", std::string(signal));
  if (!reason.empty()) {
    e.more.ensure().TaskSignalReason = reason;
    e.Details.set("task_signal_reason", std::string(reason));
  }
  return e;
}

TaskEvent with_failed_sibling(TaskEvent e, std::string_view task) {
  e.more.ensure().FailedSibling = task;
  e.Details.set("failed_sibling", std::string(task));
  return e;
}

TaskEvent with_driver_message(TaskEvent e, std::string_view message) {
  e.more.ensure().DriverMessage = message;
  e.Details.set("driver_message", std::string(message));
  return e;
}

TaskEvent failing_task(TaskEvent e) {
  e.more.ensure().FailsTask = true;
  e.Details.set("fails_task", "true");
  return e;
}

namespace {

std::string detail_or(const TaskEvent& e, std::string_view key, std::string_view fallback) {
  auto* v = e.Details.find(key);
  return v && !v->empty() ? *v : std::string(fallback);
}

std::string show_terminated(const TaskEvent& e) {
  std::string out = "Exit Code: " + detail_or(e, "exit_code", "0");
  if (auto signal = detail_or(e, "signal", "0"); signal != "0") out += ", Signal: " + signal;
  if (auto message = detail_or(e, "exit_message", ""); !message.empty()) out += ", Exit Message: " + go_quote(message);
  return out;
}

std::string show_killing(const TaskEvent& e) {
  if (auto reason = detail_or(e, "kill_reason", ""); !reason.empty()) return reason;
  if (auto timeout = detail_or(e, "kill_timeout", ""); !timeout.empty())
    return "Sent interrupt. Waiting " + timeout + " before force killing";
  return "Sent interrupt";
}

std::string show_restarting(const TaskEvent& e) {
  std::string out;
  auto reason = detail_or(e, "restart_reason", "");
  if (!reason.empty() && reason != kRestartReasonWithinPolicy) out = reason + " - ";
  auto delay = parse_int(detail_or(e, "start_delay", "0"));
  return out + "Task restarting in " + format_duration(Duration(delay.value_or(0)));
}

std::string show_signaling(const TaskEvent& e) {
  auto signal = detail_or(e, "task_signal", ""), reason = detail_or(e, "task_signal_reason", "");
  if (signal.empty() && reason.empty()) return "Task being sent a signal";
  if (signal.empty()) return reason;
  if (reason.empty()) return "Task being sent signal " + signal;
  return "Task being sent signal " + signal + ": " + reason;
}

std::string show_sibling(const TaskEvent& e) {
  auto sibling = detail_or(e, "failed_sibling", "");
  return sibling.empty() ? "Task's sibling failed" : "Task's sibling " + go_quote(sibling) + " failed";
}

struct Row {
  std::string_view type;
  std::string (*show)(const TaskEvent&);
};

const Row kRows[] = {
    {kTaskSetupFailure, [](const TaskEvent& e) { return detail_or(e, "setup_error", "Task setup failed"); }},
    {kTaskDriverFailure, [](const TaskEvent& e) { return detail_or(e, "driver_error", "Failed to start task"); }},
    {kTaskReceived, [](const TaskEvent&) { return std::string("Task received by client"); }},
    {kTaskFailedValidation,
     [](const TaskEvent& e) { return detail_or(e, "validation_error", "Validation of task failed"); }},
    {kTaskStarted, [](const TaskEvent&) { return std::string("Task started by client"); }},
    {kTaskTerminated, show_terminated},
    {kTaskKilling, show_killing},
    {kTaskKilled, [](const TaskEvent& e) { return detail_or(e, "kill_error", "Task successfully killed"); }},
    {kTaskRestarting, show_restarting},
    {kTaskNotRestarting,
     [](const TaskEvent& e) { return detail_or(e, "restart_reason", "Task exceeded restart policy"); }},
    {kTaskRestartSignaled,
     [](const TaskEvent& e) { return detail_or(e, "restart_reason", "Task signaled to restart"); }},
    {kTaskSignaling, show_signaling},
    {kTaskDownloadingArtifacts, [](const TaskEvent&) { return std::string("Client is downloading artifacts"); }},
    {kTaskArtifactDownloadFailed,
     [](const TaskEvent& e) { return detail_or(e, "download_error", "Failed to download artifacts"); }},
    {kTaskSiblingFailed, show_sibling},
    {kTaskDriverMessage, [](const TaskEvent& e) { return detail_or(e, "driver_message", ""); }},
    {kTaskLeaderDead, [](const TaskEvent&) { return std::string("Leader Task in Group dead"); }},
    {kTaskMainDead, [](const TaskEvent&) { return std::string("Main tasks in the group died"); }},
    {kTaskClientReconnected, [](const TaskEvent&) { return std::string("Client reconnected"); }},
};

}  // namespace

std::string display_message(const TaskEvent& event) {
  if (!event.DisplayMessage.empty()) return event.DisplayMessage.str();
  auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](auto& r) { return event.Type == r.type; });
  return row == std::end(kRows) ? event.Message.str() : row->show(event);
}

}  // namespace drover
