// A tar stream as it comes: headers and bytes of its members, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::archive {

struct TarHeader {
  std::string name;
  uint64_t size = 0;
};

// ustar, with PAX's and GNU's long names and sizes. The texts are Go's: "archive/tar: invalid tar header",
// "unexpected EOF".
class TarReader {
 public:
  struct Handler {
    std::function<Status(const TarHeader&)> begin;
    std::function<Status(std::string_view)> bytes;
    std::function<Status()> end;     // of a member
    std::function<Status()> finish;  // of the archive: its closing blocks are there
  };
  explicit TarReader(Handler handler) : handler_(std::move(handler)) {}

  Status write(std::string_view bytes);
  // There is no more.
  Status finish();
  // Bytes behind the closing blocks.
  uint64_t extra() const { return extra_; }
  bool ended() const { return state_ == State::kEnded; }

 private:
  enum class State { kHeader, kBody, kPadding, kEnded };
  Status block();
  Status member(std::string name, uint64_t size);
  Status body_done();
  Status apply_extension();

  Handler handler_;
  State state_ = State::kHeader;
  std::string block_;        // a header, gathered
  bool zero_seen_ = false;   // one closing block
  uint64_t left_ = 0;        // of body or padding
  uint64_t padding_ = 0;
  uint64_t extra_ = 0;
  // An extension header: its kind, and what it says of the next member.
  char extension_ = 0;
  std::string extension_body_, next_name_;
  uint64_t next_size_ = 0;
  bool has_next_size_ = false;
};

// A header block for a plain file, behind a PAX header where the size needs one.
std::string tar_header(std::string_view name, uint64_t size, int64_t modified_unix);
// What fills the last block of `size` bytes.
std::string tar_padding(uint64_t size);
// The closing blocks.
std::string tar_end();

}  // namespace drover::archive
