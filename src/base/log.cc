#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include "base/log_file.h"
#include "base/strings.h"

namespace drover {
namespace {

struct LevelRow {
  std::string_view name, padded, json;
  int syslog;
};
// Indexed by LogLevel.
constexpr LevelRow kLevels[] = {
    {"TRACE", "[TRACE]", "trace", LOG_DEBUG}, {"DEBUG", "[DEBUG]", "debug", LOG_DEBUG},
    {"INFO", "[INFO] ", "info", LOG_NOTICE},  {"WARN", "[WARN] ", "warn", LOG_WARNING},
    {"ERROR", "[ERROR]", "error", LOG_ERR},   {"OFF", "[OFF]  ", "off", LOG_NOTICE},
};
const LevelRow& row(LogLevel l) { return kLevels[static_cast<size_t>(l)]; }

struct FacilityRow {
  std::string_view name;
  int value;
};
constexpr FacilityRow kFacilities[] = {
    {"KERN", LOG_KERN},     {"USER", LOG_USER},     {"MAIL", LOG_MAIL},         {"DAEMON", LOG_DAEMON},
    {"AUTH", LOG_AUTH},     {"SYSLOG", LOG_SYSLOG}, {"LPR", LOG_LPR},           {"NEWS", LOG_NEWS},
    {"UUCP", LOG_UUCP},     {"CRON", LOG_CRON},     {"AUTHPRIV", LOG_AUTHPRIV}, {"FTP", LOG_FTP},
    {"LOCAL0", LOG_LOCAL0}, {"LOCAL1", LOG_LOCAL1}, {"LOCAL2", LOG_LOCAL2},     {"LOCAL3", LOG_LOCAL3},
    {"LOCAL4", LOG_LOCAL4}, {"LOCAL5", LOG_LOCAL5}, {"LOCAL6", LOG_LOCAL6},     {"LOCAL7", LOG_LOCAL7},
};

std::string timestamp(Time now, int offset, bool json) {
  std::string full = format_rfc3339(now, offset);
  int64_t micros = (now.unix_nanos % 1'000'000'000 + 1'000'000'000) % 1'000'000'000 / 1'000;
  std::string head = full.substr(0, 19), zone = full.substr(19);
  if (json) return fmt::format("{}.{:06}{}", head, micros, zone);
  if (zone.size() == 6) zone.erase(3, 1);  // +0100 in text lines
  return fmt::format("{}.{:03}{}", head, micros / 1'000, zone);
}

bool printable(std::string_view v) {
  return valid_utf8(v) && std::none_of(v.begin(), v.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void append_pair(std::string& out, const LogField& f) {
  if (f.value.find('\n') != std::string::npos) {
    out += fmt::format("\n  {}=", f.key);
    for (auto& line : split(f.value, '\n')) out += "\n  | " + line;
    out += "\n  ";
  } else if (f.value.empty() || f.value.find_first_of(" \"") != std::string::npos || !printable(f.value)) {
    out += fmt::format(" {}={}", f.key, go_quote(f.value));
  } else {
    out += fmt::format(" {}={}", f.key, f.value);
  }
}

// JSON text as encoding/json writes it; bytes that are no UTF-8 become U+FFFD.
void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", c);
    } else if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      if (i + len <= text.size() && valid_utf8(text.substr(i, len))) {
        out += text.substr(i, len);
        i += len - 1;
      } else {
        out += "\\ufffd";
      }
    }
  }
  out += '"';
}

std::string json_line(Time now, int offset, LogLevel level, std::string_view logger, std::string_view message,
                      std::initializer_list<LogField> fields) {
  std::map<std::string_view, std::string_view> sorted;
  std::string at = timestamp(now, offset, true);
  sorted["@level"] = row(level).json;
  sorted["@message"] = message;
  if (!logger.empty()) sorted["@module"] = logger;
  sorted["@timestamp"] = at;
  for (auto& f : fields) sorted[f.key] = f.value;
  std::string out;
  for (auto& [k, v] : sorted) {
    out += out.empty() ? '{' : ',';
    append_json(out, k);
    out += ':';
    append_json(out, v);
  }
  return out + '}';
}

int local_offset(Time now) {
  time_t seconds = now.unix_seconds();
  struct tm tm{};
  return localtime_r(&seconds, &tm) ? static_cast<int>(tm.tm_gmtoff) : 0;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

// Bytes of console lines kept back before the banner; beyond it they go out at once.
constexpr size_t kMaxHeld = 1 << 20;

// The process-wide sink.
class Sink {
 public:
  bool wants(LogLevel level) const { return level >= lowest_.load(std::memory_order_relaxed); }

  Status configure(const LogOptions& options, Time now) {
    const FacilityRow* facility = nullptr;
    for (auto& f : kFacilities)
      if (equal_fold(f.name, options.syslog_facility)) facility = &f;
    if (!options.syslog_facility.empty() && !facility)
      return invalid("Syslog setup failed: invalid syslog facility: " + options.syslog_facility);
    std::lock_guard lock(mutex_);
    bool same_file = options.file == options_.file && options.rotate_bytes == options_.rotate_bytes &&
                     options.rotate_after == options_.rotate_after && options.rotate_keep == options_.rotate_keep;
    if (!same_file) {
      std::unique_ptr<LogFile> file;
      if (!options.file.empty()) {
        file = std::make_unique<LogFile>(
            LogFile::Options{options.file, options.rotate_bytes, options.rotate_after, options.rotate_keep});
        DROVER_CHECK(file->open(now));
      }
      file_ = std::move(file);
    }
    facility_ = facility ? facility->value : -1;
    options_ = options;
    update_lowest();
    return {};
  }

  void write(Time now, LogLevel level, std::string_view logger, std::string_view message,
             std::initializer_list<LogField> fields) {
    int offset = local_offset(now);
    std::lock_guard lock(mutex_);
    std::string lines[2];
    auto line = [&](bool json) -> const std::string& {
      auto& l = lines[json];
      if (l.empty()) l = format_log_line(now, offset, json, level, logger, message, fields) + '\n';
      return l;
    };
    if (level >= options_.level && level != LogLevel::kOff) {
      auto& text = line(options_.json);
      if (options_.console) console(text);
      if (file_) file_->write(now, text);
      if (facility_ >= 0) ::syslog(facility_ | row(level).syslog, "%s", text.c_str());
    }
    for (auto& [id, s] : subscribers_)
      if (level >= s.level) s.sink(line(s.json));
  }

  void hold(bool on) {
    std::lock_guard lock(mutex_);
    held_on_ = on;
    if (!on) flush_held();
  }

  int subscribe(LogLevel level, bool json, std::function<void(const std::string&)> sink) {
    std::lock_guard lock(mutex_);
    subscribers_[++last_id_] = {level, json, std::move(sink)};
    update_lowest();
    return last_id_;
  }
  void unsubscribe(int id) {
    std::lock_guard lock(mutex_);
    subscribers_.erase(id);
    update_lowest();
  }

 private:
  struct Subscriber {
    LogLevel level;
    bool json;
    std::function<void(const std::string&)> sink;
  };

  void console(std::string_view text) {
    std::string out = options_.indent && !options_.json ? "    " + std::string(text) : std::string(text);
    if (held_on_ && !options_.json && held_.size() + out.size() <= kMaxHeld) {
      held_ += out;
      return;
    }
    flush_held();
    write_all(fd(), out);
  }
  void flush_held() {
    write_all(fd(), held_);
    held_.clear();
  }
  int fd() const { return options_.to_stderr ? STDERR_FILENO : STDOUT_FILENO; }
  void update_lowest() {
    LogLevel lowest = options_.level;
    for (auto& [id, s] : subscribers_) lowest = std::min(lowest, s.level);
    lowest_ = lowest;
  }

  std::mutex mutex_;
  std::atomic<LogLevel> lowest_{LogLevel::kInfo};
  LogOptions options_;
  std::unique_ptr<LogFile> file_;
  int facility_ = -1;
  bool held_on_ = false;
  std::string held_;
  std::map<int, Subscriber> subscribers_;
  int last_id_ = 0;
};

// Never destroyed: threads may log while the process exits.
Sink& sink() {
  static Sink* s = new Sink;
  return *s;
}

Time wall_clock() {
  struct timespec ts{};
  ::clock_gettime(CLOCK_REALTIME, &ts);
  return Time{int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec};
}

}  // namespace

std::string format_log_line(Time now, int offset, bool json, LogLevel level, std::string_view logger,
                            std::string_view message, std::initializer_list<LogField> fields) {
  if (json) return json_line(now, offset, level, logger, message, fields);
  std::string out = timestamp(now, offset, false);
  out += ' ';
  out += row(level).padded;
  out += ' ';
  if (!logger.empty()) out += fmt::format("{}: ", logger);
  out += message;
  if (fields.size() > 0) out += ':';
  for (auto& f : fields) append_pair(out, f);
  return out;
}

bool log_wants(LogLevel level) { return sink().wants(level); }

void log(LogLevel level, std::string_view logger, std::string_view message, std::initializer_list<LogField> fields) {
  if (!sink().wants(level)) return;
  sink().write(wall_clock(), level, logger, message, fields);
}

bool parse_log_level(std::string_view text, LogLevel& out) {
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (!equal_fold(text, kLevels[i].name)) continue;
    out = static_cast<LogLevel>(i);
    return true;
  }
  return false;
}

Status configure_log(const LogOptions& options) { return sink().configure(options, wall_clock()); }
void hold_log() { sink().hold(true); }
void release_log() { sink().hold(false); }
int subscribe_log(LogLevel level, bool json, std::function<void(const std::string&)> s) {
  return sink().subscribe(level, json, std::move(s));
}
void unsubscribe_log(int id) { sink().unsubscribe(id); }

}  // namespace drover
