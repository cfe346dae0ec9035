#include "client/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/strings.h"

namespace drover::client {

namespace {

constexpr size_t kNameMax = 100;
constexpr int64_t kRecordMax = 1 << 20;  // bytes of PAX records or a long name

struct Field {
  size_t at, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kTime{136, 12}, kSum{148, 8}, kType{156, 1},
    kLink{157, 100}, kMagic{257, 8}, kPrefix{345, 155};

class Block {
 public:
  Block() { bytes_.fill('\0'); }
  void text(Field f, std::string_view s) { std::memcpy(bytes_.data() + f.at, s.data(), std::min(s.size(), f.size)); }
  // Zero-padded octal with a closing NUL; what is too large for that is cut to what fits.
  void octal(Field f, uint64_t n) {
    auto digits = fmt::format("{:0{}o}", n, f.size - 1);
    text(f, std::string_view(digits).substr(digits.size() - (f.size - 1)));
  }
  std::string done() {
    text(kSum, "        ");
    unsigned sum = 0;
    for (char c : bytes_) sum += static_cast<unsigned char>(c);
    text(kSum, fmt::format("{:06o}", sum));
    bytes_[kSum.at + 6] = '\0';
    return {bytes_.data(), bytes_.size()};
  }

 private:
  std::array<char, kTarBlock> bytes_;
};

// "27 path=some/long/name\n": the length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  size_t rest = key.size() + value.size() + 3;  // space, '=', newline
  size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

std::string block_of(const TarEntry& e, std::string_view name, char type, int64_t size) {
  Block b;
  b.text(kName, name);
  b.octal(kMode, e.mode & 07777);
  b.octal(kUid, e.uid);
  b.octal(kGid, e.gid);
  b.octal(kSize, static_cast<uint64_t>(size));
  b.octal(kTime, static_cast<uint64_t>(std::max<int64_t>(e.modified.unix_nanos / 1'000'000'000, 0)));
  b.text(kType, std::string_view(&type, 1));
  b.text(kLink, e.link);
  b.text(kMagic, std::string_view("ustar\00000", 8));
  return b.done();
}

std::string field_text(std::string_view block, Field f) {
  auto s = block.substr(f.at, f.size);
  return std::string(s.substr(0, std::min(s.size(), s.find('\0'))));
}

// Octal, or the GNU form for large numbers: a first byte with the high bit and a big-endian number.
std::optional<int64_t> field_number(std::string_view block, Field f) {
  auto s = block.substr(f.at, f.size);
  uint64_t n = 0;
  if (static_cast<unsigned char>(s[0]) & 0x80) {
    n = static_cast<unsigned char>(s[0]) & 0x7f;
    for (char c : s.substr(1)) {
      if (n >> 54) return std::nullopt;
      n = n << 8 | static_cast<unsigned char>(c);
    }
    return static_cast<int64_t>(n);
  }
  for (char c : s) {
    if (c == ' ' || c == '\0') continue;
    if (c < '0' || c > '7' || n >> 59) return std::nullopt;
    n = n * 8 + static_cast<uint64_t>(c - '0');
  }
  return static_cast<int64_t>(n);
}

bool sum_matches(std::string_view block) {
  unsigned sum = 0;
  for (size_t i = 0; i < block.size(); ++i)
    sum += i >= kSum.at && i < kSum.at + kSum.size ? ' ' : static_cast<unsigned char>(block[i]);
  return field_number(block, kSum) == static_cast<int64_t>(sum);
}

std::optional<std::string> pax_value(std::string_view records, std::string_view key) {
  std::optional<std::string> out;
  while (!records.empty()) {
    auto space = records.find(' ');
    auto length = space == std::string_view::npos ? std::nullopt : parse_int(records.substr(0, space));
    if (!length || *length <= static_cast<int64_t>(space) + 1 || static_cast<size_t>(*length) > records.size()) return out;
    auto record = records.substr(space + 1, static_cast<size_t>(*length) - space - 2);
    if (record.starts_with(key) && record.size() > key.size() && record[key.size()] == '=') out = record.substr(key.size() + 1);
    records.remove_prefix(static_cast<size_t>(*length));
  }
  return out;
}

std::string without_slash(std::string name) {
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name;
}

}  // namespace

size_t tar_padding(int64_t size) { return (kTarBlock - static_cast<size_t>(size) % kTarBlock) % kTarBlock; }
std::string tar_end() { return std::string(2 * kTarBlock, '\0'); }

std::string tar_header(const TarEntry& e) {
  char type = e.kind == TarKind::kDir ? '5' : e.kind == TarKind::kSymlink ? '2' : '0';
  auto name = e.kind == TarKind::kDir ? e.name + "/" : e.name;
  auto size = e.kind == TarKind::kFile ? e.size : 0;
  std::string records;
  if (name.size() > kNameMax) records += pax_record("path", name);
  if (e.link.size() > kNameMax) records += pax_record("linkpath", e.link);
  if (size >> 33) records += pax_record("size", std::to_string(size));
  std::string out;
  if (!records.empty()) {
    TarEntry extra;
    out = block_of(extra, "PaxHeaders.0/" + name.substr(0, 80), 'x', static_cast<int64_t>(records.size())) + records;
    out.append(tar_padding(static_cast<int64_t>(records.size())), '\0');
  }
  return out + block_of(e, name, type, size);
}

Result<std::optional<TarReader::Item>> TarReader::header() {
  std::string block = buffer_.substr(0, kTarBlock);
  buffer_.erase(0, kTarBlock);
  if (block.find_first_not_of('\0') == std::string::npos) {
    ended_ = true;
    return std::optional<Item>(Item{.end = true});
  }
  auto size = field_number(block, kSize), mode = field_number(block, kMode), uid = field_number(block, kUid),
       gid = field_number(block, kGid), time = field_number(block, kTime);
  if (!sum_matches(block) || !size || !mode || !uid || !gid || !time) return Error(ErrorCode::kCorrupt, "invalid tar header");
  char type = block[kType.at];
  left_ = *size;
  padding_ = tar_padding(left_);
  data_ = type == 'x' ? Data::kPax : type == 'L' ? Data::kLongName : type == 'K' ? Data::kLongLink : type == 'g' ? Data::kSkip : Data::kFile;
  if (data_ != Data::kFile) {
    if (left_ > kRecordMax) return Error(ErrorCode::kCorrupt, "invalid tar header");
    return std::optional<Item>();
  }
  TarEntry e;
  e.name = field_text(block, kName);
  if (auto prefix = field_text(block, kPrefix); !prefix.empty() && block.substr(kMagic.at, 6) == std::string_view("ustar\0", 6))
    e.name = prefix + "/" + e.name;
  e.link = field_text(block, kLink);
  if (!long_name_.empty()) e.name = std::exchange(long_name_, {});
  if (!long_link_.empty()) e.link = std::exchange(long_link_, {});
  if (auto path = pax_value(pax_, "path")) e.name = *path;
  if (auto link = pax_value(pax_, "linkpath")) e.link = *link;
  if (auto text = pax_value(pax_, "size")) {
    auto n = parse_int(*text);
    if (!n || *n < 0) return Error(ErrorCode::kCorrupt, "invalid tar header");
    left_ = *n;
    padding_ = tar_padding(left_);
  }
  pax_.clear();
  e.kind = type == '0' || type == '\0' ? TarKind::kFile : type == '5' ? TarKind::kDir : type == '2' ? TarKind::kSymlink : TarKind::kOther;
  if (e.kind != TarKind::kFile) data_ = Data::kSkip;
  e.name = without_slash(e.name);
  e.mode = static_cast<unsigned>(*mode) & 07777;
  e.uid = static_cast<unsigned>(*uid);
  e.gid = static_cast<unsigned>(*gid);
  e.size = left_;
  e.modified = Time::from_unix_nanos(*time * 1'000'000'000);
  return std::optional<Item>(Item{.entry = std::move(e)});
}

Result<std::optional<TarReader::Item>> TarReader::next() {
  for (;;) {
    if (ended_) return std::optional<Item>(Item{.end = true});
    if (left_ > 0) {
      if (buffer_.empty()) return std::optional<Item>();
      auto n = std::min(static_cast<size_t>(left_), buffer_.size());
      auto bytes = buffer_.substr(0, n);
      buffer_.erase(0, n);
      left_ -= static_cast<int64_t>(n);
      if (data_ == Data::kFile) return std::optional<Item>(Item{.data = std::move(bytes)});
      if (data_ == Data::kPax) pax_ += bytes;
      if (data_ == Data::kLongName) long_name_ += bytes;
      if (data_ == Data::kLongLink) long_link_ += bytes;
      continue;
    }
    if (padding_ > 0) {
      if (buffer_.size() < padding_) return std::optional<Item>();
      buffer_.erase(0, std::exchange(padding_, 0));
    }
    for (auto* text : {&long_name_, &long_link_})
      while (!text->empty() && text->back() == '\0') text->pop_back();
    if (buffer_.size() < kTarBlock) return std::optional<Item>();
    DROVER_TRY(auto item, header());
    if (item) return item;
  }
}

Status TarReader::finish() const {
  if (ended_) return {};
  return Error(ErrorCode::kCorrupt, "unexpected EOF");
}

}  // namespace drover::client
