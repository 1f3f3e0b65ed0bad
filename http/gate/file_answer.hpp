#pragma once

#include <filesystem>
#include <memory>

#include "http/gate/byte_range.hpp"
#include "http/gate/unique_fd.hpp"
#include "http/message.hpp"

namespace musetalk::http::gate {

/// An answer whose body is a range of a file, or `head.body` when `file` is null.
struct file_answer {
  response head;
  std::shared_ptr<unique_fd> file;
  byte_range range;
};

/// Opens a file and decides between 200, 206, 304 and 416 (RFC 9110, 13 and 14).
/// @throws error with `errc::storage_failed` when `path` is no readable plain file.
file_answer answer_with_file(const request& in, response head, const std::filesystem::path& path);

} // namespace musetalk::http::gate
