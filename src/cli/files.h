// Small files, with Go's error texts ("open x: no such file or directory").
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/read_file.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace drover::cli {

using drover::read_file;
using drover::errno_text;
// A file read from its beginning on, or from anywhere.
class FileReader {
 public:
  FileReader(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  // As many bytes as there are, up to `size`.
  Result<size_t> read(char* into, size_t size);
  Result<size_t> read_at(uint64_t offset, char* into, size_t size) const;

 private:
  UniqueFd fd_;
  std::string path_;
  uint64_t at_ = 0;
};
Result<FileReader> open_for_reading(const std::string& path);
// Creates or truncates.
Status write_file(const std::string& path, std::string_view text, mode_t mode);
bool exists(const std::string& path);
bool is_directory(const std::string& path);
std::string working_directory();

}  // namespace drover::cli
