#include "client/config.h"

#include <algorithm>

#include "base/strings.h"

namespace drover::client {

const std::string* Config::option(std::initializer_list<std::string_view> spellings) const {
  for (auto name : spellings)
    if (auto* value = options.find(name)) return value;
  return nullptr;
}

std::vector<std::string> option_list(const Config& config, std::initializer_list<std::string_view> spellings,
                                     std::string_view fallback) {
  auto* set = config.option(spellings);
  std::vector<std::string> out;
  for (auto& part : split(set ? std::string_view(*set) : fallback, ','))
    if (auto name = trim_space(part); !name.empty()) out.emplace_back(name);
  return out;
}

bool NameFilter::admits(std::string_view name) const {
  auto in = [&](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
  return (allow.empty() || in(allow)) && !in(deny);
}

NameFilter driver_filter(const Config& config) {
  return {option_list(config, {"driver.allowlist", "driver.whitelist"}),
          option_list(config, {"driver.denylist", "driver.blacklist"})};
}

NameFilter fingerprint_filter(const Config& config) {
  return {option_list(config, {"fingerprint.allowlist", "fingerprint.whitelist"}),
          option_list(config, {"fingerprint.denylist", "fingerprint.blacklist"})};
}

}  // namespace drover::client
