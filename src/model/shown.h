// Objects as operators may see them, in every answer that shows them.
#pragma once

#include "model/alloc.h"
#include "model/node.h"

namespace drover {

// Without the secret, with the flag that old clients look for, and with empty maps of plugins rather than none.
Node shown_node(const Node& node);

// The older shape of what a task was given.
Resources legacy_resources(const AllocatedTaskResources& given);
// The older shape of what was allocated, which clients still read; derived so that the state does not keep it.
void add_legacy_resources(Allocation& alloc);
// With the older resource fields, the payload of its job unpacked, and display messages of events.
Allocation shown_alloc(const Allocation& alloc);
List<AllocListStub> shown_stubs(List<AllocListStub> stubs);

}  // namespace drover
