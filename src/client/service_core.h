// Services of the built-in provider as a node sees them: what a workload registers, at which address, and which checks it
// asks for. Pure (reference client, section 26).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/driver.h"
#include "model/alloc.h"
#include "model/services.h"

namespace drover::client {

struct RunEnv;

// Whose services: a task's, or with an empty name the group's.
struct WorkloadKey {
  Uuid alloc;
  std::string task;
  auto operator<=>(const WorkloadKey&) const = default;
};

struct Workload {
  const Allocation& alloc;
  std::string_view task;                     // "" for the group's
  const RunEnv& env;                         // replaces ${...} in the services
  Uuid node_id;
  std::string_view datacenter;
  const drivers::DriverNetwork* driver_network = nullptr;
  const AllocNetworkStatus* network_status = nullptr;
};

struct ServiceAddress {
  std::string ip;
  int64_t port = 0;
};
// `custom` is the service's own address. Errors are the reference's: `invalid port "x": port label not found`, ...
Result<ServiceAddress> resolve_address(std::string_view custom, std::string_view mode, std::string_view label,
                                       const Workload& workload);

// The workload's services of the "nomad" provider, with everything replaced; in the order of the job.
std::vector<Service> nomad_services(const Workload& workload);
bool has_nomad_services(const Allocation& alloc, std::string_view task);

std::string service_id(const Uuid& alloc, std::string_view group, std::string_view task, const Service& service);
// What the servers are told. The error of the first service whose address cannot be told.
Result<List<ServiceRegistration>> registrations_of(const Workload& workload);
std::vector<std::string> registration_ids(const Workload& workload);

// One check as it runs.
struct CheckPlan {
  std::string id;
  std::string owner;  // the task whose service it is of; "" for the group's
  std::string service, task;
  ServiceCheck check;
  // Where to look; an error is the check's result.
  Result<ServiceAddress> address = ServiceAddress{};
  bool readiness = false;

  // Everything that makes it the same check, also across a change of the allocation.
  bool same_as(const CheckPlan& other) const;
};
std::vector<CheckPlan> checks_of(const Workload& workload);

// "pending", until the first run is over.
CheckQueryResult pending_result(const CheckPlan& plan, const Allocation& alloc, Time now);

// Whether the checks let the allocation count as healthy: each of `ids` succeeds, or is only about readiness.
bool checks_pass(const std::vector<std::string>& ids, const Map<CheckQueryResult>& results);

// Decides when a failing check restarts its task (section 26.7, but a check that has not run yet is no reason).
class CheckRestartWatch {
 public:
  CheckRestartWatch(const ServiceCheck& check, Time now)
      : limit_(check.Interval * (check.CheckRestart->Limit - 1)), grace_until_(now + check.CheckRestart->Grace) {}
  // True: restart now.
  bool observe(std::string_view status, Time now);

 private:
  Duration limit_;
  Time grace_until_;
  std::optional<Time> failing_since_;
};

}  // namespace drover::client
