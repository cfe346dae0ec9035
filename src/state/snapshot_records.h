// The record types of the snapshot stream; used by its writer and its reader.
#pragma once

#include <functional>
#include <span>

#include "state/store.h"

namespace drover::state {

enum class RecordType : uint8_t {
  kNode = 0, kJob = 1, kIndex = 2, kEval = 3, kAlloc = 4, kTimeTable = 5, kPeriodicLaunch = 6, kJobSummary = 7,
  kVaultAccessor = 8, kJobVersion = 9, kDeployment = 10, kACLPolicy = 11, kACLToken = 12, kSchedulerConfig = 13,
  kClusterMetadata = 14, kSITokenAccessor = 15, kScalingPolicy = 16, kCSIPlugin = 17, kCSIVolume = 18,
  kScalingEvents = 19, kEventSink = 20, kService = 21, kVariable = 22, kVariablesQuota = 23, kRootKeyMeta = 24,
  kACLRole = 25, kACLAuthMethod = 26, kACLBindingRule = 27, kNodePool = 28, kNamespace = 64,
  // Ours. An allocation of parts names what it shares with others by number: kAllocPart records number what they hold
  // from 1, each kind for itself, and come before the first that names them.
  kAllocPart = 94,      // [AllocPart, object]
  kAllocOfParts = 95,   // [number of each kind or 0, ..., allocation without them]
  kMeta = 96, kJobSubmission = 97, kOneTimeToken = 98, kAutopilotConfig = 99,
};

inline constexpr std::string_view kBootstrapIndexKey = "acl_token_bootstrap";

enum class AllocPart : uint8_t {
  kJob,  // one of the job tables: only what names it
  kResources,
  kMetrics,
  kCount,
};
inline constexpr size_t kAllocParts = static_cast<size_t>(AllocPart::kCount);

struct SnapshotMeta {
  uint64_t Index = 0;
  Time Stamp;
};

// Called for each row.
using RecordFn = std::function<Status(const TypeInfo& type, const void* object)>;

struct RecordRow {
  RecordType type;
  bool native_only;
  Status (*write)(const State& state, const RecordFn& record);
  // Decodes one object and stores it. Null: read by the reader itself.
  Status (*read)(State& state, std::string_view bytes);
};
std::span<const RecordRow> record_rows();  // in the order of writing; the opaque records are apart
const RecordRow* find_record_row(uint8_t type);

// The stored job with these Namespace, ID, Version and CreateIndex; null when there is none.
Ref<Job> shared_job_row(const State& state, const Job& job);

}  // namespace drover::state

namespace drover {
DROVER_TYPE(state::SnapshotMeta)
}
