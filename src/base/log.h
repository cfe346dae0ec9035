// Logging: one process-wide sink, named loggers, the reference's line format
// `2026-11-24T07:31:47.000Z [INFO]  client.driver_mgr: text: key=value`.
//
// log_info("client.alloc_runner", "started", {{"alloc_id", id.str()}}) ; any thread. Values with spaces or quotes are quoted.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace drover {

enum class LogLevel : unsigned char { kTrace, kDebug, kInfo, kWarn, kError, kOff };

struct LogField {
  std::string_view key;
  std::string value;
};

void log(LogLevel level, std::string_view logger, std::string_view message,
         std::initializer_list<LogField> fields = {});
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
  std::string file;            // also to this file when set
  bool to_stderr = false;      // default is standard output, as the reference's agent does
};
// Called by main before threads start; may be called again to change the level (SIGHUP).
void configure_log(const LogOptions& options);

// Receives every line at or above its level (agent monitor). Returns an id for unsubscribe.
int subscribe_log(LogLevel level, bool json, std::function<void(const std::string& line)> sink);
void unsubscribe_log(int id);

}  // namespace drover
