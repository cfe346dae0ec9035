#include "hcl/number.h"

#include <gmp.h>
#include <mpfr.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace drover::hcl {

struct Number::Big {
  mpfr_t v;
  explicit Big(mpfr_prec_t precision = kPrecision) { mpfr_init2(v, precision); }
  ~Big() { mpfr_clear(v); }
  Big(const Big&) = delete;
  Big& operator=(const Big&) = delete;
};

namespace {

using BigPtr = std::shared_ptr<Number::Big>;

// An MPFR view of a number for the length of one operation.
class View {
 public:
  explicit View(int64_t small) : own_(64) { mpfr_set_sj(own_.v, small, MPFR_RNDN); p_ = own_.v; }
  explicit View(const Number::Big& big) : own_(2) { p_ = big.v; }
  mpfr_srcptr get() const { return p_; }

 private:
  Number::Big own_;
  mpfr_srcptr p_;
};

}  // namespace

// Beyond this binary exponent a number is infinite (or zero): its decimal form would take megabytes.
constexpr mpfr_exp_t kMaxExponent = 4'000'000;

// Whole numbers at full precision that fit become small again.
Number Number::settle(BigPtr big) {
  if (mpfr_regular_p(big->v)) {
    if (mpfr_get_exp(big->v) > kMaxExponent) mpfr_set_inf(big->v, mpfr_sgn(big->v));
    else if (mpfr_get_exp(big->v) < -kMaxExponent) mpfr_set_zero(big->v, 1);
  }
  if (mpfr_zero_p(big->v) && mpfr_signbit(big->v)) return negative_zero();
  if (mpfr_get_prec(big->v) >= 64 && mpfr_integer_p(big->v) && mpfr_fits_sint_p(big->v, MPFR_RNDN)) {
    return Number(static_cast<int64_t>(mpfr_get_si(big->v, MPFR_RNDN)));
  }
  return Number(std::shared_ptr<const Big>(std::move(big)));
}

Number Number::negative_zero() {
  auto zero = std::make_shared<Big>(kPrecision);
  mpfr_set_zero(zero->v, -1);
  return Number(std::shared_ptr<const Big>(std::move(zero)));
}

Number Number::from_double(double value) {
  if (value == 0 && std::signbit(value)) return negative_zero();
  if (value == std::floor(value) && std::fabs(value) < 9007199254740992.0) return Number(static_cast<int64_t>(value));
  auto big = std::make_shared<Big>(53);
  mpfr_set_d(big->v, value, MPFR_RNDN);
  return Number(std::shared_ptr<const Big>(std::move(big)));
}

Number Number::from_uint(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) return Number(static_cast<int64_t>(value));
  auto big = std::make_shared<Big>();
  mpfr_set_uj(big->v, value, MPFR_RNDN);
  return settle(std::move(big));
}

Number Number::infinity(bool negative) {
  auto big = std::make_shared<Big>();
  mpfr_set_inf(big->v, negative ? -1 : 1);
  return Number(std::shared_ptr<const Big>(std::move(big)));
}

std::optional<Number> Number::parse(std::string_view text) {
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  size_t digits = 0, first_digit = at;
  bool plain = true;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) ++digits;
  if (at < text.size() && text[at] == '.') {
    plain = false;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) ++digits;
  }
  if (digits == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    plain = false;
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    size_t before = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    // Exponents beyond these lengths overflow every practical use and would cost unbounded memory to print.
    if (at == before || at - before > 6) return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  if (plain && digits <= 18) {
    int64_t value = 0;
    std::from_chars(text.data() + first_digit, text.data() + text.size(), value);
    if (text[0] != '-') return Number(value);
    return value == 0 ? negative_zero() : Number(-value);
  }
  std::string owned(text);
  auto big = std::make_shared<Big>();
  char* end = nullptr;
  mpfr_strtofr(big->v, owned.c_str(), &end, 10, MPFR_RNDN);
  if (*end != '\0') return std::nullopt;
  return settle(std::move(big));
}

std::optional<Number> Number::parse_integer(std::string_view text, int base) {
  std::string_view digits = text;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  // GMP puts upper case before lower case above base 36; the language has it the other way round.
  std::string swapped(digits);
  for (auto& c : swapped) {
    if (!std::isalnum(static_cast<unsigned char>(c))) return std::nullopt;
    if (base > 36 && std::isalpha(static_cast<unsigned char>(c))) c = static_cast<char>(c ^ 0x20);
  }
  mpz_t z;
  if (mpz_init_set_str(z, swapped.c_str(), base) != 0) {
    mpz_clear(z);
    return std::nullopt;
  }
  if (text[0] == '-') mpz_neg(z, z);
  auto bits = static_cast<mpfr_prec_t>(std::max<size_t>(kPrecision, mpz_sizeinbase(z, 2)));
  auto big = std::make_shared<Big>(bits);
  mpfr_set_z(big->v, z, MPFR_RNDN);
  mpz_clear(z);
  return settle(std::move(big));
}

bool Number::is_integer() const { return !big_ || mpfr_integer_p(big_->v); }
bool Number::is_infinite() const { return big_ && mpfr_inf_p(big_->v); }
int Number::sign() const { return big_ ? (mpfr_sgn(big_->v) > 0) - (mpfr_sgn(big_->v) < 0) : (small_ > 0) - (small_ < 0); }

bool Number::is_negative() const { return big_ ? mpfr_signbit(big_->v) != 0 : small_ < 0; }

std::optional<int64_t> Number::to_int64() const {
  if (!big_) return small_;
  if (!mpfr_integer_p(big_->v) || !mpfr_fits_intmax_p(big_->v, MPFR_RNDN)) return std::nullopt;
  return mpfr_get_sj(big_->v, MPFR_RNDN);
}

std::optional<uint64_t> Number::to_uint64() const {
  if (!big_) return small_ < 0 ? std::nullopt : std::optional<uint64_t>(static_cast<uint64_t>(small_));
  if (!mpfr_integer_p(big_->v) || !mpfr_fits_uintmax_p(big_->v, MPFR_RNDN)) return std::nullopt;
  return mpfr_get_uj(big_->v, MPFR_RNDN);
}

double Number::to_double() const { return big_ ? mpfr_get_d(big_->v, MPFR_RNDN) : static_cast<double>(small_); }

int64_t Number::truncated_int64() const {
  if (!big_) return small_;
  if (!mpfr_fits_intmax_p(big_->v, MPFR_RNDZ)) return sign() < 0 ? INT64_MIN : INT64_MAX;
  return mpfr_get_sj(big_->v, MPFR_RNDZ);
}

namespace {

// `digits` with the decimal point `point` places from its start.
std::string place_point(std::string digits, long point, bool negative) {
  while (!digits.empty() && digits.back() == '0' && static_cast<long>(digits.size()) > std::max(point, 0L)) digits.pop_back();
  std::string out = negative ? "-" : "";
  if (point <= 0) {
    out += "0.";
    out.append(static_cast<size_t>(-point), '0');
    out += digits;
  } else if (static_cast<long>(digits.size()) <= point) {
    out += digits;
    out.append(static_cast<size_t>(point) - digits.size(), '0');
  } else {
    out += digits.substr(0, static_cast<size_t>(point)) + "." + digits.substr(static_cast<size_t>(point));
  }
  return out;
}

// `count` significant digits, correctly rounded, and the decimal exponent.
std::string digits_of(mpfr_srcptr v, size_t count, mpfr_exp_t& exponent) {
  // MPFR has no one-digit mode in every base; 1 is allowed from 4.0 on.
  char* text = mpfr_get_str(nullptr, &exponent, 10, count, v, MPFR_RNDN);
  std::string out(text[0] == '-' ? text + 1 : text);
  mpfr_free_str(text);
  return out;
}

bool reads_back(const std::string& digits, mpfr_exp_t exponent, mpfr_srcptr v) {
  std::string text = (mpfr_sgn(v) < 0 ? "-0." : "0.") + digits + "e" + std::to_string(exponent);
  Number::Big back(mpfr_get_prec(v));
  mpfr_strtofr(back.v, text.c_str(), nullptr, 10, MPFR_RNDN);
  return mpfr_equal_p(back.v, v);
}

}  // namespace

std::string Number::str() const {
  if (!big_) return std::to_string(small_);
  mpfr_srcptr v = big_->v;
  if (mpfr_inf_p(v)) return mpfr_sgn(v) < 0 ? "-Inf" : "+Inf";
  if (mpfr_zero_p(v)) return mpfr_signbit(v) ? "-0" : "0";
  if (mpfr_integer_p(v) && mpfr_get_exp(v) <= mpfr_get_prec(v)) return integer_str(10);
  // The fewest digits that read back; more digits only come nearer, so the search may halve.
  size_t low = 1, high = mpfr_get_str_ndigits(10, mpfr_get_prec(v));
  mpfr_exp_t exponent = 0;
  while (low < high) {
    size_t middle = (low + high) / 2;
    auto digits = digits_of(v, middle, exponent);
    if (reads_back(digits, exponent, v)) high = middle; else low = middle + 1;
  }
  auto digits = digits_of(v, low, exponent);
  return place_point(std::move(digits), exponent, mpfr_sgn(v) < 0);
}

std::string Number::integer_str(int base) const {
  mpz_t z;
  mpz_init(z);
  if (big_) mpfr_get_z(z, big_->v, MPFR_RNDZ); else mpz_set_si(z, small_);
  char* text = mpz_get_str(nullptr, base, z);
  std::string out(text);
  void (*release)(void*, size_t) = nullptr;
  mp_get_memory_functions(nullptr, nullptr, &release);
  release(text, std::strlen(text) + 1);
  mpz_clear(z);
  return out;
}

std::string Number::formatted(char verb, int precision) const {
  View view = big_ ? View(*big_) : View(small_);
  mpfr_srcptr v = view.get();
  if (precision < 0 && (verb == 'g' || verb == 'G')) {
    if (is_zero()) return is_negative() ? "-0" : "0";
    size_t low = 1, high = mpfr_get_str_ndigits(10, mpfr_get_prec(v));
    mpfr_exp_t exponent = 0;
    while (low < high) {
      size_t middle = (low + high) / 2;
      auto digits = digits_of(v, middle, exponent);
      if (reads_back(digits, exponent, v)) high = middle; else low = middle + 1;
    }
    auto digits = digits_of(v, low, exponent);
    if (exponent - 1 >= -4 && exponent - 1 < 6) return place_point(digits, exponent, sign() < 0);
    while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
    long power = exponent - 1;
    std::string out = (sign() < 0 ? "-" : "") + digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    out += verb == 'G' ? 'E' : 'e';
    out += power < 0 ? '-' : '+';
    std::string tail = std::to_string(power < 0 ? -power : power);
    return out + (tail.size() < 2 ? "0" : "") + tail;
  }
  std::string spec = std::string("%.*R") + verb;
  int size = mpfr_snprintf(nullptr, 0, spec.c_str(), precision < 0 ? 6 : precision, v);
  std::string out(static_cast<size_t>(size) + 1, '\0');
  mpfr_snprintf(out.data(), out.size(), spec.c_str(), precision < 0 ? 6 : precision, v);
  out.pop_back();
  return out;
}

Number Number::operator-() const {
  if (!big_ && small_ == 0) return negative_zero();
  if (!big_ && small_ != INT64_MIN) return Number(-small_);
  View a = big_ ? View(*big_) : View(small_);
  auto out = std::make_shared<Big>(big_ ? mpfr_get_prec(big_->v) : kPrecision);
  mpfr_neg(out->v, a.get(), MPFR_RNDN);
  return settle(std::move(out));
}

#define DROVER_HCL_BINARY(fn)                                                                          \
  View va = a.big_ ? View(*a.big_) : View(a.small_), vb = b.big_ ? View(*b.big_) : View(b.small_);     \
  mpfr_prec_t pa = a.big_ ? mpfr_get_prec(a.big_->v) : Number::kPrecision;                             \
  mpfr_prec_t pb = b.big_ ? mpfr_get_prec(b.big_->v) : Number::kPrecision;                             \
  auto out = std::make_shared<Number::Big>(std::max(pa, pb));                                          \
  fn(out->v, va.get(), vb.get(), MPFR_RNDN);                                                           \
  return Number::settle(std::move(out))

Number operator+(const Number& a, const Number& b) {
  int64_t r = 0;
  if (!a.big_ && !b.big_ && !__builtin_add_overflow(a.small_, b.small_, &r)) return Number(r);
  DROVER_HCL_BINARY(mpfr_add);
}
Number operator-(const Number& a, const Number& b) {
  int64_t r = 0;
  if (!a.big_ && !b.big_ && !__builtin_sub_overflow(a.small_, b.small_, &r)) return Number(r);
  DROVER_HCL_BINARY(mpfr_sub);
}
Number operator*(const Number& a, const Number& b) {
  int64_t r = 0;
  if (!a.big_ && !b.big_ && !__builtin_mul_overflow(a.small_, b.small_, &r))
    return r == 0 && (a.small_ < 0) != (b.small_ < 0) ? Number::negative_zero() : Number(r);
  DROVER_HCL_BINARY(mpfr_mul);
}
Number operator/(const Number& a, const Number& b) {
  bool small = !a.big_ && !b.big_ && b.small_ != 0 && b.small_ != -1;
  if (small && a.small_ % b.small_ == 0 && (a.small_ != 0 || b.small_ > 0)) return Number(a.small_ / b.small_);
  DROVER_HCL_BINARY(mpfr_div);
}
Number operator%(const Number& a, const Number& b) {
  if (a.is_zero()) return a.is_negative() && b.is_negative() ? Number() : a;
  if (b.is_zero()) return a;
  if (!a.big_ && !b.big_ && b.small_ != -1) return Number(a.small_ % b.small_);
  auto rest = [&]() -> Number { DROVER_HCL_BINARY(mpfr_fmod); }();
  return rest.is_zero() ? Number() : rest;
}
#undef DROVER_HCL_BINARY

Number Number::floor() const {
  if (!big_ || mpfr_inf_p(big_->v)) return *this;
  auto out = std::make_shared<Big>(std::max<mpfr_prec_t>(64, mpfr_get_prec(big_->v)));
  mpfr_floor(out->v, big_->v);
  if (mpfr_zero_p(out->v)) return Number();
  return settle(std::move(out));
}

Number Number::ceil() const {
  if (!big_ || mpfr_inf_p(big_->v)) return *this;
  auto out = std::make_shared<Big>(std::max<mpfr_prec_t>(64, mpfr_get_prec(big_->v)));
  mpfr_ceil(out->v, big_->v);
  if (mpfr_zero_p(out->v)) return Number();
  return settle(std::move(out));
}

int Number::compare(const Number& a, const Number& b) {
  if (!a.big_ && !b.big_) return (a.small_ > b.small_) - (a.small_ < b.small_);
  View va = a.big_ ? View(*a.big_) : View(a.small_), vb = b.big_ ? View(*b.big_) : View(b.small_);
  return mpfr_cmp(va.get(), vb.get());
}

}  // namespace drover::hcl
