// HCL1: job, groups, tasks, services.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "jobspec/hcl1_decode.h"
#include "jobspec/jobspec.h"
#include "jobspec/schema_parts.h"

namespace drover::jobspec {

using hcl1::Item;
using hcl1::Node;
using Kind1 = hcl1::Kind;

namespace {

// What is wrong with the first number below `node` that none can be; "" if all are good.
std::string faulty_number(const Node& node) {
  if (node.is(Kind1::kInt) && !node.as_int()) return fmt::format("strconv.ParseInt: parsing {}: value out of range", go_quote(node.text));
  if (node.is(Kind1::kFloat) && !parse_double(node.text)) {
    bool digits = node.text.find_first_not_of("0123456789+-.eE") == std::string::npos && std::isdigit(static_cast<unsigned char>(node.text.back()));
    return fmt::format("strconv.ParseFloat: parsing {}: {}", go_quote(node.text), digits ? "value out of range" : "invalid syntax");
  }
  for (auto& element : node.list)
    if (auto fault = faulty_number(element); !fault.empty()) return fault;
  for (auto& item : node.items)
    if (auto fault = faulty_number(item.value); !fault.empty()) return fault;
  return "";
}

class JobReader {
 public:
  Problem job(const std::vector<const Item*>& items, api::Job& out) {
    if (items.size() != 1) return Problem("only one 'job' block allowed");
    auto& item = *items[0];
    if (item.keys.size() < 2) return Problem("'job' block missing name");
    auto& name = item.keys[1].text;
    out.ID = out.Name = name;
    auto& node = item.value;
    if (!node.is(Kind1::kObject)) return Problem(fmt::format("job '{}' value: should be an object", name));
    auto& spec = *job_spec();
    if (auto fault = faulty_number(node); !fault.empty()) return Problem(std::move(fault));
    if (auto problem = Hcl1Decoder::attributes(spec, node, &out)) return problem;
    DROVER_HCL1_CHECK(Hcl1Decoder::check_keys(node, spec, {"task", "vault"}), "job:");
    if (auto problem = decoder_.blocks(spec, node, &out, "", {"group"})) return problem;
    if (out.Periodic && out.Periodic->Spec) out.Periodic->SpecType = "cron";
    DROVER_HCL1_CHECK(job_tasks(node.matching("task"), out), "task:");
    DROVER_HCL1_CHECK(groups(node.matching("group"), out.TaskGroups), "group:");
    return inherit_vault(node.matching("vault"), out);
  }

 private:
  // Items with a label, each label once; those without one are passed over, as the legacy parser does.
  template <class F>
  Problem named(const std::vector<const Item*>& items, std::string_view kind, F&& each) {
    std::set<std::string> seen;
    for (auto* item : items) {
      if (item->keys.size() < 2) continue;
      auto& name = item->keys[1].text;
      if (!seen.insert(name).second) return Problem(fmt::format("{} '{}' defined more than once", kind, name));
      if (!item->value.is(Kind1::kObject)) return Problem(fmt::format("{} '{}': should be an object", kind, name));
      if (auto problem = each(name, item->value)) return problem;
    }
    return {};
  }

  Problem vault(std::vector<const Item*> items, Box<api::Vault>& out, std::string_view context) {
    std::erase_if(items, [](auto* item) { return item->keys.size() > 1; });
    if (items.empty()) return {};
    if (items.size() > 1) return Problem("only one 'vault' block allowed per task").in(context);
    if (items[0]->value.is(Kind1::kObject))
      DROVER_HCL1_CHECK(Hcl1Decoder::check_keys(items[0]->value, *vault_spec()), std::string(context) + " vault ->");
    DROVER_HCL1_CHECK(decoder_.object(*vault_spec(), items[0]->value, &out.emplace()), context);
    return {};
  }

  Problem inherit_vault(const std::vector<const Item*>& items, api::Job& out) {
    Box<api::Vault> own;
    if (auto problem = vault(items, own, "vault ->")) return problem;
    if (!own) return {};
    for (auto& group : out.TaskGroups)
      for (auto& task : group.Tasks)
        if (!task.Vault) task.Vault = own;
    return {};
  }

  Problem job_tasks(const std::vector<const Item*>& items, api::Job& out) {
    List<api::Task> alone;
    if (auto problem = tasks(items, alone)) return problem;
    if (!items.empty()) out.TaskGroups.vec();
    for (auto& task : alone) {
      auto& group = out.TaskGroups.emplace_back();
      group.Name = task.Name;
      group.Tasks.push_back(std::move(task));
    }
    return {};
  }

  Problem groups(const std::vector<const Item*>& items, List<api::TaskGroup>& out) {
    return named(items, "group", [&](const std::string& name, const Node& node) {
      return group(name, node, out.emplace_back());
    });
  }

  Problem group(const std::string& name, const Node& node, api::TaskGroup& out) {
    auto& spec = *group_spec();
    out.Name = name;
    DROVER_HCL1_CHECK(Hcl1Decoder::check_keys(node, spec, {"vault"}), fmt::format("'{}' ->", name));
    if (auto problem = Hcl1Decoder::attributes(spec, node, &out)) return problem;
    auto where = fmt::format("'{}',", name);
    static const std::vector<std::string_view> kNameless = {"update", "migrate", "volume", "scaling", "spread"};
    static const std::vector<std::string_view> kOwn = {"network", "task", "service"};
    auto but = kOwn;
    but.insert(but.end(), kNameless.begin(), kNameless.end());
    if (auto problem = decoder_.blocks(spec, node, &out, where, but)) return problem;
    auto networks = node.matching("network");
    if (networks.size() > 1) return Problem("only one 'network' resource allowed");
    for (auto* item : networks)
      if (auto problem = decoder_.network(item->value, out.Networks.emplace_back())) return problem;
    but = kOwn;
    for (auto& entry : spec.entries)
      if (std::find(kNameless.begin(), kNameless.end(), entry.member.name) == kNameless.end()) but.push_back(entry.member.name);
    if (auto problem = decoder_.blocks(spec, node, &out, "", but)) return problem;
    DROVER_HCL1_CHECK(tasks(node.matching("task"), out.Tasks), where + " task:");
    Box<api::Vault> own;
    if (auto problem = vault(node.matching("vault"), own, where + " vault ->")) return problem;
    for (auto& task : out.Tasks)
      if (own && !task.Vault) task.Vault = own;
    DROVER_HCL1_CHECK(services(node.matching("service"), out.Services), where);
    return {};
  }

  Problem tasks(const std::vector<const Item*>& items, List<api::Task>& out) {
    return named(items, "task", [&](const std::string& name, const Node& node) {
      return task(name, node, out.emplace_back());
    });
  }

  Problem task(const std::string& name, const Node& node, api::Task& out) {
    auto& spec = *task_spec();
    out.Name = name;
    auto where = fmt::format("'{}',", name);
    DROVER_HCL1_CHECK(Hcl1Decoder::check_keys(node, spec, {"scaling"}), where);
    DROVER_HCL1_CHECK(Hcl1Decoder::attributes(spec, node, &out), where);
    if (auto problem = decoder_.blocks(spec, node, &out, where, {"service", "vault"})) return problem;
    DROVER_HCL1_CHECK(services(node.matching("service"), out.Services), where);
    DROVER_HCL1_CHECK(scaling(node.matching("scaling"), out), where);
    return vault(node.matching("vault"), out.Vault, where + " vault ->");
  }

  Problem scaling(const std::vector<const Item*>& items, api::Task& out) {
    for (auto* item : items) {
      if (item->keys.size() < 2) return Problem("scaling -> task scaling policy missing name");
      auto context = fmt::format("scaling[{}] ->", item->keys[1].text);
      auto label = to_lower(item->keys[1].text);
      if (label != "cpu" && label != "mem") return Problem("scaling policy name must be \"cpu\" or \"mem\"").in(context);
      if (item->value.matching("max").empty()) return Problem("missing 'max'").in(context);
      auto& policy = out.ScalingPolicies.emplace_back();
      DROVER_HCL1_CHECK(decoder_.object(*task_scaling_spec(), item->value, &policy), context);
      auto wanted = "vertical_" + label;
      if (!policy.Type.empty() && policy.Type != wanted)
        return Problem("policy had invalid 'type': " + go_quote(policy.Type)).in(context);
      policy.Type = wanted;
    }
    return {};
  }

  Problem services(const std::vector<const Item*>& items, List<api::Service>& out) {
    for (size_t i = 0; i < items.size(); ++i) {
      auto& node = items[i]->value;
      auto& service = out.emplace_back();
      auto problem = decoder_.object(*jobspec::service(), node, &service);
      if (problem)
        return std::move(problem).in(problem.is_nameless() ? fmt::format("service ({}):", i) : fmt::format("service ({}): '{}',", i, service.Name));
    }
    return {};
  }

  Hcl1Decoder decoder_;
};

}  // namespace

Result<api::Job> parse_hcl1(std::string_view text) {
  auto root = hcl1::parse(text);
  if (!root) return invalid("error parsing: " + root.error().message);
  if (!root->is(Kind1::kObject)) return invalid("error parsing: root should be an object");
  std::vector<std::string> wrong;
  for (auto& item : root->items)
    if (item.keys[0].text != "job") wrong.push_back("invalid key: " + item.keys[0].text);
  if (!wrong.empty()) return invalid(Problem::several(std::move(wrong)).text());
  auto jobs = root->matching("job");
  if (jobs.empty()) return invalid("'job' block not found");
  api::Job out;
  if (auto problem = JobReader().job(jobs, out)) return invalid("error parsing 'job': " + problem.text());
  return out;
}

}  // namespace drover::jobspec
