#include <fmt/format.h>

#include <map>

#include "archive/gunzip.h"
#include "archive/snapshot_archive.h"
#include "archive/tar_reader.h"
#include "base/strings.h"
#include "codec/json.h"

DROVER_DESCRIBE(drover::archive::SnapshotServer, "raft.Server", DROVER_FIELD(Suffrage), DROVER_FIELD(ID), DROVER_FIELD(Address))
DROVER_DESCRIBE(drover::archive::SnapshotServers, "raft.Configuration", DROVER_FIELD(Servers))
DROVER_DESCRIBE(drover::archive::SnapshotMeta, "raft.SnapshotMeta", DROVER_FIELD(Version), DROVER_FIELD(ID), DROVER_FIELD(Index),
                DROVER_FIELD(Term), DROVER_FIELD(Peers), DROVER_FIELD(Configuration), DROVER_FIELD(ConfigurationIndex),
                DROVER_FIELD(Size))

namespace drover::archive {
namespace {

constexpr size_t kMetaMax = 1u << 20, kSumsMax = 64u << 10;
constexpr size_t kAtOnce = 32 * 1024;  // of an archive that is read from a file
constexpr size_t kDigest = 64;         // hex digits

Error corrupt(std::string text) { return {ErrorCode::kCorrupt, std::move(text)}; }

Error with(std::string_view context, Error e) {
  e.code = ErrorCode::kCorrupt;
  return std::move(e).with_context(context);
}

// Where in the archive the reader is; what is said of an error there.
enum class Place { kGzipHeader, kBetween, kMeta, kState, kSums, kEnd };

Error at(Place place, Error e) {
  constexpr std::string_view kFile = "failed to read snapshot file";
  switch (place) {
    case Place::kGzipHeader: return with("failed to decompress snapshot", std::move(e));
    case Place::kBetween: return with(kFile, with("failed reading snapshot", std::move(e)));
    case Place::kMeta: return with(kFile, with("failed to read snapshot metadata", std::move(e)));
    case Place::kState: return with(kFile, with("failed to read or write snapshot data", std::move(e)));
    case Place::kSums: return with(kFile, with("failed to read snapshot hashes", std::move(e)));
    case Place::kEnd: break;
  }
  e.code = ErrorCode::kCorrupt;
  return e;
}

}  // namespace

struct ArchiveReader::Impl {
  explicit Impl(BytesFn state)
      : state(std::move(state)),
        tar({.begin = [this](const TarHeader& h) { return begin(h); },
             .bytes = [this](std::string_view b) { return bytes(b); },
             .end = [this] { return end(); },
             .finish = [this] { return check_sums(); }}) {}

  Status begin(const TarHeader& header) {
    if (header.name == "meta.json") place = Place::kMeta;
    else if (header.name == "state.bin") place = Place::kState;
    else if (header.name == "SHA256SUMS") place = Place::kSums;
    else return said(corrupt(fmt::format("failed to read snapshot file: unexpected file {} in snapshot", go_quote(header.name))));
    return {};
  }
  Status bytes(std::string_view b) {
    switch (place) {
      case Place::kMeta:
        if (meta_text.size() + b.size() > kMetaMax) return corrupt("file too large");
        meta_hash.update(b);
        meta_text += b;
        return {};
      case Place::kSums:
        if (sums.size() + b.size() > kSumsMax) return corrupt("file too large");
        sums += b;
        return {};
      default:
        state_hash.update(b);
        state_size += b.size();
        return state(b);
    }
  }
  Status end() {
    auto done = std::exchange(place, Place::kBetween);
    if (done != Place::kMeta) return {};
    auto decoded = json_decode(type_of<SnapshotMeta>(), &meta, meta_text);
    if (!decoded) return said(with("failed to read snapshot file", with("failed to decode snapshot metadata", decoded.error())));
    return {};
  }

  // Lines "<digest>  <name>"; each of the two files must be there.
  Status check_sums() {
    place = Place::kEnd;
    constexpr std::string_view kWhat = "failed to read snapshot file: failed checking integrity of snapshot";
    std::map<std::string, std::string> found{{"meta.json", hex_encode(meta_hash.finish())},
                                             {"state.bin", hex_encode(state_hash.finish())}};
    std::map<std::string, bool> seen;
    for (auto& line : split(sums, '\n')) {
      if (line.empty()) continue;
      auto gap = line.find_first_of(" \t");
      std::string name(gap == line.npos ? std::string_view() : trim_space(std::string_view(line).substr(gap)));
      if (gap != kDigest || name.empty()) return said(with(kWhat, corrupt("malformed line " + go_quote(line))));
      auto it = found.find(name);
      if (it == found.end()) return said(with(kWhat, corrupt("list missing hash for " + go_quote(name))));
      if (to_lower(line.substr(0, gap)) != it->second) return said(with(kWhat, corrupt("hash check failed for " + go_quote(name))));
      seen[name] = true;
    }
    for (auto& [name, digest] : found)
      if (!seen.contains(name)) return said(with(kWhat, corrupt("file missing for " + go_quote(name))));
    return {};
  }

  // An error whose text is complete already.
  Error said(Error e) {
    complete = true;
    return e;
  }
  Status told(Status status) {
    if (status) return status;
    auto e = std::move(status).error();
    if (complete) return e;
    complete = true;
    return at(gunzip.opened() ? place : Place::kGzipHeader, std::move(e));
  }

  BytesFn state;
  Gunzip gunzip;
  TarReader tar;
  Place place = Place::kBetween;
  bool complete = false;
  Sha256 meta_hash, state_hash;
  std::string meta_text, sums;
  uint64_t state_size = 0;
  SnapshotMeta meta;
};

ArchiveReader::ArchiveReader(BytesFn state) : impl_(std::make_unique<Impl>(std::move(state))) {}
ArchiveReader::~ArchiveReader() = default;

Status ArchiveReader::write(std::string_view bytes) {
  return impl_->told(impl_->gunzip.write(bytes, [this](std::string_view tar) { return impl_->tar.write(tar); }));
}

Result<SnapshotMeta> ArchiveReader::finish() {
  auto& i = *impl_;
  // The end of the packed stream is judged first where the archive itself has ended, as a reader would meet it.
  auto packed = i.gunzip.finish();
  if (!packed) DROVER_CHECK(i.told(std::move(packed)));
  DROVER_CHECK(i.told(i.tar.finish()));
  if (i.tar.extra() > 0) return corrupt(fmt::format("{} unread uncompressed bytes remain", i.tar.extra()));
  return i.meta;
}

Error ArchiveReader::broken(const Error& why) const { return std::move(impl_->told(Status(std::unexpect, why))).error(); }

Result<SnapshotMeta> verify_archive(const std::function<Result<size_t>(char*, size_t)>& archive) {
  ArchiveReader reader([](std::string_view) { return Status(); });
  std::string buffer(kAtOnce, '\0');
  for (;;) {
    DROVER_TRY(size_t n, archive(buffer.data(), buffer.size()));
    if (n == 0) return reader.finish();
    DROVER_CHECK(reader.write({buffer.data(), n}));
  }
}

}  // namespace drover::archive
