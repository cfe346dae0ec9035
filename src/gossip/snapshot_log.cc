#include "gossip/snapshot_log.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "gossip/limits.h"

namespace drover::gossip {
namespace {

constexpr size_t kBytesPerNode = 128, kCompactionFactor = 2;

bool take(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.remove_prefix(prefix.size());
  return true;
}

}  // namespace

void SnapshotLog::replay(std::string_view file, bool rejoin_after_leave) {
  size_ = file.size();
  auto number = [this](std::string_view text, uint64_t& out) {
    if (auto n = parse_uint(text)) out = *n;
    else ++unknown_;
  };
  // A last line without its end was cut short by a crash.
  for (size_t end; (end = file.find('\n')) != std::string_view::npos; file.remove_prefix(end + 1)) {
    auto line = file.substr(0, end);
    if (take(line, "alive: ")) {
      auto space = line.rfind(' ');
      if (space == std::string_view::npos) ++unknown_;
      else if (alive_.size() < kNodesMax) alive_[std::string(line.substr(0, space))] = line.substr(space + 1);
    } else if (take(line, "not-alive: ")) {
      alive_.erase(std::string(line));
    } else if (take(line, "clock: ")) {
      number(line, clock_);
    } else if (take(line, "event-clock: ")) {
      number(line, event_clock_);
    } else if (take(line, "query-clock: ")) {
      number(line, query_clock_);
    } else if (line == "leave") {
      if (rejoin_after_leave) continue;
      alive_.clear();
      clock_ = event_clock_ = query_clock_ = 0;
    } else if (!line.starts_with("#") && !line.starts_with("coordinate: ")) {
      ++unknown_;
    }
  }
}

void SnapshotLog::add(std::string line) {
  if (left_) return;
  size_ += line.size() + 1;
  pending_ += line;
  pending_ += '\n';
}

void SnapshotLog::member_alive(const std::string& name, const std::string& address) {
  if (name.find('\n') != std::string::npos) return;  // a line it would not survive
  alive_[name] = address;
  add(fmt::format("alive: {} {}", name, address));
}

void SnapshotLog::member_gone(const std::string& name) {
  if (alive_.erase(name)) add("not-alive: " + name);
}

void SnapshotLog::clocks(uint64_t clock, uint64_t event_clock, uint64_t query_clock) {
  auto grow = [this](uint64_t& mine, uint64_t now, std::string_view name) {
    if (now <= mine) return;
    mine = now;
    add(fmt::format("{}: {}", name, now));
  };
  grow(clock_, clock, "clock");
  grow(event_clock_, event_clock, "event-clock");
  grow(query_clock_, query_clock, "query-clock");
}

void SnapshotLog::leave(bool rejoin_after_leave) {
  if (!rejoin_after_leave) alive_.clear();
  add("leave");
  left_ = true;
}

std::string SnapshotLog::take_pending() { return std::exchange(pending_, {}); }

bool SnapshotLog::wants_compaction() const {
  return !left_ && size_ > std::max(alive_.size() * kBytesPerNode * kCompactionFactor, kSnapshotCompact);
}

std::string SnapshotLog::compacted() {
  std::string out;
  for (auto& [name, address] : alive_) out += fmt::format("alive: {} {}\n", name, address);
  out += fmt::format("clock: {}\nevent-clock: {}\nquery-clock: {}\n", clock_, event_clock_, query_clock_);
  pending_.clear();
  size_ = out.size();
  return out;
}

}  // namespace drover::gossip
