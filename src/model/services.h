// Service registrations of the built-in provider.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct ServiceRegistration {
  std::string ID;
  std::string ServiceName;
  std::string Namespace;
  Uuid NodeID;
  std::string Datacenter;
  std::string JobID;
  Uuid AllocID;
  List<std::string> Tags;
  std::string Address;
  int64_t Port = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const ServiceRegistration&, const ServiceRegistration&) = default;
};

struct ServiceRegistrationStub {
  std::string ServiceName;
  List<std::string> Tags;

  friend bool operator==(const ServiceRegistrationStub&, const ServiceRegistrationStub&) = default;
};

struct ServiceRegistrationListStub {
  std::string Namespace;
  List<ServiceRegistrationStub> Services;

  friend bool operator==(const ServiceRegistrationListStub&, const ServiceRegistrationListStub&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(ServiceRegistration)
DROVER_TYPE(ServiceRegistrationStub)
DROVER_TYPE(ServiceRegistrationListStub)
}  // namespace drover
