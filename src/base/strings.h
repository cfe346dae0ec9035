// String helpers that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim_space(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equal_fold(std::string_view a, std::string_view b);  // ASCII only
std::string replace_all(std::string text, std::string_view from, std::string_view to);
std::optional<int64_t> parse_int(std::string_view text);       // whole text, decimal
std::optional<uint64_t> parse_uint(std::string_view text);     // whole text, decimal
std::optional<double> parse_double(std::string_view text);     // whole text
// Go's strconv.ParseBool: 1 t T TRUE true True and 0 f F FALSE false False.
std::optional<bool> parse_bool(std::string_view text);

// Go's %q for text: double quotes, \n \t \" \\ and \x or \u escapes.
std::string go_quote(std::string_view text);
// Go's %+q: the same with every character beyond ASCII as \u or \U.
std::string go_quote_ascii(std::string_view text);
// Go's strconv 'g' shortest form as encoding/json prints a float64 (exponents like 1e+21).
std::string format_double(double value);
// The value with its unit in powers of 1024: "1.0 KiB", "512 B" (the reference's humanize.IBytes).
std::string format_ibytes(uint64_t bytes);

bool valid_utf8(std::string_view text);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // standard alphabet, padded
std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

// The largest length <= limit that does not cut a UTF-8 sequence of `text`.
size_t utf8_prefix(std::string_view text, size_t limit);

}  // namespace drover
