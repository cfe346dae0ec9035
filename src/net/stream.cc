#include "net/stream.h"

namespace drover::net {

Async<Result<size_t>> read_some(Stream& stream, char* to, size_t size) {
  for (;;) {
    auto a = stream.try_read(to, size);
    switch (a.state) {
      case Attempt::kDone: co_return a.size;
      case Attempt::kEnd: co_return size_t{0};
      case Attempt::kFailed: co_return std::move(a.error);
      case Attempt::kWait: co_await stream.wait(a.event);
    }
  }
}

Async<Result<std::string>> read_exactly(Stream& stream, size_t size) {
  std::string out(size, '\0');
  for (size_t have = 0; have < size;) {
    DROVER_CO_TRY(size_t n, co_await read_some(stream, out.data() + have, size - have));
    if (n == 0) co_return Error(ErrorCode::kIo, have == 0 ? "EOF" : "unexpected EOF");
    have += n;
  }
  co_return out;
}

Async<Status> write_all(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    auto a = stream.try_write(bytes);
    if (a.state == Attempt::kFailed) co_return std::move(a.error);
    if (a.state == Attempt::kWait) {
      co_await stream.wait(a.event);
    } else {
      bytes.remove_prefix(a.size);
    }
  }
  co_return Status{};
}

}  // namespace drover::net
