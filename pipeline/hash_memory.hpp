#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace musetalk::pipeline {

/// Told of the bytes read so far and in all.
using hash_progress = std::function<void(uint64_t done, uint64_t total)>;

/// SHA-256 of large files, computed once: a sum is remembered in a small file and holds as long as
/// path, device, inode, size and times of change stay the same. A help, not a proof: whoever may
/// write the user's own files can forge it.
class hash_memory {
public:
  /// @param file Where sums are remembered, with its folder made when needed; empty: nowhere. What
  /// is there and is too large, malformed, or could have been written by somebody else is ignored,
  /// and replaced with the next sum.
  explicit hash_memory(std::filesystem::path file);

  /// The remembered sum, 64 lower-case hex digits, if the file is still the same.
  std::optional<std::string> recall(const std::filesystem::path& file) const;

  /// The remembered sum, else reads the whole file and remembers it. Follows links.
  /// @throws error `storage_failed` when the file cannot be read.
  std::string sum_of(const std::filesystem::path& file, const hash_progress& progress = {});

  /// What tells that a file has not changed.
  struct identity {
    std::string path; ///< Without links.
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t bytes = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;

    friend bool operator==(const identity&, const identity&) = default;
  };

  struct entry {
    identity of;
    std::string sha256;
  };

private:
  using entries = std::map<std::string, entry>; // by path

  entries read() const;
  void remember(entry next) const noexcept;

  std::filesystem::path file_;
};

/// `hashes.json` in this user's cache folder: `$XDG_CACHE_HOME/musetalkd`, else
/// `$HOME/.cache/musetalkd`; empty when neither is an absolute path.
std::filesystem::path default_hash_memory();

} // namespace musetalk::pipeline
