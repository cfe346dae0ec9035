// How the process's allocator behaves: one place, so that programs that measure are like the agent.
#pragma once

namespace drover {

// Memory that threads free goes back to few places, and from there to the system: an idle agent stays small. Pieces that are
// freed join their neighbours at once. glibc keeps them apart otherwise and joins all of them in one go, within some allocation
// of whichever thread comes next: 15 ms of the loop after another thread has let go of a large state.
// Before any thread is started.
void tame_allocator();

}  // namespace drover
