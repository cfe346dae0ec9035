// The fleet in columns: for every node its attributes (as codes), what it has and what its allocations use.
//
// One Fleet belongs to one worker thread and lives across evaluations. `sync` brings it to a state by reading only
// the nodes that changed. What a scheduler asks of a node ("does it have the driver", "does the expression match")
// is kept as a bitmap over all nodes and maintained with them, so that the next evaluation with the same question
// only ands words. Row numbers depend on history; nothing that a user sees may.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/constraint.h"
#include "model/devices.h"
#include "model/fit.h"
#include "model/ports.h"
#include "scheduler/bitmap.h"
#include "scheduler/state_view.h"

namespace drover::scheduler {

inline constexpr uint32_t kNoRow = ~uint32_t{0};

// What the allocations on one node take. Those whose client is done with them are left out.
struct NodeUse {
  Usage usage;
  std::vector<uint16_t> cores;  // sorted
  bool core_twice = false;
  uint32_t port_holders = 0;  // allocations that have host ports or networks
  std::vector<Ref<Allocation>> allocs;

  void add(Ref<Allocation> alloc);
  // All but the list.
  void count(const Allocation& alloc);
};

// The ports of one node as its allocations leave them; `error` when they cannot be told.
struct NodePorts {
  NetworkIndex index;
  bool invalid_node = false;
  bool collision = false;
};

// One attribute of every node, as small numbers.
struct Column {
  static constexpr uint32_t kAbsent = 0;
  std::vector<uint32_t> codes;       // by row; kAbsent: the node has no such attribute
  std::vector<std::string> values;   // value of code c is values[c - 1]
  std::unordered_map<std::string, uint32_t> index;

  uint32_t code_of(const std::string& value);
  std::string_view value(uint32_t code) const { return code == kAbsent ? std::string_view() : values[code - 1]; }
};

class Fleet {
 public:
  // A question about one node. Must depend on nothing but the node.
  using Question = std::function<bool(const Node&)>;

  Fleet() = default;
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // References that were handed out before are invalid after.
  void sync(const std::shared_ptr<const StateView>& state);

  size_t rows() const { return nodes_.size(); }
  uint32_t row(const Uuid& node) const;
  // Null for a row whose node is gone.
  const Ref<Node>& node(uint32_t row) const { return nodes_[row]; }
  const NodeCapacity& capacity(uint32_t row) const { return capacity_[row]; }
  const NodeUse& use(uint32_t row) const { return use_[row]; }
  const NodePorts& ports(uint32_t row);
  // Rows of existing nodes in order of node id.
  const std::vector<uint32_t>& by_id();

  // The column of a target such as "${meta.rack}", made on first use.
  const Column& column(const std::string& target);
  const Column& datacenters() const { return datacenters_; }
  const Column& classes() const { return classes_; }            // ComputedClass
  const Column& node_classes() const { return node_classes_; }  // NodeClass
  const Bitmap& ready() const { return ready_; }

  // Rows whose node answers yes. `key` names the question for ever: the same key is never used for another question.
  const Bitmap& matching(const std::string& key, const Question& question);
  const Bitmap& matching(const Constraint& c);
  const Bitmap& matching(std::string_view left, std::string_view op, std::string_view right);

  ConstraintChecker& checker() { return checker_; }

 private:
  struct Answer {
    Question question;
    Bitmap rows;
  };

  void rebuild(const StateView& state);
  void update_node(const StateView& state, const Uuid& id);
  uint32_t add_row(const Uuid& id);
  void set_node(uint32_t row, Ref<Node> node);
  void remove_row(uint32_t row);
  void set_allocs(uint32_t row, std::vector<Ref<Allocation>> allocs);
  // Brings one allocation's change into the row of its node. False: all of the node must be read again.
  bool follow(const Ref<Allocation>& before, const Ref<Allocation>& after);

  std::shared_ptr<const StateView> state_;
  std::unordered_map<Uuid, uint32_t> row_of_;
  std::vector<uint32_t> free_rows_;
  std::vector<Ref<Node>> nodes_;
  std::vector<NodeCapacity> capacity_;
  std::vector<NodeUse> use_;
  std::vector<std::unique_ptr<NodePorts>> ports_;
  std::vector<uint32_t> by_id_;
  bool by_id_stale_ = false;
  Bitmap ready_;
  Column datacenters_, classes_, node_classes_;
  std::unordered_map<std::string, Column> columns_;
  std::unordered_map<std::string, Answer> answers_;
  ConstraintChecker checker_;
};

// The ports of a node under the given allocations.
NodePorts ports_of(const Node& node, std::span<const Ref<Allocation>> allocs);

}  // namespace drover::scheduler
