// Devices of a node: which instances are free, which group of them satisfies a request. Rules: reference scheduler
// 5.4, 9. Attributes are typed and carry units.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/alloc.h"
#include "model/constraint.h"
#include "model/node.h"

namespace drover {

// "11 GiB", "1.5", "true", "text": what a literal in a device constraint stands for.
Attribute parse_attribute(std::string_view text);
// -1, 0, 1; nullopt when the two are not comparable (kinds or unit families differ).
std::optional<int> compare(const Attribute& a, const Attribute& b);

// Whether a device group is what a request names ("gpu", "nvidia/gpu", "nvidia/gpu/1080ti") and meets its constraints.
bool device_matches(const RequestedDevice& request, const NodeDeviceResource& group, ConstraintChecker& checker);
// The operator of a device constraint or affinity.
bool check_device(std::string_view operand, std::string_view left, std::string_view right,
                  const NodeDeviceResource& group, ConstraintChecker& checker);
// Whether a node's healthy instances could serve all requests of a group at once, used or not.
bool devices_feasible(const std::vector<const RequestedDevice*>& requests, const Node& node,
                      ConstraintChecker& checker);

// Use of the healthy instances of one node.
class DeviceAccounter {
 public:
  DeviceAccounter() = default;
  // Keeps pointers into `node`.
  explicit DeviceAccounter(const Node& node);

  bool empty() const { return groups_.empty(); }
  // Takes the instances of an allocation, unless its client is done with it. True when one was taken already.
  bool add_alloc(const Allocation& alloc);
  bool add(const AllocatedDeviceResource& taken);

  struct Offer {
    AllocatedDeviceResource device;
    double matched_weight = 0;  // sum of the weights of the affinities that match
  };
  // Instances for a request; takes nothing. Errors: "no devices available", "invalid request of zero devices",
  // "no devices match request".
  Result<Offer> assign(const RequestedDevice& request, ConstraintChecker& checker) const;

  struct Instance {
    std::string_view id;
    int uses = 0;
  };
  struct Group {
    const NodeDeviceResource* resource = nullptr;
    std::vector<Instance> instances;
    uint64_t free() const;
  };
  const std::vector<Group>& groups() const { return groups_; }

 private:
  std::vector<Group> groups_;
};

}  // namespace drover
