// Versions as the constraint operators compare them. Rules: reference scheduler 5.2.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

struct Version {
  std::vector<int64_t> segments;  // as given; a missing one counts as 0
  std::string prerelease;         // "beta1"; build metadata is dropped, it never counts

  // Lenient: "v1.2", "1.2.3beta". Strict: a pre-release needs its dash.
  static std::optional<Version> parse(std::string_view text, bool strict = false);
};

// Numeric segments first, then pre-releases, which come before their release.
std::strong_ordering compare(const Version& a, const Version& b);

// ">= 1.0, < 1.4": every part must hold.
class VersionConstraints {
 public:
  // `semver`: strict versions, no "~>", and pre-releases are ordinary versions. nullopt when it does not parse.
  static std::optional<VersionConstraints> parse(std::string_view text, bool semver);
  bool check(const Version& v) const;

 private:
  enum class Op : unsigned char { kEqual, kNotEqual, kGreater, kLess, kGreaterEqual, kLessEqual, kPessimistic };
  struct Part {
    Op op;
    Version version;
  };
  static std::optional<Part> parse_part(std::string_view text, bool semver);
  bool check_part(const Part& part, const Version& v) const;

  bool semver_ = false;
  std::vector<Part> parts_;
};

}  // namespace drover
