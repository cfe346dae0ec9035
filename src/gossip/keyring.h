// The keys of gossip encryption: the first seals what is sent, all of them open what arrives. Sealed bytes are
// [version][nonce, 12][AES-GCM ciphertext][tag, 16]; version 1 is written, 0 (with PKCS#7 padding) is read too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/world.h"

namespace drover::gossip {

// "key size must be 16, 24 or 32 bytes"
Status validate_key(std::string_view key);

class Keyring {
 public:
  bool empty() const { return keys_.empty(); }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::string& primary() const { return keys_.front(); }

  // A key that is there already stays where it is. The first key becomes primary.
  Status add(std::string_view key);
  // "requested key is not in the keyring"
  Status use(std::string_view key);
  // "removing the primary key is not allowed"; a key that is not there is no error.
  Status remove(std::string_view key);

  // Fails only when the library does. `random` makes the nonce and must be fit for secrets.
  Result<std::string> seal(std::string_view plain, std::string_view authenticated, Random& random) const;
  // "no installed keys could decrypt the message" and what is wrong with bytes that are no sealed message.
  Result<std::string> open(std::string_view sealed, std::string_view authenticated) const;

 private:
  std::vector<std::string> keys_;  // unique, primary first
};

// The keyring file: a JSON array of base64 keys, primary first.
std::string encode_keyring(const std::vector<std::string>& keys);
// Raw keys. Texts name no path: the caller adds it.
Result<std::vector<std::string>> decode_keyring(std::string_view json);

}  // namespace drover::gossip
