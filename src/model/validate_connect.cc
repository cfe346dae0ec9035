// Consul Connect blocks of a group's service. Each rule stops at its first problem.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "model/validate_parts.h"

namespace drover::validation {
namespace {

std::string proxy_problem(const ConsulGatewayProxy& proxy) {
  if (!proxy.ConnectTimeout) return "Consul Gateway Proxy connection_timeout must be set";
  auto& discovery = proxy.EnvoyDNSDiscoveryType;
  if (!discovery.empty() && discovery != "STRICT_DNS" && discovery != "LOGICAL_DNS")
    return "Consul Gateway Proxy Envoy DNS Discovery type must be STRICT_DNS or LOGICAL_DNS";
  for (auto& [name, bind] : proxy.EnvoyGatewayBindAddresses) {
    if (bind.Address.empty()) return "Consul Gateway Bind Address must be set";
    if (bind.Port <= 0 && bind.Port != -1) return "Consul Gateway Bind Address must set valid Port";
  }
  return "";
}

std::string ingress_service_problem(const ConsulIngressService& service, const std::string& protocol) {
  if (service.Name.empty()) return "Consul Ingress Service requires a name";
  if (protocol == "tcp") {
    if (service.Name == "*") return R"(Consul Ingress Service doesn't support wildcard name for "tcp" protocol)";
    if (!service.Hosts.empty())
      return R"(Consul Ingress Service doesn't support associating hosts to a service for the "tcp" protocol)";
  } else if (service.Name == "*" && !service.Hosts.empty()) {
    return R"(Consul Ingress Service with a wildcard "*" service name can not also specify hosts)";
  }
  return "";
}

std::string ingress_problem(const ConsulIngressConfigEntry& ingress) {
  if (ingress.Listeners.empty()) return "Consul Ingress Gateway requires at least one listener";
  for (auto& listener : ingress.Listeners) {
    auto& protocol = listener.Protocol;
    if (listener.Port <= 0) return "Consul Ingress Listener requires valid Port";
    if (protocol != "tcp" && protocol != "http" && protocol != "http2" && protocol != "grpc")
      return "Consul Ingress Listener requires protocol of tcp, http, http2, grpc, got " + go_quote(protocol);
    if (listener.Services.empty()) return "Consul Ingress Listener requires one or more services";
    for (auto& service : listener.Services)
      if (auto problem = ingress_service_problem(service, protocol); !problem.empty()) return problem;
  }
  return "";
}

std::string terminating_problem(const ConsulTerminatingConfigEntry& terminating) {
  if (terminating.Services.empty()) return "Consul Terminating Gateway requires at least one service";
  for (auto& service : terminating.Services) {
    bool cert = !service.CertFile.empty(), key = !service.KeyFile.empty();
    if (service.Name.empty()) return "Consul Linked Service requires Name";
    if ((cert || key) && service.CAFile.empty()) return "Consul Linked Service TLS requires CAFile";
    if (cert != key) return "Consul Linked Service TLS Cert and Key must both be set";
    if (!service.SNI.empty() && service.CAFile.empty()) return "Consul Linked Service TLS SNI requires CAFile";
  }
  return "";
}

std::string gateway_problem(const ConsulGateway& gateway) {
  if (gateway.Proxy)
    if (auto problem = proxy_problem(*gateway.Proxy); !problem.empty()) return problem;
  if (gateway.Ingress)
    if (auto problem = ingress_problem(*gateway.Ingress); !problem.empty()) return problem;
  if (gateway.Terminating)
    if (auto problem = terminating_problem(*gateway.Terminating); !problem.empty()) return problem;
  int kinds = !!gateway.Ingress + !!gateway.Terminating + !!gateway.Mesh;
  return kinds == 1 ? "" : "One Consul Gateway Configuration must be set";
}

}  // namespace

std::string connect(const ConsulConnect& connect) {
  int kinds = connect.Native + !!connect.SidecarService + !!connect.Gateway;
  if (kinds != 1) return "Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway";
  return connect.Gateway ? gateway_problem(*connect.Gateway) : "";
}

}  // namespace drover::validation
