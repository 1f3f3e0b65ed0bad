#include "pipeline/avatar_archive.hpp"

#include "errors/error.hpp"
#include "models/checkpoint/avatar_lists.hpp"
#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/crc32.hpp"
#include "pipeline/avatar_export.hpp"
#include "pipeline/clip_preparer.hpp"
#include "pipeline/file_ops.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/picture_geometry.hpp"
#include "pipeline/tar_reader.hpp"
#include "pipeline/video_writer.hpp"

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>

namespace musetalk::pipeline {

namespace fs = std::filesystem;

namespace {

using models::listed_box;
using json = nlohmann::json;

constexpr auto max_picture_bytes = uint64_t{64} << 20;
constexpr auto max_manifest_bytes = uint64_t{64} << 20;
/// A list of boxes: some 30 bytes for each.
constexpr auto max_list_bytes = uint64_t{64} << 20;
constexpr auto latent_bytes = uint64_t{2} * 8 * 32 * 32;
constexpr auto max_tutor_bytes = size_t{128};
constexpr auto piece_bytes = size_t{1} << 20;

[[noreturn]] void refuse(const std::string& why, const std::string& cause = {}) {
  throw error(errc::request_malformed, "The archive is no avatar: " + why, cause);
}

std::string picture_name(const char* folder, int64_t number) {
  char text[48];
  std::snprintf(text, sizeof text, "%s/%08lld.png", folder, static_cast<long long>(number));
  return text;
}

/// Files by their names below the avatar's folder; the folder itself may be in front of all.
std::map<std::string, tar_entry> without_top(std::map<std::string, tar_entry> files) {
  auto first = files.begin()->first;
  auto slash = first.find('/');
  auto top = slash == std::string::npos ? std::string{} : first.substr(0, slash + 1);
  auto all_below = !top.empty() && !is_avatar_file(first) &&
                   std::all_of(files.begin(), files.end(),
                               [&](const auto& x) { return x.first.starts_with(top); });
  auto result = std::map<std::string, tar_entry>{};
  for (const auto& [path, entry] : files) {
    auto name = all_below ? path.substr(top.size()) : path;
    if (!is_avatar_file(name))
      refuse("it has a file of a name that none of an avatar has.");
    result.emplace(std::move(name), entry);
  }
  return result;
}

bool is_palindrome(const std::vector<listed_box>& boxes) {
  return boxes.size() % 2 == 0 &&
         std::equal(boxes.begin(), boxes.begin() + static_cast<ptrdiff_t>(boxes.size() / 2),
                    boxes.rbegin(),
                    [](const auto& a, const auto& b) { return a.edges == b.edges; });
}

bool is_sum(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// Whether all chunks of a PNG are there, with sums that fit. What is not whole is refused here,
/// and never comes to a decoder.
bool is_whole_png(std::span<const uint8_t> bytes) {
  constexpr auto signature_bytes = size_t{8};
  constexpr auto frame_bytes = size_t{12}; // length, type, sum
  auto number = [&](size_t at) {
    return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 |
           uint32_t{bytes[at + 2]} << 8 | uint32_t{bytes[at + 3]};
  };
  auto at = signature_bytes;
  while (bytes.size() - at >= frame_bytes) {
    auto length = size_t{number(at)};
    if (length > bytes.size() - at - frame_bytes)
      return false;
    auto chunk = bytes.subspan(at + 4, length + 4);
    if (models::crc32(std::as_bytes(chunk)) != number(at + 8 + length))
      return false;
    at += length + frame_bytes;
    if (std::equal(chunk.begin(), chunk.begin() + 4, "IEND"))
      return at == bytes.size();
  }
  return false;
}

/// Width, height and bits of a PNG in memory.
std::array<int64_t, 3> png_size(const std::vector<uint8_t>& bytes, const std::string& name) {
  constexpr auto signature = std::array<uint8_t, 16>{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                                                     0,    0,   0,   13,  'I',  'H',  'D',  'R'};
  if (bytes.size() < 33 || !std::equal(signature.begin(), signature.end(), bytes.begin()))
    refuse(name + " is no PNG.");
  if (!is_whole_png(bytes))
    refuse(name + " is cut or damaged.");
  auto number = [&](size_t at) {
    return int64_t{bytes[at]} << 24 | int64_t{bytes[at + 1]} << 16 | int64_t{bytes[at + 2]} << 8 |
           int64_t{bytes[at + 3]};
  };
  return {number(16), number(20), bytes[24]};
}

} // namespace

struct avatar_archive::impl {
  impl(const fs::path& tar, fs::path folder, const media_limits& x)
      : source(open_for_reading(tar)), scratch(std::move(folder)), limits(x) {
    files = without_top(read_tar_table(source));
    read_facts();
    if (!has("coords.pkl") && !has("latents.pt") && !has("full_imgs/00000000.png")) {
      if (!has("video.mp4"))
        refuse("it has neither frames nor a video.");
      facts.weights = "none";
      return;
    }
    read_lists();
  }

  bool has(const std::string& name) const { return files.contains(name); }

  const tar_entry& entry(const std::string& name) const {
    auto found = files.find(name);
    if (found == files.end())
      refuse(name + " is missing.");
    return found->second;
  }

  std::vector<uint8_t> bytes_in(const std::string& name, uint64_t most) {
    const auto& x = entry(name);
    if (x.bytes > most)
      refuse(name + " has " + std::to_string(x.bytes) + " bytes; the limit is " +
             std::to_string(most) + ".");
    auto result = std::vector<uint8_t>(x.bytes);
    if (!source.read_at(x.offset, std::as_writable_bytes(std::span{result})))
      refuse("it ends too early.");
    return result;
  }

  void unpack(const std::string& name, const fs::path& to, uint64_t most) {
    auto x = entry(name);
    if (x.bytes > most)
      refuse(name + " has " + std::to_string(x.bytes) + " bytes; the limit is " +
             std::to_string(most) + ".");
    remove_name(to);
    auto target = create_file(to);
    auto piece = std::vector<std::byte>(std::min<uint64_t>(piece_bytes, x.bytes));
    while (x.bytes > 0) {
      auto part = std::span{piece}.first(std::min<uint64_t>(piece.size(), x.bytes));
      if (!source.read_at(x.offset, part))
        refuse("it ends too early.");
      target.write(part);
      x.offset += part.size();
      x.bytes -= part.size();
    }
    target.close();
  }

  /// What it says of itself: wrong types and texts count as absent.
  void read_facts() {
    facts.weights = "real";
    if (!has("manifest.json"))
      return;
    auto text = bytes_in("manifest.json", max_manifest_bytes);
    auto said = json::parse(text, nullptr, false);
    auto word = [](const json& x, const char* key) {
      return x.is_object() && x.contains(key) && x[key].is_string() ? x[key].get<std::string>()
                                                                    : std::string{};
    };
    if (word(said, "weights") == "synthetic")
      facts.weights = "synthetic";
    auto tutor = word(said, "tutor_id");
    auto control = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (tutor.size() <= max_tutor_bytes && std::none_of(tutor.begin(), tutor.end(), control))
      facts.tutor_id = tutor;
    if (said.is_object() && said.contains("source"))
      if (auto sum = word(said["source"], "sha256"); is_sum(sum))
        facts.video_sha256 = sum;
    facts.apply_blur = said.is_object() && said.value("apply_blur", json{}) == json(true);
  }

  /// The readers of lists know files. What they refuse is damage of the archive.
  template <class Read>
  auto from_scratch(const std::string& name, uint64_t most, Read&& read) {
    auto path = scratch / name;
    unpack(name, path, most);
    try {
      return read(path);
    } catch (const error& problem) {
      refuse(problem.detail(), problem.what());
    }
  }

  void read_lists() {
    face_boxes = from_scratch("coords.pkl", max_list_bytes, models::read_box_list);
    mask_boxes = from_scratch("mask_coords.pkl", max_list_bytes, models::read_box_list);
    auto entries = static_cast<int64_t>(face_boxes.size());
    facts.frames = is_palindrome(face_boxes) ? entries / 2 : entries;
    if (entries == 0 || mask_boxes.size() != face_boxes.size())
      refuse("coords.pkl has " + std::to_string(entries) + " boxes, mask_coords.pkl " +
             std::to_string(mask_boxes.size()) + ".");
    if (facts.frames > limits.max_frames)
      throw error(errc::video_too_many_frames, "The avatar has " + std::to_string(facts.frames) +
                                                   " frames; the limit is " +
                                                   std::to_string(limits.max_frames) + ".");
    auto most = static_cast<uint64_t>(entries) * (latent_bytes + 4'096) + (uint64_t{1} << 20);
    latents = from_scratch("latents.pt", most,
                           [](const fs::path& path) { return models::checkpoint::open(path); });
    if (latents->tensors().size() != face_boxes.size())
      refuse("latents.pt has " + std::to_string(latents->tensors().size()) +
             " entries, coords.pkl " + std::to_string(entries) + ".");
    for (const auto* folder : {"full_imgs", "mask"}) {
      auto count = std::count_if(files.begin(), files.end(), [&](const auto& x) {
        return x.first.starts_with(std::string{folder} + "/");
      });
      if (count != entries)
        refuse(std::string{folder} + " has " + std::to_string(count) + " pictures, coords.pkl " +
               std::to_string(entries) + " boxes.");
    }
    auto first = decode("full_imgs", 0, cv::IMREAD_COLOR);
    facts.width = first.width;
    facts.height = first.height;
    check_boxes("coords.pkl", face_boxes);
    check_boxes("mask_coords.pkl", mask_boxes);
  }

  void check_boxes(const std::string& name, const std::vector<listed_box>& boxes) const {
    for (auto i = size_t{0}; i < boxes.size(); ++i) {
      const auto& e = boxes[i].edges;
      if (boxes[i].placeholder || e[0] < 0 || e[1] < 0 || e[0] >= e[2] || e[1] >= e[3] ||
          e[2] > facts.width || e[3] > facts.height)
        refuse(name + ": box " + std::to_string(i) + " is empty or leaves the frame of " +
               std::to_string(facts.width) + " x " + std::to_string(facts.height) + " pixels.");
    }
  }

  static box to_box(const listed_box& x) {
    return {static_cast<int32_t>(x.edges[0]), static_cast<int32_t>(x.edges[1]),
            static_cast<int32_t>(x.edges[2]), static_cast<int32_t>(x.edges[3])};
  }

  image decode(const char* folder, int64_t number, int flags) {
    auto name = picture_name(folder, number);
    auto bytes = bytes_in(name, max_picture_bytes);
    auto [width, height, bits] = png_size(bytes, name);
    // Before anything of that size is made.
    if (width < 1 || height < 1 || width > limits.max_pixels || height > limits.max_pixels / width)
      refuse(name + " states " + std::to_string(width) + " x " + std::to_string(height) +
             " pixels; the limit is " + std::to_string(limits.max_pixels) + " in all.");
    if (bits != 8)
      refuse(name + " has " + std::to_string(bits) + " bits in each channel instead of 8.");
    try {
      auto picture = cv::imdecode(bytes, flags);
      if (picture.cols == width && picture.rows == height)
        return to_image(picture);
    } catch (const cv::Exception& problem) {
      refuse(name + " cannot be decoded.", problem.what());
    }
    refuse(name + " cannot be decoded.");
  }

  prepared_frame frame_at(int64_t number) {
    auto x = prepared_frame{};
    auto at = static_cast<size_t>(number);
    x.source = {number, decode("full_imgs", number, cv::IMREAD_COLOR)};
    x.face_box = to_box(face_boxes[at]);
    x.mask_box = to_box(mask_boxes[at]);
    x.mask = decode("mask", number, cv::IMREAD_GRAYSCALE);
    auto text = std::to_string(number);
    if (x.source.picture.width != facts.width || x.source.picture.height != facts.height)
      refuse("frame " + text + " differs in size from the first.");
    if (x.mask.width != x.mask_box.width() || x.mask.height != x.mask_box.height())
      refuse("mask " + text + " is not of the size of its box.");
    return x;
  }

  latent latent_at(int64_t number) {
    const auto& view = latents->tensors()[static_cast<size_t>(number)];
    auto name = "latents.pt: entry " + std::to_string(number);
    if (view.type != models::element::float16 || view.shape != std::vector<int64_t>{1, 8, 32, 32})
      refuse(name + " is no float16 [1, 8, 32, 32].");
    auto bytes = read_values(view);
    auto bits = std::vector<uint16_t>(bytes.size() / 2);
    std::memcpy(bits.data(), bytes.data(), bytes.size());
    for (auto x : bits)
      if ((x & 0x7c00) == 0x7c00)
        refuse(name + " is not finite.");
    latents->release(view);
    return {std::make_shared<const std::vector<uint16_t>>(std::move(bits))};
  }

  std::vector<std::byte> read_values(const models::tensor_view& view) {
    try {
      return latents->read(view);
    } catch (const error& problem) {
      refuse(problem.detail(), problem.what());
    }
  }

  file source;
  fs::path scratch;
  media_limits limits;
  std::map<std::string, tar_entry> files;
  archive_facts facts;
  std::vector<listed_box> face_boxes;
  std::vector<listed_box> mask_boxes;
  std::optional<models::checkpoint> latents;
  std::optional<video_writer> video; ///< Made of the frames, where the archive has none.
  int64_t next = 0;
};

avatar_archive::avatar_archive(const fs::path& tar, const fs::path& scratch,
                               const media_limits& limits)
    : impl_(std::make_unique<impl>(tar, scratch, limits)) {
  // nop
}

avatar_archive::avatar_archive(avatar_archive&&) noexcept = default;
avatar_archive& avatar_archive::operator=(avatar_archive&&) noexcept = default;
avatar_archive::~avatar_archive() = default;

const archive_facts& avatar_archive::facts() const noexcept {
  return impl_->facts;
}

archive_batch avatar_archive::next(int32_t max_frames) {
  auto result = archive_batch{};
  auto& x = *impl_;
  for (auto i = int32_t{0}; i < max_frames && x.next < x.facts.frames; ++i, ++x.next) {
    result.prepared.frames.push_back(x.frame_at(x.next));
    result.latents.push_back(x.latent_at(x.next));
    if (x.video)
      x.video->write(result.prepared.frames.back().source.picture);
  }
  result.prepared.last = x.next == x.facts.frames;
  result.prepared.frames_decoded = x.next;
  if (result.prepared.last && x.video) {
    x.video->finish();
    x.video.reset();
  }
  return result;
}

media_info probe_archive(const fs::path& tar, const fs::path& scratch, const media_limits& limits) {
  auto archive = avatar_archive{tar, scratch, limits};
  auto result = media_info{};
  result.container = "tar";
  result.width = archive.facts().width;
  result.height = archive.facts().height;
  result.predicted_frames = archive.facts().frames;
  result.bytes = fs::file_size(tar);
  return result;
}

void avatar_archive::unpack_video(const fs::path& to) {
  auto& x = *impl_;
  if (!x.has("video.mp4")) {
    x.video.emplace(to, make_geometry(x.facts.width, x.facts.height, 1, 1, 0), nullptr,
                    write_config{});
    return;
  }
  x.unpack("video.mp4", to, x.entry("video.mp4").bytes);
  probe_video(to, x.limits);
}

} // namespace musetalk::pipeline
