#include "client/node_identity.h"

#include <openssl/sha.h>

#include <cctype>

#include "base/strings.h"
#include "client/alloc_dir.h"

namespace drover::client {

namespace {

Result<Uuid> host_uuid(HostSource& host) {
  auto text = host.read_file("/sys/class/dmi/id/product_uuid");
  if (!text) return internal("failed to read the host's uuid");
  auto lower = to_lower(trim_space(*text));
  unsigned char digest[SHA512_DIGEST_LENGTH];
  ::SHA512(reinterpret_cast<const unsigned char*>(lower.data()), lower.size(), digest);
  Uuid out;
  std::copy_n(digest, out.bytes.size(), out.bytes.begin());
  return out;
}

// The id in `file`, or a made one that is written there.
Result<Uuid> load_or_make(HostSource& host, const std::string& file, const std::function<Result<Uuid>()>& make) {
  if (auto text = host.read_file(file)) {
    auto id = Uuid::parse(to_lower(trim_space(*text)));
    if (!id || id->nil()) return internal("failed to parse " + file + ": not a UUID");
    return *id;
  }
  DROVER_TRY(auto id, make());
  DROVER_CHECK(write_file(file, id.str(), 0700));
  return id;
}

}  // namespace

Result<NodeIdentity> load_identity(const Config& config, HostSource& host, Random& random) {
  auto fresh = [&]() -> Result<Uuid> { return Uuid::generate(random); };
  if (config.dev_mode) return NodeIdentity{Uuid::generate(random), Uuid::generate(random)};
  NodeIdentity out;
  DROVER_TRY(out.id, load_or_make(host, config.state_dir + "/client-id", [&]() -> Result<Uuid> {
               return config.no_host_uuid ? fresh() : host_uuid(host);
             }));
  DROVER_TRY(out.secret, load_or_make(host, config.state_dir + "/secret-id", fresh));
  return out;
}

Map<std::string> NodeMeta::merged() const {
  auto out = fixed.is_nil() ? Map<std::string>::empty_map() : fixed;
  for (auto& [key, value] : dynamic) {
    if (value) out.set(key, *value);
    else out.erase(key);
  }
  return out;
}

void NodeMeta::apply(const Map<std::optional<std::string>>& change) {
  dynamic.vec();
  for (auto& [key, value] : change) dynamic.set(key, value);
}

namespace {

// Dotted names of letters, digits, '_' and '-', each beginning with a letter or '_'.
bool dotted_identifier(std::string_view key) {
  for (auto& part : split(key, '.')) {
    if (part.empty()) return false;
    auto first = static_cast<unsigned char>(part[0]);
    if (!std::isalpha(first) && first != '_') return false;
    for (unsigned char c : part)
      if (!std::isalnum(c) && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace

Status NodeMeta::validate(const Map<std::optional<std::string>>& change) {
  if (change.empty()) return invalid("missing required Meta object");
  for (auto& [key, value] : change) {
    if (key.empty()) return invalid("metadata keys must not be empty");
    if (!dotted_identifier(key))
      return invalid(go_quote(key) + " is invalid; metadata keys must be valid dotted hcl identifiers");
  }
  return {};
}

}  // namespace drover::client
