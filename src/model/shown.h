// Objects as operators may see them, in every answer that shows them.
#pragma once

#include "model/node.h"

namespace drover {

// Without the secret, with the flag that old clients look for, and with empty maps of plugins rather than none.
Node shown_node(const Node& node);

}  // namespace drover
