// A state machine for tests: keeps every entry with its index, answers with the number of entries, snapshots as text.
#pragma once

#include <any>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "raft/types.h"

namespace drover::raft {

class TestMachine final : public StateMachine {
 public:
  std::vector<std::pair<uint64_t, std::string>> entries;
  int batches = 0, restores = 0;
  int own = 0, foreign = 0;  // entries that came with a body (a std::string of the same text); with another's
  bool fail_restore = false;

  std::any apply(uint64_t index, std::string_view entry) override {
    entries.emplace_back(index, entry);
    return static_cast<int>(entries.size());
  }
  std::any apply_own(uint64_t index, std::string_view entry, const std::shared_ptr<const void>& body) override {
    (*static_cast<const std::string*>(body.get()) == entry ? own : foreign)++;
    return apply(index, entry);
  }
  void applied_batch() override { batches++; }
  std::unique_ptr<SnapshotSource> snapshot() override {
    struct Source : SnapshotSource {
      std::string text;
      Status write(SnapshotSink& out) override {
        for (size_t at = 0; at < text.size(); at += 1000) DROVER_CHECK(out.write(std::string_view(text).substr(at, 1000)));
        return {};
      }
    };
    auto source = std::make_unique<Source>();
    source->text = text();
    return source;
  }
  Result<Swap> load(SnapshotReader& in) override {
    std::string all, part(777, '\0');
    for (;;) {
      DROVER_TRY(size_t got, in.read(part.data(), part.size()));
      if (got == 0) break;
      all.append(part, 0, got);
    }
    if (fail_restore || all.starts_with("bad")) return invalid("not a state");
    return Swap([this, all] {
      entries.clear();
      for (auto& line : split(all, '\n')) {
        if (line.empty()) continue;
        auto space = line.find(' ');
        entries.emplace_back(parse_uint(line.substr(0, space)).value_or(0), line.substr(space + 1));
      }
      restores++;
      return nullptr;
    });
  }
  std::string text() const {
    std::string out;
    for (auto& [index, entry] : entries) out += std::to_string(index) + " " + entry + "\n";
    return out;
  }
};

// A stream over a string, for restore_state.
class StringReader final : public SnapshotReader {
 public:
  explicit StringReader(std::string text) : text_(std::move(text)) {}
  Result<size_t> read(char* out, size_t size) override {
    size_t n = text_.copy(out, size, at_);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

}  // namespace drover::raft
