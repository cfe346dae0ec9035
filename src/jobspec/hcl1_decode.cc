#include "jobspec/hcl1_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/strings.h"
#include "jobspec/schema_parts.h"
#include "model/multi_error.h"

namespace drover::jobspec {

using hcl1::Item;
using hcl1::Node;
using Kind1 = hcl1::Kind;

Problem Problem::several(std::vector<std::string> items) {
  Problem out;
  out.items_ = std::move(items);
  out.several_ = true;
  return out;
}

Problem Problem::in(std::string_view context) && {
  if (!context.empty())
    for (auto& item : items_) item = std::string(context) + " " + item;
  return std::move(*this);
}

std::string Problem::text() const {
  if (!several_) return items_.empty() ? "" : items_[0];
  MultiError errors;
  for (auto& item : items_) errors.add(item);
  return errors.text();
}

namespace {

template <class T>
T& as(void* p) {
  return *static_cast<T*>(p);
}

std::string_view go_type(const Node& node) {
  switch (node.kind) {
    case Kind1::kList: return "[]interface {}";
    case Kind1::kObject: return "[]map[string]interface {}";
    default: return "interface {}";
  }
}

std::string unconvertible(std::string_view name, std::string_view wanted, const Node& node) {
  return fmt::format("'{}' expected type '{}', got unconvertible type '{}'", name, wanted, go_type(node));
}

// Text of a scalar: bools are 1 and 0 here.
std::string weak_text(std::string_view name, const Node& node, std::string& out) {
  switch (node.kind) {
    case Kind1::kString: out = node.text; return "";
    case Kind1::kBool: out = node.boolean ? "1" : "0"; return "";
    case Kind1::kInt:
      if (auto n = node.as_int()) out = std::to_string(*n);
      return "";
    case Kind1::kFloat:
      if (auto d = node.as_double()) out = format_double(*d);
      return "";
    case Kind1::kNull: return "";
    default: return unconvertible(name, "string", node);
  }
}

std::string weak_bool(std::string_view name, const Node& node, bool& out) {
  switch (node.kind) {
    case Kind1::kBool: out = node.boolean; return "";
    case Kind1::kInt:
    case Kind1::kFloat: out = node.as_double().value_or(0) != 0; return "";
    case Kind1::kNull: return "";
    case Kind1::kString: {
      auto parsed = node.text.empty() ? std::optional(false) : parse_bool(node.text);
      if (!parsed)
        return fmt::format("cannot parse '{}' as bool: strconv.ParseBool: parsing {}: invalid syntax", name,
                           go_quote(node.text));
      out = *parsed;
      return "";
    }
    default: return unconvertible(name, "bool", node);
  }
}

std::string weak_int(std::string_view name, const Node& node, std::string_view type, int64_t& out) {
  switch (node.kind) {
    case Kind1::kBool: out = node.boolean; return "";
    case Kind1::kNull: return "";
    case Kind1::kFloat: out = static_cast<int64_t>(node.as_double().value_or(0)); return "";
    case Kind1::kInt:
      if (auto n = node.as_int()) return out = *n, "";
      return fmt::format("cannot parse '{}' as int: value out of range", name);
    case Kind1::kString: {
      auto parsed = node.text.empty() ? std::optional<int64_t>(0) : parse_int(node.text);
      if (!parsed)
        return fmt::format("cannot parse '{}' as int: strconv.ParseInt: parsing {}: invalid syntax", name,
                           go_quote(node.text));
      out = *parsed;
      return "";
    }
    default: return unconvertible(name, type, node);
  }
}

std::string weak_duration(std::string_view name, const Node& node, Duration& out) {
  if (node.is(Kind1::kString)) {
    auto parsed = parse_duration(node.text);
    if (!parsed) return fmt::format("error decoding '{}': {}", name, parsed.error().message);
    out = *parsed;
    return "";
  }
  int64_t nanoseconds = 0;
  auto problem = weak_int(name, node, "time.Duration", nanoseconds);
  out = Duration(nanoseconds);
  return problem;
}

std::string weak_list(std::string_view name, const Node& node, List<std::string>& out) {
  std::vector<std::string> list;
  auto add = [&](const Node& element, size_t i) {
    std::string text;
    auto problem = weak_text(fmt::format("{}[{}]", name, i), element, text);
    list.push_back(std::move(text));
    return problem;
  };
  if (node.is(Kind1::kObject)) return unconvertible(name, "[]string", node);
  if (node.is(Kind1::kList)) {
    for (size_t i = 0; i < node.list.size(); ++i)
      if (auto problem = add(node.list[i], i); !problem.empty()) return problem;
  } else if (auto problem = add(node, 0); !problem.empty()) {
    return problem;
  }
  out = List<std::string>(std::move(list));
  return "";
}

std::string weak(std::string_view name, const Node& node, const TypeInfo& type, void* p) {
  switch (type.kind) {
    case Kind::kString: return weak_text(name, node, as<std::string>(p));
    case Kind::kBool: return weak_bool(name, node, as<bool>(p));
    case Kind::kDuration: return weak_duration(name, node, as<Duration>(p));
    case Kind::kList: return weak_list(name, node, as<List<std::string>>(p));
    case Kind::kInt:
    case Kind::kUint: {
      int64_t value = 0;
      auto problem = weak_int(name, node, type.go_type, value);
      std::memcpy(p, &value, type.size);
      return problem;
    }
    case Kind::kPointer:
      if (node.is(Kind1::kNull)) return "";
      return weak(name, node, type.element(), type.add(p, {}));
    default: return "";
  }
}

// Objects of a list count one by one.
std::vector<Item> flattened(const std::vector<const Item*>& items) {
  std::vector<Item> out;
  for (auto* item : items) {
    if (!item->value.is(Kind1::kList)) {
      out.push_back(*item);
      continue;
    }
    for (auto& element : item->value.list) {
      Item single{item->keys, element, item->assigned};
      out.push_back(std::move(single));
    }
  }
  return out;
}

Problem only_one(std::string_view name) { return Problem(fmt::format("only one '{}' block allowed", name)); }

}  // namespace

Value hcl1_value(const Node& node, bool in_list) {
  switch (node.kind) {
    case Kind1::kNull: return {};
    case Kind1::kString: return Value(node.text);
    case Kind1::kBool: return Value(node.boolean);
    case Kind1::kInt: {
      auto n = node.as_int();
      return n ? Value(*n) : Value(node.as_double().value_or(0));
    }
    case Kind1::kFloat: return Value(node.as_double().value_or(0));
    case Kind1::kList: {
      auto list = List<Value>::empty_list();
      for (auto& element : node.list) list.push_back(hcl1_value(element, true));
      return Value(std::move(list));
    }
    case Kind1::kObject: break;
  }
  Map<Value> object;
  std::vector<const Item*> items;
  for (auto& item : node.items) items.push_back(&item);
  Item self{{{"", {}}}, node, true};
  static_cast<void>(Hcl1Decoder::merge_config({&self}, object));
  object.vec();
  if (in_list) return Value(std::move(object));
  return Value(List<Value>{Value(std::move(object))});
}

Problem Hcl1Decoder::merge_config(const std::vector<const Item*>& items, Map<Value>& out) {
  for (auto* block : items) {
    if (!block->value.is(Kind1::kObject)) return Problem(fmt::format("'' expected a map, got '{}'", go_type(block->value)));
    out.vec();
    for (auto& item : block->value.items) {
      auto value = hcl1_value(item.value);
      // Labels are levels of their own.
      for (size_t i = item.keys.size(); i-- > 1;) {
        Map<Value> labelled;
        labelled[item.keys[i].text] = std::move(value);
        value = Value(List<Value>{Value(std::move(labelled))});
      }
      auto& slot = out[item.keys[0].text];
      bool both_lists = item.value.is(Kind1::kObject) && slot.as_array() && value.as_array();
      if (both_lists)
        for (auto& element : *value.as_array()) slot.as_array()->push_back(element);
      else
        slot = std::move(value);
    }
  }
  return {};
}

Problem Hcl1Decoder::merge_map(const std::vector<const Item*>& items, Map<std::string>& out) {
  for (auto* block : items) {
    if (!block->value.is(Kind1::kObject)) return Problem(fmt::format("'' expected a map, got '{}'", go_type(block->value)));
    std::vector<std::string> problems;
    for (auto& item : block->value.items) {
      std::string text;
      auto& name = item.keys[0].text;
      auto problem = item.keys.size() > 1 ? unconvertible("[" + name + "]", "string", block->value)
                                          : weak_text("[" + name + "]", item.value, text);
      if (!problem.empty()) problems.push_back(problem);
      out[name] = std::move(text);
    }
    if (!problems.empty())
      return Problem(fmt::format("{} error(s) decoding:\n\n* {}", problems.size(), join(problems, "\n* ")));
  }
  return {};
}

Problem Hcl1Decoder::check_keys(const Node& node, const Spec& spec, const std::vector<std::string_view>& also,
                                const std::vector<std::string_view>& not_these) {
  auto has = [](const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> wrong;
  for (auto& item : node.items) {
    std::string_view key = item.keys[0].text;
    bool known = (spec.find(key) && !has(not_these, key)) || has(also, key);
    if (!known) wrong.push_back("invalid key: " + std::string(key));
  }
  return wrong.empty() ? Problem() : Problem::several(std::move(wrong));
}

Problem Hcl1Decoder::attributes(const Spec& spec, const Node& node, void* object) {
  std::vector<std::string> problems;
  for (auto& item : node.items) {
    auto* entry = spec.find(item.keys[0].text);
    if (!entry || entry->member.shape != Shape::kAttribute) continue;
    auto problem = item.keys.size() > 1 ? fmt::format("'{}' expected a scalar, got 'slice'", item.keys[0].text)
                                        : weak(entry->member.name, item.value, entry->field->type(), entry->field->in(object));
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  if (problems.empty()) return {};
  std::sort(problems.begin(), problems.end());
  return Problem(fmt::format("{} error(s) decoding:\n\n* {}", problems.size(), join(problems, "\n* ")));
}

Problem Hcl1Decoder::object(const Spec& spec, const Node& node, void* out, std::string_view where) {
  if (!node.is(Kind1::kObject)) return Problem("should be an object");
  bool handled = false;
  auto special = custom(spec, node, out, handled);
  if (handled) return special;
  if (auto problem = check_keys(node, spec)) return problem;
  if (auto problem = attributes(spec, node, out)) return problem;
  return blocks(spec, node, out, where);
}

Problem Hcl1Decoder::one(const Spec::Entry& entry, const Item& item, void* element) {
  auto& spec = *entry.member.spec();
  if (spec.label_field) {
    // The node of a labelled block without a label, or one with more of them.
    if (item.keys.size() < 2) return Problem(fmt::format("missing {} name", entry.member.name));
    auto& type = spec.label_field->type();
    void* p = spec.label_field->in(element);
    if (type.kind == Kind::kPointer) p = type.add(p, {});
    as<std::string>(p) = item.keys[1].text;
  }
  return object(spec, item.value, element);
}

Problem Hcl1Decoder::blocks(const Spec& spec, const Node& node, void* out, std::string_view where,
                            const std::vector<std::string_view>& but, std::string_view arrow) {
  for (auto& entry : spec.entries) {
    if (entry.member.shape == Shape::kAttribute) continue;
    if (std::find(but.begin(), but.end(), entry.member.name) != but.end()) continue;
    auto items = node.matching(entry.member.name);
    if (items.empty()) continue;
    auto context = fmt::format("{}{}{}{}", where, where.empty() ? "" : " ",
                               entry.member.name == "connect" ? "" : entry.member.name,
                               entry.member.name == "connect" ? "" : arrow);
    DROVER_HCL1_CHECK(entry_blocks(entry, items, out), context);
  }
  return {};
}

Problem Hcl1Decoder::entry_blocks(const Spec::Entry& entry, const std::vector<const Item*>& items, void* object) {
  auto& type = entry.field->type();
  void* p = entry.field->in(object);
  switch (entry.member.shape) {
    case Shape::kMap: return merge_map(items, as<Map<std::string>>(p));
    case Shape::kOpaque: return merge_config(items, as<Map<Value>>(p));
    case Shape::kListMap: {
      auto& map = as<Map<List<std::string>>>(p);
      for (auto* block : items)
        for (auto& item : block->value.items) {
          if (!item.value.is(Kind1::kList))
            return Problem(fmt::format("{} expected a []string but found string", go_quote(item.keys[0].text)));
          for (auto& element : item.value.list) {
            if (!element.is(Kind1::kString)) return Problem(fmt::format("{} expected a string", go_quote(item.keys[0].text)));
            map[item.keys[0].text].push_back(element.text);
          }
        }
      return {};
    }
    case Shape::kBlock: {
      auto all = flattened(items);
      if (all.size() != 1) return only_one(entry.member.name);
      if (entry.member.spec()->label_field == nullptr && all[0].keys.size() > 1 && entry.member.name == "scaling")
        return Problem("task group scaling policy should not have a name");
      return one(entry, all[0], type.add(p, {}));
    }
    case Shape::kNamed:
      for (auto& item : flattened(items)) {
        if (item.keys.size() < 2) {
          // Volumes without a name are passed over; other things by name need one.
          if (entry.member.name == "volume") continue;
          return Problem(fmt::format("{} must have a name", entry.member.name));
        }
        void* element = type.add(p, item.keys[1].text);
        type.element().reset(element);
        if (auto problem = one(entry, item, element)) return problem;
      }
      return {};
    default: {
      auto& spec = *entry.member.spec();
      if (&spec == constraint()) return hcl1_constraints(items, as<List<api::Constraint>>(p));
      if (&spec == affinity()) return hcl1_affinities(items, as<List<api::Affinity>>(p));
      for (auto& item : flattened(items)) {
        // Regions without a name are passed over.
        if (entry.member.name == "region" && item.keys.size() < 2) continue;
        if (auto problem = one(entry, item, type.add(p, {}))) return problem;
      }
      return {};
    }
  }
}

}  // namespace drover::jobspec
