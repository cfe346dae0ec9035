#include "jobspec/hcl1_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

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

// The generic value of a node as the reference's decoder has it, by its type and as %v prints it. Objects are lists of one
// object, except in lists.
std::string_view go_type(const Node& node, bool in_list = false) {
  switch (node.kind) {
    case Kind1::kList: return "[]interface {}";
    case Kind1::kObject: return in_list ? "map[string]interface {}" : "[]map[string]interface {}";
    default: return "interface {}";
  }
}

std::string go_value(const Node& node, bool in_list = false);

// Labels are levels of their own.
std::string go_value(const Item& item) {
  auto text = go_value(item.value);
  for (size_t i = item.keys.size(); i-- > 1;) text = "[map[" + item.keys[i].text + ":" + text + "]]";
  return text;
}

std::string go_value(const Node& node, bool in_list) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Kind1::kBool: return node.boolean ? "true" : "false";
    case Kind1::kFloat: return format_double(node.as_double().value_or(0));
    case Kind1::kInt: return std::to_string(node.as_int().value_or(0));
    case Kind1::kList:
      for (auto& element : node.list) parts.push_back(go_value(element, true));
      return "[" + join(parts, " ") + "]";
    case Kind1::kObject: {
      std::map<std::string, std::string> members;
      for (auto& item : node.items) {
        members[item.keys[0].text] = go_value(item);
      }
      for (auto& [key, text] : members) parts.push_back(key + ":" + text);
      auto map = "map[" + join(parts, " ") + "]";
      return in_list ? map : "[" + map + "]";
    }
    default: return node.text;
  }
}

std::string unconvertible(std::string_view name, std::string_view wanted, const Node& node, bool in_list = false) {
  return fmt::format("'{}' expected type '{}', got unconvertible type '{}', value: '{}'", name, wanted, go_type(node, in_list),
                     go_value(node, in_list));
}

// A block with labels where text should be.
std::string labelled_text(std::string_view name, const Item& item) {
  return fmt::format("'{}' expected type 'string', got unconvertible type '[]map[string]interface {{}}', value: '{}'", name, go_value(item));
}

// Decimal, or after a prefix hexadecimal, octal or binary; "" or what is wrong.
std::string_view parse_any_base(std::string_view text, bool is_unsigned, int64_t& out) {
  std::string digits(text);
  bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.erase(0, 1);
  if (is_unsigned && digits.size() != text.size()) return "invalid syntax";
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    char c = static_cast<char>(digits[1] | 0x20);
    base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
    digits.erase(0, c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
  }
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || end != digits.data() + digits.size()) return "invalid syntax";
  uint64_t most = is_unsigned ? UINT64_MAX : static_cast<uint64_t>(INT64_MAX) + negative;
  if (error != std::errc() || value > most) return "value out of range";
  out = static_cast<int64_t>(negative ? 0 - value : value);
  return "";
}

}  // namespace

// Text of a scalar: bools are 1 and 0 here.
std::string weak_text(std::string_view name, const Node& node, std::string& out, bool in_list) {
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
    default: return unconvertible(name, "string", node, in_list);
  }
}

std::string weak_int(std::string_view name, const Node& node, std::string_view type, int64_t& out) {
  switch (node.kind) {
    case Kind1::kBool: out = node.boolean; return "";
    case Kind1::kNull: return "";
    case Kind1::kFloat: {
      // What does not fit becomes the smallest number, as on the reference's usual machines.
      double d = node.as_double().value_or(0);
      out = d >= -0x1p63 && d < 0x1p63 ? static_cast<int64_t>(d) : INT64_MIN;
      return "";
    }
    case Kind1::kInt:
      if (auto n = node.as_int()) return out = *n, "";
      return fmt::format("cannot parse '{}' as int: value out of range", name);
    case Kind1::kString: {
      if (node.text.empty()) return out = 0, "";
      bool is_unsigned = type.starts_with("uint");
      auto why = parse_any_base(node.text, is_unsigned, out);
      if (why.empty()) return "";
      return fmt::format("cannot parse '{}' as {}: strconv.Parse{}: parsing {}: {}", name, is_unsigned ? "uint" : "int",
                         is_unsigned ? "Uint" : "Int", go_quote(node.text), why);
    }
    default: return unconvertible(name, type, node);
  }
}

namespace {

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
    auto problem = weak_text(fmt::format("{}[{}]", name, i), element, text, true);
    list.push_back(std::move(text));
    return problem;
  };
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
    case Kind::kPointer: return weak(name, node, type.element(), type.add(p, {}));
    default: return "";
  }
}

// The name of a member in the decoder's complaints: as in the file where that is more than the field's name in lower case.
std::string_view decoded_name(const Spec::Entry& entry) {
  if (entry.member.name == "cron") return "Spec";
  if (entry.member.name == "uid" || entry.member.name == "gid") return entry.member.name;
  return equal_fold(entry.member.name, entry.field->name) ? entry.field->name : entry.member.name;
}

// The members in order of their names, those of one name in the order of the file: maps are sorted lists, which grow at
// their ends in constant time.
std::vector<const Item*> by_name(const Node& node) {
  std::vector<const Item*> out;
  for (auto& item : node.items) out.push_back(&item);
  std::stable_sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->keys[0].text < b->keys[0].text; });
  return out;
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

// What is special about blocks in the reference's parser for each of them.
struct Words {
  std::string_view name;
  std::string_view duplicate;  // {0} is the name, {1} how many there are
  bool bare = false;           // the duplicate is told without the block's name in front
  bool doubled = false;        // the name is in front of wrong keys twice
  bool skips_labelled = false;
  bool silent = false;      // never in front
  bool any_keys = false;    // unknown keys are passed over
};

constexpr Words kWords[] = {
    {"periodic", "only one '{0}' block allowed per job"},
    {"parameterized", "only one '{0}' block allowed per job"},
    {"resources", "only one 'resource' block allowed per task", false, true, true},
    {"identity", "only one '{0}' block allowed per task", false, true, true},
    {"vault", "only one '{0}' block allowed per task", false, true, true},
    {"proxy", "only one '{0}' block allowed per task", true, true, false, true},
    {"logs", "only one logs block is allowed in a Task. Number of logs block found: {1}", true},
    {"lifecycle", "only one {0} block is allowed in a task. Number of {0} blocks found: {1}", true},
    {"dispatch_payload", "only one {0} block is allowed in a task. Number of {0} blocks found: {1}", true},
    {"csi_plugin", "Expected single block, got {1}", false, false, false, false, true},
    {"connect", "", false, false, false, true},
    {"volume", "", false, false, false, false, true},
    {"mount_options", "", false, false, false, false, true},
    {"spread", "", false, false, true},
    {"artifact", "", false, false, true},
    {"template", "", false, false, true},
};

const Words& words_of(std::string_view name) {
  static constexpr Words kUsual{};
  auto* found = std::find_if(std::begin(kWords), std::end(kWords), [&](auto& w) { return w.name == name; });
  return found == std::end(kWords) ? kUsual : *found;
}

Problem only_one(std::string_view name, size_t count) {
  auto text = words_of(name).duplicate;
  if (text.empty()) text = "only one '{0}' block allowed";
  return Problem(fmt::format(fmt::runtime(text), name, count));
}

}  // namespace

Problem no_object(const Node& node) {
  return Problem(fmt::format("At {}: root: not an object type for map (*ast.{})", node.pos.str(), node.is(Kind1::kList) ? "ListType" : "LiteralType"));
}

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
    if (!block->value.is(Kind1::kObject)) return no_object(block->value);
    out.vec();
    for (auto* named : by_name(block->value)) {
      auto& item = *named;
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
    if (block->keys.size() > 1) continue;
    if (!block->value.is(Kind1::kObject)) return no_object(block->value);
    out.vec();
    std::vector<std::string> problems;
    for (auto* named : by_name(block->value)) {
      auto& item = *named;
      std::string text;
      auto& name = item.keys[0].text;
      auto problem = item.keys.size() > 1 ? labelled_text("[" + name + "]", item) : weak_text("[" + name + "]", item.value, text);
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
                                        : weak(decoded_name(*entry), item.value, entry->field->type(), entry->field->in(object));
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  if (problems.empty()) return {};
  std::sort(problems.begin(), problems.end());
  return Problem(fmt::format("{} error(s) decoding:\n\n* {}", problems.size(), join(problems, "\n* ")));
}

Problem Hcl1Decoder::object(const Spec& spec, const Node& node, void* out, std::string_view where, bool any_keys) {
  if (!node.is(Kind1::kObject)) return no_object(node);
  bool handled = false;
  auto special = custom(spec, node, out, handled);
  if (handled) return special;
  if (auto problem = check_keys(node, spec); problem && !any_keys) return problem;
  if (auto problem = attributes(spec, node, out)) return problem;
  return blocks(spec, node, out, where);
}

Problem Hcl1Decoder::one(const Spec::Entry& entry, const Item& item, void* element) {
  auto& spec = *entry.member.spec();
  if (spec.label_field) {
    // The node of a labelled block without a label, or one with more of them.
    if (item.keys.size() < 2) return Problem(entry.member.name == "target" ? "missing spread target" : fmt::format("missing {} name", entry.member.name));
    auto& type = spec.label_field->type();
    void* p = spec.label_field->in(element);
    if (type.kind == Kind::kPointer) p = type.add(p, {});
    as<std::string>(p) = item.keys[1].text;
  }
  if (entry.member.name == "proxy") return std::move(proxy(spec, item.value, element)).flat().in("proxy,");
  if (words_of(entry.member.name).doubled && item.value.is(Kind1::kObject))
    DROVER_HCL1_CHECK(check_keys(item.value, spec), fmt::format("{} ->", entry.member.name));
  return object(spec, item.value, element, "", words_of(entry.member.name).any_keys);
}

Problem Hcl1Decoder::blocks(const Spec& spec, const Node& node, void* out, std::string_view where,
                            const std::vector<std::string_view>& but, std::string_view arrow) {
  for (auto& entry : spec.entries) {
    if (entry.member.shape == Shape::kAttribute) continue;
    if (std::find(but.begin(), but.end(), entry.member.name) != but.end()) continue;
    auto items = node.matching(entry.member.name);
    if (items.empty()) continue;
    auto& words = words_of(entry.member.name);
    if (words.skips_labelled) std::erase_if(items, [](auto* item) { return item->keys.size() > 1; });
    if (items.empty()) {
      if (entry.member.name == "resources") entry.field->type().add(entry.field->in(out), {});
      continue;
    }
    if (entry.member.shape == Shape::kMap) {
      // Of what is around these only tasks are named.
      if (auto problem = entry_blocks(entry, items, out))
        return (&spec == task_spec() ? std::move(problem).in(where) : std::move(problem)).nameless();
      continue;
    }
    bool single = entry.member.shape == Shape::kBlock && flattened(items).size() == 1;
    bool bare = words.silent || (words.bare && !single);
    auto context = fmt::format("{}{}{}{}", where, where.empty() || bare ? "" : " ", bare ? "" : entry.member.name, bare ? "" : arrow);
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
      if (all.size() != 1) return only_one(entry.member.name, all.size());
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
