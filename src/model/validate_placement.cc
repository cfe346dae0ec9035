// Constraints, affinities, spreads, resources and devices.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "model/job_defaults.h"
#include "bexpr/regexp_text.h"
#include "model/validate_parts.h"
#include "model/version.h"

namespace drover {
namespace {

enum class Check : unsigned char { kUnknown, kSet, kRegexp, kVersion, kSemver, kCompare, kPresence, kHosts, kProperty };

Check check_of(std::string_view operand) {
  static constexpr std::array<std::pair<std::string_view, Check>, 18> kChecks{{
      {"=", Check::kCompare}, {"==", Check::kCompare}, {"is", Check::kCompare}, {"!=", Check::kCompare},
      {"not", Check::kCompare}, {"<", Check::kCompare}, {"<=", Check::kCompare}, {">", Check::kCompare},
      {">=", Check::kCompare}, {"set_contains", Check::kSet}, {"set_contains_all", Check::kSet},
      {"set_contains_any", Check::kSet}, {"regexp", Check::kRegexp}, {"version", Check::kVersion},
      {"semver", Check::kSemver}, {"is_set", Check::kPresence}, {"is_not_set", Check::kPresence},
      {"distinct_hosts", Check::kHosts},
  }};
  if (operand == "distinct_property") return Check::kProperty;
  auto* found = std::find_if(kChecks.begin(), kChecks.end(), [&](auto& c) { return c.first == operand; });
  return found == kChecks.end() ? Check::kUnknown : found->second;
}

// The first number of a version that is well formed but for its size; "" if that is not what is wrong with `part`.
std::string number_too_large(const std::string& part, bool semver) {
  std::string first, small;
  size_t end = part.find_first_of("-+", part.find_first_of("0123456789"));
  for (size_t at = 0; at < part.size();) {
    size_t digits = at;
    while (digits < part.size() && part[digits] >= '0' && part[digits] <= '9') ++digits;
    auto number = part.substr(at, digits - at);
    bool large = at < end && !number.empty() && !parse_int(number);
    if (large && first.empty()) first = number;
    small += large ? "1" : number.empty() ? part.substr(at, 1) : number;
    at = std::max(digits, at + 1);
  }
  return !first.empty() && VersionConstraints::parse(small, semver) ? first : "";
}

// Regular expressions and versions; `noun` is "constraint" or "affinity".
void check_text(Check check, const std::string& text, std::string_view noun, MultiError& errors) {
  if (check == Check::kRegexp) {
    if (auto ok = check_regexp(text); !ok) errors.add("Regular expression failed to compile: " + ok.error().message);
    return;
  }
  bool semver = check == Check::kSemver;
  for (auto& part : split(text, ',')) {
    if (VersionConstraints::parse(part, semver)) continue;
    auto number = number_too_large(part, semver);
    auto why = number.empty() ? "Malformed constraint: " + part
                              : fmt::format("Error parsing version: strconv.ParseInt: parsing {}: value out of range", go_quote(number));
    return errors.add(fmt::format("{} {} is invalid: {}", semver ? "Semver" : "Version", noun, why));
  }
}

// The count of a distinct_property constraint.
void check_count(const std::string& text, MultiError& errors) {
  if (text.empty()) return;
  auto count = parse_uint(text);
  if (!count) {
    bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    errors.add(fmt::format("Failed to convert RTarget {0} to uint64: strconv.ParseUint: parsing {0}: {1}",
                           go_quote(text), digits ? "value out of range" : "invalid syntax"));
  } else if (*count < 1) {
    errors.add(fmt::format("Distinct Property must have an allowed count of 1 or greater: {} < 1", *count));
  }
}

void check_device(const RequestedDevice& device, MultiError& errors) {
  if (device.Name.empty())
    errors.add("device name must be given as one of the following: type, vendor/type, or vendor/type/name");
  for (size_t i = 0; i < device.Constraints.size(); ++i) {
    auto& constraint = device.Constraints[i];
    auto check = check_of(constraint.Operand);
    if (check == Check::kHosts || check == Check::kProperty)
      errors.add(fmt::format("Constraint {} validation failed: using unsupported operand {}", i + 1,
                             go_quote(constraint.Operand)));
    else
      errors.add_nested(fmt::format("Constraint {} validation failed: ", i + 1), validate(constraint));
  }
  for (size_t i = 0; i < device.Affinities.size(); ++i)
    errors.add_nested(fmt::format("Affinity {} validation failed: ", i + 1), validate(device.Affinities[i]));
}

}  // namespace

MultiError validate(const Constraint& c) {
  MultiError errors;
  if (c.Operand.empty()) errors.add("Missing constraint operand");
  auto check = check_of(c.Operand);
  switch (check) {
    case Check::kHosts: return errors;
    case Check::kSet:
      if (c.RTarget.empty()) errors.add("Set contains constraint requires an RTarget");
      break;
    case Check::kRegexp:
    case Check::kVersion:
    case Check::kSemver: check_text(check, c.RTarget, "constraint", errors); break;
    case Check::kProperty: check_count(c.RTarget, errors); break;
    case Check::kPresence:
      if (!c.RTarget.empty())
        errors.add(fmt::format("Operator {} does not support an RTarget", go_quote(c.Operand)));
      break;
    case Check::kCompare:
      if (c.RTarget.empty()) errors.add(fmt::format("Operator {} requires an RTarget", go_quote(c.Operand)));
      break;
    case Check::kUnknown: errors.add("Unknown constraint type " + go_quote(c.Operand)); break;
  }
  if (c.LTarget.empty()) errors.add("No LTarget provided but is required by constraint");
  return errors;
}

MultiError validate(const Affinity& a) {
  MultiError errors;
  if (a.Operand.empty()) errors.add("Missing affinity operand");
  auto check = check_of(a.Operand);
  switch (check) {
    case Check::kSet:
      if (a.RTarget.empty()) errors.add("Set contains operators require an RTarget");
      break;
    case Check::kRegexp:
    case Check::kVersion:
    case Check::kSemver: check_text(check, a.RTarget, "affinity", errors); break;
    case Check::kCompare:
      if (a.RTarget.empty()) errors.add(fmt::format("Operator {} requires an RTarget", go_quote(a.Operand)));
      break;
    default: errors.add("Unknown affinity operator " + go_quote(a.Operand));
  }
  if (a.LTarget.empty()) errors.add("No LTarget provided but is required");
  if (a.Weight == 0) errors.add("Affinity weight cannot be zero");
  if (a.Weight > 100 || a.Weight < -100) errors.add("Affinity weight must be within the range [-100,100]");
  return errors;
}

MultiError validate(const Spread& spread) {
  MultiError errors;
  if (spread.Attribute.empty()) errors.add("Missing spread attribute");
  if (spread.Weight <= 0 || spread.Weight > 100)
    errors.add("Spread block must have a positive weight from 0 to 100");
  uint32_t sum = 0;
  for (auto& target : spread.SpreadTarget) {
    auto first = std::find_if(spread.SpreadTarget.begin(), spread.SpreadTarget.end(),
                              [&](auto& t) { return t.Value == target.Value; });
    if (first != &target) errors.add(fmt::format("Spread target value {} already defined", go_quote(target.Value)));
    if (target.Percent > 100)
      errors.add(fmt::format("Spread target percentage for value {} must be between 0 and 100", go_quote(target.Value)));
    sum += target.Percent;
  }
  if (sum > 100)
    errors.add(fmt::format("Sum of spread target percentages must not be greater than 100%; got {}%", sum));
  return errors;
}

MultiError validate(const Resources& r) {
  MultiError errors;
  if (r.Cores > 0 && r.CPU > 0) errors.add("Task can only ask for 'cpu' or 'cores' resource, not both.");
  MultiError least;
  if (r.CPU < 1 && r.Cores == 0) least.add(fmt::format("minimum CPU value is 1; got {}", r.CPU));
  if (r.MemoryMB < 10) least.add(fmt::format("minimum MemoryMB value is 10; got {}", r.MemoryMB));
  errors.add_nested(least);
  if (r.DiskMB > 0)
    errors.add("Task can't ask for disk resources, they have to be specified at the task group level.");
  for (size_t i = 0; i < r.Devices.size(); ++i) {
    MultiError device;
    check_device(r.Devices[i], device);
    errors.add_nested(fmt::format("device {} failed validation: ", i + 1), device);
  }
  if (r.MemoryMaxMB != 0 && r.MemoryMaxMB < r.MemoryMB)
    errors.add(fmt::format("MemoryMaxMB value ({}) should be larger than MemoryMB value ({})", r.MemoryMaxMB, r.MemoryMB));
  return errors;
}

namespace validation {

void constraints(const List<Constraint>& constraints, MultiError& errors) {
  for (size_t i = 0; i < constraints.size(); ++i)
    errors.add_nested(fmt::format("Constraint {} validation failed: ", i + 1), validate(constraints[i]));
}

void affinities(const List<Affinity>& affinities, std::string_view type, MultiError& errors) {
  if (type == job_type::kSystem) {
    if (!affinities.is_nil()) errors.add("System jobs may not have an affinity block");
    return;
  }
  for (size_t i = 0; i < affinities.size(); ++i)
    errors.add_nested(fmt::format("Affinity {} validation failed: ", i + 1), validate(affinities[i]));
}

void spreads(const List<Spread>& spreads, std::string_view type, MultiError& errors) {
  if (type == job_type::kSystem) {
    if (!spreads.is_nil()) errors.add("System jobs may not have a spread block");
    return;
  }
  for (size_t i = 0; i < spreads.size(); ++i)
    errors.add_nested(fmt::format("Spread {} validation failed: ", i + 1), validate(spreads[i]));
}

}  // namespace validation
Status check_scheduler_algorithm(std::string_view name) {
  if (name.empty() || name == "binpack" || name == "spread") return {};
  return invalid("invalid scheduler algorithm: " + std::string(name));
}

}  // namespace drover
