// Functions over lists, sets, maps, tuples and objects.
#include <fmt/format.h>

#include <algorithm>

#include "hcl/convert.h"
#include "hcl/function_impl.h"

namespace drover::hcl {

namespace {

constexpr size_t kMaxElements = 1'000'000;

bool is_list_like(const Value& v) { return v.is_usable() && (v.is(Kind::kList) || v.is(Kind::kTuple)); }

CallResult chunk_list(Arguments a, const FunctionHost&) {
  auto size = whole_number(a[1]);
  if (!size) return call_error("invalid size: " + size.error().message);
  if (*size < 0) return call_error("the size argument must be positive");
  Type inner = a[0].type();
  auto& in = a[0].elements();
  size_t step = *size == 0 ? std::max<size_t>(in.size(), 1) : static_cast<size_t>(*size);
  Value::Elements out;
  for (size_t at = 0; at < in.size(); at += step) {
    auto end = in.begin() + static_cast<long>(std::min(in.size(), at + std::min(step, in.size())));
    out.push_back(Value::list(inner.element(), Value::Elements(in.begin() + static_cast<long>(at), end)));
    if (step > in.size()) break;
  }
  return Value::list(inner, std::move(out));
}

// The type that all could have. Beside a bare null, which could have any, what does not agree stays as it is: types of
// one kind with different elements, and what nothing joins except objects with tuples.
std::optional<Type> type_of_any(Arguments a) {
  std::vector<Type> types;
  for (auto& v : a)
    if (!v.type().is(Kind::kDynamic)) types.push_back(v.type());
  if (types.size() == a.size() || types.empty()) return unify(types);
  auto has = [&](Kind kind) { return std::any_of(types.begin(), types.end(), [&](auto& t) { return t.is(kind); }); };
  bool equal = std::all_of(types.begin(), types.end(), [&](auto& t) { return t == types[0]; });
  bool one_kind = std::all_of(types.begin(), types.end(), [&](auto& t) { return t.kind() == types[0].kind(); });
  if (has(Kind::kObject) && has(Kind::kTuple)) return std::nullopt;
  if (one_kind && !equal) return Type::dynamic();
  return unify(types).value_or(Type::dynamic());
}

CallResult coalesce(Arguments a, const FunctionHost&) {
  auto type = type_of_any(a);
  if (!type || a.empty()) return call_error("all arguments must have the same type");
  for (auto& v : a) {
    if (v.is_null()) continue;
    auto converted = convert(v, *type);
    if (!converted) return call_error(converted.error());
    return std::move(*converted);
  }
  return call_error("no non-null arguments");
}

CallResult coalesce_list(Arguments a, const FunctionHost&) {
  if (a.empty()) return call_error("at least one argument is required");
  for (auto& v : a) {
    if (!v.is_usable() || !v.is_sequence()) return call_error("coalescelist arguments must be lists or tuples");
  }
  for (auto& v : a) {
    if (v.size() > 0) return v;
  }
  return call_error("no non-null arguments");
}

CallResult compact(Arguments a, const FunctionHost&) {
  Value::Elements out;
  for (auto& v : a[0].elements()) {
    if (!v.is_null() && !v.as_string().empty()) out.push_back(v);
  }
  return Value::list(Type::string(), std::move(out));
}

CallResult concat(Arguments a, const FunctionHost&) {
  if (a.empty()) return call_error("at least one argument is required");
  Value::Elements all;
  std::vector<Type> types;
  bool lists = true;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!is_list_like(a[i])) {
      return argument_error(static_cast<int>(i), fmt::format("all arguments must be lists or tuples; got {}", a[i].type().name()));
    }
    lists = lists && a[i].is(Kind::kList);
    types.push_back(a[i].type());
    all.insert(all.end(), a[i].elements().begin(), a[i].elements().end());
    if (all.size() > kMaxElements) return call_error(kResultTooLarge);
  }
  if (lists) {
    if (auto type = unify(types); type && type->is(Kind::kList)) {
      for (auto& v : all) {
        if (auto converted = convert(v, type->element())) v = std::move(*converted);
      }
      return Value::list(type->element(), std::move(all));
    }
  }
  return Value::tuple(std::move(all));
}

CallResult contains(Arguments a, const FunctionHost&) {
  if (!a[0].is_sequence()) return call_error("argument must be list, tuple, or set");
  for (auto& v : a[0].elements()) {
    if (equals(v, a[1]).as_bool()) return Value::boolean(true);
  }
  return Value::boolean(false);
}

CallResult distinct(Arguments a, const FunctionHost&) {
  auto& in = a[0].elements();
  // Sorted places find doubles without comparing every pair.
  std::vector<size_t> order(in.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return Value::compare(in[x], in[y]) < 0; });
  std::vector<bool> keep(in.size(), true);
  for (size_t i = 1; i < order.size(); ++i) {
    if (Value::compare(in[order[i - 1]], in[order[i]]) == 0) keep[order[i]] = false;
  }
  Value::Elements out;
  for (size_t i = 0; i < in.size(); ++i) {
    if (keep[i]) out.push_back(in[i]);
  }
  return Value::list(a[0].type().element(), std::move(out));
}

CallResult element(Arguments a, const FunctionHost&) {
  if (!is_list_like(a[0])) return call_error(fmt::format("cannot read elements from {}", a[0].type().name()));
  auto index = whole_number(a[1]);
  if (!index) return call_error("invalid index: " + index.error().message);
  if (*index < 0) return call_error("cannot use element function with a negative index");
  if (a[0].size() == 0) return call_error("cannot use element function with an empty list");
  return a[0].elements()[static_cast<uint64_t>(*index) % a[0].size()];
}

void flatten_into(const Value& value, Value::Elements& out) {
  for (auto& v : value.elements()) {
    if (v.is_usable() && v.is_sequence()) flatten_into(v, out); else out.push_back(v);
  }
}

CallResult flatten(Arguments a, const FunctionHost&) {
  if (!a[0].is_sequence()) return call_error("can only flatten lists, sets and tuples");
  Value::Elements out;
  flatten_into(a[0], out);
  return Value::tuple(std::move(out));
}

CallResult index(Arguments a, const FunctionHost&) {
  auto& collection = a[0];
  switch (collection.kind()) {
    case Kind::kTuple:
    case Kind::kList: {
      const char* what = collection.is(Kind::kTuple) ? "tuple" : "list";
      if (!a[1].is(Kind::kNumber)) return call_error(fmt::format("key for {} must be number", what));
      auto i = a[1].as_number().to_int64();
      if (!i && collection.is(Kind::kTuple))
        return call_error(fmt::format("invalid key for tuple: value must be a whole number, between {} and {}", INT64_MIN, INT64_MAX));
      if (i && *i >= 0 && static_cast<uint64_t>(*i) < collection.size()) return collection.elements()[static_cast<size_t>(*i)];
      if (collection.is(Kind::kList)) return call_error("invalid index");
      return call_error(fmt::format("key must be between 0 and {} inclusive", collection.size()));
    }
    case Kind::kMap: {
      if (!a[1].is(Kind::kString)) return call_error("key for map must be string");
      auto* found = collection.find(a[1].as_string());
      if (!found) return call_error("invalid index");
      return *found;
    }
    default:
      return call_error("collection must be a list, a map or a tuple");
  }
}

CallResult keys(Arguments a, const FunctionHost&) {
  if (!a[0].is_mapping()) return argument_error(0, "must have map or object type");
  Value::Elements out;
  for (auto& e : a[0].entries()) out.push_back(Value::raw_string(e.first));
  return a[0].is(Kind::kMap) ? Value::list(Type::string(), std::move(out)) : Value::tuple(std::move(out));
}

CallResult values(Arguments a, const FunctionHost&) {
  if (!a[0].is_mapping()) return call_error("values() requires a map as the first argument");
  Value::Elements out;
  for (auto& e : a[0].entries()) out.push_back(e.second);
  return a[0].is(Kind::kMap) ? Value::list(a[0].type().element(), std::move(out)) : Value::tuple(std::move(out));
}

CallResult length(Arguments a, const FunctionHost&) {
  if (!a[0].is_sequence() && !a[0].is(Kind::kMap)) return call_error("collection must be a list, a map or a tuple");
  return Value::number(static_cast<int64_t>(a[0].size()));
}

CallResult lookup(Arguments a, const FunctionHost&) {
  if (!a[0].is_mapping()) return argument_error(0, "lookup() requires a map as the first argument");
  Value fallback = a[2];
  if (a[0].is(Kind::kMap)) {
    auto converted = convert(fallback, a[0].type().element());
    if (!converted) return argument_error(2, "the default value must have the same type as the map elements");
    fallback = std::move(*converted);
  }
  auto* found = a[0].find(a[1].as_string());
  return found ? *found : fallback;
}

CallResult merge(Arguments a, const FunctionHost&) {
  Value::Entries all;
  std::vector<Type> types;
  for (auto& v : a) {
    if (v.is_null()) continue;
    if (!v.is_mapping()) return call_error(fmt::format("arguments must be maps or objects, got \"{}\"", v.type().name()));
    types.push_back(v.type());
    all.insert(all.end(), v.entries().begin(), v.entries().end());
    if (all.size() > kMaxElements) return call_error(kResultTooLarge);
  }
  bool same_map = !types.empty() && types[0].is(Kind::kMap) &&
                  std::all_of(types.begin(), types.end(), [&](auto& t) { return t == types[0]; });
  if (same_map) return Value::map(types[0].element(), std::move(all));
  return Value::object(std::move(all));
}

// All sets converted to sets of one element type.
std::expected<std::vector<Value>, CallError> same_sets(Arguments a) {
  std::vector<Type> types;
  for (auto& v : a) types.push_back(v.type().element());
  auto element = unify(types);
  if (!element) return call_error("given sets must all have compatible element types");
  std::vector<Value> out;
  for (auto& v : a) {
    auto converted = convert(v, Type::set(*element));
    if (!converted) return call_error(converted.error());
    out.push_back(std::move(*converted));
  }
  return out;
}

template <bool kUnion>
CallResult combine_sets(Arguments a, const FunctionHost&) {
  auto sets = same_sets(a);
  if (!sets) return std::unexpected(sets.error());
  Type element = (*sets)[0].type().element();
  Value::Elements out = (*sets)[0].elements();
  auto less = [](auto& x, auto& y) { return Value::compare(x, y) < 0; };
  for (size_t i = 1; i < sets->size(); ++i) {
    Value::Elements next;
    auto& other = (*sets)[i].elements();
    if constexpr (kUnion) {
      std::set_union(out.begin(), out.end(), other.begin(), other.end(), std::back_inserter(next), less);
    } else {
      std::set_intersection(out.begin(), out.end(), other.begin(), other.end(), std::back_inserter(next), less);
    }
    out = std::move(next);
  }
  return Value::set(element, std::move(out));
}

CallResult set_product(Arguments a, const FunctionHost&) {
  if (a.size() < 2) return call_error("at least two arguments are required");
  std::vector<Value> inputs;
  std::vector<Type> types;
  bool all_sets = true;
  size_t total = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].is_sequence()) return argument_error(static_cast<int>(i), "a set or a list is required");
    all_sets = all_sets && a[i].is(Kind::kSet);
    auto input = a[i].is(Kind::kTuple) ? convert(a[i], Type::list(Type::dynamic())) : a[i];
    if (!input) return argument_error(static_cast<int>(i), "all elements must be of the same type");
    types.push_back(input->type().element());
    total *= input->size();
    if (total > kMaxElements) return call_error(kResultTooLarge);
    inputs.push_back(std::move(*input));
  }
  Value::Elements out;
  out.reserve(total);
  for (size_t n = 0; n < total; ++n) {
    Value::Elements row(inputs.size());
    size_t rest = n;
    for (size_t i = inputs.size(); i-- > 0;) {
      row[i] = inputs[i].elements()[rest % inputs[i].size()];
      rest /= inputs[i].size();
    }
    out.push_back(Value::tuple(std::move(row)));
  }
  Type element = Type::tuple(std::move(types));
  return all_sets ? Value::set(element, std::move(out)) : Value::list(element, std::move(out));
}

CallResult slice(Arguments a, const FunctionHost&) {
  if (!is_list_like(a[0])) return argument_error(0, "must be a list or tuple value");
  auto start = whole_number(a[1]), end = whole_number(a[2]);
  if (!start) return argument_error(1, "invalid start index: " + start.error().message);
  if (!end) return argument_error(2, "invalid end index: " + end.error().message);
  auto size = static_cast<int64_t>(a[0].size());
  if (*start < 0) return argument_error(1, "start index must not be less than zero");
  if (*start > size) return argument_error(1, "start index must not be greater than the length of the list");
  if (*end < 0) return argument_error(2, "end index must not be less than zero");
  if (*end > size) return argument_error(2, "end index must not be greater than the length of the list");
  if (*start > *end) return argument_error(1, "start index must not be greater than end index");
  auto& in = a[0].elements();
  Value::Elements out(in.begin() + *start, in.begin() + *end);
  return a[0].is(Kind::kList) ? Value::list(a[0].type().element(), std::move(out)) : Value::tuple(std::move(out));
}

CallResult sort(Arguments a, const FunctionHost&) {
  Value::Elements out = a[0].elements();
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i].is_null()) return call_error(fmt::format("given list element {} is null; a null string cannot be sorted", i));
  }
  std::sort(out.begin(), out.end(), [](auto& x, auto& y) { return x.as_string() < y.as_string(); });
  return Value::list(Type::string(), std::move(out));
}

CallResult zipmap(Arguments a, const FunctionHost&) {
  if (!is_list_like(a[1])) return call_error("values argument must be a list or tuple value");
  auto &names = a[0].elements(), &items = a[1].elements();
  if (names.size() != items.size()) {
    return call_error(fmt::format("number of keys ({}) does not match number of values ({})", names.size(), items.size()));
  }
  Value::Entries out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].is_null()) return call_error(fmt::format("keys list has null value at index {}", i));
    out.emplace_back(names[i].as_string(), items[i]);
  }
  return a[1].is(Kind::kList) ? Value::map(a[1].type().element(), std::move(out)) : Value::object(std::move(out));
}

}  // namespace

void add_collection_functions(FunctionList& out) {
  Type s = Type::string(), n = Type::number(), any, list = Type::list(any), set = Type::set(any), strings = Type::list(s);
  out.push_back({"chunklist", {{"list", list}, {"size", n}}, {}, chunk_list});
  out.push_back({"coalesce", {}, Parameter{"vals", any, true}, coalesce});
  out.push_back({"coalescelist", {}, Parameter{"vals", any, true}, coalesce_list});
  out.push_back({"compact", {{"list", strings}}, {}, compact});
  out.push_back({"concat", {}, Parameter{"seqs", any}, concat});
  out.push_back({"contains", {{"list", any}, {"value", any}}, {}, contains});
  out.push_back({"distinct", {{"list", list}}, {}, distinct});
  out.push_back({"element", {{"list", any}, {"index", n}}, {}, element});
  out.push_back({"flatten", {{"list", any}}, {}, flatten});
  out.push_back({"index", {{"collection", any}, {"key", any}}, {}, index});
  out.push_back({"keys", {{"inputMap", any}}, {}, keys});
  out.push_back({"values", {{"mapping", any}}, {}, values});
  out.push_back({"length", {{"collection", any}}, {}, length});
  out.push_back({"lookup", {{"inputMap", any}, {"key", s}, {"default", any}}, {}, lookup});
  out.push_back({"merge", {}, Parameter{"maps", any, true}, merge});
  out.push_back({"setintersection", {{"first_set", set}}, Parameter{"other_sets", set}, combine_sets<false>});
  out.push_back({"setunion", {{"first_set", set}}, Parameter{"other_sets", set}, combine_sets<true>});
  out.push_back({"setproduct", {}, Parameter{"sets", any}, set_product});
  out.push_back({"slice", {{"list", any}, {"start_index", n}, {"end_index", n}}, {}, slice});
  out.push_back({"sort", {{"list", strings}}, {}, sort});
  out.push_back({"zipmap", {{"keys", strings}, {"values", any}}, {}, zipmap});
}

}  // namespace drover::hcl
