#include "archive/sha256.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace drover::archive {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  bool begun = impl_->context && EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) == 1;
  DROVER_ASSERT(begun, "SHA-256 is there");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()); }

std::string Sha256::finish() {
  std::string digest(EVP_MD_get_size(EVP_sha256()), '\0');
  EVP_DigestFinal_ex(impl_->context, reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

}  // namespace drover::archive
