// HCL1 blocks that have rules of their own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "jobspec/hcl1_decode.h"
#include "jobspec/schema_parts.h"

namespace drover::jobspec {

using hcl1::Item;
using hcl1::Node;
using Kind1 = hcl1::Kind;

namespace {

// The attributes of a constraint or an affinity, as text.
struct Plain {
  std::map<std::string, std::string, std::less<>> text;
  const Node* find(std::string_view name) const {
    auto at = nodes.find(name);
    return at == nodes.end() ? nullptr : at->second;
  }
  std::map<std::string, const Node*, std::less<>> nodes;
};

Problem read_plain(const Item& item, std::initializer_list<std::string_view> allowed, Plain& out) {
  if (!item.value.is(Kind1::kObject)) return Problem("should be an object");
  std::vector<std::string> wrong;
  for (auto& member : item.value.items) {
    auto& key = member.keys[0].text;
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      wrong.push_back("invalid key: " + key);
      continue;
    }
    out.nodes[key] = &member.value;
    if (auto text = member.value.as_string()) out.text[key] = *text;
  }
  return wrong.empty() ? Problem() : Problem::several(std::move(wrong));
}

// The complaints of the decoder, which knows the main attributes by the fields they go to.
Problem decoding_problem(const Plain& plain) {
  static constexpr std::pair<std::string_view, std::string_view> kFields[] = {
      {"attribute", "LTarget"}, {"value", "RTarget"}, {"operator", "Operand"}, {"weight", "Weight"}};
  std::vector<std::string> problems;
  for (auto& [file, field] : kFields) {
    auto* node = plain.find(file);
    if (!node) continue;
    std::string text;
    int64_t number = 0;
    auto why = file == "weight" ? weak_int(field, *node, "int8", number) : weak_text(field, *node, text);
    if (!why.empty()) problems.push_back(std::move(why));
  }
  if (problems.empty()) return {};
  std::sort(problems.begin(), problems.end());
  return Problem(fmt::format("{} error(s) decoding:\n\n* {}", problems.size(), join(problems, "\n* ")));
}

template <class T>
void apply(const Plain& plain, std::initializer_list<std::string_view> shorthands, T& out) {
  auto get = [&](std::string_view name) {
    auto at = plain.text.find(name);
    return at == plain.text.end() ? std::string() : at->second;
  };
  out.LTarget = get("attribute");
  out.RTarget = get("value");
  out.Operand = get("operator");
  for (auto name : shorthands) {
    if (!plain.text.contains(name)) continue;
    out.Operand = name;
    out.RTarget = get(name);
  }
}

bool port_label(std::string_view label) {
  return !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Problem ports(const Node& node, const Spec& port_spec, api::NetworkResource& out) {
  std::set<std::string> seen;
  for (auto* item : node.matching("port")) {
    if (item->keys.size() < 2) return Problem("ports must be named");
    auto& label = item->keys[1].text;
    if (auto problem = Hcl1Decoder::check_keys(item->value, port_spec)) return problem;
    if (!port_label(label)) return Problem("Port label does not conform to naming requirements ^[a-zA-Z0-9_]+$");
    if (!seen.insert(to_lower(label)).second) return Problem("found a port label collision: " + label);
    api::Port port;
    port.Label = label;
    if (auto problem = Hcl1Decoder::attributes(port_spec, item->value, &port)) {
      // Numbers are read on their own here.
      auto text = problem.text();
      auto reason = text.find("strconv.");
      return reason == std::string::npos ? problem : Problem(text.substr(reason));
    }
    (port.Value > 0 ? out.ReservedPorts : out.DynamicPorts).push_back(std::move(port));
  }
  return {};
}

}  // namespace

Problem hcl1_constraints(const std::vector<const Item*>& items, List<api::Constraint>& out) {
  for (auto* item : items) {
    if (item->keys.size() > 1) continue;
    Plain plain;
    if (auto problem = read_plain(*item, {"attribute", "distinct_hosts", "distinct_property", "operator", "regexp",
                                          "set_contains", "value", "version", "semver"}, plain))
      return problem;
    if (auto problem = decoding_problem(plain)) return problem;
    api::Constraint constraint;
    apply(plain, {"version", "semver", "regexp", "set_contains"}, constraint);
    if (auto* distinct = plain.find("distinct_hosts")) {
      auto enabled = distinct->is(Kind1::kString) ? parse_bool(distinct->text) : distinct->as_bool();
      if (!enabled && distinct->is(Kind1::kString))
        return Problem(fmt::format("distinct_hosts should be set to true or false; strconv.ParseBool: parsing {}: invalid syntax", go_quote(distinct->text)));
      if (!enabled) return Problem("distinct_hosts should be set to true or false; must be a boolean value");
      if (!*enabled) continue;
      constraint.Operand = "distinct_hosts";
    }
    if (plain.text.contains("distinct_property")) {
      constraint.Operand = "distinct_property";
      constraint.LTarget = plain.text["distinct_property"];
    }
    if (constraint.Operand.empty()) constraint.Operand = "=";
    out.push_back(std::move(constraint));
  }
  return {};
}

Problem hcl1_affinities(const std::vector<const Item*>& items, List<api::Affinity>& out) {
  for (auto* item : items) {
    if (item->keys.size() > 1) continue;
    Plain plain;
    if (auto problem = read_plain(*item, {"attribute", "operator", "regexp", "set_contains", "set_contains_any",
                                          "set_contains_all", "value", "version", "semver", "weight"}, plain))
      return problem;
    if (auto problem = decoding_problem(plain)) return problem;
    api::Affinity affinity;
    apply(plain, {"version", "semver", "regexp", "set_contains_any", "set_contains_all", "set_contains"}, affinity);
    if (auto* weight = plain.find("weight")) {
      int64_t number = 0;
      static_cast<void>(weak_int("", *weight, "int8", number));
      affinity.Weight = static_cast<int8_t>(number);
    }
    if (affinity.Operand.empty()) affinity.Operand = "=";
    out.push_back(std::move(affinity));
  }
  return {};
}

Problem Hcl1Decoder::network(const Node& node, api::NetworkResource& out) {
  auto& spec = *network_resource();
  DROVER_HCL1_CHECK(check_keys(node, spec, {}, {"device", "cidr", "ip", "reserved_ports"}), "network ->");
  if (auto problem = attributes(spec, node, &out)) return problem;
  DROVER_HCL1_CHECK(ports(node, *spec.find("port")->member.spec(), out), "network, ports ->");
  auto dns = node.matching("dns");
  if (dns.size() > 1) return Problem("network -> cannot have more than 1 dns block");
  if (!dns.empty())
    DROVER_HCL1_CHECK(object(*spec.find("dns")->member.spec(), dns[0]->value, &out.DNS.emplace()), "network -> dns ->");
  return {};
}

Problem Hcl1Decoder::service(const Spec& spec, const Node& node, api::Service& out) {
  if (auto problem = check_keys(node, spec, {}, {"address"})) return std::move(problem).nameless();
  if (auto problem = attributes(spec, node, &out)) return std::move(problem).nameless();
  for (auto [name, what] : {std::pair("connect", "connect block"), std::pair("check_restart", "check_restart")})
    if (node.matching(name).size() > 1)
      return Problem(fmt::format("{} '{}': cannot have more than 1 {}", name, out.Name, what)).nameless();
  return blocks(spec, node, &out, "");
}

// What is wrong anywhere in a proxy is told as one text.
Problem Hcl1Decoder::proxy(const Spec& spec, const Node& node, void* out) {
  if (!node.is(Kind1::kObject)) return no_object(node);
  DROVER_HCL1_CHECK(check_keys(node, spec), "proxy ->");
  DROVER_HCL1_CHECK(attributes(spec, node, out), "proxy:");
  // The proxy of a gateway has no upstreams: the key is unknown there.
  auto* upstreams = spec.find("upstreams");
  for (auto* item : node.matching("upstreams")) {
    auto& inner = *upstreams->member.spec();
    if (!item->value.is(Kind1::kObject)) return no_object(item->value);
    DROVER_HCL1_CHECK(check_keys(item->value, inner, {}, {"config", "destination_namespace"}), "upstream ->");
    if (auto problem = object(inner, item->value, upstreams->field->type().add(upstreams->field->in(out), {}))) return problem;
  }
  return blocks(spec, node, out, "", {"upstreams"});
}

// Networks and devices have contexts of their own.
Problem Hcl1Decoder::resources(const Spec& spec, const Node& node, api::Resources& out) {
  if (auto problem = check_keys(node, spec)) return problem;
  if (auto problem = attributes(spec, node, &out)) return problem;
  auto networks = node.matching("network");
  if (networks.size() > 1) return Problem("resource, only one 'network' resource allowed");
  for (auto* item : networks)
    if (auto problem = network(item->value, out.Networks.emplace_back())) return std::move(problem).flat().in("resource,");
  auto devices = node.matching("device");
  for (size_t i = 0; i < devices.size(); ++i) {
    auto context = fmt::format("resources, device[{}]->", i);
    if (devices[i]->keys.size() < 2) return Problem("missing device name").in(context);
    auto& device = out.Devices.emplace_back();
    device.Name = devices[i]->keys[1].text;
    DROVER_HCL1_CHECK(object(*spec.find("device")->member.spec(), devices[i]->value, &device), context);
  }
  return blocks(spec, node, &out, "", {"network", "device"});
}

Problem Hcl1Decoder::custom(const Spec& spec, const Node& node, void* out, bool& handled) {
  handled = true;
  if (&spec == network_resource()) return network(node, *static_cast<api::NetworkResource*>(out));
  if (&spec.type == &type_of<api::ServiceCheck>() && !node.matching("advertise").empty())
    return check_keys(node, spec, {}, {"advertise"});
  if (&spec.type == &type_of<api::Service>()) return service(spec, node, *static_cast<api::Service*>(out));
  if (&spec.type == &type_of<api::Resources>()) return resources(spec, node, *static_cast<api::Resources*>(out));
  if (&spec.type == &type_of<api::ConsulGateway>()) {
    if (node.matching("proxy").size() != 1) return Problem("must have one 'proxy' block");
  }
  if (&spec.type == &type_of<api::ConsulConnect>()) {
    DROVER_HCL1_CHECK(check_keys(node, spec), "connect ->");
    if (auto problem = attributes(spec, node, out)) return problem;
    return blocks(spec, node, out, "", {}, ",");
  }
  if (&spec.type == &type_of<api::ConsulUpstream>()) {
    if (auto problem = check_keys(node, spec, {}, {"config", "destination_namespace"})) return problem;
    if (auto problem = attributes(spec, node, out)) return problem;
    return blocks(spec, node, out, "");
  }
  if (&spec == group_scaling_spec()) {
    if (auto problem = check_keys(node, spec)) return problem;
    if (node.matching("max").empty()) return Problem("missing 'max'");
    auto& policy = *static_cast<api::ScalingPolicy*>(out);
    if (auto problem = attributes(spec, node, out)) return problem;
    if (policy.Type.empty()) policy.Type = "horizontal";
    if (policy.Type != "horizontal")
      return Problem("task group scaling policy had invalid type: " + go_quote(policy.Type));
    return blocks(spec, node, out, "");
  }
  if (&spec.type == &type_of<api::Template>()) {
    auto& tmpl = *static_cast<api::Template*>(out);
    tmpl.ChangeMode = "restart";
    tmpl.Splay = Duration(5s);
    tmpl.Perms = "0644";
    tmpl.Uid = tmpl.Gid = -1;
    tmpl.ErrMissingKey = false;
    if (!node.matching("wait").empty()) return Problem("1 error(s) decoding:\n\n* 'wait' expected a map, got 'slice'");
  }
  if (&spec.type == &type_of<api::Vault>()) {
    auto& vault = *static_cast<api::Vault*>(out);
    vault.Env = true;
    vault.ChangeMode = "restart";
  }
  handled = false;
  return {};
}

}  // namespace drover::jobspec
