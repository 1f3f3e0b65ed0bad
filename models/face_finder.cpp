#include "models/face_finder.hpp"

#include "errors/error.hpp"
#include "models/loading.hpp"
#include "models/networks/s3fd.hpp"
#include "models/schematic_face.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace musetalk::models {

namespace {

constexpr int smallest_side = 32;
constexpr int largest_side = 8192;

s3fd_config synthetic_config() {
  auto c = s3fd_config{};
  c.vgg = {4, 8, 8, 8, 8};
  c.fc = 16;
  c.conv6 = {8, 8};
  c.conv7 = {8, 8};
  return c;
}

found_face schematic(const bgr_frame& frame) {
  auto half = 0.5 * schematic_face_share * std::min(frame.width, frame.height);
  auto x = 0.5 * frame.width, y = 0.5 * frame.height;
  return {x - half, y - half, x + half, y + 1.2 * half, 1.0};
}

class s3fd_finder final : public face_finder {
public:
  explicit s3fd_finder(const load_options& options) {
    auto timer = load_timer{};
    auto exact = options;
    exact.dtype = precision::float32;
    device_ = open_device(exact);
    auto id = load(options);
    report_ = timer.finish(device_, parameter_count(*network_), id);
  }

  std::vector<std::vector<found_face>> find(std::span<const bgr_frame> frames) override {
    auto faces = std::vector<std::vector<found_face>>{};
    // Neighbours of one size share an execution.
    for (size_t first = 0; first < frames.size();) {
      auto last = first + 1;
      while (last < frames.size() && frames[last].width == frames[first].width &&
             frames[last].height == frames[first].height)
        ++last;
      on_device(device_, [&] { find_in(frames.subspan(first, last - first), faces); });
      first = last;
    }
    return faces;
  }

  device_report report() const override { return report_; }

private:
  std::string load(const load_options& options) {
    if (options.synthetic) {
      network_ = S3FD{synthetic_config()};
      make_synthetic(*network_, device_.where, 2.0);
      return "synthetic";
    }
    auto names = s3fd_names();
    auto weights = open_weights(
        options.models_dir,
        {"s3fd/s3fd-619a316812.pth", "../musetalk/utils/face_detection/detection/sfd/s3fd.pth"},
        names.source);
    network_ = S3FD{s3fd_config::from_weights(weights.file)};
    load_weights(*network_, weights.file, names, device_.where);
    return weights.id;
  }

  /// Frames of one size; their faces are added at the end of the list.
  void find_in(std::span<const bgr_frame> frames, std::vector<std::vector<found_face>>& faces) {
    auto width = frames.front().width, height = frames.front().height;
    if (width < smallest_side || height < smallest_side || width > largest_side ||
        height > largest_side)
      throw error{errc::internal, "a frame of " + std::to_string(width) + " x " +
                                      std::to_string(height) + " pixels cannot be searched"};
    auto borrowed = std::vector<std::span<const uint8_t>>{};
    for (const auto& frame : frames)
      borrowed.push_back(frame.pixels);
    c10::InferenceMode inference;
    auto x = s3fd_input(to_batch(borrowed, height, width, device_.where));
    auto levels = network_->forward(x);
    for (size_t i = 0; i < frames.size(); ++i) {
      auto& list = faces.emplace_back();
      auto found = s3fd_faces(s3fd_candidates(levels, static_cast<int64_t>(i)));
      if (report_.synthetic)
        list.push_back(schematic(frames[i]));
      else
        for (const auto& f : found)
          list.push_back({f.left, f.top, f.right, f.bottom, f.score});
    }
  }

  opened_device device_;
  S3FD network_{nullptr};
  device_report report_;
};

} // namespace

std::unique_ptr<face_finder> make_face_finder(const load_options& options) {
  auto made = std::unique_ptr<face_finder>{};
  on_device([&] { made = std::make_unique<s3fd_finder>(options); });
  return made;
}

} // namespace musetalk::models
