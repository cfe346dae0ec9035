// What this machine is: a table of fingerprinters that fill in a Node (reference client, section 12).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/config.h"
#include "client/host_source.h"
#include "model/node.h"

namespace drover::client {

struct FingerprintInput {
  HostSource& host;
  const Config& config;
};

// Puts what it finds into `node`: attributes, links, resources. An empty attribute deletes the key. An error keeps the
// agent from starting.
using FingerprintFn = Status (*)(const FingerprintInput& in, Node& node);

struct Fingerprinter {
  std::string_view name;  // of the allow and deny lists
  FingerprintFn run;
  Duration period{};      // 0: once
};
// In the order in which they run.
const std::vector<Fingerprinter>& fingerprinters();

// Runs those that the options admit; first the fixed parts of the node (datacenter, name, meta, volumes, reserved).
Status fingerprint_node(const FingerprintInput& in, Node& node);

// The node of the config alone: everything but what fingerprinters find. `ID` and `SecretID` are the caller's.
Result<Node> configured_node(const FingerprintInput& in);

void set_attribute(Node& node, std::string_view key, std::string value);

// Each in its file.
Status fingerprint_arch(const FingerprintInput&, Node&);
Status fingerprint_bridge(const FingerprintInput&, Node&);
Status fingerprint_cgroup(const FingerprintInput&, Node&);
Status fingerprint_cni(const FingerprintInput&, Node&);
Status fingerprint_cpu(const FingerprintInput&, Node&);
Status fingerprint_host(const FingerprintInput&, Node&);
Status fingerprint_landlock(const FingerprintInput&, Node&);
Status fingerprint_memory(const FingerprintInput&, Node&);
Status fingerprint_network(const FingerprintInput&, Node&);
Status fingerprint_nomad(const FingerprintInput&, Node&);
Status fingerprint_signal(const FingerprintInput&, Node&);
Status fingerprint_storage(const FingerprintInput&, Node&);

enum class CgroupVersion : unsigned char { kNone, kV1, kV2 };
struct CgroupMount {
  CgroupVersion version = CgroupVersion::kNone;
  std::string path;
};
CgroupMount cgroup_mount(HostSource& host);

}  // namespace drover::client
