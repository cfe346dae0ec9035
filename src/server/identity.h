// Identities of workloads: each task of an allocation gets a token that says which it is (reference security section 4).
#pragma once

#include "base/result.h"
#include "model/alloc.h"
#include "model/feature_requests.h"
#include "model/job.h"
#include "server/keyring.h"
#include "state/store.h"

namespace drover::server {

// What a token claims: its signature holds, and its allocation is there and not over. Otherwise none, whatever the reason.
Box<rpc::IdentityClaims> claims_of(const Keyring& keyring, const state::Snapshot& snap, std::string_view token);

// Signs a token for every task of the allocation's group and names the key in it. Any thread.
Status sign_identities(const Keyring& keyring, std::string_view key_id, const Job& job, Time now, Allocation& alloc);

}  // namespace drover::server
