// Bodies: what a file or a block contains, seen through a schema, in either syntax.
//
//   Diagnostics d;
//   auto file = parse_file("job.hcl", text, d);
//   Content c = file.body().content({{{"name"}}, {{"group", {"name"}}}}, d);
//   if (auto* a = c.attribute("name")) ... a->expr.value(&scope, d) ...
//   for (auto& b : c.blocks) ... b.labels[0], b.body ...
//
// A Body keeps its file alive. Attributes, blocks and expressions got from it point into that file: they are good
// as long as the File or some Body of it lives.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/eval.h"
#include "hcl/value.h"

namespace drover::hcl {

struct AttributeSchema {
  std::string name;
  bool required = false;
};
struct BlockSchema {
  std::string type;
  std::vector<std::string> labels;  // their names, for messages
};
struct Schema {
  std::vector<AttributeSchema> attributes;
  std::vector<BlockSchema> blocks;
};

// The names that dynamic blocks around an expression bind.
struct Iteration {
  std::shared_ptr<const Iteration> outer;
  std::string name;
  Value value;  // { key, value }
};

// An expression where it stands: with the iterators of the dynamic blocks around it.
class Expression {
 public:
  Expression() = default;
  explicit Expression(const Expr* node, std::shared_ptr<const Iteration> iteration = nullptr)
      : node_(node), iteration_(std::move(iteration)) {}

  // The value in `scope` (null: constant, see Scope). Unknown after an error.
  Value value(const Scope* scope, Diagnostics& diagnostics) const;
  Range range() const { return node_->range; }
  Range start_range() const;
  // A lone identifier, or a JSON string that is one; else "".
  std::string keyword() const { return keyword_of(*node_); }
  // The expressions of a tuple literal or a JSON array; an error otherwise.
  std::vector<Expression> list(Diagnostics& diagnostics) const;
  const Expr& node() const { return *node_; }
  const std::shared_ptr<const Iteration>& iteration() const { return iteration_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  const Expr* node_ = nullptr;
  std::shared_ptr<const Iteration> iteration_;
};

struct Attribute {
  std::string name;
  Expression expr;
  Range range;       // name to value
  Range name_range;
};

struct Block;
struct Content;

class Body {
 public:
  class Impl;
  Body() = default;  // empty
  explicit Body(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  // What the schema names. Anything else in the body, missing required attributes and wrong labels are errors.
  Content content(const Schema& schema, Diagnostics& diagnostics) const;
  // The same, but the rest is left for another look: it is in `remain`.
  Content partial_content(const Schema& schema, Body& remain, Diagnostics& diagnostics) const;
  // All attributes, whatever their names; blocks are errors.
  std::vector<Attribute> just_attributes(Diagnostics& diagnostics) const;
  // Where something that is missing should have been: the opening brace, empty.
  Range missing_item_range() const;

  // The tree of a native-syntax body; null for JSON. For bodies without a schema (driver config), together with
  // `place`, which puts an expression of the tree into the iterations around this body.
  const BodyNode* native() const;
  Expression place(const Expr& expr) const;
  bool is_json() const;
  const std::shared_ptr<const Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

struct Block {
  std::string type;
  std::vector<std::string> labels;
  Body body;
  Range def_range;   // type and labels
  Range type_range;
  std::vector<Range> label_ranges;
};

struct Content {
  std::vector<Attribute> attributes;  // in order of appearance
  std::vector<Block> blocks;          // in order of appearance
  Range missing_item_range;
  const Attribute* attribute(std::string_view name) const;
};

// A parsed file of either syntax.
class File {
 public:
  const Body& body() const { return body_; }
  bool is_json() const { return body_.is_json(); }

 private:
  friend File parse_file(std::string, std::string, Diagnostics&);
  Body body_;
};

// JSON if the first byte that is not a blank (0x20) is `{`, else native syntax.
File parse_file(std::string name, std::string text, Diagnostics& diagnostics);

// The same body with `dynamic` blocks expanded, at any depth, as it is looked at. for_each and labels are evaluated
// in `scope`, which must outlive the result.
Body expand_dynamic(const Body& body, const Scope* scope);

}  // namespace drover::hcl
