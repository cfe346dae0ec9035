#include "scheduler/fleet.h"

#include <algorithm>

#include "model/status.h"

namespace drover::scheduler {
namespace {

// Jobs name targets and questions; these bound what their variety can cost.
constexpr size_t kColumnsMax = 256;
constexpr size_t kAnswersMax = 1024;
// A column whose values come and go is made anew when most of its dictionary is dead.
constexpr size_t kDeadValuesMin = 1024;

}  // namespace

void NodeUse::add(Ref<Allocation> alloc) {
  if (is_client_terminal(*alloc)) return;
  count(*alloc);
  allocs.push_back(std::move(alloc));
}

void NodeUse::count(const Allocation& alloc) {
  auto one = comparable(alloc);
  usage += one.usage;
  for (auto core : one.cores) {
    auto at = std::lower_bound(cores.begin(), cores.end(), core);
    if (at != cores.end() && *at == core) {
      core_twice = true;
    } else {
      cores.insert(at, core);
    }
  }
  port_holders += holds_ports(alloc);
}

NodePorts ports_of(const Node& node, std::span<const Ref<Allocation>> allocs) {
  NodePorts p;
  if (!p.index.set_node(node)) {
    p.invalid_node = true;
  } else {
    p.collision = !p.index.add_allocs(allocs).empty();
  }
  return p;
}

uint32_t Column::code_of(const std::string& value) {
  auto [it, fresh] = index.try_emplace(value, static_cast<uint32_t>(values.size() + 1));
  if (fresh) values.push_back(value);
  return it->second;
}

uint32_t Fleet::row(const Uuid& node) const {
  auto it = row_of_.find(node);
  return it == row_of_.end() ? kNoRow : it->second;
}

void Fleet::sync(const std::shared_ptr<const StateView>& state) {
  if (state == state_) return;
  std::vector<Uuid> changed;
  // Most changes are new allocations and clients' reports: those need no look at the rest of their node.
  auto alloc_changed = [&](const Ref<Allocation>& before, const Ref<Allocation>& after) {
    if (follow(before, after)) return;
    if (before) changed.push_back(before->NodeID);
    if (after && (!before || after->NodeID != before->NodeID)) changed.push_back(after->NodeID);
  };
  bool known = state_ && state->changes(*state_, [&](const Uuid& id) { changed.push_back(id); }, alloc_changed);
  if (known) {
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    for (auto& id : changed) update_node(*state, id);
  } else {
    rebuild(*state);
  }
  // Only here: within an evaluation, columns and answers are held by reference.
  if (columns_.size() > kColumnsMax) columns_.clear();
  if (answers_.size() > kAnswersMax) answers_.clear();
  std::erase_if(columns_, [&](auto& c) { return c.second.values.size() > kDeadValuesMin + 4 * rows(); });
  state_ = state;
}

void Fleet::rebuild(const StateView& state) {
  Bitmap seen(rows());
  state.each_node([&](const Ref<Node>& node) {
    auto r = row(node->ID);
    if (r == kNoRow) r = add_row(node->ID);
    seen.grow(rows());
    seen.set(r);
    if (nodes_[r] != node) set_node(r, node);
    set_allocs(r, state.allocs_by_node(node->ID));
  });
  for (uint32_t r = 0; r < rows(); ++r)
    if (nodes_[r] && !seen.test(r)) remove_row(r);
}

void Fleet::update_node(const StateView& state, const Uuid& id) {
  auto node = state.node(id);
  auto r = row(id);
  if (!node) {
    if (r != kNoRow) remove_row(r);
    return;
  }
  if (r == kNoRow) r = add_row(id);
  if (nodes_[r] != node) set_node(r, std::move(node));
  set_allocs(r, state.allocs_by_node(id));
}

uint32_t Fleet::add_row(const Uuid& id) {
  uint32_t r;
  if (!free_rows_.empty()) {
    r = free_rows_.back();
    free_rows_.pop_back();
  } else {
    r = static_cast<uint32_t>(nodes_.size());
    auto n = nodes_.size() + 1;
    nodes_.resize(n);
    capacity_.resize(n);
    use_.resize(n);
    ports_.resize(n);
    ready_.grow(n);
    for (auto* c : {&datacenters_, &classes_, &node_classes_}) c->codes.resize(n);
    for (auto& [target, c] : columns_) c.codes.resize(n);
    for (auto& [key, a] : answers_) a.rows.grow(n);
  }
  row_of_[id] = r;
  by_id_stale_ = true;
  return r;
}

void Fleet::set_node(uint32_t r, Ref<Node> node) {
  nodes_[r] = std::move(node);
  auto& n = *nodes_[r];
  capacity_[r] = node_capacity(n);
  ports_[r].reset();
  ready_.set(r, is_ready(n));
  datacenters_.codes[r] = datacenters_.code_of(n.Datacenter);
  classes_.codes[r] = classes_.code_of(n.ComputedClass);
  node_classes_.codes[r] = n.NodeClass.empty() ? Column::kAbsent : node_classes_.code_of(n.NodeClass);
  for (auto& [target, c] : columns_) {
    auto value = resolve_target(target, n);
    c.codes[r] = value ? c.code_of(*value) : Column::kAbsent;
  }
  for (auto& [key, a] : answers_) a.rows.set(r, a.question(n));
}

void Fleet::remove_row(uint32_t r) {
  row_of_.erase(nodes_[r]->ID);
  nodes_[r] = nullptr;
  use_[r] = {};
  ports_[r].reset();
  ready_.set(r, false);
  for (auto& [key, a] : answers_) a.rows.set(r, false);
  for (auto& [target, c] : columns_) c.codes[r] = Column::kAbsent;
  free_rows_.push_back(r);
  by_id_stale_ = true;
}

void Fleet::set_allocs(uint32_t r, std::vector<Ref<Allocation>> allocs) {
  std::erase_if(allocs, [](auto& a) { return is_client_terminal(*a); });
  std::sort(allocs.begin(), allocs.end(), [](auto& a, auto& b) { return a->ID < b->ID; });
  if (allocs == use_[r].allocs) return;  // pointers: the same objects
  bool held_ports = use_[r].port_holders > 0;
  use_[r] = {};
  for (auto& a : allocs) use_[r].add(std::move(a));
  if (held_ports || use_[r].port_holders > 0) ports_[r].reset();
}

bool Fleet::follow(const Ref<Allocation>& before, const Ref<Allocation>& after) {
  if (!after || (before && before->NodeID != after->NodeID)) return false;
  auto r = row(after->NodeID);
  if (r == kNoRow) return false;
  bool was = before && !is_client_terminal(*before), is = !is_client_terminal(*after);
  if (!is) return !was;
  auto& use = use_[r];
  auto at = std::lower_bound(use.allocs.begin(), use.allocs.end(), after->ID, [](auto& a, const Uuid& id) { return a->ID < id; });
  bool there = at != use.allocs.end() && (*at)->ID == after->ID;
  if (was) {
    auto &x = before->AllocatedResources, &y = after->AllocatedResources;
    if (!there || *at != before || !x || !y || (x != y && !(*x == *y))) return false;
    *at = after;
    return true;
  }
  if (there) return false;
  use.allocs.insert(at, after);
  use.count(*after);
  if (holds_ports(*after)) ports_[r].reset();
  return true;
}

const NodePorts& Fleet::ports(uint32_t r) {
  if (!ports_[r]) ports_[r] = std::make_unique<NodePorts>(ports_of(*nodes_[r], use_[r].allocs));
  return *ports_[r];
}

const std::vector<uint32_t>& Fleet::by_id() {
  if (by_id_stale_) {
    by_id_.clear();
    for (uint32_t r = 0; r < rows(); ++r)
      if (nodes_[r]) by_id_.push_back(r);
    std::sort(by_id_.begin(), by_id_.end(), [&](uint32_t a, uint32_t b) { return nodes_[a]->ID < nodes_[b]->ID; });
    by_id_stale_ = false;
  }
  return by_id_;
}

const Column& Fleet::column(const std::string& target) {
  if (auto it = columns_.find(target); it != columns_.end()) return it->second;
  auto& c = columns_[target];
  c.codes.resize(rows(), Column::kAbsent);
  for (uint32_t r = 0; r < rows(); ++r) {
    if (!nodes_[r]) continue;
    if (auto value = resolve_target(target, *nodes_[r])) c.codes[r] = c.code_of(*value);
  }
  return c;
}

const Bitmap& Fleet::matching(const std::string& key, const Question& question) {
  if (auto it = answers_.find(key); it != answers_.end()) return it->second.rows;
  auto& a = answers_[key];
  a.question = question;
  a.rows.resize(rows());
  for (uint32_t r = 0; r < rows(); ++r)
    if (nodes_[r]) a.rows.set(r, question(*nodes_[r]));
  return a.rows;
}

const Bitmap& Fleet::matching(std::string_view left, std::string_view op, std::string_view right) {
  std::string key = "constraint";
  for (auto part : {left, op, right}) key.append(1, '\0').append(part);
  if (auto it = answers_.find(key); it != answers_.end()) return it->second.rows;
  // Few distinct values stand behind many nodes: each is judged once, the answer is remembered with the question.
  struct Judge {
    Constraint c;
    ConstraintChecker* checker;
    std::unordered_map<std::string, bool> verdicts;
    bool operator()(const Node& node) {
      auto l = resolve_target(c.LTarget, node), r = resolve_target(c.RTarget, node);
      auto text = [](const std::optional<std::string>& v) { return v ? TargetValue(*v) : std::nullopt; };
      auto judge = [&] { return checker->check(c.Operand, text(l), text(r)); };
      if (verdicts.size() > kDeadValuesMin) return judge();
      std::string pair = l ? "=" + *l : "-";
      pair.append(1, '\0').append(r ? "=" + *r : "-");
      auto it = verdicts.find(pair);
      if (it == verdicts.end()) it = verdicts.emplace(std::move(pair), judge()).first;
      return it->second;
    }
  };
  Constraint c{.LTarget = std::string(left), .RTarget = std::string(right), .Operand = std::string(op)};
  return matching(key, Judge{std::move(c), &checker_, {}});
}

const Bitmap& Fleet::matching(const Constraint& c) { return matching(c.LTarget, c.Operand, c.RTarget); }

}  // namespace drover::scheduler
