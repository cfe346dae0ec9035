#include "archive/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace drover::archive {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kExtensionMax = 1u << 20;
constexpr uint64_t kSizeMax = uint64_t{1} << 62;
constexpr uint64_t kOctalMax = (uint64_t{1} << 33) - 1;  // what eleven octal digits hold

// Where the fields of a header are.
struct Field {
  size_t at, size;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kModified{136, 12}, kSum{148, 8}, kPrefix{345, 155};
constexpr size_t kType = 156, kMagic = 257;

std::string_view field(std::string_view block, Field f) { return block.substr(f.at, f.size); }
std::string_view text(std::string_view raw) { return raw.substr(0, raw.find('\0')); }

Error bad_header() { return {ErrorCode::kCorrupt, "archive/tar: invalid tar header"}; }
Error cut() { return {ErrorCode::kCorrupt, "unexpected EOF"}; }

// Octal digits, or a binary number where the first bit says so.
std::optional<uint64_t> number(std::string_view raw) {
  uint64_t n = 0;
  if (static_cast<uint8_t>(raw[0]) & 0x80) {
    if (static_cast<uint8_t>(raw[0]) & 0x40) return {};  // negative
    for (size_t i = 0; i < raw.size(); ++i) {
      if (n >> 54) return {};
      n = n << 8 | (static_cast<uint8_t>(raw[i]) & (i == 0 ? 0x3f : 0xff));
    }
    return n;
  }
  while (!raw.empty() && (raw.front() == ' ' || raw.front() == '\0')) raw.remove_prefix(1);
  while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\0')) raw.remove_suffix(1);
  for (char c : raw) {
    if (c < '0' || c > '7') return {};
    n = n * 8 + static_cast<uint64_t>(c - '0');
  }
  return n;
}

// The sum of a header's bytes, its own field taken as blanks; both as unsigned and, as some programs did, signed.
bool sum_fits(std::string_view block) {
  auto wanted = number(field(block, kSum));
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    char c = i >= kSum.at && i < kSum.at + kSum.size ? ' ' : block[i];
    plain += static_cast<uint8_t>(c);
    with_sign += static_cast<signed char>(c);
  }
  return wanted && (static_cast<int64_t>(*wanted) == plain || static_cast<int64_t>(*wanted) == with_sign);
}

void put(std::string& block, Field f, std::string_view value) { block.replace(f.at, value.size(), value); }

std::string header_block(std::string_view name, uint64_t size, int64_t modified, char type) {
  std::string block(kBlock, '\0');
  put(block, kName, name);
  put(block, {100, 8}, "0000600");
  put(block, {108, 8}, "0000000");
  put(block, {116, 8}, "0000000");
  put(block, kSize, fmt::format("{:011o}", size));
  put(block, kModified, fmt::format("{:011o}", std::max<int64_t>(modified, 0)));
  put(block, kSum, "        ");
  block[kType] = type;
  put(block, {kMagic, 8}, std::string_view("ustar\0" "00", 8));
  put(block, {329, 8}, "0000000");
  put(block, {337, 8}, "0000000");
  unsigned sum = 0;
  for (char c : block) sum += static_cast<uint8_t>(c);
  put(block, kSum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

}  // namespace

Status TarReader::write(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t take = 0;
    switch (state_) {
      case State::kEnded:
        extra_ += bytes.size();
        return {};
      case State::kHeader:
        take = std::min(kBlock - block_.size(), bytes.size());
        block_.append(bytes.substr(0, take));
        bytes.remove_prefix(take);
        if (block_.size() == kBlock) DROVER_CHECK(block());
        break;
      case State::kBody:
        take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
        left_ -= take;
        if (extension_) extension_body_.append(bytes.substr(0, take));
        else DROVER_CHECK(handler_.bytes(bytes.substr(0, take)));
        bytes.remove_prefix(take);
        if (left_ == 0) DROVER_CHECK(body_done());
        break;
      case State::kPadding:
        take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
        left_ -= take;
        bytes.remove_prefix(take);
        if (left_ == 0) state_ = State::kHeader;
        break;
    }
  }
  return {};
}

Status TarReader::block() {
  auto block = std::exchange(block_, {});
  if (block.find_first_not_of('\0') == block.npos) {
    if (!std::exchange(zero_seen_, true)) return {};
    state_ = State::kEnded;
    return handler_.finish();
  }
  if (zero_seen_ || !sum_fits(block)) return bad_header();
  auto size = number(field(block, kSize));
  if (!size || *size > kSizeMax) return bad_header();
  char type = block[kType];
  extension_ = type == 'x' || type == 'L' || type == 'K' ? type : '\0';
  if (extension_) {
    if (*size > kExtensionMax) return Error(ErrorCode::kCorrupt, "archive/tar: header field too long");
    extension_body_.clear();
    return member({}, *size);
  }
  std::string name(text(field(block, kName)));
  bool ustar = std::string_view(block).substr(kMagic, 6) == std::string_view("ustar\0", 6);
  if (auto prefix = text(field(block, kPrefix)); ustar && !prefix.empty()) name = std::string(prefix) + "/" + name;
  if (!next_name_.empty()) name = std::exchange(next_name_, {});
  return member(std::move(name), std::exchange(has_next_size_, false) ? next_size_ : *size);
}

Status TarReader::member(std::string name, uint64_t size) {
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  state_ = State::kBody;
  if (!extension_) DROVER_CHECK(handler_.begin({std::move(name), size}));
  return left_ == 0 ? body_done() : Status();
}

Status TarReader::body_done() {
  left_ = padding_;
  state_ = left_ ? State::kPadding : State::kHeader;
  if (!extension_) return handler_.end();
  auto status = apply_extension();
  extension_ = 0;
  return status;
}

Status TarReader::apply_extension() {
  if (extension_ == 'K') return {};
  if (extension_ == 'L') {
    next_name_ = text(extension_body_);
    return {};
  }
  // "<length> <key>=<value>\n", the length of all of it.
  std::string_view rest = extension_body_;
  while (!rest.empty()) {
    auto gap = rest.find(' ');
    auto length = parse_uint(rest.substr(0, gap));
    if (gap == rest.npos || !length || *length > rest.size() || *length < gap + 2 || rest[*length - 1] != '\n') return bad_header();
    auto record = rest.substr(gap + 1, *length - gap - 2);
    rest.remove_prefix(*length);
    auto equals = record.find('=');
    if (equals == record.npos) return bad_header();
    auto key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") next_name_ = value;
    if (key == "size") {
      auto n = parse_uint(value);
      if (!n || *n > kSizeMax) return bad_header();
      next_size_ = *n;
      has_next_size_ = true;
    }
  }
  return {};
}

Status TarReader::finish() {
  if (state_ == State::kEnded) return {};
  // An archive without closing blocks is taken, as long as it ends between members.
  if (state_ != State::kHeader || !block_.empty() || !next_name_.empty() || has_next_size_) return cut();
  state_ = State::kEnded;
  return handler_.finish();
}

std::string tar_header(std::string_view name, uint64_t size, int64_t modified) {
  if (size <= kOctalMax) return header_block(name, size, modified, '0');
  std::string value = fmt::format(" size={}\n", size), record;
  for (size_t length = value.size() + 1;; ++length) {
    record = fmt::format("{}{}", length, value);
    if (record.size() == length) break;
  }
  return header_block(fmt::format("PaxHeaders.0/{}", name), record.size(), modified, 'x') + record + tar_padding(record.size()) +
         header_block(name, 0, modified, '0');
}

std::string tar_padding(uint64_t size) { return std::string((kBlock - size % kBlock) % kBlock, '\0'); }

std::string tar_end() { return std::string(2 * kBlock, '\0'); }

}  // namespace drover::archive
