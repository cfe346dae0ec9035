#include "model/shown.h"

namespace drover {

Node shown_node(const Node& node) {
  Node n = node;
  n.SecretID = Uuid{};
  n.Drain = static_cast<bool>(n.DrainStrategy);
  n.CSIControllerPlugins.vec();
  n.CSINodePlugins.vec();
  return n;
}

}  // namespace drover
