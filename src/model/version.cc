#include "model/version.h"

#include <algorithm>

#include "base/strings.h"

namespace drover {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '~'; }
bool is_ident(char c) { return is_digit(c) || is_letter(c); }

int64_t segment(const Version& v, size_t i) { return i < v.segments.size() ? v.segments[i] : 0; }

// "beta1.x": runs of identifier characters, separated by single dots.
bool valid_identifiers(std::string_view text) {
  for (auto& part : split(text, '.'))
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_ident)) return false;
  return true;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  auto na = parse_int(a), nb = parse_int(b);
  // A missing part is older than a number, a number older than a word.
  if (a.empty()) return nb ? std::strong_ordering::less : std::strong_ordering::greater;
  if (b.empty()) return na ? std::strong_ordering::greater : std::strong_ordering::less;
  if (na && nb) return *na <=> *nb;
  if (na) return std::strong_ordering::less;
  if (nb) return std::strong_ordering::greater;
  return a <=> b;
}

std::strong_ordering compare_prereleases(std::string_view a, std::string_view b) {
  if (a == b) return std::strong_ordering::equal;
  if (a.empty()) return std::strong_ordering::greater;
  if (b.empty()) return std::strong_ordering::less;
  auto pa = split(a, '.'), pb = split(b, '.');
  for (size_t i = 0; i < std::max(pa.size(), pb.size()); ++i) {
    auto c = compare_identifiers(i < pa.size() ? std::string_view(pa[i]) : std::string_view(),
                                 i < pb.size() ? std::string_view(pb[i]) : std::string_view());
    if (c != 0) return c;
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_segments(const Version& a, const Version& b) {
  for (size_t i = 0; i < std::max(a.segments.size(), b.segments.size()); ++i)
    if (auto c = segment(a, i) <=> segment(b, i); c != 0) return c;
  return std::strong_ordering::equal;
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text, bool strict) {
  Version v;
  if (text.starts_with('v')) text.remove_prefix(1);
  size_t at = 0;
  for (;;) {
    size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    auto n = parse_int(text.substr(at, end - at));
    if (!n) return std::nullopt;
    v.segments.push_back(*n);
    at = end;
    if (at + 1 >= text.size() || text[at] != '.' || !is_digit(text[at + 1])) break;
    ++at;
  }
  auto rest = text.substr(at);
  if (auto plus = rest.find('+'); plus != std::string_view::npos) {
    if (!valid_identifiers(rest.substr(plus + 1))) return std::nullopt;
    rest = rest.substr(0, plus);
  }
  if (rest.empty()) return v;
  if (rest[0] == '-') {
    rest.remove_prefix(1);
  } else if (strict || !is_letter(rest[0])) {
    return std::nullopt;
  }
  if (!valid_identifiers(rest)) return std::nullopt;
  v.prerelease = rest;
  return v;
}

std::strong_ordering compare(const Version& a, const Version& b) {
  auto c = compare_segments(a, b);
  return c != 0 ? c : compare_prereleases(a.prerelease, b.prerelease);
}

std::optional<VersionConstraints::Part> VersionConstraints::parse_part(std::string_view text, bool semver) {
  static constexpr std::pair<std::string_view, Op> kOps[] = {
      {"!=", Op::kNotEqual}, {">=", Op::kGreaterEqual}, {"<=", Op::kLessEqual}, {"~>", Op::kPessimistic},
      {"=", Op::kEqual},     {">", Op::kGreater},       {"<", Op::kLess},       {"", Op::kEqual}};
  text = trim_space(text);
  auto op = std::find_if(std::begin(kOps), std::end(kOps), [&](auto& o) { return text.starts_with(o.first); });
  if (semver && op->second == Op::kPessimistic) return std::nullopt;
  auto version = Version::parse(trim_space(text.substr(op->first.size())), semver);
  if (!version) return std::nullopt;
  return Part{op->second, std::move(*version)};
}

std::optional<VersionConstraints> VersionConstraints::parse(std::string_view text, bool semver) {
  VersionConstraints c;
  c.semver_ = semver;
  for (auto& one : split(text, ',')) {
    auto part = parse_part(one, semver);
    if (!part) return std::nullopt;
    c.parts_.push_back(std::move(*part));
  }
  return c;
}

bool VersionConstraints::check_part(const Part& part, const Version& v) const {
  auto order = compare(v, part.version);
  if (part.op == Op::kEqual) return order == 0;
  if (part.op == Op::kNotEqual) return order != 0;
  if (!semver_ && !v.prerelease.empty()) {
    // A pre-release only counts for somebody who asked for a pre-release of that very version.
    if (part.version.prerelease.empty() || compare_segments(v, part.version) != 0) return false;
  }
  switch (part.op) {
    case Op::kGreater: return order > 0;
    case Op::kLess: return order < 0;
    case Op::kGreaterEqual: return order >= 0;
    case Op::kLessEqual: return order <= 0;
    default: break;
  }
  if (order < 0 || (v.prerelease.empty() && !part.version.prerelease.empty())) return false;
  for (size_t i = 0; i + 1 < part.version.segments.size(); ++i)
    if (segment(v, i) != segment(part.version, i)) return false;
  return true;
}

bool VersionConstraints::check(const Version& v) const {
  return std::all_of(parts_.begin(), parts_.end(), [&](auto& p) { return check_part(p, v); });
}

}  // namespace drover
