#include "raft/log_format.h"

#include <fmt/core.h>

#include <charconv>
#include <cstring>

#include "raft/bytes.h"
#include "raft/crc32c.h"
#include "raft/engine.h"

namespace drover::raft {
namespace {

constexpr std::string_view kSegmentMagic = "DROVRLG1";
constexpr std::string_view kSegmentPrefix = "log-";

template <class T>
T load(std::string_view bytes, size_t at) {
  T v;
  std::memcpy(&v, bytes.data() + at, sizeof v);
  return v;
}
template <class T>
void store(std::string& bytes, size_t at, T v) {
  std::memcpy(bytes.data() + at, &v, sizeof v);
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& h) {
  std::string rest;
  ByteWriter w(rest);
  w.put(h.salt);
  w.put(h.number);
  w.put(h.first_seq);
  rest.resize(kSegmentHeaderSize - 12);
  std::string out(kSegmentMagic);
  ByteWriter(out).put(crc32c(0, rest));
  return out + rest;
}

bool decode_segment_header(std::string_view bytes, SegmentHeader& h) {
  if (bytes.size() < kSegmentHeaderSize || bytes.substr(0, 8) != kSegmentMagic) return false;
  auto rest = bytes.substr(12, kSegmentHeaderSize - 12);
  if (load<uint32_t>(bytes, 8) != crc32c(0, rest)) return false;
  ByteReader r(rest);
  h.salt = r.get<uint32_t>();
  h.number = r.get<uint64_t>();
  h.first_seq = r.get<uint64_t>();
  return true;
}

std::string segment_name(uint64_t number) { return fmt::format("{}{:016x}", kSegmentPrefix, number); }

bool parse_segment_name(std::string_view name, uint64_t& number) {
  if (name.size() != kSegmentPrefix.size() + 16 || !name.starts_with(kSegmentPrefix)) return false;
  auto digits = name.substr(kSegmentPrefix.size());
  auto r = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return r.ec == std::errc() && r.ptr == digits.data() + digits.size();
}

std::string encode_frame(uint64_t seq, const LogRecord& record) {
  size_t size = kFrameHeaderSize + 64;
  for (size_t i = 0; i < record.n_entries; i++) size += 13 + record.entries[i].data.n;
  std::string out;
  out.reserve((size + 7) & ~size_t{7});
  ByteWriter w(out);
  w.put(kFrameMagic);
  w.put(uint32_t{0});  // checksum
  w.put(seq);
  w.put(uint64_t{0});  // synced
  w.put(uint64_t{0});  // payload size, zero
  for (uint64_t v : {record.hs.term, record.hs.vote, record.hs.commit, record.snapshot_index, record.snapshot_term}) w.put(v);
  w.put(static_cast<uint32_t>(record.n_entries));
  w.put(record.n_entries > 0 ? record.entries[0].index : uint64_t{0});
  for (size_t i = 0; i < record.n_entries; i++) {
    const dr_entry& e = record.entries[i];
    w.put(e.term);
    w.put(static_cast<uint8_t>(e.kind));
    w.str(view(e.data));
  }
  store(out, 24, static_cast<uint32_t>(out.size() - kFrameHeaderSize));
  out.resize((out.size() + 7) & ~size_t{7});
  return out;
}

void seal_frame(std::string& frame, uint64_t synced, uint32_t salt) {
  store(frame, 16, synced);
  store(frame, 4, crc32c(salt, frame.data() + 8, frame.size() - 8));
}

bool decode_frame_header(std::string_view bytes, FrameHeader& h) {
  if (bytes.size() < kFrameHeaderSize || load<uint32_t>(bytes, 0) != kFrameMagic) return false;
  h.seq = load<uint64_t>(bytes, 8);
  h.synced = load<uint64_t>(bytes, 16);
  h.payload = load<uint32_t>(bytes, 24);
  return h.payload <= kMaxFramePayload;
}

bool check_frame(std::string_view frame, const FrameHeader& h, uint32_t salt) {
  return frame.size() == h.size() && load<uint32_t>(frame, 4) == crc32c(salt, frame.substr(8));
}

bool decode_frame(std::string_view frame, FramePayload& out, const std::function<void(const dr_entry&)>& sink) {
  FrameHeader h;
  if (!decode_frame_header(frame, h)) return false;
  ByteReader r(frame.substr(kFrameHeaderSize, h.payload));
  out.hs.term = r.get<uint64_t>();
  out.hs.vote = r.get<uint64_t>();
  out.hs.commit = r.get<uint64_t>();
  out.snapshot_index = r.get<uint64_t>();
  out.snapshot_term = r.get<uint64_t>();
  uint32_t n = r.get<uint32_t>();
  out.first = r.get<uint64_t>();
  out.n = n;
  for (uint32_t i = 0; i < n; i++) {
    dr_entry e{};
    e.index = out.first + i;
    e.term = r.get<uint64_t>();
    e.kind = r.get<uint8_t>();
    e.data = bytes(r.str());
    if (!r.ok()) return false;
    if (sink) sink(e);
  }
  return r.done();
}

}  // namespace drover::raft
