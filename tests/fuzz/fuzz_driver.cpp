// A small mutating driver for compilers without libFuzzer: fuzz_weights SECONDS SEED
// FILE-OR-FOLDER... The seed makes a run repeatable; the input that is being tried lies in the
// working folder while it is tried, so that after a crash it is there.

#include "errors/error.hpp"
#include "models/checkpoint/zip_archive.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;
using bytes = std::vector<uint8_t>;

constexpr size_t max_seed_bytes = 65536;
constexpr auto crash_file = "fuzz_weights.last";

/// The pickle inside a zip is guarded by a checksum that mutations break, so it becomes a seed of
/// its own.
void add_pickle(const bytes& file, std::vector<bytes>& corpus) {
  try {
    auto zip = musetalk::models::zip_archive{std::as_bytes(std::span{file})};
    for (const auto& [name, entry] : zip.entries())
      if (name.ends_with("data.pkl")) {
        auto* first = reinterpret_cast<const uint8_t*>(entry.bytes.data());
        corpus.emplace_back(first, first + entry.bytes.size());
      }
  } catch (const musetalk::error&) {
    // Not a zip file.
  }
}

void add_file(const fs::path& path, std::vector<bytes>& corpus) {
  auto in = std::ifstream{path, std::ios::binary};
  auto file = bytes{std::istreambuf_iterator<char>{in}, {}};
  if (file.size() > max_seed_bytes)
    return;
  add_pickle(file, corpus);
  corpus.push_back(std::move(file));
}

bytes mutated(const std::vector<bytes>& corpus, std::mt19937_64& random) {
  auto below = [&](size_t n) {
    return n == 0 ? 0 : static_cast<size_t>(random() % n);
  };
  auto x = corpus[below(corpus.size())];
  for (auto steps = 1 + below(8); steps > 0 && !x.empty(); --steps) {
    auto at = static_cast<ptrdiff_t>(below(x.size()));
    switch (below(6)) {
    case 0:
      x[static_cast<size_t>(at)] ^= static_cast<uint8_t>(1u << below(8));
      break;
    case 1:
      x[static_cast<size_t>(at)] = static_cast<uint8_t>(random());
      break;
    case 2:
      x.resize(static_cast<size_t>(at));
      break;
    case 3: // A run of ones: sizes and counts at their limits.
      std::fill(x.begin() + at,
                x.begin() + at +
                    static_cast<ptrdiff_t>(std::min<size_t>(8, x.size() - static_cast<size_t>(at))),
                0xFF);
      break;
    case 4:
      x.insert(x.begin() + at, 1 + below(16), static_cast<uint8_t>(random()));
      break;
    default: { // A piece of another seed.
      const auto& other = corpus[below(corpus.size())];
      auto from = below(other.size());
      auto count = std::min(other.size() - from, 1 + below(64));
      x.insert(x.begin() + at, other.begin() + static_cast<ptrdiff_t>(from),
               other.begin() + static_cast<ptrdiff_t>(from + count));
    }
    }
  }
  return x;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s SECONDS SEED FILE-OR-FOLDER...\n", argv[0]);
    return 2;
  }
  auto corpus = std::vector<bytes>{};
  for (auto i = 3; i < argc; ++i) {
    if (!fs::is_directory(argv[i]))
      add_file(argv[i], corpus);
    else
      for (const auto& x : fs::recursive_directory_iterator{argv[i]})
        if (x.is_regular_file())
          add_file(x.path(), corpus);
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "no seeds\n");
    return 2;
  }
  for (const auto& x : corpus)
    LLVMFuzzerTestOneInput(x.data(), x.size());
  auto random = std::mt19937_64{std::strtoull(argv[2], nullptr, 10)};
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds{std::atoi(argv[1])};
  auto count = size_t{0};
  while (std::chrono::steady_clock::now() < end) {
    auto x = mutated(corpus, random);
    std::ofstream{crash_file, std::ios::binary}.write(reinterpret_cast<const char*>(x.data()),
                                                      static_cast<std::streamsize>(x.size()));
    LLVMFuzzerTestOneInput(x.data(), x.size());
    ++count;
  }
  fs::remove(crash_file);
  std::printf("%zu seeds, %zu mutations, all answered\n", corpus.size(), count);
  return 0;
}
