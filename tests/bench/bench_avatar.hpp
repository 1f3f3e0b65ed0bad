#pragma once

namespace musetalk::models::bench {

/// `bench_models --avatar ...`: the two halves of an avatar as the service runs them, whole and
/// pipelined: crops to latents, latents and sound to pictures. @returns The exit status.
int avatar_main(int argc, char** argv);

/// `bench_models --parity ...`: the same halves in a fast number format against fp32. Exit status 1
/// when a difference is out of its bounds.
int parity_main(int argc, char** argv);

} // namespace musetalk::models::bench
