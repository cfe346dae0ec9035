// The archive of a snapshot: a tar file in gzip with meta.json, state.bin and SHA256SUMS (reference http-api 24).
//
//   ArchiveReader reader([&](std::string_view bytes) { return parser.take(bytes); });
//   ... reader.write(piece) ...                  // as the archive comes
//   auto meta = reader.finish();                 // only now is what came out to be believed
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/sha256.h"
#include "archive/spool.h"
#include "base/containers.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/type_info.h"

namespace drover::archive {

// meta.json, with the names that the reference's engine gives it.
struct SnapshotServer {
  int64_t Suffrage = 0;  // 0: voter, 1: nonvoter
  std::string ID, Address;
};
struct SnapshotServers {
  List<SnapshotServer> Servers;
};
struct SnapshotMeta {
  int64_t Version = 1;
  std::string ID;  // "<term>-<index>-<unix milliseconds>"
  uint64_t Index = 0;
  uint64_t Term = 0;
  Bytes Peers;  // the voters' addresses as an older engine wrote them: a MessagePack list
  SnapshotServers Configuration;
  uint64_t ConfigurationIndex = 0;
  int64_t Size = 0;  // of state.bin
};

using BytesFn = std::function<Status(std::string_view)>;

// Takes an archive piece by piece. Errors, kCorrupt, are the reference's whole texts: "failed to decompress snapshot: EOF",
// "failed to read snapshot file: unexpected file \"x\" in snapshot", "... failed checking integrity of snapshot: hash check
// failed for \"state.bin\"". Memory: a few buffers, and up to 1 MiB of meta.json.
class ArchiveReader {
 public:
  // `state` gets the bytes of state.bin. Its own error ends the reading, as "... failed to read or write snapshot data: x".
  explicit ArchiveReader(BytesFn state);
  ~ArchiveReader();
  Status write(std::string_view bytes);
  // The archive is whole and its digests are right.
  Result<SnapshotMeta> finish();
  // The stream that came has failed: what the reference says of it.
  Error broken(const Error& why) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads all of `archive`, for its checks.
Result<SnapshotMeta> verify_archive(const std::function<Result<size_t>(char*, size_t)>& archive);

// An archive made from a state stream, waiting in a file without a name.
class SavedArchive {
 public:
  const SnapshotMeta& meta() const { return meta_; }
  uint64_t size() const { return head_.size() + body_.size() + tail_.size(); }
  const std::string& digest() const { return digest_; }  // "sha-256=<base64>" of the archive, as a Digest header has it
  // As many bytes as there are from `offset` on, up to `size`. Blocks on the disk.
  Result<size_t> read_at(uint64_t offset, char* out, size_t size) const;

 private:
  friend Result<SavedArchive> save_archive(SnapshotMeta, Time, const std::function<Status(const BytesFn&)>&, std::string);
  SavedArchive(SnapshotMeta meta, Spool body) : meta_(std::move(meta)), body_(std::move(body)) {}
  SnapshotMeta meta_;
  std::string head_, tail_, digest_;
  Spool body_;
};

// `state` writes state.bin in pieces; its error is the result. `meta` without Size. The file is made in `dir` (see Spool).
// Blocks; packs on a thread of its own while `state` goes on.
Result<SavedArchive> save_archive(SnapshotMeta meta, Time now, const std::function<Status(const BytesFn&)>& state,
                                  std::string dir);

}  // namespace drover::archive

namespace drover {
DROVER_TYPE(archive::SnapshotServer)
DROVER_TYPE(archive::SnapshotServers)
DROVER_TYPE(archive::SnapshotMeta)
}  // namespace drover
