// Unicode as the language sees it: grapheme clusters, NFC, identifier characters and simple case mapping.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hcl {

// Decodes the character at text[at]; sets `size` to its length in bytes (1 for an invalid byte, which gives -1).
int32_t decode_utf8(std::string_view text, size_t at, size_t& size);
void append_utf8(std::string& out, uint32_t code);

// The length in bytes of the first grapheme cluster of `text` (CR LF is one); 0 only for empty text.
size_t next_grapheme(std::string_view text);
std::vector<std::string_view> graphemes(std::string_view text);
size_t grapheme_count(std::string_view text);

// Normalization form C; invalid UTF-8 comes back unchanged.
std::string nfc(std::string text);

bool is_id_start(int32_t c);
bool is_id_continue(int32_t c);  // with '-'
bool is_unicode_space(int32_t c);
bool is_letter(int32_t c);
bool is_digit(int32_t c);
bool is_upper(int32_t c);
bool is_valid_identifier(std::string_view text);

// Simple (one to one) case mapping.
int32_t simple_upper(int32_t c);
int32_t simple_lower(int32_t c);
int32_t simple_title(int32_t c);

// Without white space at the ends.
std::string_view trim_left_space(std::string_view text);
std::string_view trim_right_space(std::string_view text);

}  // namespace drover::hcl
