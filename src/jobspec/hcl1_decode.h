// Decoding of HCL1 trees by the same tables as HCL2, with the leniency and the words of the legacy parser (reference
// jobspec section 12).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hcl/hcl1.h"
#include "jobspec/schema.h"
#include "model/api_job.h"

namespace drover::jobspec {

// What is wrong: one thing, or several found together. Layers put their context in front of each.
class Problem {
 public:
  Problem() = default;
  explicit Problem(std::string text) : items_{std::move(text)} {}
  static Problem several(std::vector<std::string> items);

  explicit operator bool() const { return !items_.empty(); }
  Problem in(std::string_view context) &&;
  // Several things as the text that they make together.
  Problem flat() && { return items_.empty() ? Problem() : Problem(text()); }
  std::string text() const;

  // Whether what is around it goes without its name in this complaint.
  Problem nameless() && {
    nameless_ = true;
    return std::move(*this);
  }
  bool is_nameless() const { return nameless_; }

 private:
  std::vector<std::string> items_;
  bool several_ = false;
  bool nameless_ = false;
};

#define DROVER_HCL1_CHECK(expr, context) \
  if (Problem problem = (expr)) return std::move(problem).in(context)

class Hcl1Decoder {
 public:
  // The struct at `object` from an object node. `where` is the context of problems in nested blocks ("'g',"), "" none.
  Problem object(const Spec& spec, const hcl1::Node& node, void* object, std::string_view where = "",
                 bool any_keys = false);

  // "invalid key: x" for every key that is not allowed.
  static Problem check_keys(const hcl1::Node& node, const Spec& spec, const std::vector<std::string_view>& also = {},
                            const std::vector<std::string_view>& not_these = {});
  // The plain attributes of a spec.
  static Problem attributes(const Spec& spec, const hcl1::Node& node, void* object);
  // Blocks of all shapes but those named.
  Problem blocks(const Spec& spec, const hcl1::Node& node, void* object, std::string_view where,
                 const std::vector<std::string_view>& but = {}, std::string_view arrow = " ->");

  // Each block's attributes merged into one map.
  static Problem merge_map(const std::vector<const hcl1::Item*>& items, Map<std::string>& out);
  static Problem merge_config(const std::vector<const hcl1::Item*>& items, Map<Value>& out);
  Problem network(const hcl1::Node& node, api::NetworkResource& out);

 private:
  Problem one(const Spec::Entry& entry, const hcl1::Item& item, void* object);
  Problem custom(const Spec& spec, const hcl1::Node& node, void* object, bool& handled);
  Problem entry_blocks(const Spec::Entry& entry, const std::vector<const hcl1::Item*>& items, void* object);
  Problem proxy(const Spec& spec, const hcl1::Node& node, void* out);
  Problem service(const Spec& spec, const hcl1::Node& node, api::Service& out);
  Problem resources(const Spec& spec, const hcl1::Node& node, api::Resources& out);
};

// A value as the legacy reader of free-form objects gives it: objects within objects are lists of one.
Value hcl1_value(const hcl1::Node& node, bool in_list = false);

// What is said of something that should be an object.
Problem no_object(const hcl1::Node& node);

// Scalars as the legacy decoder takes them, leniently; "" or what is wrong with the value called `name`.
std::string weak_text(std::string_view name, const hcl1::Node& node, std::string& out, bool in_list = false);
std::string weak_int(std::string_view name, const hcl1::Node& node, std::string_view type, int64_t& out);

Problem hcl1_constraints(const std::vector<const hcl1::Item*>& items, List<api::Constraint>& out);
Problem hcl1_affinities(const std::vector<const hcl1::Item*>& items, List<api::Affinity>& out);

}  // namespace drover::jobspec
