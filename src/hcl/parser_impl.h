// The parser's machinery, shared by its files; not for users.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/lexer.h"

namespace drover::hcl {

// Recursive descent over a token list. A syntax error that is reported in an expression stops the item of the body it
// is in: every function then returns at once with nothing useful, each leaving the brackets it opened, and the body goes
// on behind the item. Once tokens have been skipped, most further errors are not reported, as they tend to follow from
// it; such an error ends only the operand it is in. Faults
// that leave the structure clear (a bad escape, an argument set twice) are reported and parsing goes on.
class Parser {
 public:
  Parser(const Source& source, std::vector<Token> tokens, Diagnostics& diagnostics)
      : source_(source), tokens_(std::move(tokens)), diagnostics_(&diagnostics) {}

  // Whether there was a syntax error.
  bool failed() const { return recovering_; }
  void parse_body(BodyNode& body, Tok end);
  ExprPtr expression();
  // Parts up to `end`, which is consumed: kCloseQuote, kCloseHeredoc or kEof.
  ExprPtr template_until(Tok end, const Token& open, bool flush);
  const Token& peek();
  const Token& next();
  void set_newlines(bool visible) { newlines_.back() = visible; }
  Range range(const Token& t) const { return {&source_, t.start, t.end}; }
  void fail(std::string summary, std::string detail, const Range& subject);
  void fail(std::string summary, std::string detail, const Range& subject, const Range& context);

 private:
  struct TemplatePart;
  class Closing;
  class Nested;
  class Newlines;
  std::string_view text(const Token& t) const { return t.text(source_); }
  bool too_deep(const Range& where);
  // An error that is reported even after others.
  void fail_anyway(std::string summary, std::string detail, const Range& subject, const Range& context);
  // A fault that is always reported. It gives the present item up only after a syntax error.
  void fault(std::string summary, std::string detail, const Range& subject, const Range& context);
  // A fault that is reported unless there was a syntax error before.
  void say_once(std::string summary, std::string detail, const Range& subject, const Range& context);
  // Reads up to and with the `close` that matches the present level, or to the end.
  void recover(Tok close);
  void recover_after_item();
  template <class Node, class... Children>
  ExprPtr finish(std::unique_ptr<Node> node, const Children&... children);

  // Bodies.
  void body_item(BodyNode& body, std::unordered_map<std::string_view, Range>& seen);
  void attribute(BodyNode& body, const Token& name, bool single_line);
  void block(BodyNode& body, const Token& type);
  bool block_head(BlockNode& block, const Token& type);
  void single_line_body(BodyNode& body);
  void single_argument(BodyNode& body);
  std::string label_string(Range& where);

  // Expressions.
  // Stands for what failed where parsing goes on: an unknown value.
  static ExprPtr placeholder(const Range& where);
  ExprPtr binary(int level);
  ExprPtr operand();
  ExprPtr traversals(ExprPtr from, size_t before);
  ExprPtr dot_traversal(ExprPtr from, const Token& dot);
  ExprPtr attribute_splat(ExprPtr from, const Token& dot, const Token& star);
  ExprPtr bracket_traversal(ExprPtr from);
  ExprPtr unclosed_index(const char* summary, const char* detail);
  Value number_value(const Token& number);
  // `star` is that of the splat around, if any.
  Step legacy_index(const Token& dot, const Token* star);
  ExprPtr append_step(ExprPtr from, Step step);
  ExprPtr term();
  ExprPtr name_term();
  ExprPtr call(const Token& name);
  ExprPtr parens();
  ExprPtr unary(const Token& symbol);
  ExprPtr tuple();
  ExprPtr object();
  ExprPtr for_expression(const Token& open, Tok close, Closing& closing);
  // What is said of the names of a `for`.
  struct ForTexts {
    const char *summary, *first, *second, *in;
  };
  bool for_names(ForExpr& node, const ForTexts& texts, const Range& open);
  bool keyword(std::string_view word);

  // Templates.
  void template_parts(Tok end, bool flush, std::vector<TemplatePart>& parts, Range& end_range);
  static void flush_parts(std::vector<TemplatePart>& parts);
  // `first` is the first token of the template.
  void interpolation(const Token& open, const Range& first, std::vector<TemplatePart>& parts, bool& trim_next);
  void control(const Token& open, const Range& first, std::vector<TemplatePart>& parts, bool& trim_next);
  void close_sequence(const Token& close, const Range& first, std::string summary, const char* detail, bool& trim_next);
  std::string literal_text(const Token& t, bool quoted);
  static const char* marker_name(const TemplatePart& part);
  void append_part(std::vector<ExprPtr>& out, std::vector<TemplatePart>& parts, size_t& at, const Range& end_range);
  TemplatePart* directive_content(std::vector<ExprPtr>& out, const TemplatePart& open, std::vector<TemplatePart>& parts, size_t& at,
                                  const Range& end_range);
  ExprPtr assemble_if(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range);
  ExprPtr assemble_for(std::vector<TemplatePart>& parts, size_t& at, const Range& end_range);
  ExprPtr join_parts(std::vector<ExprPtr> parts, const Range& where);

  const Source& source_;
  std::vector<Token> tokens_;
  Diagnostics* diagnostics_;
  size_t at_ = 0;
  std::vector<bool> newlines_{true};
  Token synthetic_;          // the newline that a line comment stands for
  bool comment_newline_ = false;
  bool failed_ = false;      // the present item is given up; at an operand's end only if it reported something
  bool recovering_ = false;  // there was an error
  Token last_;               // the last token taken
  bool aborted_ = false;     // nothing more is parsed
  int depth_ = 0;
  int splats_ = 0;
};

// Leaves an open bracket when what is inside it failed.
class Parser::Closing {
 public:
  Closing(Parser& p, Tok close) : p_(p), close_(close) {}
  ~Closing() {
    if (p_.failed_ && !p_.aborted_ && !dismissed_) p_.recover(close_);
  }
  // The bracket is closed.
  void dismiss() { dismissed_ = true; }

 private:
  Parser& p_;
  Tok close_;
  bool dismissed_ = false;
};

// Counts nesting for the length of a scope.
class Parser::Nested {
 public:
  explicit Nested(Parser& p) : p_(p) { ++p_.depth_; }
  ~Nested() { --p_.depth_; }

 private:
  Parser& p_;
};

// Whether newlines are tokens, for the length of a scope.
class Parser::Newlines {
 public:
  Newlines(Parser& p, bool visible) : p_(p) { p_.newlines_.push_back(visible); }
  ~Newlines() { end(); }
  void end() {
    if (!std::exchange(ended_, true)) p_.newlines_.pop_back();
  }

 private:
  Parser& p_;
  bool ended_ = false;
};

struct Parser::TemplatePart {
  enum Kind : unsigned char { kLiteral, kValue, kIf, kElse, kEndIf, kFor, kEndFor } kind = kLiteral;
  std::string text;      // kLiteral, decoded
  ExprPtr expr;          // kValue: the expression; kIf: the condition
  std::unique_ptr<ForExpr> loop;  // kFor, without its value
  Range range;
};

template <class Node, class... Children>
ExprPtr Parser::finish(std::unique_ptr<Node> node, const Children&... children) {
  if (failed_) return nullptr;
  int depth = 0;
  auto look = [&](const ExprPtr& child) {
    if (child && child->depth > depth) depth = child->depth;
  };
  (look(children), ...);
  if (node->depth < depth + 1) node->depth = depth + 1;
  if (node->depth > 2 * kMaxDepth) {
    fail("Expression too complex", "This expression has too many operators or accesses in a row.", node->range);
    return nullptr;
  }
  return node;
}

}  // namespace drover::hcl
