#include "state/fsm.h"

#include <fmt/format.h>

#include "base/turns.h"

namespace drover::state {

Result<Entry> parse_entry(std::string_view bytes) {
  if (bytes.empty()) return Error(ErrorCode::kCorrupt, "empty log entry");
  Entry e;
  auto head = static_cast<uint8_t>(bytes[0]);
  e.type = head & static_cast<uint8_t>(~kIgnoreUnknown);
  e.ignore_unknown = head & kIgnoreUnknown;
  bytes.remove_prefix(1);
  int64_t nanos = 0;
  DROVER_CHECK(msgpack_decode(type_of<int64_t>(), &nanos, bytes));
  e.stamp = Time::from_unix_nanos(nanos);
  e.body = bytes;
  return e;
}

std::string encode_entry_raw(uint8_t type_byte, Time stamp, const TypeInfo& type, const void* body) {
  std::string out(1, static_cast<char>(type_byte));
  msgpack_encode(type_of<int64_t>(), &stamp.unix_nanos, out);
  msgpack_encode(type, body, out, {.omit_default = true});
  return out;
}

namespace {

std::string entry_head(EntryType type, Time stamp, size_t room) {
  std::string out;
  out.reserve(room);
  out += static_cast<char>(type);
  msgpack_encode(type_of<int64_t>(), &stamp.unix_nanos, out);
  return out;
}

constexpr size_t kHeadRoom = 32;

}  // namespace

std::string plan_entry(std::string_view encoded, Time stamp) {
  auto out = entry_head(EntryType::kApplyPlanResults, stamp, kHeadRoom + encoded.size());
  out += encoded;
  return out;
}

// As ApplyPlanResultsBatch is written: its one field, a list of at most 65,535.
std::string plans_entry(std::span<const std::string> encoded, Time stamp) {
  size_t size = kHeadRoom;
  for (auto& plan : encoded) size += plan.size();
  auto out = entry_head(EntryType::kApplyPlanResultsBatch, stamp, size);
  auto n = encoded.size();
  DROVER_ASSERT(n <= 0xffff, "an entry has few plans");
  out += "\x81\xa5Plans";
  if (n < 16) out += static_cast<char>(0x90 | n);
  else (out += '\xdc') += {static_cast<char>(n >> 8), static_cast<char>(n)};
  for (auto& plan : encoded) out += plan;
  return out;
}

Outcome apply_entry(Txn& txn, const Entry& entry, const QueuedFn& queued, const void* body) {
  Outcome out;
  txn.set_entry_type(entry.type);
  auto* row = find_entry_row(entry.type);
  if (!row) {
    if (!entry.ignore_unknown)
      out.error = Error(ErrorCode::kNotImplemented, fmt::format("log entry of unknown type {}", entry.type));
    return out;
  }
  auto mark = txn.mark();
  ApplyContext context{txn, out, queued};
  auto status = body && row->apply_body ? row->apply_body(context, body) : row->apply(context, entry.body);
  if (!status) {
    txn.rollback(std::move(mark));
    out = Outcome{};
    out.error = std::move(status).error();
  }
  return out;
}

Outcome Fsm::apply(uint64_t index, std::string_view bytes, const void* body) {
  auto entry = parse_entry(bytes);
  if (!entry) {
    Outcome out;
    out.error = std::move(entry).error().with_context(fmt::format("log entry {}", index));
    return out;
  }
  auto* row = find_entry_row(entry->type);
  note_turn(row ? row->name : "an entry of unknown type");
  Txn txn = store_.begin(index, entry->stamp);
  auto out = apply_entry(txn, *entry, queued_, body);
  note_turn("publishing an entry");
  store_.publish(std::move(txn));
  return out;
}

}  // namespace drover::state
