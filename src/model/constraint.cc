#include "model/constraint.h"

#include <algorithm>
#include <unordered_map>

#include <re2/re2.h>

#include "base/strings.h"
#include "model/version.h"

namespace drover {
namespace {

constexpr size_t kCacheMax = 4096;  // a job cannot fill memory with expressions
constexpr std::string_view kUnique = "unique.";

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};
template <class V>
using StringMap = std::unordered_map<std::string, V, StringHash, std::equal_to<>>;

const std::string* find(const Map<std::string>& map, std::string_view key) { return map.find(key); }

// The text inside "${prefix.KEY}", or nullopt when `name` is not of that prefix.
std::optional<std::string_view> after(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return name.substr(prefix.size());
}

// A reference without its "${" and "}".
std::optional<std::string> resolve_name(std::string_view name, const Node& node) {
  using Getter = std::string (*)(const Node&);
  static constexpr std::pair<std::string_view, Getter> kNames[] = {
      {"node.unique.id", [](const Node& n) { return n.ID.str(); }},
      {"node.datacenter", [](const Node& n) { return n.Datacenter; }},
      {"node.unique.name", [](const Node& n) { return n.Name; }},
      {"node.class", [](const Node& n) { return n.NodeClass; }}};
  for (auto& [known, get] : kNames)
    if (name == known) return get(node);
  const std::string* value = nullptr;
  if (auto key = after(name, "attr.")) {
    value = find(node.Attributes, *key);
  } else if (auto key = after(name, "meta.")) {
    value = find(node.Meta, *key);
  }
  return value ? std::optional(*value) : std::nullopt;
}

template <class T>
bool ordered(std::string_view op, T order) {
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return order >= 0;
}

// Numbers when both are, text otherwise.
bool check_order(std::string_view op, std::string_view l, std::string_view r) {
  if (auto a = parse_int(l), b = parse_int(r); a && b) return ordered(op, *a <=> *b);
  if (auto a = parse_double(l), b = parse_double(r); a && b) return ordered(op, *a <=> *b);
  return ordered(op, l <=> r);
}

template <class F>
void each_element(std::string_view set, F&& fn) {
  for (auto& part : split(set, ',')) fn(trim_space(part));
}

}  // namespace

bool is_interpolated(std::string_view target) { return target.starts_with("${"); }

std::optional<std::string> resolve_target(std::string_view target, const Node& node) {
  if (!is_interpolated(target)) return std::string(target);
  auto name = target.substr(2);
  if (name.ends_with('}')) name.remove_suffix(1);
  return resolve_name(name, node);
}

std::optional<std::string> interpolate(std::string_view text, const Node& node) {
  std::string out;
  while (!text.empty()) {
    auto at = text.find("${");
    auto end = at == std::string_view::npos ? at : text.find('}', at);
    if (end == std::string_view::npos) return out.append(text), out;
    out.append(text.substr(0, at));
    auto value = resolve_name(trim_space(text.substr(at + 2, end - at - 2)), node);
    if (!value) return std::nullopt;
    out.append(*value);
    text.remove_prefix(end + 1);
  }
  return out;
}

bool set_contains_all(std::string_view set, std::string_view wanted) {
  std::vector<std::string> have;
  each_element(set, [&](std::string_view e) { have.emplace_back(e); });
  bool all = true;
  each_element(wanted, [&](std::string_view e) { all = all && std::find(have.begin(), have.end(), e) != have.end(); });
  return all;
}

bool set_contains_any(std::string_view set, std::string_view wanted) {
  std::vector<std::string> have;
  each_element(set, [&](std::string_view e) { have.emplace_back(e); });
  bool any = false;
  each_element(wanted, [&](std::string_view e) { any = any || std::find(have.begin(), have.end(), e) != have.end(); });
  return any;
}

struct ConstraintChecker::Cache {
  StringMap<std::unique_ptr<re2::RE2>> expressions;
  StringMap<std::optional<VersionConstraints>> versions[2];
};

ConstraintChecker::ConstraintChecker() : cache_(std::make_unique<Cache>()) {}
ConstraintChecker::~ConstraintChecker() = default;

bool ConstraintChecker::matches_regexp(std::string_view text, std::string_view pattern) {
  auto& cache = cache_->expressions;
  auto it = cache.find(pattern);
  if (it == cache.end()) {
    if (cache.size() >= kCacheMax) cache.clear();
    re2::RE2::Options options;
    options.set_log_errors(false);
    it = cache.emplace(pattern, std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options))
             .first;
  }
  return it->second->ok() && re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *it->second);
}

bool ConstraintChecker::matches_version(std::string_view version, std::string_view constraints, bool semver) {
  auto& cache = cache_->versions[semver];
  auto it = cache.find(constraints);
  if (it == cache.end()) {
    if (cache.size() >= kCacheMax) cache.clear();
    it = cache.emplace(constraints, VersionConstraints::parse(constraints, semver)).first;
  }
  if (!it->second) return false;
  auto parsed = Version::parse(version, semver);
  return parsed && it->second->check(*parsed);
}

bool ConstraintChecker::check(std::string_view op, TargetValue left, TargetValue right) {
  if (op == operand::kDistinctHosts || op == operand::kDistinctProperty) return true;  // judged over many nodes
  if (op == operand::kIsSet) return left.has_value();
  if (op == operand::kIsNotSet) return !left.has_value();
  if (op == "!=" || op == "not") return left.value_or("") != right.value_or("");
  if (!left || !right) return false;
  auto l = *left, r = *right;
  if (op == "=" || op == "==" || op == "is") return l == r;
  if (op == "<" || op == "<=" || op == ">" || op == ">=") return check_order(op, l, r);
  if (op == operand::kVersion) return matches_version(l, r, false);
  if (op == operand::kSemver) return matches_version(l, r, true);
  if (op == operand::kRegexp) return matches_regexp(l, r);
  if (op == operand::kSetContains || op == operand::kSetContainsAll) return set_contains_all(l, r);
  if (op == operand::kSetContainsAny) return set_contains_any(l, r);
  return false;
}

namespace {
bool check_targets(ConstraintChecker& checker, std::string_view op, std::string_view l, std::string_view r,
                   const Node& node) {
  auto left = resolve_target(l, node), right = resolve_target(r, node);
  return checker.check(op, left ? TargetValue(*left) : std::nullopt, right ? TargetValue(*right) : std::nullopt);
}
}  // namespace

bool ConstraintChecker::check(const Constraint& c, const Node& node) {
  return check_targets(*this, c.Operand, c.LTarget, c.RTarget, node);
}

bool ConstraintChecker::check(const Affinity& a, const Node& node) {
  return check_targets(*this, a.Operand, a.LTarget, a.RTarget, node);
}

std::string describe(const Constraint& c) { return c.LTarget + " " + c.Operand + " " + c.RTarget; }

bool is_unique_key(std::string_view key) { return key.starts_with(kUnique); }

bool escapes_class(std::string_view target) {
  return target.starts_with("${node.unique.") || target.starts_with("${attr.unique.") ||
         target.starts_with("${meta.unique.");
}

bool escapes_class(const Constraint& c) { return escapes_class(c.LTarget) || escapes_class(c.RTarget); }

namespace {

// FNV-1a over length-prefixed parts, so that no two different lists of parts run together.
class Hasher {
 public:
  void add(std::string_view s) {
    add(static_cast<uint64_t>(s.size()));
    for (unsigned char c : s) mix(c);
  }
  void add(uint64_t n) {
    for (int i = 0; i < 8; ++i) mix(static_cast<unsigned char>(n >> (8 * i)));
  }
  void add(const Attribute& a) {
    add(a.Float ? std::to_string(*a.Float) : "");
    add(a.Int ? std::to_string(*a.Int) : "");
    add(a.String.value_or(""));
    add(a.Bool ? (*a.Bool ? "t" : "f") : "");
    add(a.Unit);
  }
  void add(const std::string& s) { add(std::string_view(s)); }
  void add(const char* s) { add(std::string_view(s)); }
  template <class V>
  void add(const Map<V>& map) {
    for (auto& [key, value] : map) {
      if (is_unique_key(key)) continue;
      add(key);
      add(value);
    }
    add(uint64_t{0});
  }
  uint64_t value() const { return hash_; }

 private:
  void mix(unsigned char c) { hash_ = (hash_ ^ c) * 0x100000001b3ull; }
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

}  // namespace

std::string compute_class(const Node& node) {
  Hasher h;
  h.add(node.Datacenter);
  h.add(node.NodeClass);
  h.add(node.Attributes);
  h.add(node.Meta);
  if (node.NodeResources)
    for (auto& d : node.NodeResources->Devices) {
      h.add(d.Vendor);
      h.add(d.Type);
      h.add(d.Name);
      h.add(d.Attributes);
    }
  return "v1:" + std::to_string(h.value());
}

}  // namespace drover
