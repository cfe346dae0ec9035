#include "sim/registers.h"

namespace drover::sim {

Registers::Registers(Oracle& oracle, Report report) : report_(std::move(report)) {
  oracle.listeners.push_back([this](const state::CommitInfo& commit) { committed(commit); });
}

void Registers::committed(const state::CommitInfo& commit) {
  for (auto& change : commit.changes) {
    if (change.table != state::TableId::variables) continue;
    auto after = change.after_as<VariableEncrypted>();
    auto& path = after ? after->Path : change.before_as<VariableEncrypted>()->Path;
    versions_[path][commit.index] = after ? after->ModifyIndex : 0;
  }
}

void Registers::check_value(const std::string& path, uint64_t version, const std::string& value) {
  if (version == 0) return;
  auto [it, fresh] = values_.try_emplace({path, version}, value);
  if (!fresh && it->second != value)
    report_(fmt::format("variable {} is \"{}\" and \"{}\" at index {}", path, it->second, value, version));
}

void Registers::wrote(const std::string& path, const std::string& value, uint64_t index, uint64_t floor) {
  auto& versions = versions_[path];
  auto it = versions.find(index);
  if (it == versions.end() || it->second != index)
    report_(fmt::format("variable {} was acknowledged at index {}, where the log does not write it", path, index));
  if (index <= floor) report_(fmt::format("variable {} was written at index {}, behind {} that somebody had seen before", path, index, floor));
  floor_ = std::max(floor_, index);
  check_value(path, index, value);
}

void Registers::swapped(const std::string& path, uint64_t expected, uint64_t index) {
  auto& versions = versions_[path];
  auto it = versions.find(index);
  if (it == versions.end()) return;  // wrote() has told
  uint64_t before = it == versions.begin() ? 0 : std::prev(it)->second;
  if (before != expected) report_(fmt::format("variable {} was swapped at index {} over {}, expected {}", path, index, before, expected));
}

void Registers::read(const std::string& path, uint64_t version, const std::string& value, uint64_t floor) {
  reads_++;
  auto& versions = versions_[path];
  if (version) {
    auto it = versions.find(version);
    if (it == versions.end()) return report_(fmt::format("variable {} was read at version {}, which is not in the log", path, version));
    if (auto next = std::next(it); next != versions.end() && next->first <= floor)
      report_(fmt::format("stale read: variable {} at version {}, but {} had been seen before the read began", path, version, next->first));
    floor_ = std::max(floor_, version);
  } else {
    auto last = versions.upper_bound(floor);
    bool absent = last == versions.begin() || std::prev(last)->second == 0;
    for (auto it = last; it != versions.end() && !absent; ++it) absent = it->second == 0;
    if (!absent) report_(fmt::format("stale read: variable {} was not there, but its writing had been seen before", path));
  }
  check_value(path, version, value);
}

void Registers::read_stale(const std::string& path, uint64_t version, const std::string& value) {
  if (version && !versions_[path].contains(version))
    report_(fmt::format("variable {} was read at version {}, which is not in the log", path, version));
  check_value(path, version, value);
}

}  // namespace drover::sim
