#include "gossip/serf.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/cancel.h"
#include "base/flows.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "gossip/serf_core.h"
#include "gossip/snapshot_file.h"
#include "net/network.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kLog = "nomad";
constexpr Duration kSnapshotInterval = 500ms;
constexpr int kPacketsAtATime = 64, kBindTries = 10;
constexpr size_t kReadSize = 64 * 1024;

net::Address address_of(const Endpoint& at) { return net::Address::tcp(ip_text(at.ip), at.port); }

std::optional<Endpoint> endpoint_of(const net::Address& a) {
  auto ip = parse_ip(a.host);
  if (!ip) return std::nullopt;
  return Endpoint{*ip, a.port};
}

// The reference's notion: brackets or exactly one colon.
bool has_port(std::string_view s) {
  if (s.starts_with('[')) return s.rfind(':') != std::string_view::npos && s.rfind(':') > s.rfind(']');
  return std::count(s.begin(), s.end(), ':') == 1;
}

Result<net::Address> parse_join(std::string text, uint16_t default_port) {
  if (auto slash = text.find('/'); slash != std::string::npos) {
    if (slash == 0) return invalid("empty node name provided");
    text.erase(0, slash + 1);
  }
  if (!has_port(text)) {
    auto bare = std::string_view(text);
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    text = net::join_host_port(bare, fmt::format("{}", default_port));
  }
  DROVER_TRY(auto parts, net::split_host_port(text));
  auto port = parse_uint(parts.port);
  if (!port || *port > 65535) return invalid(fmt::format("strconv.ParseUint: parsing {}: invalid syntax", go_quote(parts.port)));
  return net::Address::tcp(parts.host, static_cast<uint16_t>(*port));
}

}  // namespace

class Serf::Impl {
 public:
  Impl(World& world, net::Network& network, Config config)
      : world_(world), network_(network), config_(std::move(config)) {}
  ~Impl() {
    *alive_ = false;
    if (core_) core_->shutdown();
    rejoin_.reset();
    snapshot_flow_.reset();
    if (file_) {
      file_->append(snapshot_.take_pending());
      (void)file_->drain(true);
    }
  }

  Status open() {
    DROVER_CHECK(bind());
    if (config_.advertise_addr.empty()) config_.advertise_addr = config_.bind_addr;
    if (config_.advertise_port == 0) config_.advertise_port = listener_->address().port;
    SerfCoreParts parts{.random = world_.random};
    if (!config_.keyring_file.empty())
      parts.write_keyring = [path = config_.keyring_file](const std::string& json) { return write_private_file(path, json); };
    if (!config_.snapshot_path.empty()) {
      file_ = std::make_shared<SnapshotFile>(config_.snapshot_path);
      auto text = file_->read();
      if (!text) return std::move(text).error().with_context("Failed to setup snapshot");
      snapshot_.replay(*text, config_.rejoin_after_leave);
      if (auto n = snapshot_.unknown_lines()) log_warn(kLog, fmt::format("serf: Unrecognized snapshot lines: {}", n));
      parts.snapshot = &snapshot_;
    }
    auto previous = snapshot_.alive();
    DROVER_TRY(core_, SerfCore::create(config_, std::move(parts)));
    core_->start(now());
    packets_ = Running(receive());
    accepts_ = Running(accept());
    if (file_) snapshot_flow_ = Running(keep_snapshot());
    if (!previous.empty()) rejoin_ = Running(rejoin({previous.begin(), previous.end()}));
    drain_later();
    return {};
  }

  Async<Joined> join(std::vector<std::string> addresses) {
    Joined out;
    for (auto& text : addresses) {
      auto parsed = parse_join(text, listener_->address().port);
      Result<std::vector<net::Address>> found = std::vector<net::Address>{};
      if (parsed) found = co_await network_.resolve(*parsed);
      if (!parsed || !found) {
        auto& e = parsed ? found.error() : parsed.error();
        out.errors.push_back(fmt::format("Failed to resolve {}: {}", text, e.message));
        log_warn(kLog, "memberlist: " + out.errors.back());
        continue;
      }
      for (auto& address : *found) {
        auto at = endpoint_of(address);
        Status joined = at ? co_await join_one(*at) : Status(invalid("not an IP address"));
        if (joined) {
          ++out.count;
          continue;
        }
        out.errors.push_back(fmt::format("Failed to join {}: {}", address.str(), joined.error().message));
        log_debug(kLog, "memberlist: " + out.errors.back());
      }
    }
    if (out.count > 0) {
      out.errors.clear();
      core_->announce_join(now());
      drain_later();
    }
    co_return out;
  }

  Async<Status> leave() {
    return order([this](SerfCore::Done done) { core_->leave(now(), std::move(done)); });
  }
  Async<Status> force_leave(std::string node, bool prune) {
    return order([this, node = std::move(node), prune](SerfCore::Done done) { core_->force_leave(node, prune, now(), std::move(done)); });
  }
  Async<Status> set_tags(Map<std::string> tags) {
    return order([this, tags = std::move(tags)](SerfCore::Done done) { core_->set_tags(tags, now(), std::move(done)); });
  }
  Status user_event(const std::string& name, const std::string& payload, bool coalesce) {
    auto sent = core_->user_event(name, payload, coalesce, now());
    drain_later();
    return sent;
  }
  Async<KeyResponse> keys(KeyOp op, std::string key, uint8_t relay_factor) {
    Promise<KeyResponse> answer;
    core_->keys(op, key, relay_factor, now(), [answer](KeyResponse r) mutable { answer.set(std::move(r)); });
    drain_later();
    co_return co_await answer;
  }

  SerfCore& core() { return *core_; }
  uint16_t port() const { return listener_->address().port; }

 private:
  Monotonic now() { return world_.clock.monotonic(); }

  // One port for both kinds of sockets; with port 0 the kernel picks one, which may be taken on the other side.
  Status bind() {
    Error last;
    for (int i = 0; i < (config_.bind_port == 0 ? kBindTries : 1); ++i) {
      auto listener = network_.listen(net::Address::tcp(config_.bind_addr, config_.bind_port));
      auto what = [&](const char* kind, uint16_t port) {
        return fmt::format("Failed to create memberlist: Could not set up network transport: failed to obtain an address: "
                           "Failed to start {} listener on \"{}\" port {}", kind, config_.bind_addr, port);
      };
      if (!listener) {
        last = std::move(listener).error().with_context(what("TCP", config_.bind_port));
        continue;
      }
      uint16_t port = (*listener)->address().port;
      auto socket = network_.datagram(net::Address::tcp(config_.bind_addr, port));
      if (!socket) {
        last = std::move(socket).error().with_context(what("UDP", port));
        continue;
      }
      listener_ = std::move(*listener);
      socket_ = std::move(*socket);
      return {};
    }
    return last;
  }

  // ---- effects ---------------------------------------------------------------------------------------------------

  // Effects run in callbacks of their own: what they call may end flows of this object, or the object.
  void drain_later() {
    if (std::exchange(drain_posted_, true)) return;
    world_.loop.post([this, alive = alive_] {
      if (!*alive) return;
      drain_posted_ = false;
      drain();
    });
  }

  void drain() {
    auto alive = alive_;
    for (;;) {
      auto effects = core_->take_effects();
      if (effects.empty()) break;
      for (auto& e : effects) {
        perform(e);
        if (!*alive) return;
      }
    }
    arm();
  }

  void perform(Effect& effect) {
    if (auto* send = std::get_if<SendPacket>(&effect)) {
      if (stopped_) return;
      auto sent = socket_->send(send->bytes, address_of(send->to));
      if (!sent) log_debug(kLog, "memberlist: Failed to send packet: " + sent.error().message);
    } else if (auto* exchange = std::get_if<Exchange>(&effect)) {
      run(talk(std::move(*exchange)));
    } else if (auto* emit = std::get_if<Emit>(&effect)) {
      if (config_.on_event) config_.on_event(emit->event);
    } else if (auto* complete = std::get_if<Complete>(&effect)) {
      complete->run();
    } else {
      stopped_ = true;
      socket_->close();
      listener_->close();
    }
  }

  void arm() {
    auto next = core_->next_tick();
    if (!next) return timer_.cancel();
    if (timer_.armed() && *next == armed_) return;
    armed_ = *next;
    timer_ = world_.loop.after(std::max(*next - now(), Duration::zero()), [this] {
      armed_ = {};
      core_->tick(now());
      drain_later();
    });
  }

  Async<Status> order(std::move_only_function<void(SerfCore::Done)> begin) {
    Promise<Status> done;
    begin([done](Status s) mutable { done.set(std::move(s)); });
    drain_later();
    co_return co_await done;
  }

  Async<Status> join_one(Endpoint at) {
    return order([this, at](SerfCore::Done done) { core_->join(at, now(), std::move(done)); });
  }

  // ---- flows -----------------------------------------------------------------------------------------------------

  void run(Async<void> flow) {
    flows_.start(std::move(flow));
  }

  Async<void> receive() {
    for (int n = 0;; ++n) {
      auto packet = co_await socket_->receive();
      if (!packet) co_return;
      if (auto from = endpoint_of(packet->from)) core_->packet(packet->bytes, *from, now());
      drain_later();
      if (n % kPacketsAtATime == 0) co_await sleep_for(world_.loop, 0s);  // others run too
    }
  }

  Async<void> accept() {
    for (;;) {
      auto stream = co_await listener_->accept();
      if (!stream) co_return;
      metric_count("memberlist.tcp.accept");
      if (inbound_ >= kStreamsMax) {
        core_->bad("Too many pending push/pull requests", (*stream)->remote().str());
        continue;
      }
      run(serve(std::move(*stream)));
    }
  }

  struct Count {
    explicit Count(size_t& n) : n(n) { ++n; }
    ~Count() { --n; }
    size_t& n;
  };

  // One message of a stream.
  static Async<Result<bool>> read_message(net::Stream& stream, StreamReader& reader) {
    std::string buffer(kReadSize, '\0');
    size_t received = 0;
    for (;;) {
      DROVER_CO_TRY(auto n, co_await net::read_some(stream, buffer.data(), buffer.size()));
      if (n == 0) co_return Error(ErrorCode::kIo, reader.started() ? "unexpected EOF" : "EOF");
      received += n;
      auto state = reader.feed(std::string_view(buffer).substr(0, n));
      if (state == StreamReader::State::kDone) {
        metric_sample("memberlist.size.remote", static_cast<double>(received));
        co_return true;
      }
      if (state == StreamReader::State::kFailed) co_return invalid(reader.error());
    }
  }
  static Async<Result<bool>> write(net::Stream& stream, const std::string& bytes) {
    DROVER_CO_CHECK(co_await net::write_all(stream, bytes));
    co_return true;
  }
  Async<Result<bool>> within_limit(Async<Result<bool>> flow, const net::Stream& stream, Duration limit) {
    return with_timeout(world_.loop, limit, std::move(flow),
                        Error(ErrorCode::kTimeout, fmt::format("read tcp {}->{}: i/o timeout", stream.local().str(), stream.remote().str())));
  }

  Async<void> serve(std::unique_ptr<net::Stream> stream) {
    Count counted(inbound_);
    StreamReader reader(core_->envelope(), Direction::kOpening);
    auto limit = config_.tuning.tcp_timeout;
    auto got = co_await within_limit(read_message(*stream, reader), *stream, limit);
    std::string answer;
    if (got) {
      answer = core_->stream_message(std::move(reader.message()), now());
    } else if (reader.started()) {
      core_->bad("failed to receive: " + got.error().message, stream->remote().str());
      if (reader.tell_peer()) answer = core_->stream_error(got.error().message);
    }
    drain_later();
    if (answer.empty()) co_return;
    metric_count("memberlist.tcp.sent", static_cast<double>(answer.size()));
    (void)co_await within_limit(write(*stream, answer), *stream, limit);
  }

  Async<Result<StreamMessage>> converse(Exchange& e) {
    DROVER_CO_TRY(auto stream, co_await network_.dial(address_of(e.to), e.timeout));
    DROVER_CO_TRY(auto sent, co_await within_limit(write(*stream, e.bytes), *stream, e.timeout));
    (void)sent;
    StreamReader reader(core_->envelope(), Direction::kAnswer);
    DROVER_CO_TRY(auto got, co_await within_limit(read_message(*stream, reader), *stream, e.timeout));
    (void)got;
    co_return std::move(reader.message());
  }

  Async<void> talk(Exchange e) {
    auto reply = co_await converse(e);
    core_->exchange_done(e.id, std::move(reply), now());
    drain_later();
  }

  Async<void> keep_snapshot() {
    for (;;) {
      co_await sleep_for(world_.loop, kSnapshotInterval);
      snapshot_.clocks(core_->clock() - 1, core_->event_clock() - 1, core_->query_clock() - 1);
      if (!snapshot_.has_pending()) continue;
      bool compact = snapshot_.wants_compaction();
      if (compact) file_->replace(snapshot_.compacted());
      else file_->append(snapshot_.take_pending());
      MetricTimer timer(compact ? "serf.snapshot.compact" : "serf.snapshot.appendLine");
      auto written = co_await on_pool(world_, [file = file_, sync = core_->state() != SerfCore::State::kAlive] { return file->drain(sync); });
      if (!written) log_error(kLog, "serf: Failed to update snapshot: " + written.error().message);
    }
  }

  Async<void> rejoin(std::vector<std::pair<std::string, std::string>> previous) {
    for (size_t i = previous.size(); i > 1; --i) std::swap(previous[i - 1], previous[world_.random.below(i)]);
    bool tried = false;
    for (auto& [name, address] : previous) {
      auto parsed = net::Address::parse(address);
      if (name == config_.node_name || !parsed) continue;
      auto at = endpoint_of(*parsed);
      if (!at) continue;
      tried = true;
      log_info(kLog, fmt::format("serf: Attempting re-join to previously known node: {}: {}", name, address));
      auto joined = co_await join_one(*at);
      if (!joined) continue;
      log_info(kLog, fmt::format("serf: Re-joined to previously known node: {}: {}", name, address));
      co_return;
    }
    if (tried) log_warn(kLog, "serf: Failed to re-join any previously known node");
  }

  World& world_;
  net::Network& network_;
  Config config_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SnapshotLog snapshot_;
  std::shared_ptr<SnapshotFile> file_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::Datagram> socket_;
  std::unique_ptr<SerfCore> core_;
  Timer timer_;
  Monotonic armed_{};
  bool drain_posted_ = false, stopped_ = false;
  size_t inbound_ = 0;
  // Flows refer to all of the above.
  Flows flows_;
  Running packets_, accepts_, snapshot_flow_, rejoin_;
};

Result<std::unique_ptr<Serf>> Serf::create(World& world, net::Network& network, Config config) {
  auto impl = std::make_unique<Impl>(world, network, std::move(config));
  DROVER_CHECK(impl->open());
  return std::unique_ptr<Serf>(new Serf(std::move(impl)));
}

Serf::Serf(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Serf::~Serf() = default;

Async<Serf::Joined> Serf::join(std::vector<std::string> addresses) { return impl_->join(std::move(addresses)); }
Async<Status> Serf::leave() { return impl_->leave(); }
Async<Status> Serf::force_leave(std::string node, bool prune) { return impl_->force_leave(std::move(node), prune); }
Async<Status> Serf::set_tags(Map<std::string> tags) { return impl_->set_tags(std::move(tags)); }
Status Serf::user_event(const std::string& name, const std::string& payload, bool coalesce) {
  return impl_->user_event(name, payload, coalesce);
}
Async<KeyResponse> Serf::keys(KeyOp op, std::string key, uint8_t relay_factor) { return impl_->keys(op, std::move(key), relay_factor); }
std::vector<Member> Serf::members() const { return impl_->core().members(); }
Member Serf::self() const { return impl_->core().self(); }
bool Serf::encrypted() const { return impl_->core().encrypted(); }
Map<std::string> Serf::stats() const { return impl_->core().stats(); }
uint16_t Serf::port() const { return impl_->port(); }
std::string_view Serf::state() const {
  switch (impl_->core().state()) {
    case SerfCore::State::kAlive: return "alive";
    case SerfCore::State::kLeaving: return "leaving";
    case SerfCore::State::kLeft: return "left";
    case SerfCore::State::kShutdown: return "shutdown";
  }
  return "shutdown";
}

}  // namespace drover::gossip
