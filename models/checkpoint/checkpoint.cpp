#include "models/checkpoint/checkpoint.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/checkpoint_formats.hpp"
#include "models/checkpoint/crc32.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace musetalk::models {

namespace {

bool starts_with(std::span<const std::byte> file, std::string_view text) noexcept {
  return file.size() >= text.size() && std::memcmp(file.data(), text.data(), text.size()) == 0;
}

table_of_contents read_any(std::span<const std::byte> file) {
  if (file.empty())
    throw error{errc::models_invalid, "the file is empty"};
  if (looks_like_git_lfs_pointer(file))
    throw error{errc::models_invalid,
                "a Git LFS pointer instead of the weights; fetch the file itself (git lfs pull)"};
  if (looks_like_html(file))
    throw error{errc::models_invalid,
                "a web page instead of the weights; the download failed (quota or login)"};
  if (looks_like_torch_zip(file))
    return read_torch_zip(file);
  if (looks_like_torch_legacy(file))
    return read_torch_legacy(file);
  if (looks_like_safetensors(file))
    return read_safetensors(file);
  throw error{errc::models_invalid, "neither a PyTorch file (zip or legacy) nor safetensors"};
}

/// Copies a strided view to the front of `out` in row-major order.
void gather(const tensor_view& x, const std::byte* storage, std::byte* out) {
  auto width = size_of(x.type);
  auto index = std::vector<int64_t>(x.shape.size());
  auto at = x.offset;
  for (auto left = element_count(x.shape); left > 0; --left) {
    std::memcpy(out, storage + static_cast<size_t>(at) * width, width);
    out += width;
    // Odometer: the last dimension turns fastest.
    for (auto d = x.shape.size(); d-- > 0;) {
      at += x.strides[d];
      if (++index[d] < x.shape[d])
        break;
      at -= x.strides[d] * x.shape[d];
      index[d] = 0;
    }
  }
}

bool is_row_major(const tensor_view& x) {
  auto step = int64_t{1};
  for (auto d = x.shape.size(); d-- > 0;) {
    if (x.shape[d] != 1 && x.strides[d] != step)
      return false;
    step *= x.shape[d];
  }
  return true;
}

} // namespace

bool looks_like_git_lfs_pointer(std::span<const std::byte> file) noexcept {
  return starts_with(file, "version https://git-lfs");
}

bool looks_like_html(std::span<const std::byte> file) noexcept {
  auto text = std::string_view{reinterpret_cast<const char*>(file.data()),
                               std::min<size_t>(file.size(), 64)};
  auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first == std::string_view::npos || text[first] != '<')
    return false;
  auto next = text.substr(first + 1, 1);
  return next == "!" || next == "?" ||
         (!next.empty() && std::isalpha(static_cast<unsigned char>(next[0])));
}

checkpoint::checkpoint(mapped_file file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {
  auto toc = read_any(file_.bytes());
  storages_ = std::move(toc.storages);
  tensors_ = std::move(toc.tensors);
  for (size_t i = 0; i < tensors_.size(); ++i)
    if (!by_name_.emplace(tensors_[i].name, i).second)
      throw error{errc::models_invalid, "a tensor name occurs twice"};
}

checkpoint checkpoint::open(const std::filesystem::path& path) {
  auto file = mapped_file{path};
  auto name = path.filename().string();
  try {
    return checkpoint{std::move(file), name};
  } catch (const error& e) {
    throw error{e.code(), name + ": " + e.detail(), path.string()};
  }
}

const tensor_view* checkpoint::find(std::string_view name) const {
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

std::span<const std::byte> checkpoint::storage_bytes(const tensor_view& x) {
  auto& s = storages_[x.storage];
  if (s.crc && !s.checked && crc32(s.bytes) != *s.crc)
    throw error{errc::models_invalid, name_ + ": the checksum of the values of " + x.name +
                                          " differs: the file is damaged"};
  s.checked = true;
  return s.bytes;
}

std::vector<std::byte> checkpoint::read(const tensor_view& x) {
  auto bytes = storage_bytes(x);
  auto out = std::vector<std::byte>(static_cast<size_t>(element_count(x.shape)) * size_of(x.type));
  if (is_row_major(x) && !out.empty())
    std::memcpy(out.data(), bytes.data() + static_cast<size_t>(x.offset) * size_of(x.type),
                out.size());
  else
    gather(x, bytes.data(), out.data());
  return out;
}

void checkpoint::release(const tensor_view& x) const noexcept {
  file_.release(storages_[x.storage].bytes);
}

} // namespace musetalk::models
