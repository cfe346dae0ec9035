// Messages in and out, and the state file of a snapshot in chunks: offer, then a window of chunks, each acknowledged by
// what the receiver has in all. What is lost is sent again from there, so a transfer survives a lost connection. Each chunk
// has its checksum: one that is damaged is refused at once and asked for again.
#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/metrics.h"
#include "raft/bytes.h"
#include "raft/crc32c.h"
#include "raft/disk.h"
#include "raft/driver.h"

namespace drover::raft {
namespace {

constexpr uint64_t kWindow = 8;  // chunks
constexpr int kRetryTicks = 5;                            // without progress before the rest is sent again
constexpr Duration kGiveUp = std::chrono::seconds(30);    // without any answer
constexpr size_t kMaxLearned = 1024;

// What one server may say to another; the rest of the engine's kinds are its own business.
bool is_peer_message(uint32_t kind) {
  constexpr uint32_t kKinds[] = {DR_MSG_APPEND,    DR_MSG_APPEND_RESP,    DR_MSG_VOTE,        DR_MSG_VOTE_RESP, DR_MSG_HEARTBEAT,
                                 DR_MSG_HEARTBEAT_RESP, DR_MSG_TIMEOUT_NOW, DR_MSG_PREVOTE, DR_MSG_PREVOTE_RESP};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

}  // namespace

std::string Driver::envelope(MessageKind kind, uint64_t to) const {
  std::string out;
  ByteWriter w(out);
  encode_envelope(w, {kind, self_, to, options_.self.address});
  return out;
}

void Driver::send(uint64_t to, std::string message) {
  if (!parts_.transport) return;
  auto it = conf_.servers.find(to);
  if (it != conf_.servers.end()) return parts_.transport->send(to, it->second.address, std::move(message));
  auto learned = learned_.find(to);
  if (learned != learned_.end()) parts_.transport->send(to, learned->second, std::move(message));
}

// Sends one of the engine's messages, or keeps it in `hold` until its ready is durable.
void Driver::emit(const dr_msg& m, std::vector<Outgoing>* hold) {
  if (m.kind == DR_MSG_SNAPSHOT) return begin_sending(m);
  if (m.kind == DR_MSG_APPEND) told_[m.to] = m.commit;
  if (auto peer = conf_.servers.find(m.to); peer != conf_.servers.end()) meter_.sent(peer->second.id, m, now());
  std::string out = envelope(MessageKind::kEngine, m.to);
  ByteWriter w(out);
  encode_message(w, m);
  if (hold) {
    hold->push_back({m.to, std::move(out)});
  } else {
    send(m.to, std::move(out));
  }
}

void Driver::report_unreachable(uint64_t peer) {
  if (dead_ || !started_) return;
  dr_report_unreachable(engine_.get(), peer);
  pump();
}

bool Driver::receive(std::string_view message) {
  if (dead_ || !started_) return true;
  auto self = shared_from_this();  // a fatal event may let go of the replica
  ByteReader in(message);
  Envelope e;
  if (!decode_envelope(in, e)) return true;
  // For another id: at its address there is this server now.
  if (e.to != self_) return false;
  if (e.from == self_) return true;
  if (!conf_.servers.contains(e.from) && (learned_.contains(e.from) || learned_.size() < kMaxLearned)) {
    learned_[e.from] = e.from_address;
  }
  std::string_view rest = in.raw(in.left());
  switch (e.kind) {
    case MessageKind::kEngine: {
      ByteReader body(rest);
      DecodedMessage m;
      if (!m.decode(body) || !is_peer_message(m.msg.kind)) return true;
      m.msg.from = e.from;
      m.msg.to = self_;
      auto began = now();
      if (auto peer = conf_.servers.find(e.from); peer != conf_.servers.end()) meter_.heard(peer->second.id, m.msg, began);
      step(m.msg);
      Meter::handled(m.msg, now() - began);
      break;
    }
    case MessageKind::kSnapshotOffer: on_offer(e.from, rest); break;
    case MessageKind::kSnapshotChunk: on_chunk(e.from, rest); break;
    case MessageKind::kSnapshotAck: on_ack(e.from, rest); break;
    default: return true;
  }
  pump();
  return true;
}

void Driver::step(const dr_msg& m) {
  if (m.kind == DR_MSG_HEARTBEAT || m.kind == DR_MSG_APPEND) {
    if (m.term >= st_.term) last_contact_ = now();
    // A leader names no more than this server acknowledged. More means that its disk is not the one that did.
    if (m.kind == DR_MSG_HEARTBEAT && m.term >= st_.term && m.commit > st_.last) {
      return fail({ErrorCode::kCorrupt, "this server's raft log ends at index " + std::to_string(st_.last) + ", but it acknowledged index " +
                                            std::to_string(m.commit) + " to the leader before: its data directory was lost or replaced. "
                                            "Give it a new node id (remove its file \"node-id\"), so that it joins as a new server"});
    }
  }
  int32_t rc = engine_.step(m);
  if (rc == DR_BAD_ARG) log_debug("raft", "refused a message", {{"kind", std::to_string(m.kind)}, {"from", std::to_string(m.from)}});
}

// ---- sending

void Driver::begin_sending(const dr_msg& m) {
  Sending s;
  auto meta = SnapshotMeta::decode(view(m.snapshot->data));
  DROVER_ASSERT(meta, "the engine sends descriptors of this server");
  s.meta = std::move(*meta);
  s.transfer = parts_.world.random.next();
  s.offer = envelope(MessageKind::kSnapshotOffer, m.to);
  ByteWriter w(s.offer);
  w.put(s.transfer);
  encode_message(w, m);
  s.began = s.progress_at = s.heard_at = now();
  uint64_t to = m.to, transfer = s.transfer;
  parts_.world.pool.run([weak = weak_from_this(), &loop = parts_.world.loop, store = snapshots_, meta = s.meta, to, transfer] {
    auto open = [&]() -> Result<std::shared_ptr<File>> {
      DROVER_TRY(auto file, store->open_file(meta));
      return std::shared_ptr<File>(std::move(file));
    };
    loop.post([weak, to, transfer, file = open()]() mutable {
      auto self = weak.lock();
      if (!self || self->dead_) return;
      auto it = self->sending_.find(to);
      if (it != self->sending_.end() && it->second.transfer == transfer) self->begin_reading(to, std::move(file));
    });
  });
  sending_[to] = std::move(s);
}

void Driver::begin_reading(uint64_t to, Result<std::shared_ptr<File>> file) {
  if (!file) {
    // Reaped since the engine was told of it; it asks for another.
    end_sending(to, false);
    return pump();
  }
  Sending& s = sending_[to];
  s.file = std::move(*file);
  s.progress_at = s.heard_at = now();
  log_info("raft.snapshot", "sending a snapshot", {{"peer", std::to_string(to)}, {"index", std::to_string(s.meta.index)}, {"size", std::to_string(s.meta.size)}});
  send(to, s.offer);
}

void Driver::end_sending(uint64_t to, bool ok) {
  auto peer = conf_.servers.find(to);
  if (auto it = sending_.find(to); ok && it != sending_.end() && peer != conf_.servers.end())
    metric_sample("raft.replication.installSnapshot", metric_milliseconds(now() - it->second.began), {{"peer_id", peer->second.id}});
  sending_.erase(to);
  dr_report_snapshot(engine_.get(), to, ok);
}

// Reads the next chunk in the pool, one at a time: what comes of it is sent while the next one is read.
void Driver::send_chunks(uint64_t to, Sending& s) {
  if (s.reading || !s.file || s.sent >= s.meta.size || s.sent - s.acked >= kWindow * options_.snapshot_chunk) return;
  s.reading = true;
  std::string out = envelope(MessageKind::kSnapshotChunk, to);
  ByteWriter w(out);
  w.put(s.transfer);
  w.put(s.sent);
  uint64_t size = std::min(options_.snapshot_chunk, s.meta.size - s.sent);
  parts_.world.pool.run([weak = weak_from_this(), &loop = parts_.world.loop, file = s.file, out = std::move(out), to,
                         transfer = s.transfer, offset = s.sent, size]() mutable {
    auto read = [&]() -> Result<std::string> {
      size_t sum = out.size(), head = sum + sizeof(uint32_t);
      out.resize(head + size);
      DROVER_TRY(size_t got, file->read_at(offset, out.data() + head, size));
      if (got != size) return Error(ErrorCode::kIo, "cut short");
      uint32_t crc = crc32c(0, out.data() + head, size);
      std::memcpy(out.data() + sum, &crc, sizeof crc);
      return std::move(out);
    };
    loop.post([weak, to, transfer, offset, size, message = read()]() mutable {
      if (auto self = weak.lock(); self && !self->dead_) self->chunk_read(to, transfer, offset, std::move(message), size);
    });
  });
}

void Driver::chunk_read(uint64_t to, uint64_t transfer, uint64_t offset, Result<std::string> message, uint64_t size) {
  auto it = sending_.find(to);
  if (it == sending_.end() || it->second.transfer != transfer) return;
  Sending& s = it->second;
  s.reading = false;
  if (!message) {
    log_error("raft.snapshot", "reading a snapshot failed", {{"error", message.error().message}});
    end_sending(to, false);
    return pump();
  }
  // Else the receiver has asked for another place meanwhile.
  if (offset == s.sent) {
    s.sent += size;
    send(to, std::move(*message));
  }
  send_chunks(to, s);
}

void Driver::tick_transfers() {
  if (transfer_to_ != 0 && engine_.status().transferee == 0) {
    transfer_to_ = 0;
    for (auto& t : transfers_) later([t]() mutable { t.set(Error(ErrorCode::kTimeout, "leadership transfer timeout")); });
    transfers_.clear();
  }
  std::vector<uint64_t> lost;
  for (auto& [to, s] : sending_) {
    if (now() - s.heard_at > kGiveUp || !conf_.has(to)) {
      lost.push_back(to);
    } else if (s.file && now() - s.progress_at >= kRetryTicks * options_.tick) {
      s.progress_at = now();
      s.answered = false;
      send(to, s.offer);  // its answer says where to go on
    }
  }
  for (uint64_t to : lost) {
    log_warn("raft.snapshot", "sending a snapshot failed: no answer", {{"peer", std::to_string(to)}});
    end_sending(to, false);
  }
}

void Driver::on_ack(uint64_t from, std::string_view rest) {
  ByteReader in(rest);
  uint64_t transfer = in.get<uint64_t>(), offset = in.get<uint64_t>();
  auto state = static_cast<SnapshotAck>(in.get<uint8_t>());
  auto it = sending_.find(from);
  if (!in.ok() || it == sending_.end() || it->second.transfer != transfer) return;
  Sending& s = it->second;
  s.heard_at = now();
  if (state == SnapshotAck::kDone) return end_sending(from, true);
  if (state == SnapshotAck::kRefused) return end_sending(from, false);
  if (offset > s.meta.size) return;
  if (state == SnapshotAck::kAgain) s.answered = false;
  if (!s.answered || offset > s.acked) s.progress_at = now();
  // The first answer to an offer counts as it is: a receiver that restarted begins anew.
  s.acked = s.answered ? std::max(s.acked, offset) : offset;
  s.sent = s.answered ? std::max(s.sent, s.acked) : offset;
  s.answered = true;
  send_chunks(from, s);
}

// ---- receiving

void Driver::acknowledge(uint64_t to, uint64_t transfer, uint64_t offset, SnapshotAck state) {
  std::string out = envelope(MessageKind::kSnapshotAck, to);
  ByteWriter w(out);
  w.put(transfer);
  w.put(offset);
  w.put(static_cast<uint8_t>(state));
  send(to, std::move(out));
}

void Driver::on_offer(uint64_t from, std::string_view rest) {
  ByteReader in(rest);
  auto transfer = in.get<uint64_t>();
  std::string_view message = in.raw(in.left());
  ByteReader body(message);
  DecodedMessage m;
  if (!m.decode(body) || m.msg.kind != DR_MSG_SNAPSHOT || !m.msg.snapshot) return;
  auto meta = SnapshotMeta::decode(view(m.snapshot.data));
  if (!meta || meta->index != m.snapshot.index || meta->term != m.snapshot.term) return;
  if (m.msg.term < st_.term || !snapshots_) return acknowledge(from, transfer, 0, SnapshotAck::kRefused);
  if (receiving_ && receiving_->transfer == transfer) {
    if (!receiving_->completing) acknowledge(from, transfer, receiving_->have, SnapshotAck::kReceiving);
    return;
  }
  // One file at a time: while one is being checked or installed the sender waits and offers again.
  if (installing_ > 0 || writing_chunk_ || (receiving_ && receiving_->completing)) return;
  auto have = snapshots_->begin_incoming(*meta);
  if (!have) {
    log_error("raft.snapshot", "receiving a snapshot failed", {{"error", have.error().message}});
    return acknowledge(from, transfer, 0, SnapshotAck::kRefused);
  }
  receiving_ = Receiving{from, transfer, std::string(message), std::move(*meta), *have, *have, {}, false};
  last_contact_ = now();
  acknowledge(from, transfer, *have, SnapshotAck::kReceiving);
  if (*have == receiving_->meta.size) complete_receiving();
}

void Driver::on_chunk(uint64_t from, std::string_view rest) {
  ByteReader in(rest);
  uint64_t transfer = in.get<uint64_t>(), offset = in.get<uint64_t>();
  uint32_t crc = in.get<uint32_t>();
  std::string_view data = in.raw(in.left());
  if (!in.ok() || !receiving_ || receiving_->transfer != transfer || receiving_->from != from || receiving_->completing) return;
  Receiving& r = *receiving_;
  if (crc32c(0, data) != crc) {
    log_warn("raft.snapshot", "a damaged chunk of a snapshot was refused", {{"offset", std::to_string(offset)}});
    if (offset == r.taken) acknowledge(from, transfer, r.have, SnapshotAck::kAgain);
    return;
  }
  last_contact_ = now();
  if (offset != r.taken || data.empty() || r.taken - r.have >= kWindow * options_.snapshot_chunk)
    return acknowledge(from, transfer, r.have, SnapshotAck::kReceiving);
  r.taken += data.size();
  r.waiting.emplace_back(data);
  write_chunks();
}

// In the pool, one chunk at a time: a disk that is busy holds up nothing else. The sender hears of each when it is written.
void Driver::write_chunks() {
  if (writing_chunk_ || !receiving_ || receiving_->waiting.empty()) return;
  Receiving& r = *receiving_;
  writing_chunk_ = true;
  auto chunk = std::move(r.waiting.front());
  r.waiting.pop_front();
  parts_.world.pool.run([weak = weak_from_this(), &loop = parts_.world.loop, store = snapshots_, chunk = std::move(chunk),
                         transfer = r.transfer, offset = r.have] {
    if (weak.expired()) return;
    loop.post([weak, transfer, size = chunk.size(), status = store->write_incoming(offset, chunk)]() mutable {
      if (auto self = weak.lock(); self && !self->dead_) self->chunk_written(transfer, size, std::move(status));
    });
  });
}

void Driver::chunk_written(uint64_t transfer, uint64_t size, Status status) {
  writing_chunk_ = false;
  if (!receiving_ || receiving_->transfer != transfer) return;
  Receiving& r = *receiving_;
  if (!status) {
    log_error("raft.snapshot", "receiving a snapshot failed", {{"error", status.error().message}});
    acknowledge(r.from, transfer, 0, SnapshotAck::kRefused);
    receiving_.reset();
    return;
  }
  r.have += size;
  acknowledge(r.from, transfer, r.have, SnapshotAck::kReceiving);
  if (r.have == r.meta.size) return complete_receiving();
  write_chunks();
}

// Checked and synced off the loop; only then does the engine hear of the snapshot.
void Driver::complete_receiving() {
  receiving_->completing = true;
  parts_.world.pool.run([weak = weak_from_this(), &loop = parts_.world.loop, store = snapshots_] {
    loop.post([weak, status = store->complete_incoming()]() mutable {
      if (auto self = weak.lock(); self && !self->dead_) self->received(std::move(status));
    });
  });
}

void Driver::received(Status status) {
  Receiving r = std::move(*receiving_);
  receiving_.reset();
  if (!status) {
    log_error("raft.snapshot", "receiving a snapshot failed", {{"error", status.error().message}});
    acknowledge(r.from, r.transfer, 0, SnapshotAck::kRefused);
    return;
  }
  ByteReader body(r.message);
  DecodedMessage m;
  DROVER_ASSERT(m.decode(body), "checked when it was offered");
  m.msg.from = r.from;
  m.msg.to = self_;
  step(m.msg);
  pump();
  acknowledge(r.from, r.transfer, r.have, SnapshotAck::kDone);
}

}  // namespace drover::raft
