#include "cli/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/strings.h"

namespace drover::cli {
namespace {

std::string measured_table(const List<std::string>& measured, const std::function<std::string(const std::string&)>& value) {
  std::vector<std::string> names(measured.begin(), measured.end());
  std::sort(names.begin(), names.end());
  std::vector<std::string> values;
  for (auto& name : names) values.push_back(value(name));
  return table({join(names, "|"), join(values, "|")});
}

void attribute_rows(const StatObject& object, const std::string& prefix, Rows& rows) {
  for (auto& [name, value] : object.Attributes) rows.push_back(fmt::format("{}{}|{}", prefix, name, stat_value_text(value)));
  // By description: g++ 12's pair cannot be looked into for a struct that holds itself.
  auto* field = type_of<StatObject>().find("Nested");
  auto& map = field->type();
  auto* nested = field->in(static_cast<const void*>(&object));
  for (size_t i = 0; i < map.count(nested); ++i)
    attribute_rows(*static_cast<const StatObject*>(map.at(nested, i)), prefix + std::string(map.key_at(nested, i)) + ".", rows);
}

}  // namespace

uint64_t memory_in_use(const MemoryStats& stats) {
  return stats.Measured.contains(std::string("RSS")) ? stats.RSS : stats.Usage;
}

std::string memory_stats_table(const MemoryStats& m) {
  return measured_table(m.Measured, [&](const std::string& name) {
    const std::pair<std::string_view, uint64_t> values[] = {
        {"RSS", m.RSS}, {"Cache", m.Cache}, {"Swap", m.Swap}, {"Mapped File", m.MappedFile}, {"Usage", m.Usage},
        {"Max Usage", m.MaxUsage}, {"Kernel Usage", m.KernelUsage}, {"Kernel Max Usage", m.KernelMaxUsage}};
    for (auto& [known, value] : values)
      if (known == name) return format_ibytes(value);
    return std::string();
  });
}

std::string cpu_stats_table(const CpuStats& s) {
  return measured_table(s.Measured, [&](const std::string& name) -> std::string {
    if (name == "Percent") return thousands(s.Percent) + "%";
    if (name == "Throttled Periods") return std::to_string(s.ThrottledPeriods);
    if (name == "Throttled Time") return std::to_string(s.ThrottledTime);
    if (name == "User Mode") return thousands(s.UserMode) + "%";
    if (name == "System Mode") return thousands(s.SystemMode) + "%";
    return {};
  });
}

std::string stat_value_text(const StatValue& v) {
  auto unit = v.Unit.empty() ? "" : " " + v.Unit;
  auto ratio = [&](std::string numerator, const auto& denominator) {
    return denominator ? fmt::format("{} / {}{}", numerator, *denominator, unit) : numerator + unit;
  };
  if (v.BoolVal) return yes_no(*v.BoolVal);
  if (v.StringVal) return *v.StringVal;
  if (v.IntNumeratorVal) return ratio(std::to_string(*v.IntNumeratorVal), v.IntDenominatorVal);
  if (v.FloatNumeratorVal) return ratio(format_double(*v.FloatNumeratorVal), v.FloatDenominatorVal);
  return "<unknown>";
}

Rows device_rows(const List<DeviceGroupStats>& groups) {
  Rows rows;
  for (auto& g : groups)
    for (auto& [instance, stats] : g.InstanceStats)
      if (stats.Summary)
        rows.push_back(fmt::format("{}/{}/{}[{}]|{}", g.Vendor, g.Type, g.Name, instance, stat_value_text(*stats.Summary)));
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::string device_details(const List<DeviceGroupStats>& groups) {
  std::string out;
  for (auto& g : groups)
    for (auto& [instance, stats] : g.InstanceStats) {
      Rows rows{fmt::format("Device|{}/{}/{}[{}]", g.Vendor, g.Type, g.Name, instance)};
      if (stats.Stats) attribute_rows(*stats.Stats, "", rows);
      out += (out.empty() ? "" : "\n\n") + key_values(rows);
    }
  return out;
}

}  // namespace drover::cli
