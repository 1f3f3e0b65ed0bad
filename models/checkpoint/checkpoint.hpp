#pragma once

#include "models/checkpoint/mapped_file.hpp"
#include "models/checkpoint/tensor_view.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace musetalk::models {

/// The tensors of a weight file: torch zip (PyTorch >= 1.6), the legacy torch format, or
/// safetensors; told apart by content. The file stays mapped; values are read when asked for.
/// Nothing in a file is ever executed, and work and memory until then are bounded by the size of
/// its table of contents.
class checkpoint {
public:
  /// Where the values of a storage lie.
  struct storage {
    std::string key;
    std::string location;             ///< `cpu`, `cuda:0`, ...; empty for safetensors.
    std::span<const std::byte> bytes; ///< Little-endian; may be unaligned.
    std::optional<uint32_t> crc = {}; ///< Of the archive entry; none for other formats.
    bool checked = false;
  };

  /// Opens a file. When its outermost value is a dict with a dict `state_dict`, that is taken. A
  /// list or tuple of tensors is taken with the names "0", "1", ...
  /// @throws musetalk::error `models_missing` when it is not there; `models_invalid` with a public
  /// sentence that
  ///         starts with the file's name when it is damaged, hostile, or no weight file (Git LFS
  ///         pointer, web page).
  static checkpoint open(const std::filesystem::path& path);

  /// All tensors in the order of the file.
  const std::vector<tensor_view>& tensors() const noexcept { return tensors_; }

  /// The tensor of that name, or null.
  const tensor_view* find(std::string_view name) const;

  /// Bytes of the whole storage of a tensor. The first call for a storage reads it all to compare
  /// its checksum.
  /// @throws musetalk::error `models_invalid` when the checksum differs.
  std::span<const std::byte> storage_bytes(const tensor_view& x);

  /// A copy of a tensor's values, contiguous, in row-major order.
  /// @throws musetalk::error like `storage_bytes`.
  std::vector<std::byte> read(const tensor_view& x);

  /// Lets the system take back the memory behind a tensor's storage. It may be read again.
  void release(const tensor_view& x) const noexcept;

  /// The device that a tensor was saved from, such as `cuda:0`; empty for safetensors.
  const std::string& location(const tensor_view& x) const { return storages_[x.storage].location; }

  /// Size of the file.
  size_t file_bytes() const noexcept { return file_.bytes().size(); }

  /// Name of the file, without folders.
  const std::string& name() const noexcept { return name_; }

private:
  checkpoint(mapped_file file, std::string name);

  mapped_file file_;
  std::string name_;
  std::vector<storage> storages_;
  std::vector<tensor_view> tensors_;
  std::map<std::string, size_t, std::less<>> by_name_;
};

} // namespace musetalk::models
