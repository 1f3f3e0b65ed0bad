// Feeds bytes to everything that reads weight files and avatar pickles. Whatever comes in, the
// answer is values or a musetalk::error: never a crash, another exception, or memory out of
// proportion.
//
// With Clang and -fsanitize=fuzzer this is a libFuzzer target; else `fuzz_driver.cpp` mutates the
// golden files.

#include "errors/error.hpp"
#include "models/checkpoint/avatar_lists.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/json_reader.hpp"
#include "models/checkpoint/pickle_reader.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

using namespace musetalk::models;

namespace {

/// Runs `work`; a refusal is an answer too.
template <class Work>
void answer(Work work) {
  try {
    work();
  } catch (const musetalk::error&) {
    // nop
  }
}

void read_as_file(const uint8_t* data, size_t size) {
  auto fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size))
    std::abort();
  auto path = "/proc/self/fd/" + std::to_string(fd);
  answer([&] {
    auto source = checkpoint::open(path);
    for (const auto& x : source.tensors())
      answer([&] { source.read(x); });
  });
  answer([&] { read_latent_list(path); });
  answer([&] { read_box_list(path); });
  ::close(fd);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_as_file(data, size);
  answer([&] { read_pickle(std::as_bytes(std::span{data, size})); });
  answer([&] { json_value::parse({reinterpret_cast<const char*>(data), size}); });
  return 0;
}
