#include "cli/archive.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <map>

#include "base/strings.h"
#include "codec/json.h"
#include "net/compress.h"

namespace drover {
DROVER_TYPE(cli::SnapshotMeta)
}
DROVER_DESCRIBE(drover::cli::SnapshotMeta, "raft.SnapshotMeta", DROVER_FIELD(ID), DROVER_FIELD(Index), DROVER_FIELD(Term),
                DROVER_FIELD(Version), DROVER_FIELD(Size))

namespace drover::cli {
namespace {

constexpr size_t kBlock = 512;

// The files of a plain tar archive; an octal size of up to eleven digits.
Result<std::map<std::string, std::string_view>> untar(std::string_view tar) {
  std::map<std::string, std::string_view> files;
  while (tar.size() >= kBlock && tar[0] != '\0') {
    std::string name(tar.substr(0, 100));
    name = name.c_str();
    uint64_t size = 0;
    for (char c : tar.substr(124, 12)) {
      if (c < '0' || c > '7') break;
      size = size * 8 + static_cast<uint64_t>(c - '0');
    }
    tar.remove_prefix(kBlock);
    if (size > tar.size()) return invalid("unexpected EOF");
    files[name] = tar.substr(0, size);
    auto padded = (size + kBlock - 1) / kBlock * kBlock;
    tar.remove_prefix(std::min<size_t>(padded, tar.size()));
  }
  return files;
}

std::string sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return hex_encode({reinterpret_cast<char*>(digest), size});
}

// Lines "<hex>  <name>".
Status check_sums(const std::map<std::string, std::string_view>& files) {
  auto sums = files.find("SHA256SUMS");
  if (sums == files.end()) return invalid("the archive has no SHA256SUMS");
  std::map<std::string, std::string> wanted;
  for (auto& line : split(sums->second, '\n')) {
    auto gap = line.find("  ");
    if (gap != line.npos) wanted[line.substr(gap + 2)] = line.substr(0, gap);
  }
  for (auto& [name, bytes] : files) {
    if (name == "SHA256SUMS") continue;
    auto it = wanted.find(name);
    if (it == wanted.end()) return invalid(fmt::format("list missing hash for {}", go_quote(name)));
    if (it->second != sha256(bytes)) return invalid(fmt::format("hash check failed for {}", go_quote(name)));
  }
  return {};
}

}  // namespace

Result<SnapshotArchive> open_snapshot(const std::string& archive) {
  net::Decompressor unzip;
  std::string tar;
  auto done = unzip.write(archive, tar);
  if (done && !unzip.complete()) done = invalid("unexpected EOF");
  if (!done) return std::move(done).error().with_context("failed to decompress snapshot");
  auto files = untar(tar);
  if (!files) return std::move(files).error().with_context("failed to read snapshot file");
  if (auto ok = check_sums(*files); !ok) return std::move(ok).error().with_context("failed checking integrity of snapshot");
  auto meta = files->find("meta.json"), state = files->find("state.bin");
  if (meta == files->end() || state == files->end()) return invalid("failed to read snapshot file: a part is missing");
  auto parsed = from_json<SnapshotMeta>(meta->second);
  if (!parsed) return std::move(parsed).error().with_context("failed to decode snapshot metadata");
  parsed->Size = static_cast<int64_t>(state->second.size());
  return SnapshotArchive{*parsed, "[" + std::string(trim_space(meta->second)) + "]", std::string(state->second)};
}

Result<SnapshotMeta> inspect_snapshot(const std::string& archive) {
  DROVER_TRY(auto opened, open_snapshot(archive));
  return opened.meta;
}

}  // namespace drover::cli
