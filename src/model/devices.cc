#include "model/devices.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "model/status.h"

namespace drover {
namespace {

// Units of one family convert into each other.
enum class Family : unsigned char { kNone, kBytes, kByteRate, kHertz, kWatt };
struct Unit {
  std::string_view name;
  Family family;
  int64_t factor;
};
constexpr int64_t kK = 1000, kKi = 1024;
constexpr Unit kUnits[] = {
    {"KiB", Family::kBytes, kKi}, {"MiB", Family::kBytes, kKi* kKi}, {"GiB", Family::kBytes, kKi* kKi* kKi},
    {"TiB", Family::kBytes, kKi* kKi* kKi* kKi}, {"PiB", Family::kBytes, kKi* kKi* kKi* kKi* kKi},
    {"EiB", Family::kBytes, kKi* kKi* kKi* kKi* kKi* kKi},
    {"kB", Family::kBytes, kK}, {"KB", Family::kBytes, kK}, {"MB", Family::kBytes, kK* kK},
    {"GB", Family::kBytes, kK* kK* kK}, {"TB", Family::kBytes, kK* kK* kK* kK},
    {"PB", Family::kBytes, kK* kK* kK* kK* kK}, {"EB", Family::kBytes, kK* kK* kK* kK* kK* kK},
    {"KiB/s", Family::kByteRate, kKi}, {"MiB/s", Family::kByteRate, kKi* kKi},
    {"GiB/s", Family::kByteRate, kKi* kKi* kKi}, {"TiB/s", Family::kByteRate, kKi* kKi* kKi* kKi},
    {"PiB/s", Family::kByteRate, kKi* kKi* kKi* kKi* kKi},
    {"EiB/s", Family::kByteRate, kKi* kKi* kKi* kKi* kKi* kKi},
    {"kB/s", Family::kByteRate, kK}, {"KB/s", Family::kByteRate, kK}, {"MB/s", Family::kByteRate, kK* kK},
    {"GB/s", Family::kByteRate, kK* kK* kK}, {"TB/s", Family::kByteRate, kK* kK* kK* kK},
    {"PB/s", Family::kByteRate, kK* kK* kK* kK* kK}, {"EB/s", Family::kByteRate, kK* kK* kK* kK* kK* kK},
    {"MHz", Family::kHertz, kK* kK}, {"GHz", Family::kHertz, kK* kK* kK},
    {"mW", Family::kWatt, 1}, {"W", Family::kWatt, kK}, {"kW", Family::kWatt, kK* kK},
    {"MW", Family::kWatt, kK* kK* kK}, {"GW", Family::kWatt, kK* kK* kK* kK}};

const Unit* find_unit(std::string_view name) {
  auto it = std::find_if(std::begin(kUnits), std::end(kUnits), [&](auto& u) { return u.name == name; });
  return it == std::end(kUnits) ? nullptr : it;
}

// The longest unit that `text` ends with.
const Unit* unit_suffix(std::string_view text) {
  const Unit* best = nullptr;
  for (auto& u : kUnits)
    if (text.ends_with(u.name) && (!best || u.name.size() > best->name.size())) best = &u;
  return best;
}

template <class T>
int sign(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

std::optional<int> compare_numbers(const Attribute& a, const Attribute& b) {
  const Unit* ua = a.Unit.empty() ? nullptr : find_unit(a.Unit);
  const Unit* ub = b.Unit.empty() ? nullptr : find_unit(b.Unit);
  if ((ua ? ua->family : Family::kNone) != (ub ? ub->family : Family::kNone)) return std::nullopt;
  int64_t fa = ua ? ua->factor : 1, fb = ub ? ub->factor : 1;
  if (a.Int && b.Int) return sign(static_cast<__int128>(*a.Int) * fa, static_cast<__int128>(*b.Int) * fb);
  auto value = [](const Attribute& x) {
    return x.Int ? static_cast<long double>(*x.Int) : static_cast<long double>(*x.Float);
  };
  return sign(value(a) * fa, value(b) * fb);
}

}  // namespace

Attribute parse_attribute(std::string_view text) {
  Attribute a;
  auto* unit = unit_suffix(text);
  auto numeric = unit ? trim_space(text.substr(0, text.size() - unit->name.size())) : text;
  if (auto n = parse_int(numeric)) {
    a.Int = *n;
  } else if (auto d = parse_double(numeric)) {
    a.Float = *d;
  }
  if (a.Int || a.Float) {
    if (unit) a.Unit = unit->name;
  } else if (auto b = parse_bool(text)) {
    a.Bool = *b;
  } else {
    a.String = std::string(text);
  }
  return a;
}

std::optional<int> compare(const Attribute& a, const Attribute& b) {
  if (a.Bool && b.Bool) return *a.Bool == *b.Bool ? 0 : *a.Bool ? 1 : -1;
  if (a.String && b.String) return sign(a.String->compare(*b.String), 0);
  if ((a.Int || a.Float) && (b.Int || b.Float)) return compare_numbers(a, b);
  return std::nullopt;
}

namespace {

std::optional<Attribute> device_target(std::string_view target, const NodeDeviceResource& group) {
  if (!is_interpolated(target)) return parse_attribute(target);
  auto text = [](std::string s) {
    Attribute a;
    a.String = std::move(s);
    return a;
  };
  if (target == "${device.model}") return text(group.Name);
  if (target == "${device.vendor}") return text(group.Vendor);
  if (target == "${device.type}") return text(group.Type);
  if (target == "${device.ids}") {
    std::vector<std::string> ids;
    for (auto& i : group.Instances) ids.push_back(i.ID);
    return text(join(ids, ","));
  }
  constexpr std::string_view kAttr = "${device.attr.";
  if (!target.starts_with(kAttr) || !target.ends_with('}')) return std::nullopt;
  auto* found = group.Attributes.find(target.substr(kAttr.size(), target.size() - kAttr.size() - 1));
  return found ? std::optional(*found) : std::nullopt;
}

// Versions may arrive as numbers.
std::optional<std::string> version_text(const Attribute& a) {
  if (a.String) return *a.String;
  return a.Int ? std::optional(std::to_string(*a.Int)) : std::nullopt;
}

}  // namespace

bool check_device(std::string_view op, std::string_view left, std::string_view right, const NodeDeviceResource& group,
                  ConstraintChecker& checker) {
  auto l = device_target(left, group), r = device_target(right, group);
  if (op == operand::kIsSet) return l.has_value();
  if (op == operand::kIsNotSet) return !l.has_value();
  if (op == "!=" || op == "not") {
    if (!l || !r) return l.has_value() != r.has_value();
    auto c = compare(*l, *r);
    return c && *c != 0;
  }
  if (!l || !r) return false;
  if (op == operand::kVersion || op == operand::kSemver) {
    auto lt = version_text(*l), rt = version_text(*r);
    // A literal such as "1.0" was read as a number; as a constraint it is text.
    if (!is_interpolated(right)) rt = std::string(right);
    return lt && rt && checker.matches_version(*lt, *rt, op == operand::kSemver);
  }
  if (op == operand::kRegexp || op.starts_with("set_contains")) {
    auto rt = is_interpolated(right) ? r->String : std::optional(std::string(right));
    return l->String && rt && checker.check(op, TargetValue(*l->String), TargetValue(*rt));
  }
  auto c = compare(*l, *r);
  if (!c) return false;
  if (op == "=" || op == "==" || op == "is") return *c == 0;
  if (op == "<") return *c < 0;
  if (op == "<=") return *c <= 0;
  if (op == ">") return *c > 0;
  return op == ">=" && *c >= 0;
}

bool device_matches(const RequestedDevice& request, const NodeDeviceResource& group, ConstraintChecker& checker) {
  std::string_view name = request.Name;
  std::string_view parts[3];
  size_t n = 0;
  for (; n < 2; ++n) {
    auto slash = name.find('/');
    if (slash == std::string_view::npos) break;
    parts[n] = name.substr(0, slash);
    name.remove_prefix(slash + 1);
  }
  parts[n] = name;
  bool same = n == 0   ? parts[0] == group.Type
              : n == 1 ? parts[0] == group.Vendor && parts[1] == group.Type
                       : parts[0] == group.Vendor && parts[1] == group.Type && parts[2] == group.Name;
  return same && std::all_of(request.Constraints.begin(), request.Constraints.end(), [&](auto& c) {
           return check_device(c.Operand, c.LTarget, c.RTarget, group, checker);
         });
}

bool devices_feasible(const std::vector<const RequestedDevice*>& requests, const Node& node,
                      ConstraintChecker& checker) {
  if (requests.empty()) return true;
  if (!node.NodeResources) return false;
  auto& groups = node.NodeResources->Devices;
  std::vector<uint64_t> available;
  for (auto& g : groups)
    available.push_back(
        static_cast<uint64_t>(std::count_if(g.Instances.begin(), g.Instances.end(), [](auto& i) { return i.Healthy; })));
  for (auto* request : requests) {
    bool served = false;
    for (size_t i = 0; i < groups.size() && !served; ++i) {
      if (available[i] == 0 || available[i] < request->Count) continue;
      if (!device_matches(*request, groups[i], checker)) continue;
      available[i] -= request->Count;
      served = true;
    }
    if (!served) return false;
  }
  return true;
}

// --- DeviceAccounter ---

DeviceAccounter::DeviceAccounter(const Node& node) {
  if (!node.NodeResources) return;
  for (auto& resource : node.NodeResources->Devices) {
    Group g{&resource, {}};
    for (auto& i : resource.Instances)
      if (i.Healthy) g.instances.push_back({i.ID, 0});
    if (!g.instances.empty()) groups_.push_back(std::move(g));
  }
}

uint64_t DeviceAccounter::Group::free() const {
  return static_cast<uint64_t>(
      std::count_if(instances.begin(), instances.end(), [](auto& i) { return i.uses == 0; }));
}

bool DeviceAccounter::add(const AllocatedDeviceResource& taken) {
  bool twice = false;
  for (auto& g : groups_) {
    if (g.resource->Vendor != taken.Vendor || g.resource->Type != taken.Type || g.resource->Name != taken.Name)
      continue;
    for (auto& id : taken.DeviceIDs)
      for (auto& i : g.instances)
        if (i.id == id) twice = i.uses++ > 0 || twice;
  }
  return twice;
}

bool DeviceAccounter::add_alloc(const Allocation& alloc) {
  if (groups_.empty() || is_client_terminal(alloc) || !alloc.AllocatedResources) return false;
  bool twice = false;
  for (auto& [name, task] : alloc.AllocatedResources->Tasks)
    for (auto& d : task.Devices) twice = add(d) || twice;
  return twice;
}

Result<DeviceAccounter::Offer> DeviceAccounter::assign(const RequestedDevice& request,
                                                       ConstraintChecker& checker) const {
  if (groups_.empty()) return invalid("no devices available");
  if (request.Count == 0) return invalid("invalid request of zero devices");
  const Group* best = nullptr;
  double best_score = 0, best_weight = 0;
  for (auto& g : groups_) {
    if (g.free() < request.Count || !device_matches(request, *g.resource, checker)) continue;
    double total = 0, matched = 0;
    for (auto& a : request.Affinities) {
      total += std::abs(a.Weight);
      if (check_device(a.Operand, a.LTarget, a.RTarget, *g.resource, checker)) matched += a.Weight;
    }
    double score = total > 0 ? matched / total : 0;
    if (best && score < best_score) continue;
    best = &g, best_score = score, best_weight = matched;
  }
  if (!best) return invalid("no devices match request");
  Offer offer;
  auto& r = *best->resource;
  offer.device = {.Vendor = r.Vendor, .Type = r.Type, .Name = r.Name};
  offer.matched_weight = best_weight;
  for (auto& i : best->instances)
    if (i.uses == 0 && offer.device.DeviceIDs.size() < request.Count) offer.device.DeviceIDs.emplace_back(i.id);
  return offer;
}

}  // namespace drover
