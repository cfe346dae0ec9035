#include "net/sniff.h"

#include <algorithm>

namespace drover::net {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kHtmlTags[] = {
    "<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME", "<H1",   "<DIV", "<FONT", "<TABLE",
    "<A",             "<STYLE", "<TITLE", "<B",     "<BODY",   "<BR",  "<P",   "<!--",
};

struct Exact {
  std::string_view prefix, type;
};
constexpr Exact kExact[] = {
    {"%PDF-"sv, "application/pdf"},
    {"%!PS-Adobe-"sv, "application/postscript"},
    {"\xFE\xFF"sv, "text/plain; charset=utf-16be"},
    {"\xFF\xFE"sv, "text/plain; charset=utf-16le"},
    {"\xEF\xBB\xBF"sv, "text/plain; charset=utf-8"},
    {"\x00\x00\x01\x00"sv, "image/x-icon"},
    {"\x00\x00\x02\x00"sv, "image/x-icon"},
    {"BM"sv, "image/bmp"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a"sv, "image/gif"},
    {"\x89PNG\x0D\x0A\x1A\x0A"sv, "image/png"},
    {"\xFF\xD8\xFF"sv, "image/jpeg"},
    {"ID3"sv, "audio/mpeg"},
    {"OggS\x00"sv, "application/ogg"},
    {"MThd\x00\x00\x00\x06"sv, "audio/midi"},
    {"\x1A\x45\xDF\xA3"sv, "video/webm"},
    {"\x00\x01\x00\x00"sv, "font/ttf"},
    {"OTTO"sv, "font/otf"},
    {"ttcf"sv, "font/collection"},
    {"wOFF"sv, "font/woff"},
    {"wOF2"sv, "font/woff2"},
    {"\x1F\x8B\x08"sv, "application/x-gzip"},
    {"PK\x03\x04"sv, "application/zip"},
    {"Rar!\x1A\x07\x00"sv, "application/x-rar-compressed"},
    {"Rar!\x1A\x07\x01\x00"sv, "application/x-rar-compressed"},
    {"\x00\x61\x73\x6D"sv, "application/wasm"},
};

// Containers: a mark at 0, four bytes of length, a form at 8.
struct Container {
  std::string_view mark, form, type;
};
constexpr Container kContainers[] = {
    {"RIFF", "WEBPVP", "image/webp"}, {"FORM", "AIFF", "audio/aiff"},
    {"RIFF", "AVI ", "video/avi"},    {"RIFF", "WAVE", "audio/wave"},
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool is_html(std::string_view text) {
  for (auto tag : kHtmlTags) {
    if (text.size() <= tag.size()) continue;
    if (!std::equal(tag.begin(), tag.end(), text.begin(), [](char a, char b) { return a == upper(b); })) continue;
    char next = text[tag.size()];
    if (next == ' ' || next == '>') return true;
  }
  return false;
}

bool is_mp4(std::string_view b) {
  if (b.size() < 12 || b.substr(4, 4) != "ftyp") return false;
  size_t box = static_cast<size_t>(static_cast<unsigned char>(b[0])) << 24 |
               static_cast<size_t>(static_cast<unsigned char>(b[1])) << 16 |
               static_cast<size_t>(static_cast<unsigned char>(b[2])) << 8 | static_cast<unsigned char>(b[3]);
  if (b.size() < box || box % 4 != 0) return false;
  for (size_t at = 8; at < box; at += 4)
    if (at != 12 && b.substr(at, 3) == "mp4") return true;
  return false;
}

bool binary(unsigned char c) { return c <= 0x08 || c == 0x0b || (c >= 0x0e && c <= 0x1a) || (c >= 0x1c && c <= 0x1f); }

}  // namespace

std::string_view detect_content_type(std::string_view bytes) {
  bytes = bytes.substr(0, 512);
  auto text = bytes.substr(std::min(bytes.find_first_not_of("\t\n\x0c\r "), bytes.size()));
  if (is_html(text)) return "text/html; charset=utf-8";
  if (text.starts_with("<?xml")) return "text/xml; charset=utf-8";
  for (auto& e : kExact) {
    // A byte order mark counts only in four bytes or more.
    if (e.type.find("charset") != std::string_view::npos && bytes.size() < 4) continue;
    if (bytes.starts_with(e.prefix)) return e.type;
  }
  for (auto& c : kContainers)
    if (bytes.starts_with(c.mark) && bytes.size() >= 8 && bytes.substr(8).starts_with(c.form)) return c.type;
  if (bytes.size() >= 36 && bytes.substr(34, 2) == "LP") return "application/vnd.ms-fontobject";
  if (is_mp4(bytes)) return "video/mp4";
  if (std::none_of(text.begin(), text.end(), [](char c) { return binary(static_cast<unsigned char>(c)); }))
    return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

}  // namespace drover::net
