// What a core wants done. The shell takes these after every input and does them in order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "gossip/endpoint.h"
#include "gossip/types.h"

namespace drover::gossip {

struct SendPacket {
  Endpoint to;
  std::string bytes;
};
// Open a stream, send, read one message, and give it back with the id.
struct Exchange {
  uint64_t id = 0;
  Endpoint to;
  std::string bytes;
  Duration timeout{0};     // to connect, and again for the rest
};
struct Emit {
  Event event;
};
// Tell somebody who waits; may call back into the core.
struct Complete {
  std::move_only_function<void()> run;
};
// Another node has this one's name and more members know that one: stop.
struct StopAll {};

using Effect = std::variant<SendPacket, Exchange, Emit, Complete, StopAll>;
using Effects = std::vector<Effect>;

}  // namespace drover::gossip
