// Namespaces, variables, root keys, scheduler configuration.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct NamespaceCapabilities {
  List<std::string> EnabledTaskDrivers;
  List<std::string> DisabledTaskDrivers;

  friend bool operator==(const NamespaceCapabilities&, const NamespaceCapabilities&) = default;
};

struct Namespace {
  std::string Name;
  std::string Description;
  std::string Quota;
  Box<NamespaceCapabilities> Capabilities;
  Map<std::string> Meta;
  Bytes Hash;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const Namespace&, const Namespace&) = default;
};

// The BLAKE2b-256 of name, description, quota, enabled and disabled drivers and the metadata in order of key: by it
// replicas of other regions see what changed.
Bytes namespace_hash(const Namespace& ns);

struct PreemptionConfig {
  bool SystemSchedulerEnabled = false;
  bool SysBatchSchedulerEnabled = false;
  bool BatchSchedulerEnabled = false;
  bool ServiceSchedulerEnabled = false;

  friend bool operator==(const PreemptionConfig&, const PreemptionConfig&) = default;
};

struct RootKeyMeta {
  std::string KeyID;
  std::string Algorithm;
  int64_t CreateTime = 0;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;
  std::string State;

  friend bool operator==(const RootKeyMeta&, const RootKeyMeta&) = default;
};

struct SchedulerConfiguration {
  std::string SchedulerAlgorithm;
  ::drover::PreemptionConfig PreemptionConfig;
  bool MemoryOversubscriptionEnabled = false;
  bool RejectJobRegistration = false;
  bool PauseEvalBroker = false;
  uint64_t CreateIndex = 0;
  uint64_t ModifyIndex = 0;

  friend bool operator==(const SchedulerConfiguration&, const SchedulerConfiguration&) = default;
};

struct VariableDecrypted {
  std::string Namespace;
  std::string Path;
  uint64_t CreateIndex = 0;
  int64_t CreateTime = 0;
  uint64_t ModifyIndex = 0;
  int64_t ModifyTime = 0;
  Map<std::string> Items;

  friend bool operator==(const VariableDecrypted&, const VariableDecrypted&) = default;
};

struct VariableMetadata {
  std::string Namespace;
  std::string Path;
  uint64_t CreateIndex = 0;
  int64_t CreateTime = 0;
  uint64_t ModifyIndex = 0;
  int64_t ModifyTime = 0;

  friend bool operator==(const VariableMetadata&, const VariableMetadata&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(NamespaceCapabilities)
DROVER_TYPE(Namespace)
DROVER_TYPE(PreemptionConfig)
DROVER_TYPE(RootKeyMeta)
DROVER_TYPE(SchedulerConfiguration)
DROVER_TYPE(VariableDecrypted)
DROVER_TYPE(VariableMetadata)
}  // namespace drover
