// How the process's allocator behaves: one place, so that programs that measure are like the agent.
#pragma once

namespace drover {

// Memory that threads free goes back to few places, and from there to the system: an idle agent stays small. The quick lists of
// small pieces stay as glibc has them: without them a state of 100,000 allocations takes more than twice as long to read.
// Before any thread is started.
void tame_allocator();

}  // namespace drover
