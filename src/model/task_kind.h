// A task's Kind: "connect-proxy:<service>" and its like, set by the connect hook on tasks that it adds or finds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover {

inline constexpr std::string_view kConnectProxyPrefix = "connect-proxy";
inline constexpr std::string_view kConnectNativePrefix = "connect-native";
inline constexpr std::string_view kConnectIngressPrefix = "connect-ingress";
inline constexpr std::string_view kConnectTerminatingPrefix = "connect-terminating";
inline constexpr std::string_view kConnectMeshPrefix = "connect-mesh";

inline std::string task_kind(std::string_view prefix, std::string_view service) {
  return std::string(prefix) + ":" + std::string(service);
}

// The service of a kind with that prefix.
inline std::optional<std::string> kind_service(std::string_view kind, std::string_view prefix) {
  if (!kind.starts_with(prefix) || kind.size() <= prefix.size() + 1 || kind[prefix.size()] != ':') return std::nullopt;
  return std::string(kind.substr(prefix.size() + 1));
}

inline std::optional<std::string> connect_proxy_service(std::string_view kind) {
  return kind_service(kind, kConnectProxyPrefix);
}

}  // namespace drover
