// The tree of an expression and of a native-syntax body. Nodes are immutable after parsing and live in their File.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hcl/source.h"
#include "hcl/value.h"

namespace drover::hcl {

// How deep blocks, brackets, operators and templates may nest together. Evaluation and destruction recurse.
constexpr int kMaxDepth = 256;

enum class ExprKind : unsigned char {
  kLiteral, kTemplate, kTemplateWrap, kTemplateLoop, kScopeTraversal, kRelativeTraversal, kIndex, kSplat, kItem,
  kCall, kTuple, kObject, kFor, kConditional, kBinary, kUnary, kParens, kJson,
};

struct Expr {
  ExprKind kind;
  Range range;
  int depth = 1;  // of the tree below, this node included
  Expr(ExprKind k, const Range& r) : kind(k), range(r) {}
  virtual ~Expr() = default;
};
using ExprPtr = std::unique_ptr<Expr>;

struct LiteralExpr : Expr {
  Value value;
  LiteralExpr(const Range& r, Value v) : Expr(ExprKind::kLiteral, r), value(std::move(v)) {}
};

// Text with interpolations: the parts joined as strings. Never empty.
struct TemplateExpr : Expr {
  std::vector<ExprPtr> parts;
  explicit TemplateExpr(const Range& r) : Expr(ExprKind::kTemplate, r) {}
};

// Exactly one interpolation: its value, of any type.
struct TemplateWrapExpr : Expr {
  ExprPtr wrapped;
  explicit TemplateWrapExpr(const Range& r) : Expr(ExprKind::kTemplateWrap, r) {}
};

// `%{ for }`: the strings of the tuple that `loop` gives, joined.
struct TemplateLoopExpr : Expr {
  ExprPtr loop;
  explicit TemplateLoopExpr(const Range& r) : Expr(ExprKind::kTemplateLoop, r) {}
};

// `.name`, `[literal]` or the legacy `.0`.
struct Step {
  bool attribute = true;
  std::string name;  // attribute
  Value key;         // index
  Range range;       // with the dot or the brackets
};

// A name and the steps from it: `var.a["b"].0`.
struct ScopeTraversalExpr : Expr {
  std::string root;
  Range root_range;
  std::vector<Step> steps;
  explicit ScopeTraversalExpr(const Range& r) : Expr(ExprKind::kScopeTraversal, r) {}
};

struct RelativeTraversalExpr : Expr {
  ExprPtr source;
  std::vector<Step> steps;
  explicit RelativeTraversalExpr(const Range& r) : Expr(ExprKind::kRelativeTraversal, r) {}
};

// `collection[key]` with a key that is not a literal.
struct IndexExpr : Expr {
  ExprPtr collection, key;
  Range open, bracket;  // `[`, and all from `[` to `]`
  explicit IndexExpr(const Range& r) : Expr(ExprKind::kIndex, r) {}
};

// `source[*].each` or `source.*.each`; `each` is an expression over an ItemExpr (or that itself).
struct SplatExpr : Expr {
  ExprPtr source, each;
  Range marker;
  int slot = 0;  // which ItemExpr is meant, as splats nest
  explicit SplatExpr(const Range& r) : Expr(ExprKind::kSplat, r) {}
};
struct ItemExpr : Expr {
  int slot = 0;
  explicit ItemExpr(const Range& r) : Expr(ExprKind::kItem, r) {}
};

struct CallExpr : Expr {
  std::string name;
  Range name_range, open, close;
  std::vector<ExprPtr> args;
  bool expand_last = false;
  explicit CallExpr(const Range& r) : Expr(ExprKind::kCall, r) {}
};

struct TupleExpr : Expr {
  std::vector<ExprPtr> items;
  Range open;
  explicit TupleExpr(const Range& r) : Expr(ExprKind::kTuple, r) {}
};

struct ObjectExpr : Expr {
  struct Item {
    ExprPtr key, value;
  };
  std::vector<Item> items;
  Range open;
  explicit ObjectExpr(const Range& r) : Expr(ExprKind::kObject, r) {}
};

// `[for k, v in c : value if cond]`, or with `key =>` and braces an object.
struct ForExpr : Expr {
  std::string key_name, value_name;  // key_name may be empty
  ExprPtr collection, key, value, condition;  // key: objects only; condition may be null
  bool group = false;
  Range open;
  explicit ForExpr(const Range& r) : Expr(ExprKind::kFor, r) {}
};

struct ConditionalExpr : Expr {
  ExprPtr condition, if_true, if_false;
  explicit ConditionalExpr(const Range& r) : Expr(ExprKind::kConditional, r) {}
};

enum class Operator : unsigned char {
  kOr, kAnd, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kAdd, kSubtract, kMultiply, kDivide,
  kModulo, kNegate, kNot,
};

struct BinaryExpr : Expr {
  Operator op = Operator::kOr;
  ExprPtr left, right;
  explicit BinaryExpr(const Range& r) : Expr(ExprKind::kBinary, r) {}
};

struct UnaryExpr : Expr {
  Operator op = Operator::kNot;
  ExprPtr operand;
  Range symbol;
  explicit UnaryExpr(const Range& r) : Expr(ExprKind::kUnary, r) {}
};

struct ParensExpr : Expr {
  ExprPtr inner;
  explicit ParensExpr(const Range& r) : Expr(ExprKind::kParens, r) {}
};

// Where a reader's eye should go for "this value is wrong": the start of the expression.
Range start_range(const Expr& expr);

// A lone identifier (also `true`, `null`), or ""; `text` of JSON strings counts too.
std::string keyword_of(const Expr& expr);

struct BodyNode;

struct AttributeNode {
  std::string name;
  ExprPtr expr;
  Range range, name_range;
};

struct BlockNode {
  std::string type;
  std::vector<std::string> labels;
  Range type_range;
  std::vector<Range> label_ranges;
  Range open_brace;
  std::unique_ptr<BodyNode> body;
  // Type and labels.
  Range header_range() const { return label_ranges.empty() ? type_range : range_between(type_range, label_ranges.back()); }
};

struct BodyNode {
  std::vector<AttributeNode> attributes;  // in order of appearance, names distinct
  std::vector<BlockNode> blocks;
  Range range;
};

}  // namespace drover::hcl
