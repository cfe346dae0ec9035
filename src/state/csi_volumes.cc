#include <fmt/format.h>

#include "base/strings.h"
#include "model/status.h"
#include "state/csi_ops.h"

namespace drover::state {
namespace {

ClaimState state_of(const CSIVolumeClaim& c) { return static_cast<ClaimState>(c.State); }
ClaimMode mode_of(const CSIVolumeClaim& c) { return static_cast<ClaimMode>(c.Mode); }

// What a volume's access mode lets in beside the claims that are there.
struct AccessRule {
  std::string_view mode;
  bool readers_with_readers, readers_with_writers, writes, writers_together;
};
constexpr AccessRule kAccess[] = {
    {"single-node-reader-only", false, true, false, false},
    {"single-node-writer", false, false, true, false},
    {"multi-node-reader-only", true, true, false, false},
    {"multi-node-single-writer", true, true, true, false},
    {"multi-node-multi-writer", true, true, true, true},
    {"", true, true, true, true},
};

const AccessRule* rule_of(std::string_view mode) {
  for (auto& r : kAccess)
    if (r.mode == mode) return &r;
  return nullptr;
}

bool free_to_read(const CSIVolume& v) {
  auto* r = rule_of(v.AccessMode);
  return r && (r->readers_with_readers || v.ReadClaims.empty()) && (r->readers_with_writers || v.WriteClaims.empty());
}
bool free_to_write(const CSIVolume& v) {
  auto* r = rule_of(v.AccessMode);
  return r && r->writes && (r->writers_together || v.WriteClaims.empty());
}

void drop_claims(CSIVolume& v, const std::string& alloc) {
  v.ReadClaims.erase(alloc);
  v.WriteClaims.erase(alloc);
  v.PastClaims.erase(alloc);
}

Status take(CSIVolume& v, const CSIVolumeClaim& claim, const Ref<Allocation>& alloc) {
  bool write = mode_of(claim) == ClaimMode::kWrite;
  auto& claims = write ? v.WriteClaims : v.ReadClaims;
  if (claims.contains(claim.AllocationID)) return {};
  if (!alloc) return not_found(fmt::format("allocation missing: {}", claim.AllocationID));
  if (!v.Schedulable) return invalid("volume is currently unschedulable");
  // The first claim decides how the volume is used.
  if (v.AccessMode.empty() && v.AttachmentMode.empty()) {
    v.AccessMode = claim.AccessMode;
    v.AttachmentMode = claim.AttachmentMode;
  } else if (!claim.AttachmentMode.empty() && claim.AttachmentMode != v.AttachmentMode) {
    return invalid("cannot change attachment mode of claimed volume");
  }
  if (!(write ? free_to_write(v) : free_to_read(v))) return invalid("volume max claims reached");
  drop_claims(v, claim.AllocationID);
  claims.set(claim.AllocationID, claim);
  return {};
}

void release(CSIVolume& v, const CSIVolumeClaim& claim) {
  if (state_of(claim) == ClaimState::kReadyToFree) {
    drop_claims(v, claim.AllocationID);
    if (!in_use(v) && v.PastClaims.empty()) {
      v.AccessMode.clear();
      v.AttachmentMode.clear();
    }
  } else {
    v.PastClaims.set(claim.AllocationID, claim);
  }
}

// Claims whose allocation is gone or done are on their way out.
void note_past_claims(const State& state, CSIVolume& v, WatchSet* ws) {
  for (auto* claims : {&v.ReadClaims, &v.WriteClaims})
    for (auto& [id, claim] : *claims) {
      auto uuid = Uuid::parse(id);
      auto alloc = uuid ? state.allocs.get(*uuid, ws) : nullptr;
      if ((alloc && !is_terminal(*alloc)) || v.PastClaims.contains(id)) continue;
      CSIVolumeClaim past = claim;
      past.State = static_cast<int64_t>(ClaimState::kUnpublishing);
      v.PastClaims.set(id, past);
    }
}

// The row without what is looked up on reading.
CSIVolume stored_form(CSIVolume v) {
  v.ReadAllocs.reset();
  v.WriteAllocs.reset();
  v.Allocations.reset();
  v.Schedulable = v.ControllerRequired = false;
  v.ControllersHealthy = v.ControllersExpected = v.NodesHealthy = v.NodesExpected = 0;
  return v;
}

bool claimed_by_live_alloc(const State& state, const CSIVolume& v) {
  for (auto* claims : {&v.ReadClaims, &v.WriteClaims})
    for (auto& [id, claim] : *claims) {
      auto uuid = Uuid::parse(id);
      auto alloc = uuid ? state.allocs.get(*uuid) : nullptr;
      if (alloc && !is_terminal(*alloc)) return true;
    }
  return false;
}

}  // namespace

bool in_use(const CSIVolume& v) { return !v.ReadClaims.empty() || !v.WriteClaims.empty(); }

CSIVolume with_plugin(const State& state, const CSIVolume& volume) {
  CSIVolume v = stored_form(volume);
  auto p = state.csi_plugins.get(v.PluginID);
  if (!p) return v;
  v.Provider = p->Provider;
  v.ProviderVersion = p->Version;
  v.ControllerRequired = p->ControllerRequired;
  v.ControllersHealthy = p->ControllersHealthy;
  v.ControllersExpected = p->ControllersExpected;
  v.NodesHealthy = p->NodesHealthy;
  v.NodesExpected = p->NodesExpected;
  v.Schedulable = v.NodesHealthy > 0 && (!v.ControllerRequired || v.ControllersHealthy > 0);
  return v;
}

CSIVolume denormalized(const State& state, const CSIVolume& volume, WatchSet* ws) {
  CSIVolume v = with_plugin(state, volume);
  note_past_claims(state, v, ws);
  auto attach = [&](const Map<CSIVolumeClaim>& claims, Map<Ref<Allocation>>& allocs) {
    for (auto& [id, claim] : claims)
      if (auto uuid = Uuid::parse(id))
        if (auto alloc = state.allocs.get(*uuid, ws)) allocs.set(id, alloc);
  };
  attach(v.ReadClaims, v.ReadAllocs);
  attach(v.WriteClaims, v.WriteAllocs);
  return v;
}

Status upsert_csi_volumes(Txn& txn, const List<CSIVolume>& volumes) {
  for (auto& given : volumes) {
    if (!txn.namespaces()->get(given.Namespace))
      return invalid(fmt::format("volume {} is in nonexistent namespace {}", given.ID, given.Namespace));
    CSIVolume v = stored_form(given);
    v.CreateIndex = v.ModifyIndex = txn.index();
    if (auto old = txn.csi_volumes()->get(v.Namespace, v.ID)) {
      if (old->ExternalID != v.ExternalID || old->PluginID != v.PluginID || old->Provider != v.Provider)
        return invalid(fmt::format("volume identity cannot be updated: {}", v.ID));
      if (in_use(*old)) return invalid("volume cannot be updated while in use");
      v.CreateIndex = old->CreateIndex;
      v.PastClaims = old->PastClaims;
    }
    txn.csi_volumes().upsert(std::move(v));
  }
  return {};
}

Status deregister_csi_volumes(Txn& txn, std::string_view ns, const List<std::string>& ids, bool force) {
  for (auto& id : ids) {
    auto v = txn.csi_volumes()->get(ns, id);
    if (!v) return not_found(fmt::format("volume not found: {}", id));
    if (in_use(*v) && (!force || claimed_by_live_alloc(txn.state(), *v)))
      return invalid(fmt::format("volume in use: {}", id));
    txn.csi_volumes().erase(*v);
  }
  return {};
}

Status claim_csi_volume(Txn& txn, std::string_view ns, const rpc::CSIVolumeClaimRequest& r) {
  auto old = txn.csi_volumes()->get(ns, r.VolumeID);
  if (!old) return not_found(fmt::format("volume not found: {}", r.VolumeID));
  CSIVolumeClaim claim{r.AllocationID, r.NodeID, r.ExternalNodeID, r.Claim, r.AccessMode, r.AttachmentMode, r.State};
  CSIVolume v = with_plugin(txn.state(), *old);
  note_past_claims(txn.state(), v, nullptr);
  // Without an allocation the write only wakes whoever watches the volume.
  if (!claim.AllocationID.empty()) {
    if (state_of(claim) == ClaimState::kTaken && mode_of(claim) != ClaimMode::kGC) {
      auto id = Uuid::parse(claim.AllocationID);
      DROVER_CHECK(take(v, claim, id ? txn.allocs()->get(*id) : nullptr));
    } else {
      release(v, claim);
    }
  }
  v = stored_form(std::move(v));
  v.ModifyIndex = txn.index();
  txn.csi_volumes().upsert(std::move(v));
  return {};
}

}  // namespace drover::state
