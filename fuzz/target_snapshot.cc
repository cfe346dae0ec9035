// Snapshots: the archive that an operator gives back, and the stream of records in it.
#include <cstring>
#include <memory>
#include <string>

#include "archive/snapshot_archive.h"
#include "archive/tar_reader.h"
#include "fuzz/targets.h"
#include "state/snapshot_io.h"

namespace drover::fuzz {
namespace {

struct Read {
  std::string error, state;
};

Read read(std::string_view archive, size_t step) {
  Read r;
  // A great deal may come out of little: what is kept is bounded.
  archive::ArchiveReader reader([&](std::string_view b) -> Status {
    if (r.state.size() + b.size() > (64u << 20)) return internal("enough");
    r.state += b;
    return {};
  });
  for (size_t at = 0; at < archive.size(); at += step) {
    auto ok = reader.write(archive.substr(at, step));
    if (!ok) return r.error = ok.error().message, r;
  }
  auto meta = reader.finish();
  if (!meta) r.error = meta.error().message, promise(!r.error.empty(), "an error says something");
  return r;
}

Result<state::State> read_stream(std::string_view bytes) {
  state::Interner interner;
  return state::read_snapshot(
      [&](char* into, size_t size) -> Result<size_t> {
        size_t n = bytes.copy(into, size);
        bytes.remove_prefix(n);
        return n;
      },
      interner);
}

std::string written(const std::shared_ptr<const state::State>& state) {
  std::string out;
  auto ok = state::write_snapshot(state::Snapshot(state), [&](std::string_view b) { return out += b, Status(); },
                                  state::SnapshotStyle::kReference);
  promise(ok.has_value(), "what was read can be written");
  return out;
}

}  // namespace

void snapshot_archive(std::string_view input) {
  auto whole = read(input, input.size() + 1), pieces = read(input, 7);
  promise(whole.error == pieces.error, "pieces say the same as the whole");
  if (whole.error.empty()) promise(whole.state == pieces.state, "pieces give the same as the whole");
}

void tar(std::string_view input) {
  auto run = [&](size_t step) {
    std::string seen;
    archive::TarReader reader({.begin = [&](const archive::TarHeader& h) { return seen += h.name + "\n", Status(); },
                               .bytes = [&](std::string_view b) { return seen += b, Status(); },
                               .end = [] { return Status(); },
                               .finish = [] { return Status(); }});
    for (size_t at = 0; at < input.size(); at += step)
      if (auto ok = reader.write(input.substr(at, step)); !ok) return ok.error().message;
    auto ok = reader.finish();
    return ok ? seen : ok.error().message;
  };
  promise(run(input.size() + 1) == run(100), "pieces are read as the whole");
}

void snapshot_stream(std::string_view input) {
  auto read = read_stream(input);
  if (!read) return promise(!read.error().message.empty(), "an error says something");
  auto once = written(std::make_shared<const state::State>(std::move(*read)));
  auto again = read_stream(once);
  promise(again.has_value(), "what is written reads back");
  promise(written(std::make_shared<const state::State>(std::move(*again))) == once, "and is the same");
}

}  // namespace drover::fuzz
