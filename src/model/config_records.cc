#include "model/config_records.h"

#include "base/blake2b.h"

DROVER_DESCRIBE(drover::NamespaceCapabilities, "structs.NamespaceCapabilities",
    DROVER_FIELD(EnabledTaskDrivers), DROVER_FIELD(DisabledTaskDrivers))

DROVER_DESCRIBE(drover::Namespace, "structs.Namespace",
    DROVER_FIELD(Name), DROVER_FIELD(Description), DROVER_FIELD(Quota), DROVER_FIELD(Capabilities),
    DROVER_FIELD(Meta), DROVER_FIELD(Hash), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::PreemptionConfig, "structs.PreemptionConfig",
    DROVER_FIELD(SystemSchedulerEnabled), DROVER_FIELD(SysBatchSchedulerEnabled), DROVER_FIELD(BatchSchedulerEnabled),
    DROVER_FIELD(ServiceSchedulerEnabled))

DROVER_DESCRIBE(drover::RootKeyMeta, "structs.RootKeyMeta",
    DROVER_FIELD(KeyID), DROVER_FIELD(Algorithm).wire("structs.EncryptionAlgorithm"),
    DROVER_FIELD(CreateTime).wire("int64"), DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex),
    DROVER_FIELD(State).wire("structs.RootKeyState"))

DROVER_DESCRIBE(drover::SchedulerConfiguration, "structs.SchedulerConfiguration",
    DROVER_FIELD(SchedulerAlgorithm).wire("structs.SchedulerAlgorithm"), DROVER_FIELD(PreemptionConfig),
    DROVER_FIELD(MemoryOversubscriptionEnabled), DROVER_FIELD(RejectJobRegistration), DROVER_FIELD(PauseEvalBroker),
    DROVER_FIELD(CreateIndex), DROVER_FIELD(ModifyIndex))

DROVER_DESCRIBE(drover::VariableDecrypted, "structs.VariableDecrypted",
    DROVER_FIELD(Namespace), DROVER_FIELD(Path), DROVER_FIELD(CreateIndex), DROVER_FIELD(CreateTime).wire("int64"),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(ModifyTime).wire("int64"), DROVER_FIELD(Items))

DROVER_DESCRIBE(drover::VariableMetadata, "structs.VariableMetadata",
    DROVER_FIELD(Namespace), DROVER_FIELD(Path), DROVER_FIELD(CreateIndex), DROVER_FIELD(CreateTime).wire("int64"),
    DROVER_FIELD(ModifyIndex), DROVER_FIELD(ModifyTime).wire("int64"))

namespace drover {

Bytes namespace_hash(const Namespace& ns) {
  Blake2b hash(32);
  hash.update(ns.Name).update(ns.Description).update(ns.Quota);
  if (ns.Capabilities) {
    for (auto& driver : ns.Capabilities->EnabledTaskDrivers) hash.update(driver);
    for (auto& driver : ns.Capabilities->DisabledTaskDrivers) hash.update(driver);
  }
  for (auto& [key, value] : ns.Meta) hash.update(key).update(value);
  return {hash.finish()};
}

}  // namespace drover
