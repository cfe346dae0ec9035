// Constraints of jobs against nodes: target resolution and operators. Rules: reference scheduler 5.2, 13.2.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/node.h"
#include "model/resources.h"

namespace drover {

namespace operand {
inline constexpr std::string_view kDistinctHosts = "distinct_hosts", kDistinctProperty = "distinct_property",
                                  kRegexp = "regexp", kVersion = "version", kSemver = "semver",
                                  kSetContains = "set_contains", kSetContainsAll = "set_contains_all",
                                  kSetContainsAny = "set_contains_any", kIsSet = "is_set", kIsNotSet = "is_not_set";
}

// Text that is not an interpolation stands for itself.
bool is_interpolated(std::string_view target);

// The value of "${attr.kernel.name}" and its like on a node; nullopt when the node has none, or when nothing of that
// name exists. Literals are their own value.
std::optional<std::string> resolve_target(std::string_view target, const Node& node);

// Replaces every "${...}" within a text by its value on the node; nullopt when one has none.
std::optional<std::string> interpolate(std::string_view text, const Node& node);

using TargetValue = std::optional<std::string_view>;

// Evaluates operators and keeps what it compiled (regular expressions, version constraints). One thread.
class ConstraintChecker {
 public:
  ConstraintChecker();
  ~ConstraintChecker();
  // `left operand right`; unknown operands and unparsable versions or expressions are false.
  bool check(std::string_view operand, TargetValue left, TargetValue right);
  bool check(const Constraint& c, const Node& node);
  bool check(const Affinity& a, const Node& node);

  bool matches_regexp(std::string_view text, std::string_view pattern);
  bool matches_version(std::string_view version, std::string_view constraints, bool semver);

 private:
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

// "foo, bar" holds every, or any, trimmed element of `wanted`.
bool set_contains_all(std::string_view set, std::string_view wanted);
bool set_contains_any(std::string_view set, std::string_view wanted);

// "${attr.kernel.name} = linux": how a failed constraint is reported.
std::string describe(const Constraint& c);

// Whether a target names something unique to one node, so that a computed class says nothing about it.
bool escapes_class(std::string_view target);
bool escapes_class(const Constraint& c);

// "v1:1234": nodes of one class agree on everything that constraints which do not escape can ask.
std::string compute_class(const Node& node);
// Keys that begin so are left out of the class.
bool is_unique_key(std::string_view key);

}  // namespace drover
