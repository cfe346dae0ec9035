// Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY with Go's rules.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "net/url.h"

namespace drover::net {

struct ProxyConfig {
  std::string http_proxy, https_proxy, no_proxy;

  // Reads either case of the variables; in a CGI environment HTTP_PROXY is left alone, since a request could set it.
  static ProxyConfig from_environment(const std::function<const char*(const char*)>& getenv);
  static ProxyConfig from_environment();

  // The proxy for `url`, or none. Never for localhost and loopback addresses. `invalid proxy address "x": …`.
  Result<std::optional<Url>> proxy_for(const Url& url) const;
};

}  // namespace drover::net
