// The tokens of HCL1 and its JSON reader; not for users.
#pragma once

#include <string>
#include <string_view>

#include "hcl/hcl1.h"

namespace drover::hcl1 {

// Texts of more tokens are refused.
constexpr size_t kMaxTokens = 3'000'000;

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
  // What is wrong is kept, and scanning goes on behind it.
  Token next();
  // The last fault, with its place; "" if there was none.
  const std::string& fault() const { return fault_; }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance(size_t bytes);
  Pos here() const;
  void look_beyond(uint32_t times);
  void complain(std::string what);
  bool skip_blanks();
  Token word();
  Token number();
  Token string();
  Token heredoc();
  Token bad_heredoc(Token t, size_t bytes, std::string what);
  void escape(std::string& out);

  std::string_view text_;
  size_t at_ = 0;
  Pos pos_;
  uint32_t beyond_ = 0;
  size_t tokens_ = 0;
  std::string fault_;
};

Result<Node> parse_json(std::string_view text);

}  // namespace drover::hcl1
