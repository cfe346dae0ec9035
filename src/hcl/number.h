// Number: an arbitrary-precision binary floating number, as the language has it. Literals carry 512 bits of
// precision; results of float64 functions carry 53, which shows in how they print. Small integers, nearly all
// numbers there are, live without an allocation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace drover::hcl {

class Number {
 public:
  struct Big;  // an MPFR number
  static constexpr int kPrecision = 512;

  Number() = default;
  Number(int64_t value) : small_(value) {}  // NOLINT: implicit on purpose
  static Number from_double(double value);
  static Number from_uint(uint64_t value);
  static Number infinity(bool negative);
  // Decimal with optional sign, fraction and exponent; nothing else.
  static std::optional<Number> parse(std::string_view text);
  // An integer in `base` (2 to 62) with optional sign, no prefix; digits beyond 36 are A-Z.
  static std::optional<Number> parse_integer(std::string_view text, int base);

  bool is_integer() const;
  bool is_infinite() const;
  bool is_zero() const { return sign() == 0; }
  int sign() const;  // -1, 0, 1
  // Zero has a sign too, and text shows it.
  bool is_negative() const;
  // The value when it is whole and fits.
  std::optional<int64_t> to_int64() const;
  std::optional<uint64_t> to_uint64() const;
  double to_double() const;
  // Truncated toward zero and clamped to int64.
  int64_t truncated_int64() const;

  // The shortest plain decimal that reads back as this number at its precision: never an exponent.
  std::string str() const;
  // The integer part in `base` with lower-case digits.
  std::string integer_str(int base) const;
  // As printf's e, E, f, g or G would have it; a negative precision with g means the fewest digits that read back.
  std::string formatted(char verb, int precision) const;

  Number operator-() const;
  friend Number operator+(const Number& a, const Number& b);
  friend Number operator-(const Number& a, const Number& b);
  friend Number operator*(const Number& a, const Number& b);
  // b may be zero (infinity); 0/0 and inf/inf are the caller's to refuse.
  friend Number operator/(const Number& a, const Number& b);
  // Truncated remainder; x % 0 is x.
  friend Number operator%(const Number& a, const Number& b);
  Number floor() const;
  Number ceil() const;

  static int compare(const Number& a, const Number& b);
  friend bool operator==(const Number& a, const Number& b) { return compare(a, b) == 0; }
  friend bool operator<(const Number& a, const Number& b) { return compare(a, b) < 0; }

 private:
  static Number negative_zero();
  explicit Number(std::shared_ptr<const Big> big) : big_(std::move(big)) {}
  static Number settle(std::shared_ptr<Big> big);

  int64_t small_ = 0;  // the value unless big_
  std::shared_ptr<const Big> big_;
};

}  // namespace drover::hcl
