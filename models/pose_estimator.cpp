#include "models/pose_estimator.hpp"

#include "models/loading.hpp"
#include "models/networks/rtmpose.hpp"
#include "models/schematic_face.hpp"

#include "errors/error.hpp"

#include <c10/core/InferenceMode.h>

#include <algorithm>

namespace musetalk::models {

namespace {

rtmpose_config synthetic_config() {
  auto c = rtmpose_config{};
  c.widths = {8, 8, 16, 16, 32};
  c.depths = {1, 1, 1, 1};
  c.hidden = 32;
  c.attention = 16;
  return c;
}

body_pose schematic_pose(const pose_input_canvas& canvas) {
  auto pose = body_pose{};
  auto side = schematic_face_share * std::min(canvas.frame_width, canvas.frame_height);
  auto points = schematic_landmarks();
  for (size_t i = 0; i < points.size(); ++i)
    pose[first_face_keypoint + i] = {0.5 * canvas.frame_width + side * points[i].first,
                                     0.5 * canvas.frame_height + side * points[i].second, 1.f};
  return pose;
}

class rtmpose_estimator final : public pose_estimator {
public:
  explicit rtmpose_estimator(const load_options& options) {
    auto timer = load_timer{};
    // Upstream leaves this network in fp32: places are decided by small margins.
    auto exact = options;
    exact.dtype = precision::float32;
    device_ = open_device(exact);
    auto id = load(options);
    const auto& c = network_->config();
    if (c.keypoints != static_cast<int64_t>(body_keypoints))
      throw error{errc::models_invalid, "the pose network knows " + std::to_string(c.keypoints) +
                                            " keypoints instead of 133"};
    report_ = timer.finish(device_, parameter_count(*network_), id);
  }

  int canvas_width() const override { return static_cast<int>(network_->config().canvas_width); }

  int canvas_height() const override { return static_cast<int>(network_->config().canvas_height); }

  std::vector<body_pose> estimate(std::span<const pose_input_canvas> canvases) override {
    if (canvases.empty())
      return {};
    auto borrowed = std::vector<std::span<const uint8_t>>{};
    for (const auto& canvas : canvases)
      borrowed.push_back(canvas.pixels);
    auto poses = std::vector<body_pose>{};
    on_device(device_, [&] {
      c10::InferenceMode inference;
      auto x = pose_input(to_batch(borrowed, canvas_height(), canvas_width(), device_.where));
      auto decoded = decode(network_->forward_with_flip(x));
      auto points = decoded.points.to(at::kCPU).contiguous();
      auto scores = decoded.scores.to(at::kCPU, at::kFloat).contiguous();
      for (size_t i = 0; i < canvases.size(); ++i)
        poses.push_back(report_.synthetic ? schematic_pose(canvases[i])
                                          : to_frame(canvases[i], points[static_cast<int64_t>(i)],
                                                     scores[static_cast<int64_t>(i)]));
    });
    return poses;
  }

  device_report report() const override { return report_; }

private:
  std::string load(const load_options& options) {
    if (options.synthetic) {
      network_ = RTMPose{synthetic_config()};
      make_synthetic(*network_, device_.where, 2.0);
      return "synthetic";
    }
    auto names = rtmpose_names();
    auto weights = open_weights(options.models_dir, {"dwpose/dw-ll_ucoco_384.pth"}, names.source);
    network_ = RTMPose{rtmpose_config::from_weights(weights.file)};
    load_weights(*network_, weights.file, names, device_.where);
    return weights.id;
  }

  body_pose to_frame(const pose_input_canvas& canvas, const at::Tensor& points,
                     const at::Tensor& scores) const {
    auto place =
        canvas_of(canvas.frame_width, canvas.frame_height, canvas_width(), canvas_height());
    auto from = points.accessor<double, 2>();
    auto score = scores.accessor<float, 1>();
    auto pose = body_pose{};
    for (size_t k = 0; k < pose.size(); ++k) {
      auto i = static_cast<int64_t>(k);
      auto [x, y] =
          canvas_to_frame(place, {from[i][0], from[i][1]}, canvas_width(), canvas_height());
      pose[k] = {x, y, score[i]};
    }
    return pose;
  }

  opened_device device_;
  RTMPose network_{nullptr};
  device_report report_;
};

} // namespace

std::unique_ptr<pose_estimator> make_pose_estimator(const load_options& options) {
  auto made = std::unique_ptr<pose_estimator>{};
  on_device([&] { made = std::make_unique<rtmpose_estimator>(options); });
  return made;
}

} // namespace musetalk::models
