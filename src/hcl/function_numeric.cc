// Functions over numbers.
#include <fmt/format.h>

#include <cmath>

#include "base/strings.h"
#include "hcl/function_impl.h"

namespace drover::hcl {

namespace {

CallResult absolute(Arguments a, const FunctionHost&) {
  return a[0].as_number().is_negative() ? Value::number(-a[0].as_number()) : a[0];
}
CallResult ceiling(Arguments a, const FunctionHost&) { return Value::number(a[0].as_number().ceil()); }
CallResult floor_of(Arguments a, const FunctionHost&) { return Value::number(a[0].as_number().floor()); }

CallResult from_float(double value) {
  if (std::isnan(value)) return call_error("the result is not a number");
  if (std::isinf(value)) return Value::number(Number::infinity(value < 0));
  return Value::number(Number::from_double(value));
}
// The natural logarithm by the classic reduction to [sqrt(1/2), sqrt(2)) and a degree 14 polynomial, within one unit
// in the last place. The C library's is nearer, but then quotients differ from the reference's in the last digit.
double natural_log(double x) {
  if (std::isnan(x) || x == INFINITY) return x;
  if (x < 0) return NAN;
  if (x == 0) return -INFINITY;
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  constexpr double kL[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                           1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};
  int exponent = 0;
  double fraction = std::frexp(x, &exponent);
  if (fraction < M_SQRT1_2) {
    fraction *= 2;
    --exponent;
  }
  double f = fraction - 1, k = exponent;
  double s = f / (2 + f), s2 = s * s, s4 = s2 * s2;
  double odd = s2 * (kL[0] + s4 * (kL[2] + s4 * (kL[4] + s4 * kL[6])));
  double even = s4 * (kL[1] + s4 * (kL[3] + s4 * kL[5]));
  double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + odd + even) + k * kLn2Low)) - f);
}

CallResult logarithm(Arguments a, const FunctionHost&) {
  return from_float(natural_log(a[0].as_number().to_double()) / natural_log(a[1].as_number().to_double()));
}
// x to the y by squaring for the whole part of y and by the exponential for its fraction, each step rounded: the last
// digits of the reference's results follow from that, not from a correctly rounded power.
double power_by_squaring(double x, double y) {
  double whole = 0;
  double fraction = std::modf(std::fabs(y), &whole);
  if (whole >= 9.2e18 || (fraction != 0 && x < 0)) return std::pow(x, y);
  if (fraction > 0.5) {
    fraction -= 1;
    whole += 1;
  }
  double result = fraction == 0 ? 1 : std::exp(fraction * natural_log(x));
  int64_t exponent = 0, binary = 0;
  int first = 0;
  double mantissa = std::frexp(x, &first);
  binary = first;
  for (auto left = static_cast<int64_t>(whole); left != 0; left >>= 1) {
    if (binary < -(1 << 12) || binary > (1 << 12)) {  // out of range whatever follows
      exponent += binary;
      break;
    }
    if (left & 1) {
      result *= mantissa;
      exponent += binary;
    }
    mantissa *= mantissa;
    binary *= 2;
    if (mantissa < 0.5) {
      mantissa += mantissa;
      --binary;
    }
  }
  if (y < 0) {
    result = 1 / result;
    exponent = -exponent;
  }
  return std::ldexp(result, static_cast<int>(exponent));
}

CallResult power(Arguments a, const FunctionHost&) {
  double x = a[0].as_number().to_double(), y = a[1].as_number().to_double();
  // What needs no steps or has no steps.
  bool plain = x == 0 || x == 1 || y == 0 || y == 1 || std::fabs(y) == 0.5 || !std::isfinite(x) || !std::isfinite(y);
  return from_float(plain ? std::pow(x, y) : power_by_squaring(x, y));
}

template <bool kGreatest>
CallResult extreme(Arguments a, const FunctionHost&) {
  if (a.empty()) return call_error("must pass at least one number");
  size_t best = 0;
  for (size_t i = 1; i < a.size(); ++i) {
    bool less = a[i].as_number() < a[best].as_number(), more = a[best].as_number() < a[i].as_number();
    if (kGreatest ? more : less) best = i;
  }
  return a[best];
}

CallResult signum(Arguments a, const FunctionHost&) {
  auto n = whole_number(a[0]);
  if (!n) return std::unexpected(n.error());
  return Value::number((*n > 0) - (*n < 0));
}

CallResult parse_int_text(Arguments a, const FunctionHost&) {
  if (!a[0].is(Kind::kString)) {
    return argument_error(0, fmt::format("first argument must be a string, not {}", a[0].type().name()));
  }
  auto base = whole_number(a[1]);
  if (!base) return argument_error(1, base.error().message);
  if (*base < 2 || *base > 62) return argument_error(1, "base must be a whole number between 2 and 62 inclusive");
  auto number = Number::parse_integer(a[0].as_string(), static_cast<int>(*base));
  if (!number) {
    return argument_error(0, fmt::format("cannot parse {} as a base {} integer", go_quote(a[0].as_string()), *base));
  }
  return Value::number(*number);
}

CallResult range_of(Arguments a, const FunctionHost&) {
  if (a.empty() || a.size() > 3) return call_error("must have one, two, or three arguments");
  Number start = a.size() == 1 ? Number(0) : a[0].as_number();
  Number end = a.size() == 1 ? a[0].as_number() : a[1].as_number();
  Number step = a.size() == 3 ? a[2].as_number() : Number(end < start ? -1 : 1);
  int end_argument = a.size() == 1 ? 0 : 1;
  bool down = step.sign() < 0;
  if (down && start < end) return argument_error(end_argument, "end must be less than start when step is negative");
  if (!down && end < start) return argument_error(end_argument, "end must be greater than start when step is positive");
  Value::Elements out;
  for (Number at = start; down ? end < at : at < end; at = at + step) {
    if (out.size() >= 1024) {
      return call_error("more than 1024 values were generated; either decrease the difference between start and end or "
                        "use a smaller step");
    }
    out.push_back(Value::number(at));
  }
  return Value::list(Type::number(), std::move(out));
}

}  // namespace

void add_numeric_functions(FunctionList& out) {
  Type n = Type::number(), any;
  out.push_back({"abs", {{"num", n}}, {}, absolute});
  out.push_back({"ceil", {{"num", n}}, {}, ceiling});
  out.push_back({"floor", {{"num", n}}, {}, floor_of});
  out.push_back({"log", {{"num", n}, {"base", n}}, {}, logarithm});
  out.push_back({"pow", {{"num", n}, {"power", n}}, {}, power});
  out.push_back({"max", {}, Parameter{"numbers", n}, extreme<true>});
  out.push_back({"min", {}, Parameter{"numbers", n}, extreme<false>});
  out.push_back({"signum", {{"num", n}}, {}, signum});
  out.push_back({"parseint", {{"number", any}, {"base", n}}, {}, parse_int_text});
  out.push_back({"range", {}, Parameter{"params", n}, range_of});
}

}  // namespace drover::hcl
