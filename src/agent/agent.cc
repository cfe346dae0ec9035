#include "agent/agent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "agent/host_data.h"
#include "agent/rpc_tls.h"
#include "agent/telemetry.h"
#include "api/agent_debug.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strings.h"
#include "base/turns.h"
#include "client/client.h"
#include "client/client_rpc.h"
#include "client/host_source.h"
#include "client/remote_servers.h"
#include "client/server_api.h"
#include "client/state_db.h"
#include "drivers/registry.h"
#include "drivers/shim_binary.h"
#include "gossip/serf.h"
#include "model/multi_error.h"
#include "net/http_server.h"
#include "net/network.h"
#include "net/real_world.h"
#include "net/tls.h"
#include "raft/replica.h"
#include "server/cluster.h"
#include "server/leader.h"
#include "server/membership.h"
#include "server/server.h"
#include "server/streaming.h"
#include "server/worker.h"

namespace drover::agent {
namespace {

// The client's servers, in the same process.
class LocalServers final : public client::ServerApi {
 public:
  explicit LocalServers(server::Server& server) : server_(server) {}

 protected:
  Async<Status> invoke(std::string_view method, const TypeInfo&, const void* request, const TypeInfo&, void* response) override {
    co_return co_await server_.invoke(method, request, response);
  }

 private:
  server::Server& server_;
};

// The server's way to the node of the same process.
class LocalNode final : public server::NodeLink {
 public:
  explicit LocalNode(client::ClientRpc& rpc) : rpc_(rpc) {}
  Async<Result<std::string>> call(std::string method, std::string body) override {
    return rpc_.call(std::move(method), std::move(body));
  }
  Async<Result<std::unique_ptr<net::Stream>>> open(std::string method) override { co_return rpc_.open(method); }

 private:
  client::ClientRpc& rpc_;
};

constexpr Duration kClientPoolIdle = 5min;
constexpr size_t kClientStreams = 2;  // kept for reuse, a server
constexpr Duration kDialTimeout = 10s;

std::string configuration_text(const std::vector<raft::Server>& servers) {
  std::vector<std::string> out;
  for (auto& s : servers)
    out.push_back(fmt::format("{{Suffrage:{} ID:{} Address:{}}}", s.suffrage == raft::Suffrage::kVoter ? "Voter" : "Nonvoter", s.id, s.address));
  return "[" + drover::join(out, " ") + "]";
}

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') text[0] += 'a' - 'A';
  return text;
}

std::string host_port(std::string_view host, uint16_t port) {
  return host.find(':') != std::string_view::npos ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::string> persistent_node_id(const std::string& dir, Random& random) {
  std::error_code ec;
  std::filesystem::create_directories(dir, ec);
  if (ec) return Error(ErrorCode::kIo, fmt::format("mkdir {}: {}", dir, lower_first(ec.message())));
  auto path = dir + "/node-id";
  if (std::ifstream in(path); in) {
    std::string id;
    in >> id;
    if (auto parsed = Uuid::parse(to_lower(id)); parsed && !parsed->nil()) return parsed->str();
    return Error(ErrorCode::kCorrupt, fmt::format("{} holds no UUID; restore it, or remove it to start as a new server", path));
  }
  auto id = Uuid::generate(random).str();
  // Complete or not there: an empty file would be refused at the next start.
  auto fresh = path + ".new";
  int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error("open " + fresh, errno);
  bool written = ::write(fd, id.data(), id.size()) == static_cast<ssize_t>(id.size()) && ::fsync(fd) == 0;
  int why = errno;
  ::close(fd);
  if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return id;
  if (written) why = errno;
  ::unlink(fresh.c_str());
  return errno_error("write " + path, why);
}

}  // namespace

class Agent::Impl final : public api::Agent {
 public:
  Impl(net::RealWorld& world, Settings settings, std::function<void(const Error&)> fatal)
      : world_(world), settings_(std::move(settings)), fatal_(std::move(fatal)), network_(world.loop, &world.pool) {}

  Async<Status> start() {
    // Ports first: a port that is taken is found out before anything is written.
    DROVER_CO_CHECK(bind());
    auto tls = https(settings_.tls);
    if (!tls) co_return std::move(tls).error().with_context("failed to start HTTP listener");
    tls_ = std::move(*tls);
    tls_material_ = tls_material(settings_.tls);
    if (settings_.server) DROVER_CO_CHECK(co_await resolve_advertised(*settings_.server));
    DROVER_CO_CHECK(start_server());
    if (settings_.client) {
      auto started = co_await start_client();
      if (!started) co_return std::move(started).error().with_context("client setup failed");
    }
    serve();
    co_return Status{};
  }

  Async<void> leave() {
    if (client_) {
      auto left = co_await client_->leave();
      if (!left) log_error("agent", "client leave failed", {{"error", left.error().message}});
    }
    if (server_) co_await server_->leave();
  }

  Async<void> shutdown() {
    log_info("agent", "requesting shutdown");
    if (http_) http_->stop();
    if (remote_) remote_->stop_inbound();
    // What follows ends flows, and the waits may have been resumed from within one of them.
    co_await sleep_for(world_.loop, {});
    if (client_) co_await client_->shutdown();
    co_await sleep_for(world_.loop, {});
    if (server_) co_await server_->shutdown();
    co_await sleep_for(world_.loop, {});
    http_.reset();
    client_rpc_.reset();
    client_.reset();
    server_.reset();
    remove_temporary_dirs();
    log_info("agent", "shutdown complete");
  }

  std::string server_node_id() const { return server_ ? std::string(server_->node_id()) : std::string(); }

  void reload(const Settings& s) {
    if (auto set = configure_log(s.log); !set)
      log_error("agent", "the log configuration was not taken", {{"error", set.error().message}});
    settings_.log = s.log;
    settings_.http_response_headers = s.http_response_headers;
    if (server_ && s.server && (s.server->num_schedulers != server_->config().num_schedulers ||
                                s.server->enabled_schedulers != server_->config().enabled_schedulers))
      (void)server_->set_workers(s.server->num_schedulers, s.server->enabled_schedulers);
    if (auto material = tls_material(s.tls); material != tls_material_) {
      if (auto done = reload_tls(s.tls); !done) log_error("agent", "failed to reload TLS", {{"error", done.error().message}});
      else tls_material_ = std::move(material);
    }
  }

  // ---- api::Agent ----------------------------------------------------------------------------------------------------
  World& world() override { return world_.world; }
  server::Server* server() override { return server_.get(); }
  client::Client* client() override { return client_.get(); }
  const std::string& region() const override { return settings_.region; }
  const std::string& node_name() const override { return settings_.node_name; }
  Async<Status> rpc(std::string_view method, const TypeInfo& request_type, const void* request, const TypeInfo& response_type,
                    void* response) override {
    if (remote_) co_return co_await remote_->call_method(method, request_type, request, response_type, response);
    if (!server_) co_return Error(ErrorCode::kUnavailable, "no servers");
    co_return co_await server_->invoke(method, request, response);
  }
  Async<Result<std::unique_ptr<net::Stream>>> stream(std::string method) override {
    if (remote_) co_return co_await remote_->open_streaming(std::move(method));
    if (!server_) co_return Error(ErrorCode::kUnavailable, "no servers");
    co_return server::open_stream(*server_, method);
  }
  std::string config_json() const override { return settings_.config_json; }
  Map<Map<std::string>> stats() const override;
  Map<std::string> response_headers() const override { return settings_.http_response_headers; }
  bool debug_enabled() const override { return settings_.enable_debug; }
  std::vector<std::string> known_servers() const override;
  Async<Status> set_known_servers(std::vector<std::string> servers) override;
  Async<Joined> join(std::vector<std::string> addresses) override;
  AgentSelf& self() override { return *self_; }
  HostData host_data() const override { return collect_host_data(); }
  bool ui_enabled() const override { return settings_.ui_enabled; }
  bool prometheus_enabled() const override { return settings_.telemetry.prometheus; }

 private:
  // Nothing changes unless all of it can. RPC connections and HTTP listeners are made anew.
  Status reload_tls(const TlsSettings& tls) {
    DROVER_TRY(auto rpc, make_rpc_tls(tls, settings_.server.has_value()));
    DROVER_TRY(auto http, https(tls));
    log_info("agent", "reloading TLS configuration");
    settings_.tls = tls;
    tls_ = std::move(http);
    if (server_) server_->set_tls(rpc);
    if (remote_) remote_->set_tls(rpc.outgoing, rpc.verify_server_hostname);
    http_.reset();
    DROVER_CHECK(bind_http());
    serve();
    return {};
  }

  Status bind_http() {
    for (auto& ip : settings_.http_binds) {
      DROVER_TRY(auto listener, listen(ip, settings_.http_port, "failed to start HTTP listener"));
      http_listeners_.push_back(std::move(listener));
    }
    return {};
  }

  Status bind() {
    DROVER_CHECK(bind_http());
    if (!settings_.server) return {};
    DROVER_TRY(rpc_listener_, listen(settings_.rpc_bind, settings_.rpc_port, "Failed to start RPC layer"));
    // Gossip binds its own sockets later; a port that is taken is told now.
    DROVER_TRY(auto probe, listen(settings_.serf_bind, settings_.serf_port, "Failed to start serf"));
    (void)probe;
    return {};
  }

  Result<std::unique_ptr<net::Listener>> listen(const std::string& ip, uint16_t port, std::string_view what) {
    DROVER_TRY(auto address, net::Address::parse(host_port(ip, port)));
    auto listener = network_.listen(address);
    if (!listener) return std::move(listener).error().with_context(what);
    return std::move(*listener);
  }

  // Servers advertise IPs; a name in the configuration is looked up once.
  Async<Status> resolve_advertised(server::Config& c) {
    auto look_up = [this](std::string_view what, std::string& address) -> Async<Status> {
      DROVER_CO_TRY(auto parts, net::split_host_port(address));
      auto port = parse_int(parts.port).value_or(0);
      auto found = co_await network_.resolve(net::Address::tcp(parts.host, static_cast<uint16_t>(port)));
      if (!found) co_return std::move(found).error().with_context(fmt::format("server config setup failed: Failed to resolve {} advertise address {}", what, go_quote(address)));
      address = net::join_host_port(found->front().host, parts.port);
      co_return Status{};
    };
    auto serf = host_port(c.serf_address, c.serf_port);
    DROVER_CO_CHECK(co_await look_up("Serf", serf));
    auto ip = net::split_host_port(serf);
    auto rpc = net::split_host_port(c.rpc_advertise);
    if (!ip || !rpc) co_return invalid("server config setup failed: malformed advertise address");
    c.serf_address = ip->host;
    c.rpc_advertise = net::join_host_port(ip->host, rpc->port);
    co_return co_await look_up("RPC", c.client_rpc_advertise);
  }

  Status start_server() {
    if (!settings_.server) return {};
    auto config = *settings_.server;
    if (config.in_memory) {
      config.node_id = Uuid::generate(world_.random).str();
    } else if (config.node_id.empty()) {
      DROVER_TRY(config.node_id, persistent_node_id(config.data_dir, world_.random));
    }
    server::Parts parts{.world = world_.world, .network = &network_, .rpc_listener = std::move(rpc_listener_), .fatal = fatal_};
    auto tls = make_rpc_tls(settings_.tls, true);
    if (!tls) return std::move(tls).error().with_context("server setup failed");
    parts.tls = std::move(*tls);
    turn_meter().excuse();  // it reads the whole state, and nobody is served yet
    auto made = server::Server::create(std::move(config), std::move(parts));
    if (!made) return std::move(made).error().with_context("server setup failed");
    server_ = std::move(*made);
    server_->set_self(self_.get());
    server_->start();
    return {};
  }

  // The drivers of this node, configured; those that refuse their configuration are errors of the agent.
  Result<std::vector<std::unique_ptr<drivers::Driver>>> make_drivers(const drivers::DriverContext& context) const {
    std::vector<std::unique_ptr<drivers::Driver>> out;
    auto admitted = client::driver_filter(*settings_.client);
    for (auto& row : drivers::builtin_drivers()) {
      auto* given = settings_.plugin_configs.find(row.name);
      if (!admitted.admits(row.name) || (row.for_tests && !given && !settings_.dev_mode)) continue;
      auto driver = row.make(context);
      Value config = given ? *given : Value(Value::Object::empty_map());
      auto decoded = drivers::decode_config(driver->plugin_config_spec(), config);
      if (!decoded) return std::move(decoded).error().with_context(fmt::format("plugin \"{}\"", row.name));
      auto taken = driver->configure(*decoded);
      if (!taken) return std::move(taken).error().with_context(fmt::format("plugin \"{}\"", row.name));
      out.push_back(std::move(driver));
    }
    return out;
  }

  Async<Status> start_client() {
    DROVER_CO_CHECK(find_servers());
    host_ = client::make_linux_host();
    auto& config = *settings_.client;
    DROVER_CO_CHECK(make_dirs(config));
    DROVER_CO_TRY(auto shim, co_await on_pool(world_.world, [dir = config.state_dir] { return drivers::unpack_shim(dir + "/bin"); }));
    Error driver_error;
    client::ClientDeps deps{.world = world_.world, .server = *servers_, .host = *host_};
    if (config.dev_mode) deps.state = client::make_memory_state();
    else {
      std::string note;
      DROVER_CO_TRY(deps.state, client::open_sqlite_state(config.state_dir + "/state.sqlite", note));
      if (!note.empty()) log_warn("client", note);
      deps.state = client::make_patient_state(std::move(deps.state), world_.loop);
    }
    deps.make_drivers = [this, &driver_error](const drivers::DriverContext& context) {
      auto made = make_drivers(context);
      if (made) return std::move(*made);
      driver_error = std::move(made).error();
      return std::vector<std::unique_ptr<drivers::Driver>>{};
    };
    deps.fds = &world_.loop;
    deps.network = &network_;
    deps.shim_path = shim;
    client_ = std::make_unique<client::Client>(config, std::move(deps));
    client_->self = self_.get();
    client_rpc_ = std::make_unique<client::ClientRpc>(world_.world, *client_);
    DROVER_CO_CHECK(co_await client_->start());
    if (server_)
      server_->cluster()->nodes().set_local(client_->node_id().str(), std::make_shared<LocalNode>(*client_rpc_), world_.clock.now());
    if (!driver_error.message.empty()) co_return driver_error;
    co_return Status{};
  }

  // The client's servers: that of this process, or those of its configuration over the wire.
  Status find_servers() {
    if (server_) {
      servers_ = std::make_unique<LocalServers>(*server_);
      return {};
    }
    auto tls = make_rpc_tls(settings_.tls, false);
    if (!tls) return std::move(tls).error();
    client::RemoteServers::Options options;
    options.region = settings_.region;
    options.pool.idle_timeout = kClientPoolIdle;
    options.pool.idle_streams = kClientStreams;
    options.pool.tls = tls->outgoing;
    options.pool.verify_server_name = tls->verify_server_hostname;
    options.pool.inbound = [this](std::unique_ptr<net::Stream> stream) { return serve_inbound(std::move(stream)); };
    auto remote = std::make_unique<client::RemoteServers>(world_.world, network_, std::move(options));
    remote_ = remote.get();
    servers_ = std::move(remote);
    return remote_->set_addresses(settings_.client_servers);
  }

  // A server calls this node on a connection that the node made.
  Async<void> serve_inbound(std::unique_ptr<net::Stream> stream) {
    if (client_rpc_) co_await client_rpc_->serve(std::move(stream));
  }

  // The client's directories; an agent without a data directory gets temporary ones, gone at its end.
  Status make_dirs(client::Config& config) {
    for (auto* dir : {&config.state_dir, &config.alloc_dir}) {
      if (dir->empty()) {
        auto made = (std::filesystem::temp_directory_path() / "NomadClientXXXXXX").string();
        if (!mkdtemp(made.data())) return errno_error("failed creating temporary directory for the client", errno);
        temporary_dirs_.push_back(made);
        *dir = made;
      }
      std::error_code ec;
      std::filesystem::create_directories(*dir, ec);
      if (ec) return Error(ErrorCode::kIo, fmt::format("failed creating {}: {}", *dir, lower_first(ec.message())));
    }
    if (chmod(config.alloc_dir.c_str(), 0711) != 0) return errno_error("chmod " + config.alloc_dir, errno);
    return {};
  }

  void remove_temporary_dirs() {
    std::error_code ec;
    for (auto& dir : temporary_dirs_) std::filesystem::remove_all(dir, ec);
    temporary_dirs_.clear();
  }

  static Result<net::TlsContextRef> https(const TlsSettings& t) {
    if (!t.http) return net::TlsContextRef();
    net::TlsServerOptions o{.cert_file = t.cert_file, .key_file = t.key_file, .ca_file = t.ca_file};
    o.verify_client = t.verify_https_client;
    o.prefer_server_ciphers = t.prefer_server_cipher_suites;
    if (!t.min_version.empty()) o.min_version = t.min_version;
    for (auto& suite : split(t.cipher_suites, ','))
      if (auto name = trim_space(suite); !name.empty()) o.cipher_suites.emplace_back(name);
    return net::make_tls_server(o);
  }

  void serve() {
    net::HttpServerOptions options;
    options.max_conns_per_client = settings_.limits.http_max_conns_per_client;
    options.tls_handshake_timeout = settings_.limits.https_handshake_timeout;
    options.on_limit_exceeded = [] { metric_count("nomad.agent.http.exceeded"); };
    http_ = std::make_unique<net::HttpServer>(world_.world, options, api::http_handler(*this));
    for (auto& l : http_listeners_) http_->add_listener(std::move(l), tls_);
    http_listeners_.clear();
  }

  net::RealWorld& world_;
  Settings settings_;
  std::function<void(const Error&)> fatal_;
  net::RealNetwork network_;
  std::unique_ptr<AgentSelf> self_ = api::make_agent_self(*this);
  std::vector<std::unique_ptr<net::Listener>> http_listeners_;
  net::TlsContextRef tls_;
  std::string tls_material_;  // as last taken
  std::vector<std::string> temporary_dirs_;
  std::unique_ptr<net::Listener> rpc_listener_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<client::ServerApi> servers_;
  client::RemoteServers* remote_ = nullptr;  // what servers_ is on an agent without a server
  std::unique_ptr<client::HostSource> host_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::ClientRpc> client_rpc_;
  std::unique_ptr<net::HttpServer> http_;
};

std::vector<std::string> Agent::Impl::known_servers() const {
  if (remote_) return remote_->addresses();
  auto out = settings_.client_servers;
  auto add = [&](std::string address) {
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(std::move(address));
  };
  if (server_) {
    add(host_port(settings_.rpc_bind, settings_.rpc_port));
    add(settings_.rpc_advertise);
  }
  return out;
}

Async<Status> Agent::Impl::set_known_servers(std::vector<std::string> servers) {
  MultiError problems;
  for (auto& server : servers) {
    auto address = client::parse_server_address(server);
    Status reached = address ? Status() : Status(std::move(address).error());
    if (address && remote_) {
      reached = co_await remote_->ping(*address);
    } else if (address) {
      auto stream = co_await network_.dial(*address, kDialTimeout);
      if (!stream) reached = Error(ErrorCode::kUnavailable, "rpc error: failed to get conn: " + stream.error().message);
    }
    if (address) server = address->str();
    if (!reached) problems.add(fmt::format("Server at address {} failed ping: {}", server, reached.error().message));
  }
  if (problems) co_return invalid(problems.text());
  if (remote_) co_return remote_->set_addresses(servers);
  settings_.client_servers = std::move(servers);
  co_return Status{};
}

Async<api::Agent::Joined> Agent::Impl::join(std::vector<std::string> addresses) {
  if (!server_) co_return Joined{0, "Invalid method"};
  auto joined = co_await server_->serf()->join(std::move(addresses));
  MultiError problems;
  for (auto& e : joined.errors) problems.add(std::move(e));
  co_return Joined{joined.count, problems.text()};
}

Map<Map<std::string>> Agent::Impl::stats() const {
  auto out = Map<Map<std::string>>::empty_map();
  if (server_) {
    auto raft = server_->replica().stats();
    out["nomad"] = {{"server", "true"},
                    {"leader", server_->is_leader() ? "true" : "false"},
                    {"leader_addr", server_->leader_address()},
                    {"bootstrap", server_->config().bootstrap_expect == 1 ? "true" : "false"},
                    {"known_regions", fmt::format("{}", server_->membership()->peers().regions().size())}};
    out["raft"] = {{"state", std::string(raft::to_string(raft.role))},
                   {"term", fmt::format("{}", raft.term)},
                   {"last_log_index", fmt::format("{}", raft.last_log_index)},
                   {"last_log_term", fmt::format("{}", raft.last_log_term)},
                   {"commit_index", fmt::format("{}", raft.commit_index)},
                   {"applied_index", fmt::format("{}", raft.applied_index)},
                   {"fsm_pending", fmt::format("{}", raft.fsm_pending)},
                   {"last_snapshot_index", fmt::format("{}", raft.last_snapshot_index)},
                   {"last_snapshot_term", fmt::format("{}", raft.last_snapshot_term)},
                   {"latest_configuration_index", fmt::format("{}", raft.configuration_index)},
                   {"num_peers", fmt::format("{}", raft.num_peers)},
                   {"last_contact", server_->is_leader()                     ? "0"
                                     : raft.last_contact < Duration::zero() ? "never"
                                                                            : format_duration(raft.last_contact)},
                   {"latest_configuration", configuration_text(server_->replica().configuration())},
                   {"protocol_version", "3"},
                   {"protocol_version_min", "0"},
                   {"protocol_version_max", "3"},
                   {"snapshot_version_min", "0"},
                   {"snapshot_version_max", "1"}};
    out["serf"] = server_->serf()->stats();
    // Of the servers' own Vault client, which has no token here.
    out["vault"] = {{"token_expire_time", ""},     {"token_last_renewal_time", ""}, {"token_next_renewal_time", ""},
                    {"token_ttl", "0s"},           {"tracked_for_revoked", "0"}};
  }
  if (client_) {
    out["client"] = client_->stats_block();
    out["client"]["known_servers"] = drover::join(known_servers(), ",");
  }
  out["runtime"] = runtime_stats();
  return out;
}

Agent::Agent(net::RealWorld& world, Settings settings, std::function<void(const Error&)> fatal)
    : impl_(std::make_unique<Impl>(world, std::move(settings), std::move(fatal))) {}
Agent::~Agent() = default;
Async<Status> Agent::start() { return impl_->start(); }
Async<api::Agent::Joined> Agent::join(std::vector<std::string> addresses) { return impl_->join(std::move(addresses)); }
api::Agent& Agent::parts() { return *impl_; }
Async<void> Agent::leave() { return impl_->leave(); }
Async<void> Agent::shutdown() { return impl_->shutdown(); }
std::string Agent::server_node_id() const { return impl_->server_node_id(); }
void Agent::reload(const Settings& settings) { impl_->reload(settings); }

}  // namespace drover::agent
