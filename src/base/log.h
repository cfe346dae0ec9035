// Logging: one process-wide sink, named loggers, the reference's line format
// `2026-11-24T07:31:47.000Z [INFO]  client.driver_mgr: text: key=value`.
//
// log_info("client.alloc_runner", "started", {{"alloc_id", id.str()}}) ; any thread. Values with spaces or quotes are quoted.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace drover {

enum class LogLevel : unsigned char { kTrace, kDebug, kInfo, kWarn, kError, kOff };

struct LogField {
  std::string_view key;
  std::string value;
};

void log(LogLevel level, std::string_view logger, std::string_view message,
         std::initializer_list<LogField> fields = {});
// Whether a line of this level would reach anybody: for callers whose fields cost something to make.
bool log_wants(LogLevel level);
inline void log_trace(std::string_view l, std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::kTrace, l, m, f); }
inline void log_debug(std::string_view l, std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::kDebug, l, m, f); }
inline void log_info(std::string_view l, std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::kInfo, l, m, f); }
inline void log_warn(std::string_view l, std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::kWarn, l, m, f); }
inline void log_error(std::string_view l, std::string_view m, std::initializer_list<LogField> f = {}) { log(LogLevel::kError, l, m, f); }

// "TRACE" ... "OFF", any case; false when unknown.
bool parse_log_level(std::string_view text, LogLevel& out);

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false;           // one JSON object a line (@level, @message, @module, @timestamp)
  bool to_stderr = false;      // default is standard output, as the reference's agent does
  bool console = true;
  bool indent = true;          // text on the console begins with four spaces, as under the agent's banner
  std::string file;            // also to this file when set (mode 0640, appended)
  uint64_t rotate_bytes = 0;   // 0: no limit
  Duration rotate_after{0};    // 0: no limit
  int rotate_keep = 0;         // rotated files kept; 0: all
  std::string syslog_facility; // also to syslog when set ("LOCAL0")
};
// Called by main before threads start; may be called again to change the level (SIGHUP). Fails when the file
// cannot be opened or the facility is unknown; then nothing changes.
Status configure_log(const LogOptions& options);

// Keeps console lines back (the agent's banner is not yet out) until release_log.
void hold_log();
void release_log();

// One line, without newline, as the sinks get it. For writers of their own and for tests.
std::string format_log_line(Time now, int utc_offset_seconds, bool json, LogLevel level, std::string_view logger,
                            std::string_view message, std::initializer_list<LogField> fields = {});

// Receives every line (with newline) at or above its level, whatever the process's own level (agent monitor).
// The sink runs on the logging thread under the log's lock: it must be quick, and must not log or unsubscribe.
// Returns an id for unsubscribe_log, after which the sink is not running and never runs again.
int subscribe_log(LogLevel level, bool json, std::function<void(const std::string& line)> sink);
void unsubscribe_log(int id);

}  // namespace drover
