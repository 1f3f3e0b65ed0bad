#include "pipeline/device_networks.hpp"

#include "errors/error.hpp"
#include "models/audio_encoder.hpp"
#include "models/face_finder.hpp"
#include "models/face_generator.hpp"
#include "models/face_parser.hpp"
#include "models/latent_encoder.hpp"
#include "models/pose_estimator.hpp"
#include "pipeline/face_parsing.hpp"
#include "pipeline/opencv.hpp"
#include "pipeline/sentence.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace musetalk::pipeline {

namespace {

// What the detector can be asked about.
constexpr int32_t least_side = 32;
constexpr int32_t most_side = 8192;

// The warm-up's frame: detection knows no usual size, and this one is cheap.
constexpr int32_t warm_width = 640;
constexpr int32_t warm_height = 360;

image black(int32_t width, int32_t height) {
  return {width, height, 3, share(std::vector<uint8_t>(size_t{3} * width * height))};
}

void require_frame(const image& x) {
  if (!x.pixels || x.channels != 3)
    throw error{errc::internal, "A frame has no pixels."};
  auto [least, most] = std::minmax(x.width, x.height);
  if (most > most_side)
    throw error{errc::video_too_large,
                sentence("The frames have %d x %d pixels; the face detector takes at most %d on a "
                         "side.",
                         x.width, x.height, most_side)};
  if (least < least_side)
    throw error{errc::video_too_small,
                sentence("The frames have %d x %d pixels; the face detector needs %d on a side.",
                         x.width, x.height, least_side)};
}

// Upstream clips at the left and upper edge only, and truncates.
seen_face seen(const models::found_face& x) {
  auto whole = [](double v) {
    return static_cast<int32_t>(std::clamp(v, 0., 1e6));
  };
  return {{whole(x.left), whole(x.top), whole(x.right), whole(x.bottom)},
          static_cast<float>(x.score)};
}

face_points points_of(const models::body_pose& pose) {
  auto result = face_points{};
  for (auto i = size_t{0}; i < result.size(); ++i) {
    const auto& x = pose[models::first_face_keypoint + i];
    result[i] = {static_cast<float>(std::trunc(x.x)), static_cast<float>(std::trunc(x.y))};
  }
  return result;
}

cv::Mat cut_canvas(const image& frame, int width, int height) {
  auto place = models::canvas_of(frame.width, frame.height, width, height);
  auto map = models::frame_to_canvas(place, width, height);
  auto result = cv::Mat{};
  cv::warpAffine(borrow(frame), result, cv::Mat{2, 3, CV_64F, map.data()}, {width, height},
                 cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  return result;
}

std::span<const uint8_t> bytes_of(const cv::Mat& x) {
  return {x.data, x.total() * x.elemSize()};
}

std::vector<models::bgr_crop> borrow_crops(std::span<const image> crops) {
  auto result = std::vector<models::bgr_crop>{};
  for (const auto& crop : crops)
    result.push_back({*crop.pixels});
  return result;
}

std::vector<latent> shared_latents(std::vector<models::latent> xs) {
  auto result = std::vector<latent>{};
  for (auto& x : xs)
    result.push_back({std::make_shared<const std::vector<uint16_t>>(std::move(x.half_bits))});
  return result;
}

[[noreturn]] void refuse_to_overlap() {
  throw error{errc::internal, "Executions do not overlap on this device."};
}

std::vector<models::lip_request> borrow_requests(std::span<const lip_request> requests) {
  auto result = std::vector<models::lip_request>{};
  for (const auto& x : requests)
    result.push_back({*x.code.half_bits, *x.heard});
  return result;
}

std::vector<image> shared_faces(std::vector<models::spoken_face> xs) {
  auto result = std::vector<image>{};
  for (auto& x : xs)
    result.push_back({crop_size, crop_size, 3, share(std::move(x))});
  return result;
}

/// Borrows images for the networks and takes their answers over as shared buffers.
class loaded_networks final : public device_networks {
public:
  explicit loaded_networks(const networks_config& config) {
    auto options = models::load_options{};
    options.models_dir = config.models_dir;
    options.synthetic = config.synthetic;
    options.device = config.device;
    options.threads = config.threads;
    encoder_ = models::make_latent_encoder(options);
    if (config.faces.backend == face_backend::dwpose) {
      finder_ = models::make_face_finder(options);
      estimator_ = models::make_pose_estimator(options);
    }
    if (config.faces.mask == mask_source::bisenet)
      parser_ = models::make_face_parser(options);
    if (config.speak) {
      listener_ = models::make_audio_encoder(options);
      generator_ = models::make_face_generator(options);
    }
  }

  std::vector<latent> encode(std::span<const image> crops) override {
    return shared_latents(encoder_->encode(borrow_crops(crops)));
  }

  size_t most_begun() const override { return most_begun_; }

  void begin_encode(std::span<const image> crops) override {
    encoder_->submit(borrow_crops(crops));
  }

  std::vector<latent> finish_encode() override { return shared_latents(encoder_->collect()); }

  std::vector<seen_faces> find_faces(std::span<const image> frames) override {
    auto borrowed = std::vector<models::bgr_frame>{};
    for (const auto& frame : frames) {
      require_frame(frame);
      borrowed.push_back({*frame.pixels, frame.width, frame.height});
    }
    auto result = std::vector<seen_faces>{};
    for (const auto& faces : loaded(finder_).find(borrowed))
      std::ranges::transform(faces, std::back_inserter(result.emplace_back()), seen);
    return result;
  }

  std::vector<face_points> locate_points(std::span<const image> frames) override {
    auto& network = loaded(estimator_);
    auto canvases = std::vector<cv::Mat>{};
    auto borrowed = std::vector<models::pose_input_canvas>{};
    for (const auto& frame : frames) {
      canvases.push_back(cut_canvas(frame, network.canvas_width(), network.canvas_height()));
      borrowed.push_back({bytes_of(canvases.back()), frame.width, frame.height});
    }
    auto result = std::vector<face_points>{};
    std::ranges::transform(network.estimate(borrowed), std::back_inserter(result), points_of);
    return result;
  }

  std::vector<image> parse_faces(std::span<const image> pictures) override {
    auto turned = std::vector<cv::Mat>(pictures.size());
    auto borrowed = std::vector<models::rgb_picture>{};
    for (auto i = size_t{0}; i < pictures.size(); ++i) {
      cv::cvtColor(borrow(pictures[i]), turned[i], cv::COLOR_BGR2RGB);
      borrowed.push_back({bytes_of(turned[i])});
    }
    auto result = std::vector<image>{};
    for (auto& x : loaded(parser_).parse(borrowed))
      result.push_back({parsing_size, parsing_size, 1, share(std::move(x))});
    return result;
  }

  std::vector<heard_sound> listen(std::span<const sound_segment> segments) override {
    auto& network = loaded(listener_);
    auto result = std::vector<heard_sound>{};
    for (const auto& x : segments) {
      auto states = network.listen(*x.samples);
      result.push_back({states.steps, states.layers, states.channels,
                        std::make_shared<const std::vector<float>>(std::move(states.values))});
    }
    return result;
  }

  std::vector<image> generate(std::span<const lip_request> requests) override {
    return shared_faces(loaded(generator_).generate(borrow_requests(requests)));
  }

  void begin_generate(std::span<const lip_request> requests) override {
    loaded(generator_).submit(borrow_requests(requests));
  }

  std::vector<image> finish_generate() override {
    return shared_faces(loaded(generator_).collect());
  }

  void warm_up(size_t most) override {
    auto fitting = encoder_->warm_up(most);
    if (generator_)
      fitting = std::min(fitting, generator_->warm_up(most));
    if (listener_)
      listener_->listen(std::vector<float>(segment_samples));
    auto waits = encoder_->report().device == "cpu";
    most_begun_ = waits ? 0 : fitting;
    auto count = waits ? size_t{1} : most;
    auto frames = std::vector(count, black(warm_width, warm_height));
    if (finder_)
      find_faces(std::span{frames}.first(1));
    if (estimator_)
      locate_points(frames);
    if (parser_)
      parse_faces(std::vector(count, black(parsing_size, parsing_size)));
  }

  void try_out() override { encode(std::vector{black(crop_size, crop_size)}); }

  device_report report() const override {
    const auto x = encoder_->report();
    return {.device = x.device,
            .name = x.device_name,
            .weights = x.synthetic ? "synthetic" : "real",
            .dtype = std::string{models::to_string(x.dtype)},
            .memory_bytes = static_cast<int64_t>(x.memory_total_bytes),
            .note = x.note};
  }

private:
  template <class Network>
  static Network& loaded(const std::unique_ptr<Network>& x) {
    if (!x)
      throw error{errc::internal, "A network was asked that was not loaded."};
    return *x;
  }

  size_t most_begun_ = 0; ///< Known after the warm-up.
  std::unique_ptr<models::latent_encoder> encoder_;
  std::unique_ptr<models::face_finder> finder_;
  std::unique_ptr<models::pose_estimator> estimator_;
  std::unique_ptr<models::face_parser> parser_;
  std::unique_ptr<models::audio_encoder> listener_;
  std::unique_ptr<models::face_generator> generator_;
};

} // namespace

void device_networks::begin_encode(std::span<const image>) {
  refuse_to_overlap();
}

void device_networks::begin_generate(std::span<const lip_request>) {
  refuse_to_overlap();
}

std::vector<latent> device_networks::finish_encode() {
  refuse_to_overlap();
}

std::vector<image> device_networks::finish_generate() {
  refuse_to_overlap();
}

std::unique_ptr<device_networks> open_device_networks(const networks_config& config) {
  return std::make_unique<loaded_networks>(config);
}

} // namespace musetalk::pipeline
