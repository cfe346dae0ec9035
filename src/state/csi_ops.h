// Writes about CSI volumes and plugins, and their denormalized reads (reference server-core 6.11, server-workflows 8).
#pragma once

#include "model/raft_requests.h"
#include "state/store.h"

namespace drover::state {

enum class ClaimMode : int64_t { kRead = 0, kWrite = 1, kGC = 2 };
enum class ClaimState : int64_t { kTaken = 0, kNodeDetached = 1, kControllerDetached = 2, kReadyToFree = 3, kUnpublishing = 4 };

// --- plugins: rows follow what nodes report and what jobs run ---
void update_csi_plugins_of_node(Txn& txn, const Node& node);
void remove_node_from_csi_plugins(Txn& txn, const Node& node);
void update_csi_plugins_of_job(Txn& txn, const Job& job);
void remove_job_from_csi_plugins(Txn& txn, const Job& job);
// For an allocation that has ended: its plugin tasks serve no more.
void remove_alloc_from_csi_plugins(Txn& txn, const Allocation& alloc);
Status delete_csi_plugin(Txn& txn, std::string_view id);

// --- volumes ---
Status upsert_csi_volumes(Txn& txn, const List<CSIVolume>& volumes);
Status deregister_csi_volumes(Txn& txn, std::string_view ns, const List<std::string>& ids, bool force);
Status claim_csi_volume(Txn& txn, std::string_view ns, const rpc::CSIVolumeClaimRequest& claim);

// The volume with its plugin's health.
CSIVolume with_plugin(const State& state, const CSIVolume& volume);
// The volume with plugin health and allocations; claims of allocations that are gone or done are in PastClaims too.
CSIVolume denormalized(const State& state, const CSIVolume& volume, WatchSet* ws = nullptr);
bool in_use(const CSIVolume& volume);

}  // namespace drover::state
