// Every bound of the gossip part, and every fixed number of the wire.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace drover::gossip {

// Versions of the membership protocol that are understood, and the one spoken.
constexpr uint8_t kProtocolMin = 1, kProtocolMax = 5, kProtocolCur = 2;
// The same of Serf's messages inside.
constexpr uint8_t kDelegateMin = 2, kDelegateMax = 5, kDelegateCur = 4;

constexpr size_t kMetaMax = 512;                       // encoded tags
constexpr size_t kNameMax = 512;                       // a node's name
constexpr size_t kLabelMax = 255;
constexpr size_t kNodesMax = 16 * 1024;                // known nodes; more are not taken in
constexpr size_t kPacketMax = 64 * 1024;
constexpr size_t kPacketInflatedMax = 256 * 1024;
constexpr size_t kStreamMax = 20 * 1024 * 1024;        // state of a push/pull, on the wire
constexpr size_t kStreamInflatedMax = 2 * kStreamMax;
constexpr size_t kStreamValueMax = 64 * 1024;          // one node's record, one header
constexpr size_t kStreamNodesMax = 1024 * 1024;
constexpr int kNestingMax = 8;                         // compound in compressed in compound ...
constexpr size_t kPendingAcksMax = 8192;
constexpr size_t kStreamsMax = 128;                    // inbound at a time
constexpr size_t kIntentsMax = 16 * 1024;
constexpr size_t kEventBuffer = 512;                   // Lamport times of user events that are remembered
constexpr size_t kQueryBuffer = 512;
constexpr size_t kPerTimeMax = 256;                    // events or queries of one Lamport time
constexpr size_t kQueriesMax = 256;                    // own queries at a time
constexpr size_t kKeysMax = 64;
constexpr size_t kUserEventMax = 9 * 1024;
constexpr size_t kSnapshotCompact = 128 * 1024;

constexpr size_t kCompoundHeader = 2, kCompoundEach = 2, kUserOverhead = 1;
constexpr size_t kSealOverhead = 29;                   // version, nonce, tag
constexpr size_t kPushPullScaleThreshold = 32;

}  // namespace drover::gossip
