#include "agent/config_flags.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace drover::agent {
namespace {

struct FlagRow {
  std::string_view name;
  std::string_view path;  // of the field in Config
};

// Flags that set one field. Lists append; a list whose path ends in "," takes a comma-separated value.
constexpr FlagRow kFields[] = {
    {"server", "Server.Enabled"},
    {"bootstrap-expect", "Server.BootstrapExpect"},
    {"encrypt", "Server.EncryptKey"},
    {"raft-protocol", "Server.RaftProtocol"},
    {"rejoin", "Server.RejoinAfterLeave"},
    {"join", "Server.ServerJoin.StartJoin"},
    {"retry-join", "Server.ServerJoin.RetryJoin"},
    {"retry-max", "Server.ServerJoin.RetryMaxAttempts"},
    {"client", "Client.Enabled"},
    {"state-dir", "Client.StateDir"},
    {"alloc-dir", "Client.AllocDir"},
    {"node-class", "Client.NodeClass"},
    {"servers", "Client.Servers,"},
    {"network-interface", "Client.NetworkInterface"},
    {"network-speed", "Client.NetworkSpeed"},
    {"bind", "BindAddr"},
    {"region", "Region"},
    {"data-dir", "DataDir"},
    {"plugin-dir", "PluginDir"},
    {"dc", "Datacenter"},
    {"log-level", "LogLevel"},
    {"log-json", "LogJson"},
    {"node", "NodeName"},
    {"consul-auth", "Consul.Auth"},
    {"consul-auto-advertise", "Consul.AutoAdvertise"},
    {"consul-ca-file", "Consul.CAFile"},
    {"consul-cert-file", "Consul.CertFile"},
    {"consul-key-file", "Consul.KeyFile"},
    {"consul-checks-use-advertise", "Consul.ChecksUseAdvertise"},
    {"consul-client-auto-join", "Consul.ClientAutoJoin"},
    {"consul-client-service-name", "Consul.ClientServiceName"},
    {"consul-client-http-check-name", "Consul.ClientHTTPCheckName"},
    {"consul-server-service-name", "Consul.ServerServiceName"},
    {"consul-server-http-check-name", "Consul.ServerHTTPCheckName"},
    {"consul-server-serf-check-name", "Consul.ServerSerfCheckName"},
    {"consul-server-rpc-check-name", "Consul.ServerRPCCheckName"},
    {"consul-server-auto-join", "Consul.ServerAutoJoin"},
    {"consul-ssl", "Consul.EnableSSL"},
    {"consul-verify-ssl", "Consul.VerifySSL"},
    {"consul-address", "Consul.Addr"},
    {"consul-token", "Consul.Token"},
    {"consul-allow-unauthenticated", "Consul.AllowUnauthenticated"},
    {"vault-enabled", "Vault.Enabled"},
    {"vault-allow-unauthenticated", "Vault.AllowUnauthenticated"},
    {"vault-token", "Vault.Token"},
    {"vault-address", "Vault.Addr"},
    {"vault-create-from-role", "Vault.Role"},
    {"vault-ca-file", "Vault.TLSCaFile"},
    {"vault-ca-path", "Vault.TLSCaPath"},
    {"vault-cert-file", "Vault.TLSCertFile"},
    {"vault-key-file", "Vault.TLSKeyFile"},
    {"vault-tls-skip-verify", "Vault.TLSSkipVerify"},
    {"vault-tls-server-name", "Vault.TLSServerName"},
    {"vault-namespace", "Vault.Namespace"},
    {"acl-enabled", "ACL.Enabled"},
    {"acl-replication-token", "ACL.ReplicationToken"},
};

// The field at a dotted path, with blocks and optional values made on the way; its type comes along.
struct Place {
  const TypeInfo* type;
  void* object;
};
Place place_of(Config& config, std::string_view path) {
  Place at{&type_of<Config>(), &config};
  for (auto& name : split(path, '.')) {
    auto* field = at.type->find(name);
    DROVER_ASSERT(field, "the table of flags names fields that exist");
    at = {&field->type(), field->in(at.object)};
    if (at.type->kind == Kind::kPointer) {
      void* inside = at.type->is_nil(at.object) ? at.type->add(at.object, "") : const_cast<void*>(at.type->at(at.object, 0));
      at = {&at.type->element(), inside};
    }
  }
  return at;
}

// Whether the field at a path is a boolean, without making anything.
bool is_boolean(std::string_view path) {
  Config scratch;
  return place_of(scratch, path).type->kind == Kind::kBool;
}

Status set_field(Config& config, std::string_view path, const std::string& value) {
  bool commas = path.ends_with(',');
  if (commas) path.remove_suffix(1);
  auto at = place_of(config, path);
  switch (at.type->kind) {
    case Kind::kBool: {
      auto b = parse_bool(value);
      if (!b) return invalid("parse error");
      *static_cast<bool*>(at.object) = *b;
      return {};
    }
    case Kind::kInt: {
      auto n = parse_int(value);
      if (!n) return invalid("parse error");
      *static_cast<int64_t*>(at.object) = *n;
      return {};
    }
    case Kind::kString: *static_cast<std::string*>(at.object) = value; return {};
    default: {
      auto& list = *static_cast<List<std::string>*>(at.object);
      if (!commas) list.push_back(value);
      else
        for (auto& part : split(value, ','))
          if (!part.empty()) list.push_back(part);
      return {};
    }
  }
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& args) : args_(args) {}

  Result<AgentFlags> run() {
    while (next_ < args_.size()) {
      auto& arg = args_[next_];
      if (arg.size() < 2 || arg[0] != '-') break;
      ++next_;
      if (arg == "--") break;
      auto name = arg.substr(arg.starts_with("--") ? 2 : 1);
      if (name.empty() || name[0] == '-' || name[0] == '=') return invalid("bad flag syntax: " + arg);
      std::optional<std::string> value;
      if (auto eq = name.find('='); eq != std::string::npos) {
        value = name.substr(eq + 1);
        name.resize(eq);
      }
      DROVER_CHECK(one(name, std::move(value)));
    }
    return std::move(flags_);
  }

 private:
  Status one(const std::string& name, std::optional<std::string> value) {
    if (name == "h" || name == "help") return flags_.help = true, Status{};
    for (auto& [flag, target] : std::initializer_list<std::pair<std::string_view, bool*>>{
             {"dev", &flags_.dev}, {"dev-connect", &flags_.dev_connect}})
      if (name == flag) {
        auto b = parse_bool(value.value_or("true"));
        if (!b) return wrong(name, *value, true);
        *target = *b;
        return {};
      }
    if (name == "config") return text(name, std::move(value), [&](auto& v) { flags_.config_paths.push_back(v); });
    if (name == "meta") return text(name, std::move(value), [&](auto& v) { flags_.meta.push_back(v); });
    if (name == "retry-interval") return text(name, std::move(value), [&](auto& v) { flags_.retry_interval = v; });
    auto* row = std::find_if(std::begin(kFields), std::end(kFields), [&](auto& f) { return f.name == name; });
    if (row == std::end(kFields)) return invalid("flag provided but not defined: -" + name);
    if (name == "bootstrap-expect") flags_.bootstrap_expect = true;
    bool boolean = !row->path.ends_with(',') && is_boolean(row->path);
    if (boolean && !value) value = "true";
    if (!value && !take(value)) return invalid("flag needs an argument: -" + name);
    if (!set_field(flags_.config, row->path, *value)) return wrong(name, *value, boolean);
    return {};
  }

  template <class F>
  Status text(const std::string& name, std::optional<std::string> value, F use) {
    if (!value && !take(value)) return invalid("flag needs an argument: -" + name);
    use(*value);
    return {};
  }
  bool take(std::optional<std::string>& value) {
    if (next_ >= args_.size()) return false;
    value = args_[next_++];
    return true;
  }
  static Error wrong(const std::string& name, const std::string& value, bool boolean) {
    return invalid(boolean ? fmt::format("invalid boolean value {} for -{}: parse error", go_quote(value), name)
                           : fmt::format("invalid value {} for flag -{}: parse error", go_quote(value), name));
  }

  const std::vector<std::string>& args_;
  size_t next_ = 0;
  AgentFlags flags_;
};

}  // namespace

Result<AgentFlags> parse_agent_flags(const std::vector<std::string>& args) { return Parser(args).run(); }

Status apply_late_flags(AgentFlags& flags) {
  if (!flags.retry_interval.empty()) {
    auto d = parse_duration(flags.retry_interval);
    if (!d) return invalid("Error parsing retry interval: " + d.error().message);
    flags.config.Server.ensure().ServerJoin.ensure().RetryInterval = *d;
  }
  for (auto& pair : flags.meta) {
    auto eq = pair.find('=');
    if (eq == std::string::npos) return invalid("Error parsing Client.Meta value: " + pair);
    flags.config.Client.ensure().Meta.set(pair.substr(0, eq), pair.substr(eq + 1));
  }
  return {};
}

}  // namespace drover::agent
