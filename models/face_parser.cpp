#include "models/face_parser.hpp"

#include "models/loading.hpp"
#include "models/networks/bisenet.hpp"

#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>

namespace musetalk::models {

namespace {

class bisenet_parser final : public face_parser {
public:
  explicit bisenet_parser(const load_options& options) {
    auto timer = load_timer{};
    // Upstream leaves this network in fp32: classes are decided by small margins.
    auto exact = options;
    exact.dtype = precision::float32;
    device_ = open_device(exact);
    auto id = load(options);
    report_ = timer.finish(device_, parameter_count(*network_), id);
  }

  std::vector<class_map> parse(std::span<const rgb_picture> pictures) override {
    if (pictures.empty())
      return {};
    auto borrowed = std::vector<std::span<const uint8_t>>{};
    for (const auto& picture : pictures)
      borrowed.push_back(picture.pixels);
    auto maps = std::vector<class_map>{};
    on_device(device_, [&] {
      c10::InferenceMode inference;
      auto x = normalised(to_batch(borrowed, parsing_side, parsing_side, device_.where));
      auto classes = network_->forward(x).argmax(1).to(at::kCPU, at::kByte).contiguous();
      auto* from = classes.const_data_ptr<uint8_t>();
      constexpr auto pixels = size_t{parsing_side} * parsing_side;
      for (size_t i = 0; i < pictures.size(); ++i, from += pixels)
        maps.emplace_back(from, from + pixels);
    });
    return maps;
  }

  device_report report() const override { return report_; }

private:
  std::string load(const load_options& options) {
    if (options.synthetic) {
      network_ = BiSeNet{bisenet_config{8, 19}};
      make_synthetic(*network_, device_.where, 1.0);
      return "synthetic";
    }
    auto names = bisenet_names();
    auto weights =
        open_weights(options.models_dir, {"face-parse-bisent/79999_iter.pth"}, names.source);
    network_ = BiSeNet{bisenet_config::from_weights(weights.file)};
    load_weights(*network_, weights.file, names, device_.where);
    return weights.id;
  }

  /// `[n, 512, 512, 3]` uint8 RGB to `[n, 3, 512, 512]`.
  static at::Tensor normalised(const at::Tensor& rgb) {
    auto options = at::TensorOptions{}.dtype(at::kFloat).device(rgb.device());
    auto mean = at::tensor({0.485, 0.456, 0.406}, options);
    auto deviation = at::tensor({0.229, 0.224, 0.225}, options);
    return ((rgb.to(at::kFloat) / 255.0 - mean) / deviation).permute({0, 3, 1, 2});
  }

  opened_device device_;
  BiSeNet network_{nullptr};
  device_report report_;
};

} // namespace

std::unique_ptr<face_parser> make_face_parser(const load_options& options) {
  auto made = std::unique_ptr<face_parser>{};
  on_device([&] { made = std::make_unique<bisenet_parser>(options); });
  return made;
}

} // namespace musetalk::models
