// Keyring: the root keys of the region, with which variables are encrypted and identities of workloads signed
// (reference server-workflows section 9, security section 8). The log carries only what describes a key; the 32 secret
// bytes are here and in one file per key.
//
// All functions may be called from any thread. Keys and nonces come from the operating system, not from the World: a
// replay of the log never makes them again.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/config_records.h"

namespace drover::raft {
class Disk;
}

struct evp_pkey_st;

namespace drover::server {

class Keyring {
 public:
  static constexpr size_t kKeyBytes = 32;
  static constexpr std::string_view kAlgorithm = "aes256-gcm";

  // Loads every `<dir>/<key id>.nks.json`. `dir` empty: keys are kept in memory only. Errors: "root key ID x must match
  // key file y", a file that cannot be read.
  static Result<std::unique_ptr<Keyring>> open(std::string dir, raft::Disk& disk);

  static Result<std::string> random_key();

  // Saved before it is used.
  Status add(const RootKeyMeta& meta, std::string key);
  bool has(std::string_view key_id) const;
  // The bytes of a key, for another server of the region. Error as encrypt().
  Result<std::string> secret(std::string_view key_id) const;

  // nonce (12 bytes), ciphertext, tag (16); the key's id is authenticated with it. Error: `no such key "x" in keyring`.
  Result<std::string> encrypt(std::string_view key_id, std::string_view plain) const;
  Result<std::string> decrypt(std::string_view key_id, std::string_view sealed) const;
  // A JSON web token over the claims (a JSON object): EdDSA, with the key as seed.
  Result<std::string> sign(std::string_view key_id, std::string_view claims) const;
  // The claims of a token that sign() made, on any server that has the key. Error: it is none, or its key is not here.
  Result<std::string> verify(std::string_view token) const;

 private:
  Keyring(std::string dir, raft::Disk& disk) : dir_(std::move(dir)), disk_(disk) {}
  Status load(const std::string& file, std::string_view key_id);
  struct Key {
    std::string secret;
    std::shared_ptr<evp_pkey_st> signer;  // made once: its public half costs as much as a signature
  };
  Result<Key> find(std::string_view key_id) const;
  static Result<Key> make_key(std::string secret);

  std::string dir_;
  raft::Disk& disk_;
  mutable std::mutex mutex_;
  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace drover::server
