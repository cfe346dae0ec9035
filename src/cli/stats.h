// Measured resource use as text: tables of alloc status and node status.
#pragma once

#include <string>
#include <vector>

#include "cli/format.h"
#include "model/client_stats.h"

namespace drover::cli {

inline constexpr uint64_t kMegabyte = 1024 * 1024;

// What is in memory: RSS where it is measured, else usage.
uint64_t memory_in_use(const MemoryStats& stats);
std::string memory_stats_table(const MemoryStats& stats);
std::string cpu_stats_table(const CpuStats& stats);
// Rows "vendor/type/name[instance]|value".
Rows device_rows(const List<DeviceGroupStats>& groups);
// Every attribute of every device, sorted.
std::string device_details(const List<DeviceGroupStats>& groups);
std::string stat_value_text(const StatValue& value);

}  // namespace drover::cli
