#pragma once

namespace musetalk::http {

/// Lets OpenMP's threads sleep while they have nothing to do. By default they spin, and a service
/// whose actors decode, write and compute side by side loses most of its processor time to that.
/// OpenMP reads its environment when the program is loaded, so this begins the program anew, in the
/// same process, unless the environment already says how to wait. Call it before any thread starts.
/// @param argv As `main` got it.
void let_idle_threads_sleep(char** argv);

} // namespace musetalk::http
