// The tar format as far as the agent moves files with it: directories, regular files and symbolic links; names of any
// length (PAX records). Pure text work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace drover::client {

inline constexpr size_t kTarBlock = 512;

enum class TarKind : unsigned char { kFile, kDir, kSymlink, kOther };

struct TarEntry {
  std::string name;  // relative, without a trailing slash
  TarKind kind = TarKind::kFile;
  unsigned mode = 0644;  // permission bits
  unsigned uid = 0, gid = 0;
  int64_t size = 0;  // of a regular file
  Time modified;
  std::string link;  // target of a symbolic link
};

// The header blocks of an entry. A file's bytes follow it, then tar_padding().
std::string tar_header(const TarEntry& entry);
size_t tar_padding(int64_t size);  // zero bytes after so many bytes of data
std::string tar_end();

// Takes an archive apart as it comes. Errors: kCorrupt "invalid tar header", "unexpected EOF".
class TarReader {
 public:
  struct Item {
    std::optional<TarEntry> entry;  // a new entry begins
    std::string data;               // else bytes of the last one
    bool end = false;               // the archive is complete
  };
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next item, or nullopt: more bytes are needed.
  Result<std::optional<Item>> next();
  // Whether an end here is a proper one.
  Status finish() const;

 private:
  Result<std::optional<Item>> header();

  std::string buffer_;
  int64_t left_ = 0;      // bytes of data of the current entry
  size_t padding_ = 0;    // to be skipped after them
  std::string pax_;       // records gathered for the next entry
  enum class Data : unsigned char { kFile, kPax, kLongName, kLongLink, kSkip } data_ = Data::kFile;
  std::string long_name_, long_link_;
  bool ended_ = false;
};

}  // namespace drover::client
