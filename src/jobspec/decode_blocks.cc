// Blocks that have more to them than their members: constraint, affinity, group, task, scaling.
#include <fmt/format.h>

#include <map>

#include "base/strings.h"
#include "jobspec/decoder.h"

namespace drover::jobspec {

using hcl::Block;
using hcl::Body;

namespace {

// Attributes of one kind of block by name, null and absent ones left out; nullopt after an error.
struct Sugar {
  std::map<std::string, std::string, std::less<>> text;
  std::optional<hcl::Value> weight;
  std::optional<bool> distinct_hosts;

  std::string get(std::string_view name) const {
    auto at = text.find(name);
    return at == text.end() ? "" : at->second;
  }
};

std::optional<Sugar> read_sugar(const Body& body, std::initializer_list<const char*> text_names, const char* other,
                                const hcl::Type& other_type, Decoder& decoder) {
  hcl::Schema schema;
  for (auto* name : text_names) schema.attributes.push_back({name});
  schema.attributes.push_back({other});
  auto& diagnostics = decoder.diagnostics();
  size_t before = diagnostics.size();
  auto content = body.content(schema, diagnostics);
  Sugar out;
  for (auto& a : content.attributes) {
    bool is_other = a.name == other;
    auto value = hcl::decode_attribute(a, is_other ? other_type : hcl::Type::string(), decoder.context());
    if (!value || !value->is_usable()) continue;
    if (!is_other)
      out.text[a.name] = value->as_string();
    else if (other_type.is(hcl::Kind::kBool))
      out.distinct_hosts = value->as_bool();
    else
      out.weight = *value;
  }
  return diagnostics.size() == before ? std::optional(std::move(out)) : std::nullopt;
}

// Shorthands: the operand of that name with the value on the right. Of several the last of the list counts.
template <class T>
void apply_shorthands(const Sugar& sugar, std::initializer_list<const char*> names, T& out) {
  for (auto* name : names) {
    auto value = sugar.get(name);
    if (value.empty()) continue;
    out.Operand = name;
    out.RTarget = value;
  }
}

}  // namespace

void decode_constraint(const Spec&, const Block& block, void* object, Decoder& decoder) {
  auto sugar = read_sugar(block.body,
                          {"attribute", "operator", "value", "version", "semver", "regexp", "set_contains",
                           "set_contains_all", "set_contains_any", "is_set", "is_not_set", "distinct_property"},
                          "distinct_hosts", hcl::Type::boolean(), decoder);
  if (!sugar) return;
  auto& out = *static_cast<api::Constraint*>(object);
  out.LTarget = sugar->get("attribute");
  out.RTarget = sugar->get("value");
  out.Operand = sugar->get("operator");
  apply_shorthands(*sugar, {"version", "semver", "regexp", "set_contains"}, out);
  if (sugar->distinct_hosts) {
    out.Operand = "distinct_hosts";
    out.RTarget = *sugar->distinct_hosts ? "true" : "false";
  }
  if (auto property = sugar->get("distinct_property"); !property.empty()) {
    out.Operand = "distinct_property";
    out.LTarget = property;
  }
  if (out.Operand.empty()) out.Operand = "=";
}

void decode_affinity(const Spec&, const Block& block, void* object, Decoder& decoder) {
  auto sugar = read_sugar(block.body,
                          {"attribute", "operator", "value", "version", "semver", "regexp", "set_contains",
                           "set_contains_all", "set_contains_any"},
                          "weight", hcl::Type::number(), decoder);
  if (!sugar) return;
  auto& out = *static_cast<api::Affinity*>(object);
  out.LTarget = sugar->get("attribute");
  out.RTarget = sugar->get("value");
  out.Operand = sugar->get("operator");
  // Cut to eight bits without a word; validation judges what is left.
  if (sugar->weight) out.Weight = static_cast<int8_t>(sugar->weight->as_number().truncated_int64());
  apply_shorthands(*sugar, {"version", "semver", "regexp", "set_contains_any", "set_contains_all", "set_contains"}, out);
  if (out.Operand.empty()) out.Operand = "=";
}

void decode_group_scaling(const Spec& spec, const Block& block, void* object, Decoder& decoder) {
  decoder.body(spec, block.body, object);
  auto& policy = *static_cast<api::ScalingPolicy*>(object);
  if (policy.Type.empty()) policy.Type = "horizontal";
  if (policy.Type == "horizontal") return;
  hcl::Diagnostics ignored;
  Body rest;
  auto content = block.body.partial_content({{{"type"}}, {}}, rest, ignored);
  if (auto* type = content.attribute("type"))
    decoder.diagnostics().add("Invalid group scaling type",
                              "task group scaling policy had invalid type: " + go_quote(policy.Type), type->expr.range());
}

namespace {

// `scaling "cpu" { ... }` and `scaling "mem" { ... }` of a task.
void task_scaling(const std::vector<Block>& blocks, api::Task& task, Decoder& decoder) {
  std::map<std::string, const Block*> seen;
  auto& diagnostics = decoder.diagnostics();
  for (auto& block : blocks) {
    auto label = to_lower(block.labels[0]);
    if (label != "cpu" && label != "mem") {
      diagnostics.add("Invalid scaling policy name", R"(scaling policy name must be "cpu" or "mem")", block.label_ranges[0]);
      continue;
    }
    if (auto [at, fresh] = seen.emplace(label, &block); !fresh) {
      diagnostics.add(fmt::format("Duplicate scaling {} block", go_quote(label)),
                      fmt::format("Only one scaling {} block is allowed. Another was defined at {}.", label,
                                  hcl::Location(at->second->def_range).str()),
                      block.def_range);
      continue;
    }
    api::ScalingPolicy policy;
    decoder.body(*task_scaling_spec(), block.body, &policy);
    auto wanted = "vertical_" + label;
    if (policy.Type.empty()) {
      policy.Type = wanted;
    } else if (policy.Type != wanted) {
      // The two names are the wrong way round, as the reference prints them.
      diagnostics.add("Invalid scaling policy type",
                      fmt::format("Invalid policy type, expected {} but found {}", go_quote(policy.Type), go_quote(wanted)),
                      block.def_range);
      continue;
    }
    task.ScalingPolicies.push_back(std::move(policy));
  }
}

}  // namespace

void decode_task(const Spec& spec, const Block& block, void* object, Decoder& decoder) {
  auto& task = *static_cast<api::Task*>(object);
  Body whole = block.body, body;
  Map<std::string> meta, env;
  bool has_env = decoder.map_attribute(whole, "env", env);
  bool has_meta = decoder.map_attribute(whole, "meta", meta);
  auto scaling = whole.partial_content({{}, {{"scaling", {"name"}}}}, body, decoder.diagnostics());
  task_scaling(scaling.blocks, task, decoder);
  decoder.body(spec, body, object);
  if (has_meta) task.Meta = std::move(meta);
  if (has_env) task.Env = std::move(env);
}

void decode_group(const Spec& spec, const Block& block, void* object, Decoder& decoder) {
  auto& group = *static_cast<api::TaskGroup*>(object);
  size_t before = decoder.diagnostics().size();
  Body whole = block.body, body;
  Map<std::string> meta;
  bool has_meta = decoder.map_attribute(whole, "meta", meta);
  auto extra = whole.partial_content({{}, {{"vault", {}}}}, body, decoder.diagnostics());
  if (decoder.diagnostics().size() != before) return;
  Box<api::Vault> vault;
  for (auto& b : extra.blocks) {
    // Nothing that is wrong in here is ever told.
    hcl::Diagnostics ignored;
    Decoder quiet(*decoder.context().scope, ignored);
    quiet.body(*vault_spec(), b.body, &vault.emplace());
  }
  decoder.body(spec, body, object);
  if (has_meta) group.Meta = std::move(meta);
  if (!vault) return;
  for (auto& task : group.Tasks)
    if (!task.Vault) task.Vault = vault;
}

}  // namespace drover::jobspec
