#pragma once

#include "http/ctl/api.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace musetalk::http::ctl {

/// An upload as multipart/form-data whose file is read as it is sent.
class multipart_body {
public:
  /// @throws std::invalid_argument when the file cannot be read.
  explicit multipart_body(const form& what);

  /// Of the whole body, in bytes.
  uint64_t size() const { return head_.size() + file_bytes_ + tail_.size(); }

  /// `multipart/form-data; boundary=...`.
  std::string content_type() const;

  /// The bytes at `offset`, at most `most`; empty when the file has become shorter meanwhile.
  std::string read(uint64_t offset, size_t most);

private:
  std::string boundary_;
  std::string head_; ///< Text fields, and the head of the file's part.
  std::string tail_;
  uint64_t file_bytes_ = 0;
  std::ifstream in_;
};

} // namespace musetalk::http::ctl
