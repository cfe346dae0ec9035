// Services, checks, Consul Connect.
#include <fmt/format.h>

#include "model/diff_parts.h"

namespace drover::diff {
namespace {

std::optional<ObjectDiff> header(const Map<List<std::string>>& before, const Map<List<std::string>>& after, bool contextual) {
  auto flat = [](const Map<List<std::string>>& map) {
    Flat out;
    for (auto& [key, values] : map) {
      if (values.is_nil()) out[key] = "nil";
      for (size_t i = 0; i < values.size(); ++i) out[fmt::format("{}[{}]", key, i)] = values[i];
    }
    return out;
  };
  if (before == after) return std::nullopt;
  ObjectDiff out;
  out.Name = "Header";
  out.Type = before.empty() ? kAdded : after.empty() ? kDeleted : kEdited;
  out.Fields = fields(flat(before), flat(after), contextual);
  return out;
}

std::optional<ObjectDiff> check(const ServiceCheck* before, const ServiceCheck* after, bool contextual) {
  auto out = plain_object("Check", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, header(b.Header, a.Header, contextual));
  add(objects, simple_object("CheckRestart", b.CheckRestart.get(), a.CheckRestart.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> service(const Service* before, const Service* after, bool contextual) {
  auto out = plain_object("Service", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, string_set("CanaryTags", b.CanaryTags, a.CanaryTags, contextual));
  add(objects, string_set("Tags", b.Tags, a.Tags, contextual));
  add(objects, by_key(b.Checks, a.Checks, [](auto& c) { return c.Name; },
                      [&](auto* x, auto* y) { return check(x, y, contextual); }));
  add(objects, connect(b.Connect.get(), a.Connect.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

// The new service that an old one has become: no single fact identifies a service, so each counts by its weight.
int find_match(const Service& old_one, size_t position, const List<Service>& candidates, const std::vector<bool>& taken) {
  constexpr int kPosition = 1, kPort = 2, kName = 3, kLeast = 3;
  int best = -1, best_score = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (taken[i]) continue;
    int score = (i == position) * kPosition + (old_one.PortLabel == candidates[i].PortLabel) * kPort +
                (old_one.Name == candidates[i].Name) * kName;
    if (score >= kLeast && score > best_score) {
      best_score = score;
      best = static_cast<int>(i);
    }
  }
  return best;
}

std::optional<ObjectDiff> upstream(const ConsulUpstream* before, const ConsulUpstream* after, bool contextual) {
  static const ConsulUpstream kEmpty;
  if (before && *before == kEmpty) before = nullptr;
  if (after && *after == kEmpty) after = nullptr;
  auto out = plain_object("ConsulUpstreams", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, simple_object("MeshGateway", &b.MeshGateway, &a.MeshGateway, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> proxy(const ConsulProxy* before, const ConsulProxy* after, bool contextual) {
  auto out = plain_object("ConsulProxy", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, by_key(b.Upstreams, a.Upstreams, [](auto& u) { return u.Datacenter + '/' + u.DestinationName; },
                      [&](auto* x, auto* y) { return upstream(x, y, contextual); }));
  add(objects, config(b.Config, a.Config, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> sidecar_service(const ConsulSidecarService* before, const ConsulSidecarService* after,
                                          bool contextual) {
  auto out = plain_object("SidecarService", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, proxy(or_empty(before).Proxy.get(), or_empty(after).Proxy.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> sidecar_task(const SidecarTask* before, const SidecarTask* after, bool contextual) {
  auto out = begin_object("SidecarTask", before, after);
  if (!out) return out;
  auto flat = [](const SidecarTask* task) { return task ? flatten(*task, {"Config"}) : Flat{}; };
  out->Fields = fields(flat(before), flat(after), false);  // unchanged ones are never listed
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, config(b.Config, a.Config, contextual));
  add(objects, resources(b.Resources.get(), a.Resources.get(), contextual));
  add(objects, simple_object("LogConfig", b.LogConfig.get(), a.LogConfig.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> bind_addresses(const Map<ConsulGatewayBindAddress>& before,
                                         const Map<ConsulGatewayBindAddress>& after, bool contextual) {
  auto flat = [](const Map<ConsulGatewayBindAddress>& map) {
    Flat out;
    for (auto& [name, bind] : map)
      out[name] = (bind.Address.find(':') == std::string::npos ? bind.Address : '[' + bind.Address + ']') + ':' + std::to_string(bind.Port);
    return out;
  };
  if (before == after) return std::nullopt;
  ObjectDiff out;
  out.Name = "EnvoyGatewayBindAddresses";
  out.Type = before.empty() ? kAdded : after.empty() ? kDeleted : kEdited;
  out.Fields = fields(flat(before), flat(after), contextual);
  return out;
}

std::optional<ObjectDiff> gateway_proxy(const ConsulGatewayProxy* before, const ConsulGatewayProxy* after, bool contextual) {
  auto out = begin_object("Proxy", before, after);
  if (!out) return out;
  auto flat_b = before ? flatten(*before) : Flat{}, flat_a = after ? flatten(*after) : Flat{};
  auto timeout = [](const ConsulGatewayProxy& p) { return p.ConnectTimeout ? format_duration(*p.ConnectTimeout) : ""; };
  if (before && after) {
    flat_b["ConnectTimeout"] = timeout(*before);
    flat_a["ConnectTimeout"] = timeout(*after);
  }
  out->Fields = fields(flat_b, flat_a, contextual);
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, bind_addresses(b.EnvoyGatewayBindAddresses, a.EnvoyGatewayBindAddresses, contextual));
  add(objects, config(b.Config, a.Config, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> tls(const ConsulGatewayTLSConfig* before, const ConsulGatewayTLSConfig* after, bool contextual) {
  auto out = plain_object("TLS", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, string_set("CipherSuites", or_empty(before).CipherSuites, or_empty(after).CipherSuites, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> ingress_service(const ConsulIngressService* before, const ConsulIngressService* after,
                                          bool contextual) {
  auto out = plain_object("ConsulIngressService", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, string_set("Hosts", or_empty(before).Hosts, or_empty(after).Hosts, contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> listener(const ConsulIngressListener* before, const ConsulIngressListener* after, bool contextual) {
  auto out = plain_object("Listener", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, by_key(or_empty(before).Services, or_empty(after).Services, [](auto& s) { return s.Name; },
                      [&](auto* x, auto* y) { return ingress_service(x, y, contextual); }));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> ingress(const ConsulIngressConfigEntry* before, const ConsulIngressConfigEntry* after,
                                  bool contextual) {
  auto out = plain_object("Ingress", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, tls(b.TLS.get(), a.TLS.get(), contextual));
  add(objects, by_key(b.Listeners, a.Listeners, [](auto& l) { return fmt::format("{}:{}", l.Protocol, l.Port); },
                      [&](auto* x, auto* y) { return listener(x, y, contextual); }));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> terminating(const ConsulTerminatingConfigEntry* before, const ConsulTerminatingConfigEntry* after,
                                      bool contextual) {
  auto out = plain_object("Terminating", before, after, contextual);
  if (!out) return out;
  Objects objects;
  add(objects, by_key(or_empty(before).Services, or_empty(after).Services, [](auto& s) { return s.Name; },
                      [&](auto* x, auto* y) { return plain_object("Service", x, y, contextual); }));
  out->Objects = as_list(std::move(objects));
  return out;
}

std::optional<ObjectDiff> gateway(const ConsulGateway* before, const ConsulGateway* after, bool contextual) {
  auto out = plain_object("Gateway", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, gateway_proxy(b.Proxy.get(), a.Proxy.get(), contextual));
  add(objects, ingress(b.Ingress.get(), a.Ingress.get(), contextual));
  add(objects, terminating(b.Terminating.get(), a.Terminating.get(), contextual));
  add(objects, plain_object("Mesh", b.Mesh.get(), a.Mesh.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

}  // namespace

std::optional<ObjectDiff> connect(const ConsulConnect* before, const ConsulConnect* after, bool contextual) {
  auto out = plain_object("ConsulConnect", before, after, contextual);
  if (!out) return out;
  auto &b = or_empty(before), &a = or_empty(after);
  Objects objects;
  add(objects, sidecar_service(b.SidecarService.get(), a.SidecarService.get(), contextual));
  add(objects, sidecar_task(b.SidecarTask.get(), a.SidecarTask.get(), contextual));
  add(objects, gateway(b.Gateway.get(), a.Gateway.get(), contextual));
  out->Objects = as_list(std::move(objects));
  return out;
}

Objects services(const List<Service>& before, const List<Service>& after, bool contextual) {
  Objects out;
  if (before.size() == 1 && after.size() == 1) {
    add(out, service(&before.front(), &after.front(), contextual));
    return out;
  }
  std::vector<bool> taken(after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    int match = find_match(before[i], i, after, taken);
    if (match >= 0) taken[static_cast<size_t>(match)] = true;
    add(out, service(&before[i], match < 0 ? nullptr : &after[static_cast<size_t>(match)], contextual));
  }
  for (size_t i = 0; i < after.size(); ++i)
    if (!taken[i]) add(out, service(nullptr, &after[i], contextual));
  sort_objects(out);
  return out;
}

}  // namespace drover::diff
