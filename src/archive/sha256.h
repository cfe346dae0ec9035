// SHA-256 of bytes as they come.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace drover::archive {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string finish();  // 32 bytes; once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::archive
