// HCL1: the older configuration language of agent files and of `-hcl1` jobs. No expressions: `${...}` is plain text.
// JSON is read into the same tree.
//
//   DROVER_TRY(auto root, hcl1::parse(text));
//   for (auto* item : root.matching("server")) ... item->value.matching("enabled") ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace drover::hcl1 {

constexpr int kMaxDepth = 256;

// Line and column from 1; columns count characters.
struct Pos {
  int line = 1;
  int column = 1;
  std::string str() const;  // "4:1"
};

struct Item;

enum class Kind : unsigned char { kNull, kString, kInt, kFloat, kBool, kList, kObject };

struct Node {
  Kind kind = Kind::kNull;
  Pos pos;
  std::string text;          // kString: the value (escapes resolved); kInt, kFloat: as written
  bool boolean = false;      // kBool
  bool heredoc = false;      // kString
  std::vector<Node> list;    // kList
  std::vector<Item> items;   // kObject, in order; keys may repeat

  bool is(Kind k) const { return kind == k; }
  bool is_scalar() const { return kind == Kind::kString || kind == Kind::kInt || kind == Kind::kFloat || kind == Kind::kBool; }

  // Items of an object whose first key is `key`.
  std::vector<const Item*> matching(std::string_view key, bool fold_case = false) const;
  // The only or first of them with no further keys, or null.
  const Node* find(std::string_view key, bool fold_case = false) const;

  // Lenient readings, as the reference decodes: numbers from text, text from numbers and bools, bools from `true`,
  // `false` and numbers.
  std::optional<std::string> as_string() const;
  std::optional<int64_t> as_int() const;
  std::optional<double> as_double() const;
  std::optional<bool> as_bool() const;
  // A list of scalars; a single scalar is a list of one.
  std::optional<std::vector<std::string>> as_strings() const;
};

struct Key {
  std::string text;
  Pos pos;
};

// `key = value`, `key { ... }` or `key "label" { ... }`.
struct Item {
  std::vector<Key> keys;  // at least one; labels after the first
  Node value;
  bool assigned = false;  // written with `=`
  // The label after the first key; "" without one.
  std::string_view label() const { return keys.size() > 1 ? std::string_view(keys[1].text) : std::string_view(); }
};

// The root object. Errors read `At LINE:COLUMN: what`. If the first byte that is no white space is `{`, the text is
// JSON; objects of objects then turn into items with several keys, and lists of objects into several items.
Result<Node> parse(std::string_view text);

}  // namespace drover::hcl1
