#pragma once

#include "models/checkpoint/checkpoint.hpp"

namespace musetalk::models {

/// What a format's reader finds in a file.
struct table_of_contents {
  std::vector<checkpoint::storage> storages;
  std::vector<tensor_view> tensors;
};

/// Each reads one format from the bytes of a file and keeps views into them.
/// @throws musetalk::error `models_invalid` with what is wrong, without the file's name.
/// @{

/// PyTorch >= 1.6 `torch.save`. Source: PyTorch `torch/serialization.py` (`_load`).
table_of_contents read_torch_zip(std::span<const std::byte> file);

/// PyTorch < 1.6. Source: PyTorch `torch/serialization.py` (`_legacy_load`).
table_of_contents read_torch_legacy(std::span<const std::byte> file);

/// Source: the format's own README (huggingface/safetensors).
table_of_contents read_safetensors(std::span<const std::byte> file);

/// @}

/// Whether a file starts as that format does.
/// @{
bool looks_like_torch_zip(std::span<const std::byte> file) noexcept;
bool looks_like_torch_legacy(std::span<const std::byte> file) noexcept;
bool looks_like_safetensors(std::span<const std::byte> file) noexcept;
bool looks_like_git_lfs_pointer(std::span<const std::byte> file) noexcept;
bool looks_like_html(std::span<const std::byte> file) noexcept;
/// @}

} // namespace musetalk::models
