#include "pipeline/sha256.hpp"

#include "errors/error.hpp"
#include "pipeline/file_ops.hpp"

#include <openssl/evp.h>

#include <array>
#include <vector>

namespace musetalk::pipeline {

struct sha256::impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  ~impl() { EVP_MD_CTX_free(context); }
};

sha256::sha256() : impl_(std::make_unique<impl>()) {
  if (impl_->context == nullptr || EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1)
    throw error(errc::internal, "No checksum can be computed.", "EVP_DigestInit_ex");
}

sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;
sha256::~sha256() = default;

void sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) != 1)
    throw error(errc::internal, "No checksum can be computed.", "EVP_DigestUpdate");
}

std::string sha256::finish() {
  auto sum = std::array<unsigned char, 32>{};
  if (EVP_DigestFinal_ex(impl_->context, sum.data(), nullptr) != 1)
    throw error(errc::internal, "No checksum can be computed.", "EVP_DigestFinal_ex");
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto text = std::string{};
  for (auto byte : sum) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_of(std::span<const std::byte> bytes) {
  auto sum = sha256{};
  sum.update(bytes);
  return sum.finish();
}

std::string sha256_of(file& source, const std::function<void(uint64_t done)>& progress) {
  auto sum = sha256{};
  auto buffer = std::vector<std::byte>(size_t{1} << 20);
  auto done = uint64_t{0};
  while (auto count = source.read_some(buffer)) {
    sum.update(std::span{buffer}.first(count));
    done += count;
    if (progress)
      progress(done);
  }
  return sum.finish();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  auto source = open_for_reading(path);
  return sha256_of(source);
}

} // namespace musetalk::pipeline
