#include "net/yamux_core.h"

#include <algorithm>

#include <fmt/format.h>

namespace drover::net {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr uint32_t kMaxFrame = 64 * 1024;      // of ours, so that streams take turns
constexpr size_t kOutputFactor = 8;            // times max_output: a peer that floods and does not read

enum Type : uint8_t { kData = 0, kWindowUpdate = 1, kPing = 2, kGoAway = 3 };
enum Flag : uint16_t { kSyn = 1, kAck = 2, kFin = 4, kRst = 8 };

uint32_t get32(const std::string& s, size_t at) {
  auto b = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(s[at + i])); };
  return b(0) << 24 | b(1) << 16 | b(2) << 8 | b(3);
}

}  // namespace

YamuxCore::YamuxCore(bool client, YamuxLimits limits) : client_(client), limits_(limits), next_id_(client ? 1 : 2) {
  limits_.window = std::max<uint32_t>(limits_.window, 256 * 1024);
}

// ---- From the peer

Status YamuxCore::receive(std::string_view bytes) {
  while (!bytes.empty()) {
    if (ended_) return *ended_;
    if (data_left_ > 0) {
      auto part = bytes.substr(0, data_left_);
      bytes.remove_prefix(part.size());
      take_data(part);
      continue;
    }
    size_t want = std::min(kHeaderBytes - header_.size(), bytes.size());
    header_ += bytes.substr(0, want);
    bytes.remove_prefix(want);
    if (header_.size() < kHeaderBytes) break;
    auto status = on_header();
    header_.clear();
    if (!status) return status;
  }
  if (out_.size() + writing_ > kOutputFactor * limits_.max_output)
    return Error(ErrorCode::kIo, "yamux: the peer does not read");
  return {};
}

Status YamuxCore::on_header() {
  uint16_t flags = static_cast<uint16_t>(get32(header_, 0) & 0xffff);
  uint32_t id = get32(header_, 4), length = get32(header_, 8);
  if (header_[0] != 0) return Error(ErrorCode::kCorrupt, "yamux: invalid protocol version");
  switch (header_[1]) {
    case kData: return on_data_header(id, flags, length);
    case kWindowUpdate: return on_window_update(id, flags, length);
    case kPing: return on_ping(flags, length);
    case kGoAway: return on_go_away(length);
  }
  return Error(ErrorCode::kCorrupt, "yamux: invalid message type");
}

Result<YamuxCore::StreamState*> YamuxCore::stream_of_frame(uint32_t id, uint16_t flags) {
  if (!(flags & kSyn)) return find(id);
  bool theirs = id != 0 && (id % 2 == 0) == client_;
  if (!theirs || find(id)) return Error(ErrorCode::kCorrupt, "yamux: duplicate stream initiated");
  if (local_go_away_ || backlog_.size() >= limits_.backlog || streams_.size() >= limits_.max_streams) {
    frame(kWindowUpdate, kRst, id, 0);
    return nullptr;
  }
  auto& s = streams_[id];
  s.send_window = s.receive_window = 256 * 1024;
  s.acknowledged = true;
  backlog_.push_back(id);
  changes_.acceptable = true;
  return &s;
}

void YamuxCore::apply_flags(uint32_t id, StreamState& s, uint16_t flags) {
  if ((flags & kAck) && !s.acknowledged) {
    s.acknowledged = true;
    --unacknowledged_;
  }
  if (flags & kFin) s.remote_end = true;
  if (flags & kRst) s.reset = true;
  if (flags & (kFin | kRst)) wake(id);
}

Status YamuxCore::on_data_header(uint32_t id, uint16_t flags, uint32_t length) {
  DROVER_TRY(auto* s, stream_of_frame(id, flags));
  data_left_ = length;
  data_id_ = 0;
  if (!s) return {};  // of a stream that is over: read past it
  if (s->released && length > 0) {
    frame(kWindowUpdate, kRst, id, 0);
    s->reset = true;
    forget_if_over(id);
    return {};
  }
  if (length > s->receive_window) return Error(ErrorCode::kCorrupt, "yamux: recv window exceeded");
  s->receive_window -= length;
  s->incoming = length;
  data_id_ = id;
  data_flags_ = flags;
  if (length == 0) {
    apply_flags(id, *s, flags);
    forget_if_over(id);
  }
  return {};
}

void YamuxCore::take_data(std::string_view bytes) {
  data_left_ -= static_cast<uint32_t>(bytes.size());
  auto* s = data_id_ ? find(data_id_) : nullptr;
  if (!s) return;
  s->incoming -= static_cast<uint32_t>(bytes.size());
  if (!s->released) {
    s->in += bytes;
    wake(data_id_);
  }
  if (data_left_ == 0) {
    apply_flags(data_id_, *s, data_flags_);
    forget_if_over(data_id_);
  }
}

Status YamuxCore::on_window_update(uint32_t id, uint16_t flags, uint32_t delta) {
  DROVER_TRY(auto* s, stream_of_frame(id, flags));
  if (!s) return {};
  if (delta > UINT32_MAX - s->send_window) return Error(ErrorCode::kCorrupt, "yamux: window overflow");
  s->send_window += delta;
  if (delta > 0) wake(id);
  apply_flags(id, *s, flags);
  forget_if_over(id);
  return {};
}

Status YamuxCore::on_ping(uint16_t flags, uint32_t value) {
  if (flags & kSyn) frame(kPing, kAck, 0, value);
  else changes_.pong = value;
  return {};
}

Status YamuxCore::on_go_away(uint32_t code) {
  if (code != 0)
    return Error(ErrorCode::kIo, code == 1 ? "yamux protocol error" : "remote yamux internal error");
  remote_go_away_ = true;
  return {};
}

// ---- Streams

YamuxCore::StreamState* YamuxCore::find(uint32_t id) {
  auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : &it->second;
}

Result<uint32_t> YamuxCore::open() {
  if (ended_) return *ended_;
  if (remote_go_away_) return Error(ErrorCode::kUnavailable, "remote end is not accepting connections");
  if (next_id_ >= UINT32_MAX - 1) return Error(ErrorCode::kUnavailable, "streams exhausted");
  if (unacknowledged_ >= limits_.backlog || streams_.size() >= limits_.max_streams)
    return Error(ErrorCode::kUnavailable, "too many open streams");
  uint32_t id = next_id_;
  next_id_ += 2;
  auto& s = streams_[id];
  s.send_window = s.receive_window = 256 * 1024;
  ++unacknowledged_;
  frame(kWindowUpdate, kSyn, id, 0);
  return id;
}

std::optional<uint32_t> YamuxCore::accept() {
  if (backlog_.empty()) return std::nullopt;
  uint32_t id = backlog_.front();
  backlog_.pop_front();
  frame(kWindowUpdate, kAck, id, 0);
  return id;
}

Error YamuxCore::stream_error(const StreamState* s) const {
  if (s && s->reset) return {ErrorCode::kIo, "stream reset"};
  if (ended_) return *ended_;
  return {ErrorCode::kIo, "stream closed"};
}

Attempt YamuxCore::read(uint32_t id, char* to, size_t size) {
  auto* s = find(id);
  if (!s) return Attempt::failed(stream_error(s));
  if (s->unread() == 0) {
    if (s->reset) return Attempt::failed(stream_error(s));
    if (s->remote_end) return Attempt::end();
    return ended_ ? Attempt::failed(*ended_) : Attempt::wait(FdEvent::kReadable);
  }
  size_t n = std::min(size, s->unread());
  std::copy_n(s->in.data() + s->in_read, n, to);
  s->in_read += n;
  if (s->unread() == 0) {
    // An idle stream holds no buffer.
    std::string().swap(s->in);
    s->in_read = 0;
  } else if (s->in_read > s->in.size() / 2) {
    s->in.erase(0, s->in_read);
    s->in_read = 0;
  }
  credit(id, *s);
  return Attempt::done(n);
}

// Gives credit back once half the window has been read.
void YamuxCore::credit(uint32_t id, StreamState& s) {
  if (s.remote_end || s.reset || ended_) return;
  uint64_t held = s.unread() + s.incoming + s.receive_window;
  if (held >= limits_.window) return;
  auto delta = static_cast<uint32_t>(limits_.window - held);
  if (delta < limits_.window / 2) return;
  s.receive_window += delta;
  frame(kWindowUpdate, 0, id, delta);
}

Attempt YamuxCore::write(uint32_t id, std::string_view bytes) {
  auto* s = find(id);
  if (ended_ || !s || s->reset || s->local_end) return Attempt::failed(stream_error(s));
  if (out_.size() + writing_ >= limits_.max_output) {
    blocked_on_output_.insert(id);
    return Attempt::wait(FdEvent::kWritable);
  }
  size_t total = 0;
  while (!bytes.empty() && s->send_window > 0 && out_.size() + writing_ < limits_.max_output) {
    auto n = static_cast<uint32_t>(std::min<size_t>({bytes.size(), s->send_window, kMaxFrame}));
    frame(kData, 0, id, n);
    out_ += bytes.substr(0, n);
    s->send_window -= n;
    bytes.remove_prefix(n);
    total += n;
  }
  return total > 0 ? Attempt::done(total) : Attempt::wait(FdEvent::kWritable);
}

void YamuxCore::finish(uint32_t id) {
  auto* s = find(id);
  if (!s || s->local_end || s->reset || ended_) return;
  s->local_end = true;
  frame(kWindowUpdate, kFin, id, 0);
}

void YamuxCore::release(uint32_t id) {
  auto* s = find(id);
  if (!s) return;
  finish(id);
  s->released = true;
  std::string().swap(s->in);
  s->in_read = 0;
  blocked_on_output_.erase(id);
  forget_if_over(id);
}

void YamuxCore::forget_if_over(uint32_t id) {
  auto* s = find(id);
  if (!s || !s->released) return;
  if (!s->reset && !ended_ && !(s->local_end && s->remote_end)) return;
  if (!s->acknowledged) --unacknowledged_;
  if (data_id_ == id) data_id_ = 0;
  streams_.erase(id);
}

void YamuxCore::wake(uint32_t id) {
  changes_.readable.insert(id);
  changes_.writable.insert(id);
}

// ---- The session

void YamuxCore::frame(uint8_t type, uint16_t flags, uint32_t id, uint32_t length) {
  if (ended_) return;
  auto put32 = [&](uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(v >> shift);
  };
  put32(static_cast<uint32_t>(type) << 16 | flags);
  put32(id);
  put32(length);
}

void YamuxCore::ping(uint32_t value) { frame(kPing, kSyn, 0, value); }

void YamuxCore::go_away() {
  if (std::exchange(local_go_away_, true)) return;
  frame(kGoAway, 0, 0, 0);
}

void YamuxCore::end(Error why) {
  if (ended_) return;
  ended_ = std::move(why);
  for (auto& [id, s] : streams_) wake(id);
  changes_.acceptable = true;
  std::erase_if(streams_, [](auto& e) { return e.second.released; });
}

std::string YamuxCore::take_output() {
  writing_ = out_.size();
  return std::exchange(out_, {});
}

void YamuxCore::wrote_output() {
  writing_ = 0;
  changes_.writable.merge(blocked_on_output_);
  blocked_on_output_.clear();
}

YamuxCore::Changes YamuxCore::take_changes() { return std::exchange(changes_, {}); }

}  // namespace drover::net
