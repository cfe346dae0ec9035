// Expressions of the native syntax.
#include <fmt/format.h>

#include <algorithm>

#include "hcl/parser_impl.h"

namespace drover::hcl {

namespace {

constexpr const char* kExpectedExpression = "Expected the start of an expression, but found an invalid expression token.";

struct BinaryOperator {
  Tok token;
  int level;
  Operator op;
};
constexpr BinaryOperator kBinaryOperators[] = {
    {Tok::kOr, 1, Operator::kOr},          {Tok::kAnd, 2, Operator::kAnd},
    {Tok::kEqualEqual, 3, Operator::kEqual}, {Tok::kNotEqual, 3, Operator::kNotEqual},
    {Tok::kLess, 4, Operator::kLess},      {Tok::kLessEqual, 4, Operator::kLessEqual},
    {Tok::kGreater, 4, Operator::kGreater}, {Tok::kGreaterEqual, 4, Operator::kGreaterEqual},
    {Tok::kPlus, 5, Operator::kAdd},       {Tok::kMinus, 5, Operator::kSubtract},
    {Tok::kStar, 6, Operator::kMultiply},  {Tok::kSlash, 6, Operator::kDivide},
    {Tok::kPercent, 6, Operator::kModulo}};

const BinaryOperator* find_operator(Tok token) {
  for (auto& o : kBinaryOperators) {
    if (o.token == token) return &o;
  }
  return nullptr;
}

}  // namespace

ExprPtr Parser::expression() {
  Nested nested(*this);
  if (too_deep(range(peek()))) return nullptr;
  auto condition = binary(1);
  if (failed_ || peek().type != Tok::kQuestion) return condition;
  next();
  auto if_true = expression();
  if (failed_) return nullptr;
  if (peek().type != Tok::kColon) {
    fault("Missing false expression in conditional",
          "The conditional operator (...?...:...) requires a false expression, delimited by a colon.", range(peek()),
          range_between(condition->range, range(peek())));
    return condition;
  }
  next();
  auto if_false = expression();
  if (failed_) return nullptr;
  auto node = std::make_unique<ConditionalExpr>(range_between(condition->range, if_false->range));
  node->condition = std::move(condition);
  node->if_true = std::move(if_true);
  node->if_false = std::move(if_false);
  auto& n = *node;
  return finish(std::move(node), n.condition, n.if_true, n.if_false);
}

ExprPtr Parser::binary(int level) {
  auto left = operand();
  while (!failed_) {
    auto* found = find_operator(peek().type);
    if (!found || found->level < level) return left;
    next();
    auto right = binary(found->level + 1);
    if (failed_) return nullptr;
    auto node = std::make_unique<BinaryExpr>(range_between(left->range, right->range));
    node->op = found->op;
    node->left = std::move(left);
    node->right = std::move(right);
    auto& n = *node;
    left = finish(std::move(node), n.left, n.right);
  }
  return nullptr;
}

ExprPtr Parser::operand() {
  size_t before = diagnostics_->size();
  auto from = term();
  return traversals(std::move(from), before);
}

// Accesses are read even behind what failed. `before` is how many diagnostics there were before the operand.
ExprPtr Parser::traversals(ExprPtr from, size_t before) {
  while (!aborted_) {
    const Token t = peek();
    failed_ = false;
    if (!from) from = placeholder(range(t));
    if (t.type == Tok::kDot) {
      next();
      from = dot_traversal(std::move(from), t);
    } else if (t.type == Tok::kOpenBracket) {
      from = bracket_traversal(std::move(from));
    } else {
      failed_ = recovering_ && diagnostics_->size() != before;
      return failed_ ? nullptr : std::move(from);
    }
  }
  failed_ = true;
  return nullptr;
}

ExprPtr Parser::append_step(ExprPtr from, Step step) {
  Range end = step.range;
  if (from->kind == ExprKind::kScopeTraversal) {
    static_cast<ScopeTraversalExpr&>(*from).steps.push_back(std::move(step));
    from->range = range_between(from->range, end);
    return from;
  }
  if (from->kind == ExprKind::kRelativeTraversal) {
    static_cast<RelativeTraversalExpr&>(*from).steps.push_back(std::move(step));
    from->range = range_between(from->range, end);
    return from;
  }
  auto node = std::make_unique<RelativeTraversalExpr>(range_between(from->range, end));
  node->source = std::move(from);
  node->steps.push_back(std::move(step));
  auto& n = *node;
  return finish(std::move(node), n.source);
}

Value Parser::number_value(const Token& number) {
  if (auto value = Number::parse(text(number))) return Value::number(*value);
  fault("Invalid number literal", "Failed to recognize the value of this number literal.", range(number), range(number));
  return Value::unknown(Type::number());
}

Step Parser::legacy_index(const Token& dot, const Token* star) {
  Token number = next();
  Step step{false, "", {}, {&source_, dot.start, number.end}};
  auto digits = text(number);
  auto point = digits.find('.');
  if (point == std::string_view::npos) {
    step.key = number_value(number);
    return step;
  }
  auto where = range(star ? *star : number);
  fault("Invalid legacy index syntax",
        fmt::format("When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper "
                    "index syntax{} instead, like [{}][{}].", star ? " with a full splat expression [*]" : "",
                    digits.substr(0, point), digits.substr(point + 1)), where, where);
  return step;
}

ExprPtr Parser::dot_traversal(ExprPtr from, const Token& dot) {
  const Token t = peek();
  Step step;
  switch (t.type) {
    case Tok::kIdent:
      next();
      step.name = std::string(text(t));
      step.range = {&source_, dot.start, t.end};
      return append_step(std::move(from), std::move(step));
    case Tok::kNumber:
      step = legacy_index(dot, nullptr);
      return append_step(std::move(from), std::move(step));
    case Tok::kStar:
      next();
      return attribute_splat(std::move(from), dot, t);
    default:
      fail_anyway("Invalid attribute name", "An attribute name is required after a dot.", range(t), range(t));
      return nullptr;
  }
}

// After `.*` only names and legacy indexes apply to each item; brackets apply to the whole.
ExprPtr Parser::attribute_splat(ExprPtr from, const Token& dot, const Token& star) {
  Range marker{&source_, dot.start, star.end};
  auto item = std::make_unique<ItemExpr>(marker);
  int slot = item->slot = ++splats_;
  ExprPtr each = std::move(item);
  while (each && peek().type == Tok::kDot) {
    Token inner = next();
    const Token t = peek();
    Step step;
    if (t.type == Tok::kIdent) {
      next();
      step.name = std::string(text(t));
      step.range = {&source_, inner.start, t.end};
    } else if (t.type == Tok::kNumber) {
      step = legacy_index(inner, &star);
    } else if (t.type == Tok::kStar) {
      fail("Nested splat expression not allowed",
           "A splat expression (*) cannot be used inside another attribute-only splat expression.", range(t));
      return nullptr;
    } else {
      // The complaint is about the star.
      fail("Invalid attribute name", "An attribute name is required after a dot.", range(star));
      return nullptr;
    }
    each = append_step(std::move(each), std::move(step));
  }
  if (failed_) return nullptr;
  auto node = std::make_unique<SplatExpr>(range_between(from->range, each->range));
  node->source = std::move(from);
  node->each = std::move(each);
  node->marker = marker;
  node->slot = slot;
  auto& n = *node;
  return finish(std::move(node), n.source, n.each);
}

// The complaint is about the bracket that is found in the end, or the end of the text.
ExprPtr Parser::unclosed_index(const char* summary, const char* detail) {
  failed_ = true;
  if (recovering_) return nullptr;
  recover(Tok::kCloseBracket);
  auto where = range(last_);
  diagnostics_->add(summary, detail, where);
  return nullptr;
}

ExprPtr Parser::bracket_traversal(ExprPtr from) {
  Nested nested(*this);
  if (too_deep(range(peek()))) return nullptr;
  Token open = next();
  if (peek().type == Tok::kStar) {
    next();
    Token close = next();
    if (close.type != Tok::kCloseBracket) {
      return unclosed_index("Missing close bracket on splat index",
                            "The star for a full splat operator must be immediately followed by a closing bracket (\"]\").");
    }
    Range marker{&source_, open.start, close.end};
    auto item = std::make_unique<ItemExpr>(marker);
    int slot = item->slot = ++splats_;
    auto each = traversals(std::move(item), diagnostics_->size());
    if (failed_) return nullptr;
    auto node = std::make_unique<SplatExpr>(range_between(from->range, each->range));
    node->source = std::move(from);
    node->each = std::move(each);
    node->marker = marker;
    node->slot = slot;
    auto& n = *node;
    return finish(std::move(node), n.source, n.each);
  }
  Newlines hidden(*this, false);
  Closing closing(*this, Tok::kCloseBracket);
  auto key = expression();
  if (failed_) return nullptr;
  closing.dismiss();
  const Token close = next();
  if (close.type != Tok::kCloseBracket)
    return unclosed_index("Missing close bracket on index", "The index operator must end with a closing bracket (\"]\").");
  hidden.end();
  Range bracket{&source_, open.start, close.end};
  const LiteralExpr* literal = nullptr;
  if (key->kind == ExprKind::kLiteral) {
    literal = static_cast<LiteralExpr*>(key.get());
  } else if (key->kind == ExprKind::kTemplate) {
    auto& parts = static_cast<TemplateExpr&>(*key).parts;
    if (parts.size() == 1 && parts[0]->kind == ExprKind::kLiteral) literal = static_cast<LiteralExpr*>(parts[0].get());
  }
  if (literal) return append_step(std::move(from), {false, "", literal->value, bracket});
  auto node = std::make_unique<IndexExpr>(range_between(from->range, bracket));
  node->collection = std::move(from);
  node->key = std::move(key);
  node->open = range(open);
  node->bracket = bracket;
  auto& n = *node;
  return finish(std::move(node), n.collection, n.key);
}

ExprPtr Parser::term() {
  const Token t = peek();
  switch (t.type) {
    case Tok::kIdent: return name_term();
    case Tok::kNumber:
      next();
      return std::make_unique<LiteralExpr>(range(t), number_value(t));
    case Tok::kOpenQuote:
      next();
      return template_until(Tok::kCloseQuote, t, false);
    case Tok::kOpenHeredoc:
      next();
      return template_until(Tok::kCloseHeredoc, t, text(t).starts_with("<<-"));
    case Tok::kMinus: case Tok::kBang:
      next();
      return unary(t);
    case Tok::kOpenParen: return parens();
    case Tok::kOpenBracket: return tuple();
    case Tok::kOpenBrace: return object();
    default:
      fail("Invalid expression", kExpectedExpression, range(t));
      return nullptr;
  }
}

ExprPtr Parser::name_term() {
  Token name = next();
  if (peek().type == Tok::kOpenParen) return call(name);
  auto word = text(name);
  if (word == "true" || word == "false") return std::make_unique<LiteralExpr>(range(name), Value::boolean(word == "true"));
  if (word == "null") return std::make_unique<LiteralExpr>(range(name), Value::null());
  auto node = std::make_unique<ScopeTraversalExpr>(range(name));
  node->root = std::string(word);
  node->root_range = range(name);
  return node;
}

ExprPtr Parser::call(const Token& name) {
  Newlines hidden(*this, false);
  Token open = next();
  Closing closing(*this, Tok::kCloseParen);
  auto node = std::make_unique<CallExpr>(range(name));
  node->name = std::string(text(name));
  node->name_range = range(name);
  node->open = range(open);
  while (peek().type != Tok::kCloseParen) {
    node->args.push_back(expression());
    if (failed_) return nullptr;
    node->depth = std::max(node->depth, node->args.back()->depth + 1);
    const Token t = peek();
    if (t.type == Tok::kComma) {
      next();
      continue;
    }
    if (t.type == Tok::kEllipsis) {
      next();
      node->expand_last = true;
      if (peek().type != Tok::kCloseParen) {
        fail("Missing closing parenthesis",
             "An expanded function argument (with ...) must be immediately followed by closing parentheses.", range(t),
             range_between(range(name), range(t)));
        return nullptr;
      }
      break;
    }
    if (t.type != Tok::kCloseParen) {
      next();
      fail_anyway("Missing argument separator", "A comma is required to separate each function argument from the next.", range(t),
           range_between(range(name), range(t)));
      return nullptr;
    }
  }
  Token close = next();
  hidden.end();
  node->close = range(close);
  node->range = range_between(range(name), range(close));
  return node;
}

ExprPtr Parser::parens() {
  Newlines hidden(*this, false);
  Token open = next();
  Closing closing(*this, Tok::kCloseParen);
  size_t before = diagnostics_->size();
  auto inner = expression();
  if (diagnostics_->size() != before) failed_ = true;  // even a small fault
  if (failed_) return nullptr;
  const Token close = next();
  if (close.type != Tok::kCloseParen) {
    fail_anyway("Unbalanced parentheses", "Expected a closing parenthesis to terminate the expression.", range(close),
                range_between(range(open), range(close)));
    closing.dismiss();
    return nullptr;
  }
  hidden.end();
  auto node = std::make_unique<ParensExpr>(range_between(range(open), range(close)));
  node->inner = std::move(inner);
  auto& n = *node;
  return finish(std::move(node), n.inner);
}

ExprPtr Parser::unary(const Token& symbol) {
  Nested nested(*this);
  if (too_deep(range(symbol))) return nullptr;
  auto value = operand();
  if (failed_) return nullptr;
  auto node = std::make_unique<UnaryExpr>(range_between(range(symbol), value->range));
  node->op = symbol.type == Tok::kMinus ? Operator::kNegate : Operator::kNot;
  node->symbol = range(symbol);
  node->operand = std::move(value);
  auto& n = *node;
  return finish(std::move(node), n.operand);
}

ExprPtr Parser::tuple() {
  Newlines hidden(*this, false);
  Token open = next();
  Closing closing(*this, Tok::kCloseBracket);
  if (peek().type == Tok::kIdent && text(peek()) == "for") return for_expression(open, Tok::kCloseBracket, closing);
  auto node = std::make_unique<TupleExpr>(range(open));
  node->open = range(open);
  while (peek().type != Tok::kCloseBracket) {
    node->items.push_back(expression());
    if (failed_) return nullptr;
    node->depth = std::max(node->depth, node->items.back()->depth + 1);
    const Token t = peek();
    if (t.type == Tok::kComma) {
      next();
    } else if (t.type != Tok::kCloseBracket) {
      fail("Missing item separator", "Expected a comma to mark the beginning of the next item.", range(t),
           range_between(range(open), range(t)));
      return nullptr;
    }
  }
  Token close = next();
  hidden.end();
  node->range = range_between(range(open), range(close));
  return node;
}

ExprPtr Parser::object() {
  Closing closing(*this, Tok::kCloseBrace);
  Token open;
  {
    Newlines hidden(*this, false);
    open = next();
    if (peek().type == Tok::kIdent && text(peek()) == "for") return for_expression(open, Tok::kCloseBrace, closing);
  }
  Newlines shown(*this, true);
  auto node = std::make_unique<ObjectExpr>(range(open));
  node->open = range(open);
  while (true) {
    while (peek().type == Tok::kNewline) next();
    if (peek().type == Tok::kCloseBrace) break;
    ObjectExpr::Item item;
    item.key = expression();
    if (failed_) return nullptr;
    const Token sign = peek();
    if (sign.type != Tok::kEqual && sign.type != Tok::kColon) {
      bool ends = sign.type == Tok::kNewline || sign.type == Tok::kComma;
      fail(ends ? "Missing attribute value" : "Missing key/value separator",
           ends ? "Expected an attribute value, introduced by an equals sign (\"=\")."
           : sign.type == Tok::kIdent
               ? "Expected an equals sign (\"=\") to mark the beginning of the attribute value. If you intended to given an "
                 "attribute name containing periods or spaces, write the name in quotes to create a string literal."
               : "Expected an equals sign (\"=\") to mark the beginning of the attribute value.",
           range(sign), range_between(range(open), range(sign)));
      return nullptr;
    }
    next();
    item.value = expression();
    if (failed_) return nullptr;
    node->depth = std::max({node->depth, item.key->depth + 1, item.value->depth + 1});
    node->items.push_back(std::move(item));
    const Token t = peek();
    if (t.type == Tok::kComma || t.type == Tok::kNewline) {
      next();
    } else if (t.type != Tok::kCloseBrace) {
      fail("Missing attribute separator", "Expected a newline or comma to mark the beginning of the next attribute.",
           range(t), range_between(range(open), range(t)));
      return nullptr;
    }
  }
  Token close = next();
  shown.end();
  node->range = range_between(range(open), range(close));
  return node;
}

bool Parser::keyword(std::string_view word) {
  if (peek().type != Tok::kIdent || text(peek()) != word) return false;
  next();
  return true;
}

// `k, v in` after `for`.
bool Parser::for_names(ForExpr& node, const ForTexts& texts, const Range& open) {
  auto missing = [&](const char* detail) {
    fail(texts.summary, detail, range(peek()), range_between(open, range(peek())));
    return false;
  };
  if (peek().type != Tok::kIdent) return missing(texts.first);
  node.value_name = std::string(text(next()));
  if (peek().type == Tok::kComma) {
    next();
    node.key_name = std::move(node.value_name);
    if (peek().type != Tok::kIdent) return missing(texts.second);
    node.value_name = std::string(text(next()));
  }
  return keyword("in") || missing(texts.in);
}

// The caller has made newlines invisible and consumed the opening bracket; `for` is the next token.
ExprPtr Parser::for_expression(const Token& open, Tok close_type, Closing& closing) {
  constexpr const char* kSummary = "Invalid 'for' expression";
  bool making_object = close_type == Tok::kCloseBrace;
  Newlines hidden(*this, false);
  next();
  auto node = std::make_unique<ForExpr>(range(open));
  node->open = range(open);
  static constexpr ForTexts kTexts{kSummary, "For expression requires variable name after 'for'.",
                                   "For expression requires value variable name after comma.",
                                   "For expression requires the 'in' keyword after its name declarations."};
  if (!for_names(*node, kTexts, range(open))) return nullptr;
  node->collection = expression();
  if (failed_) return nullptr;
  auto so_far = [&] { return range_between(range(open), range(peek())); };
  if (peek().type != Tok::kColon) {
    fail(kSummary, "For expression requires a colon after the collection expression.", range(peek()), so_far());
    return nullptr;
  }
  next();
  node->value = expression();
  if (failed_) return nullptr;
  if (peek().type == Tok::kArrow) {
    next();
    node->key = std::move(node->value);
    node->value = expression();
    if (failed_) return nullptr;
  }
  Range ellipsis;
  if (peek().type == Tok::kEllipsis) {
    node->group = true;
    ellipsis = range(next());
  }
  if (keyword("if")) {
    node->condition = expression();
    if (failed_) return nullptr;
  }
  bool closed = peek().type == close_type;
  if (closed) closing.dismiss();
  else fail(kSummary, "Extra characters after the end of the 'for' expression.", range(peek()), so_far());
  Range all = range_between(range(open), range(closed ? next() : peek()));
  if (making_object && !node->key) {
    fault(kSummary, "Key expression is required when building an object.", node->value->range, all);
  }
  if (!making_object && node->key) {
    fault(kSummary, "Key expression is not valid when building a tuple.", node->key->range, all);
  }
  if (!making_object && node->group) {
    fault(kSummary, "Grouping ellipsis (...) cannot be used when building a tuple.", ellipsis, all);
  }
  node->range = all;
  auto& n = *node;
  return finish(std::move(node), n.collection, n.key, n.value, n.condition);
}

Range start_range(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kTemplate: return start_range(*static_cast<const TemplateExpr&>(expr).parts[0]);
    case ExprKind::kTemplateLoop: return start_range(*static_cast<const TemplateLoopExpr&>(expr).loop);
    case ExprKind::kIndex: return static_cast<const IndexExpr&>(expr).open;
    case ExprKind::kSplat: return static_cast<const SplatExpr&>(expr).marker;
    case ExprKind::kCall: {
      auto& call = static_cast<const CallExpr&>(expr);
      return range_between(call.name_range, call.open);
    }
    case ExprKind::kParens: return start_range(*static_cast<const ParensExpr&>(expr).inner);
    case ExprKind::kTuple: return static_cast<const TupleExpr&>(expr).open;
    case ExprKind::kObject: return static_cast<const ObjectExpr&>(expr).open;
    case ExprKind::kFor: return static_cast<const ForExpr&>(expr).open;
    case ExprKind::kConditional: return start_range(*static_cast<const ConditionalExpr&>(expr).condition);
    case ExprKind::kBinary: return start_range(*static_cast<const BinaryExpr&>(expr).left);
    case ExprKind::kUnary: return static_cast<const UnaryExpr&>(expr).symbol;
    default: return expr.range;
  }
}

}  // namespace drover::hcl
