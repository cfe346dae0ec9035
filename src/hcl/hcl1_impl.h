// The tokens of HCL1 and its JSON reader; not for users.
#pragma once

#include <string>
#include <string_view>

#include "hcl/hcl1.h"

namespace drover::hcl1 {

struct Token {
  enum Type : unsigned char {
    kEof, kIllegal, kIdent, kNumber, kFloat, kBool, kString, kHeredoc, kLBrack, kRBrack, kLBrace, kRBrace, kComma, kAssign,
    kPeriod, kAdd, kSub, kColon, kNull,
  } type = kEof;
  Pos pos;
  std::string text;  // strings: the value
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  Result<Token> next();

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance(size_t bytes);
  Status skip_blanks();
  Token word();
  Result<Token> number();
  Result<Token> string();
  Result<Token> heredoc();
  Status escape(std::string& out);

  std::string_view text_;
  size_t at_ = 0;
  Pos pos_;
};

Result<Node> parse_json(std::string_view text);

}  // namespace drover::hcl1
