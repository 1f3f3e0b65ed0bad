#include "pipeline/latents_writer.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/crc32.hpp"
#include "pipeline/pickle_opcodes.hpp"

namespace musetalk::pipeline {

namespace {

constexpr size_t latent_values = 8 * 32 * 32;

/// PyTorch puts tensor data at multiples of this, by an extra field of padding.
constexpr size_t alignment = 64;

/// Little-endian numbers of a zip record.
class record {
public:
  record& u16(size_t value) { return put(value, 2); }
  record& u32(size_t value) { return put(value, 4); }
  record& text(std::string_view value) {
    text_ += value;
    return *this;
  }

  std::span<const std::byte> bytes() const { return bytes_of(text_); }
  size_t size() const { return text_.size(); }

private:
  record& put(size_t value, int bytes) {
    for (auto i = 0; i < bytes; ++i)
      text_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }

  std::string text_;
};

/// What local and central header share: version 2.0, no flags, stored, 1980-01-01.
record& put_common(record& out, uint32_t crc, uint32_t bytes, size_t name_bytes,
                   size_t extra_bytes) {
  return out.u16(20)
      .u16(0)
      .u16(0)
      .u16(0)
      .u16(0x21)
      .u32(crc)
      .u32(bytes)
      .u32(bytes)
      .u16(name_bytes)
      .u16(extra_bytes);
}

// Numbers under which the pickle keeps what every tensor repeats; the tensors follow.
enum kept : uint32_t {
  rebuild,
  storage_word,
  storage_type,
  location,
  shape,
  strides,
  dict,
  tensors
};

} // namespace

latents_writer::latents_writer(const std::filesystem::path& path) : target_(path) {
  // nop
}

void latents_writer::append(const latent& next) {
  if (!next.half_bits || next.half_bits->size() != latent_values)
    throw error(errc::internal, "A latent does not have 8 x 32 x 32 values.");
  if (count_ == max_latents)
    throw error(errc::video_too_many_frames,
                "An avatar holds at most " + std::to_string(max_latents) + " frames.");
  add_entry("latents/data/" + std::to_string(count_), std::as_bytes(std::span{*next.half_bits}));
  ++count_;
}

file_sum latents_writer::finish() {
  add_entry("latents/data.pkl", bytes_of(list_pickle()));
  add_entry("latents/version", bytes_of("3\n"));
  // central directory and its end
  auto directory = record{};
  for (const auto& x : entries_) {
    put_common(directory.u32(0x02014b50).u16(20), x.crc, x.bytes, x.name.size(), 0);
    directory.u16(0).u16(0).u16(0).u32(0).u32(x.offset).text(x.name);
  }
  auto end = record{};
  end.u32(0x06054b50).u16(0).u16(0).u16(entries_.size()).u16(entries_.size());
  end.u32(directory.size()).u32(target_.size()).u16(0);
  target_.write(directory.bytes());
  target_.write(end.bytes());
  return target_.close();
}

void latents_writer::add_entry(std::string name, std::span<const std::byte> bytes) {
  constexpr auto fixed = size_t{30 + 4};
  auto offset = target_.size();
  auto padding = (alignment - (offset + fixed + name.size()) % alignment) % alignment;
  auto added = entry{std::move(name), models::crc32(bytes), static_cast<uint32_t>(bytes.size()),
                     static_cast<uint32_t>(offset)};
  auto header = record{};
  put_common(header.u32(0x04034b50), added.crc, added.bytes, added.name.size(), 4 + padding);
  header.text(added.name).text("FB").u16(padding).text(std::string(padding, 'Z'));
  target_.write(header.bytes());
  target_.write(bytes);
  entries_.push_back(std::move(added));
}

std::string latents_writer::list_pickle() const {
  auto code = pickle_opcodes{};
  // the first use writes a thing out and keeps it, later ones refer to it
  auto once = [&code](uint32_t number, bool first, auto&& write) {
    if (!first)
      return code.again(number);
    write();
    code.keep(number);
  };
  auto tuple_of = [&code](std::initializer_list<int32_t> values) {
    code.mark();
    for (auto value : values)
      code.integer(value);
    code.tuple();
  };
  code.empty_list();
  code.mark();
  for (auto i = size_t{0}; i < count_; ++i) {
    auto first = i == 0;
    once(rebuild, first, [&] { code.global("torch._utils", "_rebuild_tensor_v2"); });
    code.mark();
    code.mark();
    once(storage_word, first, [&] { code.text("storage"); });
    once(storage_type, first, [&] { code.global("torch", "HalfStorage"); });
    code.text(std::to_string(i));
    once(location, first, [&] { code.text("cuda:0"); });
    code.integer(latent_values);
    code.tuple();
    code.persistent_id();
    code.integer(0);
    once(shape, first, [&] { tuple_of({1, 8, 32, 32}); });
    once(strides, first, [&] { tuple_of({8192, 1024, 32, 1}); });
    code.false_value();
    once(dict, first, [&] { code.global("collections", "OrderedDict"); });
    code.empty_tuple();
    code.reduce();
    code.tuple();
    code.reduce();
    code.keep(tensors + static_cast<uint32_t>(i));
  }
  for (auto i = count_; i-- > 0;)
    code.again(tensors + static_cast<uint32_t>(i));
  code.appends();
  return std::move(code).finish();
}

} // namespace musetalk::pipeline
