// The bytes of the log on disk. README.md tells why they are so.
//
//   segment file  log-<number, 16 hex>: header (64 bytes), frames, zeros
//   header        magic "DROVRLG1", u32 crc of the rest, u32 salt, u64 number, u64 seq of the first frame, zeros
//   frame         u32 magic, u32 crc (salted, of all that follows), u64 seq, u64 synced, u32 payload size, u32 zero,
//                 payload, zeros to 8 bytes
//   payload       u64 term, u64 vote, u64 commit, u64 snapshot index, u64 snapshot term, u32 n, u64 first index,
//                 n times: u64 term, u8 kind, u32 size, data
//
// seq rises by one from frame to frame through all segments. `synced`: every frame up to this seq was durable when
// this one was written. So a frame that does not check while a later one with synced >= its seq does is damage; a
// frame that does not check without such a witness is a write that a crash tore, and is cut. The salt is drawn anew
// whenever a file becomes a segment, so nothing in a reused file, and no entry's own bytes, can look like a frame.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/log_store.h"

namespace drover::raft {

// The first byte of a normal entry that is not empty.
inline constexpr uint8_t kTagUser = 0;     // the state machine's entry
inline constexpr uint8_t kTagRestore = 1;  // a chunk of restore_state

inline constexpr uint64_t kSegmentHeaderSize = 64;
inline constexpr uint64_t kFrameHeaderSize = 32;
inline constexpr uint32_t kFrameMagic = 0x31465244;  // "DRF1"
inline constexpr uint32_t kMaxFramePayload = 1u << 30;

struct SegmentHeader {
  uint64_t number = 0, first_seq = 0;
  uint32_t salt = 0;
};
std::string encode_segment_header(const SegmentHeader& header);
bool decode_segment_header(std::string_view bytes, SegmentHeader& header);

std::string segment_name(uint64_t number);  // "log-000000000000002a"
bool parse_segment_name(std::string_view name, uint64_t& number);

// A whole frame, padded, with seq; `synced` and the checksum are filled by seal_frame.
std::string encode_frame(uint64_t seq, const LogRecord& record);
void seal_frame(std::string& frame, uint64_t synced, uint32_t salt);

struct FrameHeader {
  uint64_t seq = 0, synced = 0;
  uint32_t payload = 0;
  uint64_t size() const { return (kFrameHeaderSize + payload + 7) & ~uint64_t{7}; }
};
// Looks at the magic and the size only. `bytes` may be longer than the header.
bool decode_frame_header(std::string_view bytes, FrameHeader& header);
// `frame` is header.size() bytes.
bool check_frame(std::string_view frame, const FrameHeader& header, uint32_t salt);

struct FramePayload {
  dr_hard_state hs{};
  uint64_t snapshot_index = 0, snapshot_term = 0;
  uint64_t first = 0;
  size_t n = 0;
};
// Entries go to `sink` in order, with data that is a view into `frame`. False: not a payload.
bool decode_frame(std::string_view frame, FramePayload& out, const std::function<void(const dr_entry&)>& sink);

}  // namespace drover::raft
