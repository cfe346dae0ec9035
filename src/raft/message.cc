#include "raft/message.h"

#include "raft/bytes.h"
#include "raft/engine.h"

namespace drover::raft {
namespace {

constexpr uint8_t kVersion = 1;

void encode_ids(ByteWriter& out, const uint64_t* ids, size_t n) {
  out.put(static_cast<uint32_t>(n));
  for (size_t i = 0; i < n; i++) out.put(ids[i]);
}

}  // namespace

void encode_envelope(ByteWriter& out, const Envelope& e) {
  out.put(kVersion);
  out.put(static_cast<uint8_t>(e.kind));
  out.put(e.from);
  out.put(e.to);
  out.str(e.from_address);
}

bool decode_envelope(ByteReader& in, Envelope& e) {
  if (in.get<uint8_t>() != kVersion) return false;
  e.kind = static_cast<MessageKind>(in.get<uint8_t>());
  e.from = in.get<uint64_t>();
  e.to = in.get<uint64_t>();
  e.from_address = in.str();
  return in.ok() && e.from != 0;
}

void encode_message(ByteWriter& out, const dr_msg& m) {
  out.put(m.kind);
  out.put(m.reject);
  for (uint64_t v : {m.term, m.log_term, m.index, m.commit, m.commit_term, m.reject_hint, m.request_snapshot}) out.put(v);
  out.put(m.priority);
  out.str(view(m.ctx));
  out.put(static_cast<uint32_t>(m.n_entries));
  if (m.n_entries > 0) out.put(m.entries[0].index);
  for (size_t i = 0; i < m.n_entries; i++) {
    const dr_entry& e = m.entries[i];
    out.put(e.term);
    out.put(static_cast<uint8_t>(e.kind));
    out.str(view(e.data));
  }
  out.put(static_cast<uint8_t>(m.snapshot != nullptr));
  if (!m.snapshot) return;
  const dr_snapshot& s = *m.snapshot;
  out.put(s.index);
  out.put(s.term);
  encode_ids(out, s.conf.voters, s.conf.n_voters);
  encode_ids(out, s.conf.learners, s.conf.n_learners);
  encode_ids(out, s.conf.outgoing, s.conf.n_outgoing);
  encode_ids(out, s.conf.learners_next, s.conf.n_learners_next);
  out.put(s.conf.auto_leave);
  out.str(view(s.data));
}

bool DecodedMessage::decode(ByteReader& in) {
  msg = {};
  msg.kind = in.get<uint32_t>();
  msg.reject = in.get<uint8_t>();
  for (uint64_t* v : {&msg.term, &msg.log_term, &msg.index, &msg.commit, &msg.commit_term, &msg.reject_hint, &msg.request_snapshot}) {
    *v = in.get<uint64_t>();
  }
  msg.priority = in.get<int64_t>();
  msg.ctx = bytes(in.str());
  entries_.resize(in.count(13));
  uint64_t index = entries_.empty() ? 0 : in.get<uint64_t>();
  for (auto& e : entries_) {
    e = {};
    e.index = index++;
    e.term = in.get<uint64_t>();
    e.kind = in.get<uint8_t>();
    e.data = bytes(in.str());
    if (!in.ok()) return false;
  }
  msg.entries = entries_.data();
  msg.n_entries = entries_.size();
  if (in.get<uint8_t>() == 0) return in.ok();
  snapshot = {};
  snapshot.index = in.get<uint64_t>();
  snapshot.term = in.get<uint64_t>();
  for (auto& ids : ids_) {
    ids.resize(in.count(8));
    for (auto& id : ids) id = in.get<uint64_t>();
  }
  snapshot.conf = {ids_[0].data(), ids_[0].size(), ids_[1].data(), ids_[1].size(), ids_[2].data(),
                   ids_[2].size(), ids_[3].data(), ids_[3].size(), in.get<uint8_t>()};
  snapshot.data = bytes(in.str());
  msg.snapshot = &snapshot;
  return in.ok();
}

}  // namespace drover::raft
