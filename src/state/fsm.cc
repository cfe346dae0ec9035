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

Outcome apply_entry(Txn& txn, const Entry& entry, const QueuedFn& queued) {
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
  auto status = row->apply(context, entry.body);
  if (!status) {
    txn.rollback(std::move(mark));
    out = Outcome{};
    out.error = std::move(status).error();
  }
  return out;
}

Outcome Fsm::apply(uint64_t index, std::string_view bytes) {
  auto entry = parse_entry(bytes);
  if (!entry) {
    Outcome out;
    out.error = std::move(entry).error().with_context(fmt::format("log entry {}", index));
    return out;
  }
  auto* row = find_entry_row(entry->type);
  note_turn(row ? row->name : "an entry of unknown type");
  Txn txn = store_.begin(index, entry->stamp);
  auto out = apply_entry(txn, *entry, queued_);
  note_turn("publishing an entry");
  store_.publish(std::move(txn));
  return out;
}

}  // namespace drover::state
