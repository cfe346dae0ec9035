// Log entries: what is replicated, and how it changes the state.
//
// An entry is one byte of type, a MessagePack integer (the proposer's wall time, Unix nanoseconds) and a MessagePack
// body. Applying is deterministic: the same entries on the same state give the same state_hash() on every server.
// Types and names are the reference's (server-core section 7); types from 96 on are ours.
//
//   proposer:  auto bytes = encode_entry(EntryType::kNodeRegister, request, clock.now());
//   replica:   Fsm fsm(store);  Outcome out = fsm.apply(index, bytes);   // on the apply thread
//              if (out.error) answer the proposer with it; the state is as before, but for its index
//              leader: act on out.effects
#pragma once

#include <optional>
#include <span>

#include "codec/json.h"
#include "codec/msgpack.h"
#include "model/raft_requests.h"
#include "state/job_ops.h"
#include "state/store.h"

namespace drover::state {

enum class EntryType : uint8_t {
  kNodeRegister = 0,
  kNodeDeregister = 1,
  kNodeUpdateStatus = 2,
  kNodeUpdateDrain = 3,
  kJobRegister = 4,
  kJobDeregister = 5,
  kEvalUpdate = 6,
  kEvalDelete = 7,
  kAllocUpdate = 8,
  kAllocClientUpdate = 9,
  kReconcileJobSummaries = 10,
  kVaultAccessorRegister = 11,
  kVaultAccessorDeregister = 12,
  kApplyPlanResults = 13,
  kDeploymentStatusUpdate = 14,
  kDeploymentPromote = 15,
  kDeploymentAllocHealth = 16,
  kDeploymentDelete = 17,
  kJobStability = 18,
  kACLPolicyUpsert = 19,
  kACLPolicyDelete = 20,
  kACLTokenUpsert = 21,
  kACLTokenDelete = 22,
  kACLTokenBootstrap = 23,
  kAutopilot = 24,
  kUpsertNodeEvents = 25,
  kJobBatchDeregister = 26,
  kAllocUpdateDesiredTransition = 27,
  kNodeUpdateEligibility = 28,
  kBatchNodeUpdateDrain = 29,
  kSchedulerConfig = 30,
  kNodeBatchDeregister = 31,
  kClusterMetadata = 32,
  kServiceIdentityAccessorRegister = 33,
  kServiceIdentityAccessorDeregister = 34,
  kCSIVolumeRegister = 35,
  kCSIVolumeDeregister = 36,
  kCSIVolumeClaim = 37,
  kScalingEventRegister = 38,
  kCSIVolumeClaimBatch = 39,
  kCSIPluginDelete = 40,
  kEventSinkUpsert = 41,
  kEventSinkDelete = 42,
  kBatchEventSinkUpdateProgress = 43,
  kOneTimeTokenUpsert = 44,
  kOneTimeTokenDelete = 45,
  kOneTimeTokenExpire = 46,
  kServiceRegistrationUpsert = 47,
  kServiceRegistrationDeleteByID = 48,
  kServiceRegistrationDeleteByNodeID = 49,
  kVarApplyState = 50,
  kRootKeyMetaUpsert = 51,
  kRootKeyMetaDelete = 52,
  kACLRolesUpsert = 53,
  kACLRolesDeleteByID = 54,
  kACLAuthMethodsUpsert = 55,
  kACLAuthMethodsDelete = 56,
  kACLBindingRulesUpsert = 57,
  kACLBindingRulesDelete = 58,
  kNodePoolUpsert = 59,
  kNodePoolDelete = 60,
  kNamespaceUpsert = 64,
  kNamespaceDelete = 65,
  kApplyPlanResultsBatch = 96,
  kBarrier = 97,  // does nothing; a new leader's first entry
};
// Or'ed into the type byte: a server that does not know the type skips the entry.
inline constexpr uint8_t kIgnoreUnknown = 128;

// What the leader has to do after an entry, in order.
struct Effects {
  struct Capacity {            // room has come up: blocked evaluations may go on
    std::string node_class;    // computed class
    std::string quota;         // quota of the namespace whose allocation ended
    Uuid node;                 // nil: only the class
  };
  std::vector<Ref<Evaluation>> evals;        // written: pending ones to the broker, blocked ones to the blocked set, ...
  std::vector<Capacity> capacity;
  std::vector<std::string> quotas;           // quotas that some namespace has left
  std::vector<Ref<Job>> periodic_add;        // every registered job; the dispatcher sorts out which are periodic
  std::vector<std::pair<std::string, std::string>> periodic_remove;  // (namespace, id)
};

struct Outcome {
  std::optional<Error> error;                // the entry was refused and changed nothing
  Effects effects;
  bool applied = true;                       // compare-and-set entries: false when the comparison failed
  uint64_t count = 0;                        // EvalDelete by filter: how many went
  std::optional<rpc::VarApplyStateResponse> variable;
  std::vector<std::optional<Error>> parts;   // ApplyPlanResultsBatch: each plan's own refusal
};

// An entry taken apart; `body` points into the bytes given.
struct Entry {
  uint8_t type = 0;            // without the flag
  bool ignore_unknown = false;
  Time stamp;
  std::string_view body;
};
Result<Entry> parse_entry(std::string_view bytes);
std::string encode_entry_raw(uint8_t type_byte, Time stamp, const TypeInfo& type, const void* body);
template <class Body>
std::string encode_entry(EntryType type, const Body& body, Time stamp) {
  return encode_entry_raw(static_cast<uint8_t>(type), stamp, type_of<Body>(), &body);
}
// The body as an entry has it, for who makes the parts of a large entry elsewhere.
template <class Body>
std::string encode_body(const Body& body) {
  return to_msgpack(body, {.omit_default = true});
}
// The entries of one plan and of several, from their encoded bodies.
std::string plan_entry(std::string_view encoded, Time stamp);
std::string plans_entry(std::span<const std::string> encoded, Time stamp);

// What applying needs beside the state.
struct ApplyContext {
  Txn& txn;
  Outcome& out;
  const QueuedFn& queued;
};
struct EntryRow {
  EntryType type;
  std::string_view name;
  const TypeInfo& (*body)();   // null: no body
  Status (*apply)(ApplyContext& context, std::string_view body);
  // The same with the body at hand, a value of the type that `body` describes; null: it is always read from the bytes.
  Status (*apply_body)(ApplyContext& context, const void* body);
  Result<std::string> (*json)(std::string_view body, const JsonStyle& style);  // null: no body
};
std::span<const EntryRow> entry_table();  // in order of type
const EntryRow* find_entry_row(uint8_t type);

// Applies to a transaction. A refused entry leaves no change in it. `body`: what entry.body says, where it is at hand.
Outcome apply_entry(Txn& txn, const Entry& entry, const QueuedFn& queued = {}, const void* body = nullptr);

// Applies entries to a store, one transaction each. The apply thread.
class Fsm {
 public:
  // `queued` is asked by ReconcileJobSummaries; it must be deterministic.
  explicit Fsm(Store& store, QueuedFn queued = {}) : store_(store), queued_(std::move(queued)) {}
  // Publishes also when the entry is refused, so that the index moves on. Indexes ascend.
  // An entry that cannot be read or has an unknown type gives kCorrupt or kNotImplemented: the server must stop, since
  // its state would go apart from the others'.
  // `body`: what the bytes say, where it is at hand.
  Outcome apply(uint64_t index, std::string_view bytes, const void* body = nullptr);

 private:
  Store& store_;
  QueuedFn queued_;
};

}  // namespace drover::state
