#include "server/keyring.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "raft/disk.h"

namespace drover::server {
namespace {

constexpr size_t kNonceBytes = 12, kTagBytes = 16;
constexpr std::string_view kSuffix = ".nks.json";

// What a key file holds.
struct KeyFile {
  RootKeyMeta Meta;
  Bytes DEK;  // the key, sealed with KEK
  Bytes KEK;
};

// What a token begins with.
struct TokenHeader {
  std::string alg;
  std::string kid;
};

}  // namespace
}  // namespace drover::server

namespace drover {
DROVER_TYPE(server::KeyFile)
DROVER_TYPE(server::TokenHeader)
}
DROVER_DESCRIBE(drover::server::KeyFile, "server.KeyFile", DROVER_FIELD(Meta), DROVER_FIELD(DEK), DROVER_FIELD(KEK))
DROVER_DESCRIBE(drover::server::TokenHeader, "server.TokenHeader", DROVER_FIELD(alg), DROVER_FIELD(kid))

namespace drover::server {
namespace {

const unsigned char* bytes(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};
struct FreeKey {
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};

Error crypto_error() { return internal("cryptography failed"); }

Result<std::string> random_bytes(size_t size) {
  std::string out(size, '\0');
  if (RAND_bytes(bytes(out), static_cast<int>(size)) != 1) return crypto_error();
  return out;
}

Result<std::string> seal(std::string_view key, std::string_view plain, std::string_view extra) {
  DROVER_TRY(auto nonce, random_bytes(kNonceBytes));
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> c(EVP_CIPHER_CTX_new());
  std::string out(plain.size(), '\0'), tag(kTagBytes, '\0');
  int n = 0;
  bool ok = c && EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) == 1 &&
            EVP_EncryptUpdate(c.get(), nullptr, &n, bytes(extra), static_cast<int>(extra.size())) == 1 &&
            EVP_EncryptUpdate(c.get(), bytes(out), &n, bytes(plain), static_cast<int>(plain.size())) == 1 &&
            EVP_EncryptFinal_ex(c.get(), bytes(out) + n, &n) == 1 &&
            EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  if (!ok) return crypto_error();
  return nonce + out + tag;
}

Result<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view extra) {
  if (sealed.size() < kNonceBytes + kTagBytes) return internal("cipher: message authentication failed");
  auto nonce = sealed.substr(0, kNonceBytes);
  auto text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes)), out(text.size(), '\0');
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> c(EVP_CIPHER_CTX_new());
  int n = 0;
  bool ok = c && EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) == 1 &&
            EVP_DecryptUpdate(c.get(), nullptr, &n, bytes(extra), static_cast<int>(extra.size())) == 1 &&
            EVP_DecryptUpdate(c.get(), bytes(out), &n, bytes(text), static_cast<int>(text.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
            EVP_DecryptFinal_ex(c.get(), bytes(out) + n, &n) == 1;
  if (!ok) return internal("cipher: message authentication failed");
  return out;
}

std::string base64_url(std::string_view data) {
  auto text = base64_encode(data);
  for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> base64_url_decode(std::string text) {
  if (text.find_first_of("+/=") != std::string::npos) return std::nullopt;
  for (auto& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.resize((text.size() + 3) / 4 * 4, '=');
  return base64_decode(text);
}

Result<std::string> read_file(raft::Disk& disk, const std::string& path) {
  DROVER_TRY(auto file, disk.open(path, raft::OpenMode::kRead));
  DROVER_TRY(auto size, file->size());
  std::string out(size, '\0');
  DROVER_TRY(auto got, file->read_at(0, out.data(), out.size()));
  out.resize(got);
  return out;
}

// Whole or not at all: written beside it, synced, renamed.
Status write_file(raft::Disk& disk, const std::string& dir, const std::string& name, std::string_view text) {
  auto fresh = dir + "/" + name + ".new";
  DROVER_TRY(auto file, disk.open(fresh, raft::OpenMode::kCreate));
  DROVER_CHECK(file->write_at(0, {&text, 1}));
  DROVER_CHECK(file->sync());
  DROVER_CHECK(disk.rename(fresh, dir + "/" + name));
  return disk.sync_dir(dir);
}

}  // namespace

Result<std::string> Keyring::random_key() { return random_bytes(kKeyBytes); }

Result<std::unique_ptr<Keyring>> Keyring::open(std::string dir, raft::Disk& disk) {
  std::unique_ptr<Keyring> ring(new Keyring(std::move(dir), disk));
  if (ring->dir_.empty()) return ring;
  DROVER_CHECK(disk.make_dirs(ring->dir_));
  DROVER_TRY(auto names, disk.list(ring->dir_));
  for (auto& name : names) {
    if (!name.ends_with(kSuffix)) continue;
    auto id = std::string_view(name).substr(0, name.size() - kSuffix.size());
    if (Uuid::parse(id)) DROVER_CHECK(ring->load(ring->dir_ + "/" + name, id));
  }
  return ring;
}

Status Keyring::load(const std::string& file, std::string_view key_id) {
  DROVER_TRY(auto text, read_file(disk_, file));
  auto parsed = from_json<KeyFile>(text);
  if (!parsed) return internal(fmt::format("could not load key file {}: {}", file, parsed.error().message));
  if (parsed->Meta.KeyID != key_id)
    return internal(fmt::format("root key ID {} must match key file {}", parsed->Meta.KeyID, key_id));
  auto key = parsed->KEK.data.size() == kKeyBytes ? unseal(parsed->KEK.data, parsed->DEK.data, "") : Result<std::string>(crypto_error());
  if (!key || key->size() != kKeyBytes) return internal(fmt::format("could not load key file {}: unable to decrypt wrapped root key", file));
  DROVER_TRY(auto made, make_key(std::move(*key)));
  keys_.emplace(key_id, std::move(made));
  return {};
}

Status Keyring::add(const RootKeyMeta& meta, std::string key) {
  if (key.size() != kKeyBytes) return invalid("root key material is required");
  if (!dir_.empty()) {
    KeyFile file{.Meta = meta};
    DROVER_TRY(file.KEK.data, random_key());
    DROVER_TRY(file.DEK.data, seal(file.KEK.data, key, ""));
    DROVER_CHECK(write_file(disk_, dir_, meta.KeyID + std::string(kSuffix), to_json(file)));
  }
  DROVER_TRY(auto made, make_key(std::move(key)));
  std::lock_guard lock(mutex_);
  keys_[meta.KeyID] = std::move(made);
  return {};
}

Result<Keyring::Key> Keyring::make_key(std::string secret) {
  std::shared_ptr<EVP_PKEY> signer(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(secret), secret.size()), FreeKey());
  if (!signer) return crypto_error();
  return Key{std::move(secret), std::move(signer)};
}

bool Keyring::has(std::string_view key_id) const {
  std::lock_guard lock(mutex_);
  return keys_.contains(key_id);
}

Result<Keyring::Key> Keyring::find(std::string_view key_id) const {
  std::lock_guard lock(mutex_);
  auto it = keys_.find(key_id);
  if (it == keys_.end()) return internal(fmt::format("no such key {} in keyring", go_quote(key_id)));
  return it->second;
}

Result<std::string> Keyring::secret(std::string_view key_id) const {
  DROVER_TRY(auto key, find(key_id));
  return std::move(key.secret);
}

Result<std::string> Keyring::encrypt(std::string_view key_id, std::string_view plain) const {
  DROVER_TRY(auto key, find(key_id));
  return seal(key.secret, plain, key_id);
}

Result<std::string> Keyring::decrypt(std::string_view key_id, std::string_view sealed) const {
  DROVER_TRY(auto key, find(key_id));
  return unseal(key.secret, sealed, key_id);
}

Result<std::string> Keyring::sign(std::string_view key_id, std::string_view claims) const {
  DROVER_TRY(auto key, find(key_id));
  std::unique_ptr<EVP_MD_CTX, FreeDigest> c(EVP_MD_CTX_new());
  auto signed_text = base64_url(fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"JWT"}})", key_id)) + "." + base64_url(claims);
  std::string signature(64, '\0');
  size_t size = signature.size();
  bool ok = c && EVP_DigestSignInit(c.get(), nullptr, nullptr, nullptr, key.signer.get()) == 1 &&
            EVP_DigestSign(c.get(), bytes(signature), &size, bytes(signed_text), signed_text.size()) == 1;
  if (!ok) return crypto_error();
  return signed_text + "." + base64_url(signature);
}

Result<std::string> Keyring::verify(std::string_view token) const {
  auto parts = split(token, '.');
  if (parts.size() != 3) return invalid("token contains an invalid number of segments");
  auto head = base64_url_decode(parts[0]), claims = base64_url_decode(parts[1]), signature = base64_url_decode(parts[2]);
  if (!head || !claims || !signature) return invalid("token is malformed");
  DROVER_TRY(auto header, from_json<TokenHeader>(*head));
  // The kind of signature is what the key is good for, whatever the token says of itself.
  if (header.alg != "EdDSA") return invalid("signing method " + header.alg + " is invalid");
  DROVER_TRY(auto key, find(header.kid));
  std::unique_ptr<EVP_MD_CTX, FreeDigest> c(EVP_MD_CTX_new());
  auto signed_text = token.substr(0, token.rfind('.'));
  bool ok = c && EVP_DigestVerifyInit(c.get(), nullptr, nullptr, nullptr, key.signer.get()) == 1 &&
            EVP_DigestVerify(c.get(), bytes(*signature), signature->size(), bytes(signed_text), signed_text.size()) == 1;
  if (!ok) return invalid("token signature is invalid");
  return std::move(*claims);
}

}  // namespace drover::server
