#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace musetalk::models {

/// One stored entry of a zip file.
struct zip_entry {
  std::span<const std::byte> bytes;
  uint32_t crc = 0; ///< As the archive claims; see `check_crc`.
};

/// The entries of a zip file that lies in memory, as PyTorch writes it: stored, never compressed;
/// zip64 or not. Keeps views into the buffer.
class zip_archive {
public:
  /// @throws musetalk::error `models_invalid` for anything else: truncated, compressed, encrypted
  /// or spanned
  ///         archives, entries that lie outside the file, overlap, occur twice or climb out of the
  ///         archive.
  explicit zip_archive(std::span<const std::byte> file);

  /// Entries by full name.
  const std::map<std::string, zip_entry, std::less<>>& entries() const noexcept { return entries_; }

  /// The entry of that name, or null.
  const zip_entry* find(std::string_view name) const;

private:
  std::map<std::string, zip_entry, std::less<>> entries_;
};

/// Reads the whole entry and compares its checksum.
/// @throws musetalk::error `models_invalid` when it differs.
void check_crc(const zip_entry& entry, std::string_view name);

} // namespace musetalk::models
