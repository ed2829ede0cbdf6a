// Ctrl-C as a wish to stop.
#pragma once

namespace fovea::app {

/// Thrown where Ctrl-C ends a command that has nothing to finish; main turns it into exit code 130.
struct Interrupted {};

/// From now on the first Ctrl-C is only noted, so that the pictures at work can be finished and
/// written; the second one ends the program. Where Ctrl-C is ignored already, it stays so. Does
/// nothing where it is caught already.
void catch_interrupt();

/// Undoes catch_interrupt. Throws Interrupted where Ctrl-C was noted meanwhile.
void release_interrupt();

/// Whether Ctrl-C was noted. Thread-safe.
[[nodiscard]] bool interrupted();

/// A descriptor that is readable, for good, once Ctrl-C was noted: for whoever waits in poll(), on
/// whichever thread. -1, which poll() ignores, before catch_interrupt().
[[nodiscard]] int interrupt_descriptor();

}  // namespace fovea::app
