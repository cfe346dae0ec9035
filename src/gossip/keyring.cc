#include "gossip/keyring.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "codec/type_info.h"
#include "gossip/limits.h"

namespace drover::gossip {
namespace {

constexpr size_t kNonce = 12, kTag = 16, kBlock = 16;
constexpr char kVersionPadded = 0, kVersion = 1;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* cipher_for(size_t key_size) {
  return key_size == 16 ? EVP_aes_128_gcm() : key_size == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
}

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes_of(std::string& s, size_t at = 0) { return reinterpret_cast<unsigned char*>(s.data() + at); }

std::optional<std::string> open_with(const std::string& key, std::string_view nonce, std::string_view text,
                                     std::string_view tag, std::string_view authenticated) {
  Context c(EVP_CIPHER_CTX_new());
  int n = 0;
  std::string plain(text.size(), '\0');
  bool good = c && EVP_DecryptInit_ex(c.get(), cipher_for(key.size()), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
              (authenticated.empty() ||
               EVP_DecryptUpdate(c.get(), nullptr, &n, bytes_of(authenticated), static_cast<int>(authenticated.size())) == 1) &&
              (text.empty() || EVP_DecryptUpdate(c.get(), bytes_of(plain), &n, bytes_of(text), static_cast<int>(text.size())) == 1) &&
              EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTag, const_cast<char*>(tag.data())) == 1 &&
              EVP_DecryptFinal_ex(c.get(), bytes_of(plain, plain.size()), &n) == 1;
  if (!good) return std::nullopt;
  return plain;
}

}  // namespace

Status validate_key(std::string_view key) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) return invalid("key size must be 16, 24 or 32 bytes");
  return {};
}

Status Keyring::add(std::string_view key) {
  DROVER_CHECK(validate_key(key));
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return {};
  if (keys_.size() >= kKeysMax) return invalid(fmt::format("the keyring holds {} keys already; remove one first", kKeysMax));
  keys_.emplace_back(key);
  return {};
}

Status Keyring::use(std::string_view key) {
  auto at = std::find(keys_.begin(), keys_.end(), key);
  if (at == keys_.end()) return invalid("requested key is not in the keyring");
  std::rotate(keys_.begin(), at, at + 1);
  return {};
}

Status Keyring::remove(std::string_view key) {
  if (!keys_.empty() && keys_.front() == key) return invalid("removing the primary key is not allowed");
  std::erase(keys_, key);
  return {};
}

Result<std::string> Keyring::seal(std::string_view plain, std::string_view authenticated, Random& random) const {
  auto& key = primary();
  std::string out(1 + kNonce + plain.size() + kTag, kVersion);
  random.fill(out.data() + 1, kNonce);
  Context c(EVP_CIPHER_CTX_new());
  int n = 0;
  size_t text = 1 + kNonce;
  bool good = c && EVP_EncryptInit_ex(c.get(), cipher_for(key.size()), nullptr, bytes_of(key), bytes_of(out, 1)) == 1 &&
              (authenticated.empty() ||
               EVP_EncryptUpdate(c.get(), nullptr, &n, bytes_of(authenticated), static_cast<int>(authenticated.size())) == 1) &&
              (plain.empty() || EVP_EncryptUpdate(c.get(), bytes_of(out, text), &n, bytes_of(plain), static_cast<int>(plain.size())) == 1) &&
              EVP_EncryptFinal_ex(c.get(), bytes_of(out, text + plain.size()), &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, kTag, out.data() + text + plain.size()) == 1;
  if (!good) return internal("encrypting a gossip message failed");
  return out;
}

Result<std::string> Keyring::open(std::string_view sealed, std::string_view authenticated) const {
  if (sealed.empty()) return invalid("Cannot decrypt empty payload");
  char version = sealed[0];
  if (version != kVersion && version != kVersionPadded)
    return invalid(fmt::format("Unsupported encryption version {}", static_cast<unsigned char>(version)));
  size_t least = 1 + kNonce + kTag + (version == kVersionPadded ? kBlock : 0);
  if (sealed.size() < least) return invalid(fmt::format("Payload is too small to decrypt: {}", sealed.size()));
  auto nonce = sealed.substr(1, kNonce);
  auto text = sealed.substr(1 + kNonce, sealed.size() - 1 - kNonce - kTag);
  auto tag = sealed.substr(sealed.size() - kTag);
  for (auto& key : keys_) {
    auto plain = open_with(key, nonce, text, tag, authenticated);
    if (!plain) continue;
    if (version == kVersionPadded) {
      auto pad = static_cast<unsigned char>(plain->empty() ? 0 : plain->back());
      if (pad == 0 || pad > kBlock || pad > plain->size()) return invalid("malformed padding of an encrypted message");
      plain->resize(plain->size() - pad);
    }
    return std::move(*plain);
  }
  return invalid("No installed keys could decrypt the message");
}

std::string encode_keyring(const std::vector<std::string>& keys) {
  std::string out = "[";
  for (auto& key : keys) out += fmt::format("{}\n  \"{}\"", out.size() > 1 ? "," : "", base64_encode(key));
  return out + (keys.empty() ? "]" : "\n]");
}

Result<std::vector<std::string>> decode_keyring(std::string_view json) {
  DROVER_TRY(auto texts, from_json<List<std::string>>(json));
  std::vector<std::string> keys;
  for (auto& text : texts) {
    auto key = base64_decode(text);
    if (!key) return invalid("Failed to decode key: illegal base64 data");
    DROVER_CHECK(validate_key(*key));
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace drover::gossip
