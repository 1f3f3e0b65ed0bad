#include "http/ctl/multipart_body.hpp"

#include <algorithm>
#include <random>

namespace musetalk::http::ctl {

namespace {

std::string random_boundary() {
  constexpr auto letters = std::string_view{"0123456789abcdefghijklmnopqrstuvwxyz"};
  auto source = std::random_device{};
  auto pick = std::uniform_int_distribution<size_t>{0, letters.size() - 1};
  auto result = std::string{"musetalkctl-"};
  for (int i = 0; i < 32; ++i)
    result += letters[pick(source)];
  return result;
}

/// A file name between quotes, as browsers write it (WHATWG HTML, multipart/form-data encoding).
std::string quoted(const std::string& name) {
  auto result = std::string{};
  for (auto c : name) {
    if (c == '"')
      result += "%22";
    else if (c == '\r')
      result += "%0D";
    else if (c == '\n')
      result += "%0A";
    else
      result += c;
  }
  return '"' + result + '"';
}

} // namespace

multipart_body::multipart_body(const form& what) : boundary_(random_boundary()) {
  auto fault = std::error_code{};
  if (!std::filesystem::is_regular_file(what.file, fault))
    throw std::invalid_argument{what.file.string() + " is no file"};
  file_bytes_ = std::filesystem::file_size(what.file, fault);
  in_.open(what.file, std::ios::binary);
  if (fault || !in_)
    throw std::invalid_argument{what.file.string() + " cannot be read"};
  auto begin_part = [this](const std::string& disposition) {
    head_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; " + disposition;
  };
  auto add_text = [&](const std::string& name, const std::string& value) {
    begin_part("name=\"" + name + "\"\r\n\r\n" + value + "\r\n");
  };
  // The short fields go first: then a wrong one is refused before the file is sent.
  for (const auto& [name, value] : what.texts)
    add_text(name, value);
  begin_part("name=\"" + what.file_field + "\"; filename=" + quoted(what.file.filename().string()) +
             "\r\nContent-Type: application/octet-stream\r\n\r\n");
  tail_ = "\r\n--" + boundary_ + "--\r\n";
}

std::string multipart_body::content_type() const {
  return "multipart/form-data; boundary=" + boundary_;
}

std::string multipart_body::read(uint64_t offset, size_t most) {
  if (offset < head_.size())
    return head_.substr(offset, most);
  offset -= head_.size();
  if (offset >= file_bytes_)
    return tail_.substr(std::min<uint64_t>(offset - file_bytes_, tail_.size()), most);
  auto result = std::string(std::min<uint64_t>(most, file_bytes_ - offset), '\0');
  in_.seekg(static_cast<std::streamoff>(offset));
  in_.read(result.data(), static_cast<std::streamsize>(result.size()));
  result.resize(static_cast<size_t>(in_.gcount()));
  return result;
}

} // namespace musetalk::http::ctl
