#include "models/sha256.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace musetalk::models {

namespace {

constexpr std::array<uint32_t, 64> k = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr size_t block_bytes = 64;
constexpr size_t length_bytes = 8;

} // namespace

sha256::sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
  // nop
}

void sha256::block(const std::byte* at) {
  std::array<uint32_t, 64> w;
  std::memcpy(w.data(), at, block_bytes);
  for (size_t i = 0; i < 16; ++i)
    w[i] = __builtin_bswap32(w[i]);
  for (size_t i = 16; i < 64; ++i) {
    auto s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    auto s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (size_t i = 0; i < 64; ++i) {
    auto t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
              k[i] + w[i];
    auto t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  auto add = std::array<uint32_t, 8>{a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i)
    state_[i] += add[i];
}

void sha256::update(std::span<const std::byte> bytes) {
  total_bytes_ += bytes.size();
  if (pending_bytes_ > 0) {
    auto n = std::min(block_bytes - pending_bytes_, bytes.size());
    std::copy_n(bytes.begin(), n, pending_.begin() + static_cast<ptrdiff_t>(pending_bytes_));
    pending_bytes_ += n;
    bytes = bytes.subspan(n);
    if (pending_bytes_ < block_bytes)
      return;
    block(pending_.data());
    pending_bytes_ = 0;
  }
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes))
    block(bytes.data());
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
  pending_bytes_ = bytes.size();
}

std::string sha256::finish() {
  auto bits = __builtin_bswap64(total_bytes_ * 8);
  auto pad = std::array<std::byte, block_bytes + length_bytes>{std::byte{0x80}};
  auto zeros = (2 * block_bytes - length_bytes - 1 - pending_bytes_) % block_bytes + 1;
  update(std::span{pad}.first(zeros));
  update(std::as_bytes(std::span{&bits, 1}));
  auto text = std::string{};
  for (auto word : state_)
    for (auto shift = 28; shift >= 0; shift -= 4)
      text += "0123456789abcdef"[(word >> shift) & 0xF];
  return text;
}

} // namespace musetalk::models
