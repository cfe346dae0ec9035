// Hashes, bcrypt, RSA and UUIDs.
#include <crypt.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <memory>

#include "base/strings.h"
#include "base/uuid.h"
#include "base/world.h"
#include "hcl/function_impl.h"

namespace drover::hcl {

namespace {

std::string digest(const EVP_MD* kind, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr);
  return std::string(reinterpret_cast<char*>(out), size);
}

template <const EVP_MD* (*kKind)()>
CallResult hash(Arguments a, const FunctionHost&) { return text_value(hex_encode(digest(kKind(), a[0].as_string()))); }

void random_bytes(const FunctionHost& host, unsigned char* out, size_t size) {
  if (host.random) host.random->fill(out, size);
  else RAND_bytes(out, static_cast<int>(size));
}

std::string bcrypt_salt(const unsigned char (&bytes)[16]) {
  static constexpr char kAlphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  uint32_t buffer = 0;
  int bits = 0;
  for (unsigned char b : bytes) {
    buffer = (buffer << 8) | b;
    for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[(buffer >> (bits - 6)) & 63];
  }
  if (bits > 0) out += kAlphabet[(buffer << (6 - bits)) & 63];
  return out;
}

// Each step doubles the time; this one takes seconds.
constexpr int64_t kMaxBcryptCost = 16;

CallResult bcrypt(Arguments a, const FunctionHost& host) {
  if (a.size() > 2) return call_error("bcrypt() takes no more than two arguments");
  int64_t cost = 10;
  if (a.size() == 2) {
    auto given = whole_number(a[1]);
    if (!given) return std::unexpected(given.error());
    cost = *given < 4 ? 10 : *given;
  }
  if (cost > 31) {
    return call_error(fmt::format("error occured generating password crypto/bcrypt: cost {} is outside allowed range (4,31)", cost));
  }
  if (cost > kMaxBcryptCost) return call_error(fmt::format("cost {} takes too long; the greatest that is computed is {}", cost, kMaxBcryptCost));
  unsigned char salt[16];
  random_bytes(host, salt, sizeof salt);
  auto setting = fmt::format("$2a${:02}${}", cost, bcrypt_salt(salt));
  auto data = std::make_unique<crypt_data>();
  char* out = crypt_r(a[0].as_string().c_str(), setting.c_str(), data.get());
  if (!out || out[0] == '*') return call_error("error occured generating password");
  return text_value(out);
}

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* p) const { kFree(p); }
};
template <class T, auto kFree>
using Owned = std::unique_ptr<T, Freer<kFree>>;

CallResult rsa_decrypt(Arguments a, const FunctionHost&) {
  auto cipher = base64_decode(a[0].as_string());
  if (!cipher) {
    return call_error(fmt::format("failed to decode input {}: cipher text must be base64-encoded", go_quote(a[0].as_string())));
  }
  auto& pem = a[1].as_string();
  if (pem.find("-----BEGIN ") == std::string::npos) return call_error("failed to parse key: no key found");
  Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto no_password = [](char*, int, int, void*) { return -1; };
  Owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) {
    bool locked = pem.find("ENCRYPTED") != std::string::npos;
    return call_error(locked ? "failed to parse key: password protected keys are not supported. Please decrypt the key prior to use"
                             : "failed to parse key: the key is not a valid private key");
  }
  Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  size_t size = 0;
  auto* in = reinterpret_cast<const unsigned char*>(cipher->data());
  constexpr const char* kFailed = "crypto/rsa: decryption error";
  if (EVP_PKEY_decrypt_init(context.get()) <= 0 || EVP_PKEY_decrypt(context.get(), nullptr, &size, in, cipher->size()) <= 0) {
    return call_error(kFailed);
  }
  // A cipher text of the wrong length is refused before the padding is looked at, which would not tell.
  if (cipher->size() != static_cast<size_t>(EVP_PKEY_get_size(key.get()))) return call_error(kFailed);
  std::string out(size, '\0');
  if (EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in, cipher->size()) <= 0) return call_error(kFailed);
  out.resize(size);
  return text_value(std::move(out));
}

std::string uuid_text(std::string_view bytes) {
  auto hex = hex_encode(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

CallResult uuid_v4(Arguments, const FunctionHost& host) {
  unsigned char bytes[16];
  random_bytes(host, bytes, sizeof bytes);
  return text_value(uuid_text({reinterpret_cast<char*>(bytes), sizeof bytes}));
}

CallResult uuid_v5(Arguments a, const FunctionHost&) {
  static constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, {"url", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"},
      {"oid", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"}, {"x500", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"}};
  std::string space = a[0].as_string();
  for (auto& [name, id] : kKnown) {
    if (space == name) space = id;
  }
  auto id = Uuid::parse(space);
  if (!id || space.empty()) {
    auto why = space.size() == 36 ? std::string("invalid UUID format") : fmt::format("invalid UUID length: {}", space.size());
    return call_error(fmt::format("uuidv5() doesn't support namespace {} ({})", a[0].as_string(), why));
  }
  std::string data(reinterpret_cast<const char*>(id->bytes.data()), id->bytes.size());
  auto out = digest(EVP_sha1(), data + a[1].as_string()).substr(0, 16);
  out[6] = static_cast<char>((out[6] & 0x0f) | 0x50);
  out[8] = static_cast<char>((out[8] & 0x3f) | 0x80);
  return text_value(uuid_text(out));
}

}  // namespace

void add_crypto_functions(FunctionList& out) {
  Type s = Type::string(), n = Type::number();
  Parameter str{"str", s};
  out.push_back({"md5", {str}, {}, hash<EVP_md5>});
  out.push_back({"sha1", {str}, {}, hash<EVP_sha1>});
  out.push_back({"sha256", {str}, {}, hash<EVP_sha256>});
  out.push_back({"sha512", {str}, {}, hash<EVP_sha512>});
  out.push_back({"bcrypt", {str}, Parameter{"cost", n}, bcrypt});
  out.push_back({"rsadecrypt", {{"ciphertext", s}, {"privatekey", s}}, {}, rsa_decrypt});
  out.push_back({"uuidv4", {}, {}, uuid_v4});
  out.push_back({"uuidv5", {{"namespace", s}, {"name", s}}, {}, uuid_v5});
}

}  // namespace drover::hcl
