// Address templates: `{{ GetPrivateIP }}`, `{{ GetInterfaceIP "eth0" }}`, pipelines of `include`, `exclude`, `sort`,
// `limit`, `offset`, `unique`, `join`, `attr`, `math` over the machine's addresses (reference agent-config 3.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/host_source.h"

namespace drover::agent {

// The interfaces that templates see, and which of them has the default route.
struct HostNetworks {
  std::vector<client::HostInterface> interfaces;
  std::string default_interface;
};
HostNetworks host_networks(client::HostSource& host);

// The text as it is when it holds no `{{`; else what it evaluates to, trimmed.
// `unable to parse address template "<t>": <why>`.
Result<std::string> eval_address_template(std::string_view text, const HostNetworks& host);

}  // namespace drover::agent
