// Waiting beside a peer: a flow that has nothing to send learns that its reader has gone.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "base/cancel.h"
#include "net/rpc_wire.h"

namespace drover::net {

// Resumes a flow that waits when its peer has gone: the wait ends as if its time were up.
class PeerWatch {
 public:
  PeerWatch(Loop& loop, RpcWire& wire) : loop_(loop), watching_(watch(loop, wire, state_)) {}
  bool gone() const { return state_->gone; }
  // Waits for `task`, at most for `limit`; empty: the time is up, or the peer has gone.
  template <class T>
  Async<std::optional<T>> wait(Async<T> task, Duration limit) {
    if (gone()) co_return std::nullopt;
    CancellableAwait<T> await(std::move(task));
    state_->cancel = [&await] { await.cancel(); };
    struct Reset {
      State& state;
      ~Reset() { state.cancel = nullptr; }
    } reset{*state_};
    Timer timer = loop_.after(std::max(limit, Duration::zero()), [&await] { await.cancel(); });
    co_return co_await await;
  }

 private:
  struct State {
    bool gone = false;
    std::function<void()> cancel;
  };
  // The news comes as a callback of its own: whoever is resumed by it destroys this flow.
  static Async<void> watch(Loop& loop, RpcWire& wire, std::shared_ptr<State> state) {
    co_await wire.ended();
    state->gone = true;
    loop.post([state] {
      if (state->cancel) std::exchange(state->cancel, nullptr)();
    });
  }
  Loop& loop_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  Running watching_;
};

}  // namespace drover::net
