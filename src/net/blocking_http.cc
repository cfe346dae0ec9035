#include "net/blocking_http.h"

#include "base/cancel.h"

namespace drover::net {
namespace {
struct InPlace : Pool {
  void run(std::move_only_function<void()> fn) override { fn(); }
};
}  // namespace

struct BlockingHttp::Impl {
  RealRandom random;
  AsioLoop loop;
  InPlace pool;
  World world{loop.clock(), random, loop, pool};
  RealNetwork network{loop};
  HttpClient client;
  std::function<void()> cancel;

  explicit Impl(HttpClientOptions o) : client(world, network, std::move(o)) {}

  template <class T>
  Result<T> run(Async<Result<T>> flow) {
    CancellableAwait<Result<T>> await(std::move(flow));
    cancel = [&await] { await.cancel(); };
    auto result = block_on(loop, [](auto& await) -> Async<Result<T>> {
      auto r = co_await await;
      if (!r) co_return Error(ErrorCode::kCancelled, "interrupted");
      co_return std::move(*r);
    }(await));
    cancel = nullptr;
    return result;
  }
};

BlockingHttp::BlockingHttp(HttpClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
BlockingHttp::~BlockingHttp() = default;

Result<HttpResponse> BlockingHttp::call(HttpCall call) { return impl_->run(impl_->client.call(std::move(call))); }

Status BlockingHttp::stream(HttpCall call, const std::function<bool(const HttpResponse&)>& on_head,
                            const std::function<bool(std::string_view)>& on_bytes) {
  auto flow = [](HttpClient& client, HttpCall call, auto& on_head, auto& on_bytes) -> Async<Result<bool>> {
    DROVER_CO_TRY(auto reply, co_await client.open(std::move(call)));
    if (!on_head(reply->head)) co_return true;
    for (;;) {
      DROVER_CO_TRY(auto piece, co_await reply->read_some());
      if (piece.empty() || !on_bytes(piece)) co_return true;
    }
  };
  auto done = impl_->run(flow(impl_->client, std::move(call), on_head, on_bytes));
  if (!done) return std::move(done).error();
  return {};
}

AsioLoop& BlockingHttp::loop() { return impl_->loop; }
World& BlockingHttp::world() { return impl_->world; }
HttpClient& BlockingHttp::client() { return impl_->client; }
Network& BlockingHttp::network() { return impl_->network; }

void BlockingHttp::interrupt() {
  impl_->loop.post([this] {
    if (auto cancel = impl_->cancel) cancel();
  });
}

}  // namespace drover::net
