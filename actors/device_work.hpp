#pragma once

// The kinds of work that a device does. A further kind is a struct here, a place in
// `device_request` and a message in `actors/interfaces.hpp`; queue, priority, sharing and memory
// come with it. A kind with `begin` and `finish` beside `run` overlaps: see `overlapping`.

#include "actors/interfaces.hpp"
#include "pipeline/device_networks.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace musetalk::actors {

/// What the pictures of most kinds have in common: all are of one size, so that only memory limits
/// how many go together.
struct work_of_one_size {
  template <class Inputs>
  static size_t most_together(const Inputs&, int64_t) {
    return std::numeric_limits<size_t>::max();
  }
};

/// Crops to latents.
struct encode_work : work_of_one_size {
  using input = pipeline::image;
  using output = pipeline::latent;
  static constexpr auto name = "encode";

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.encode(xs);
  }

  static void begin(pipeline::device_networks& on, std::span<const input> xs) {
    on.begin_encode(xs);
  }

  static std::vector<output> finish(pipeline::device_networks& on) { return on.finish_encode(); }
};

/// Frames to the faces that they show. The one kind whose cost grows with the frame.
struct find_work {
  using input = pipeline::image;
  using output = pipeline::seen_faces;
  static constexpr auto name = "find";

  /// @param max_pixels Of one execution; one frame always goes.
  static size_t most_together(std::span<const input> xs, int64_t max_pixels) {
    auto pixels = int64_t{1};
    for (const auto& x : xs)
      pixels = std::max(pixels, int64_t{x.width} * x.height);
    return static_cast<size_t>(std::max<int64_t>(max_pixels / pixels, 1));
  }

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.find_faces(xs);
  }
};

/// Frames to the points of their face.
struct locate_work : work_of_one_size {
  using input = pipeline::image;
  using output = pipeline::face_points;
  static constexpr auto name = "locate";

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.locate_points(xs);
  }
};

/// Pictures of faces to class maps.
struct parse_work : work_of_one_size {
  using input = pipeline::image;
  using output = pipeline::image;
  static constexpr auto name = "parse";

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.parse_faces(xs);
  }
};

/// Sound to what the audio network hears in it.
struct listen_work : work_of_one_size {
  using input = pipeline::sound_segment;
  using output = pipeline::heard_sound;
  static constexpr auto name = "listen";

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.listen(xs);
  }
};

/// Latents and sound to faces that speak.
struct generate_work : work_of_one_size {
  using input = pipeline::lip_request;
  using output = pipeline::image;
  static constexpr auto name = "generate";

  static std::vector<output> run(pipeline::device_networks& on, std::span<const input> xs) {
    return on.generate(xs);
  }

  static void begin(pipeline::device_networks& on, std::span<const input> xs) {
    on.begin_generate(xs);
  }

  static std::vector<output> finish(pipeline::device_networks& on) { return on.finish_generate(); }
};

/// Whether the next execution of a kind can be given to the device while one is under way.
template <class Kind>
concept overlapping = requires(pipeline::device_networks& on) {
  Kind::finish(on);
};

/// A request until its last output is there.
template <class Kind>
struct request_of {
  using kind = Kind;

  std::vector<typename Kind::input> inputs;
  std::vector<typename Kind::output> outputs; ///< Of the first `outputs.size()` inputs.
  size_t begun = 0; ///< Inputs given to the device, those with outputs among them.
  caf::typed_response_promise<std::vector<typename Kind::output>> reply;
};

/// A request of any kind; the index is the kind.
using device_request =
    std::variant<request_of<encode_work>, request_of<find_work>, request_of<locate_work>,
                 request_of<parse_work>, request_of<listen_work>, request_of<generate_work>>;

inline constexpr size_t work_kinds = std::variant_size_v<device_request>;

template <class F, size_t... I>
void with_kind(size_t index, F f, std::index_sequence<I...>) {
  ((I == index
        ? f.template operator()<typename std::variant_alternative_t<I, device_request>::kind>()
        : void()),
   ...);
}

/// Calls `f.template operator()<Kind>()` with the kind of an index.
template <class F>
void with_kind(size_t index, F f) {
  with_kind(index, f, std::make_index_sequence<work_kinds>{});
}

/// Inputs that the device has not been given.
inline size_t left(const device_request& x) {
  return std::visit([](const auto& r) { return r.inputs.size() - r.begun; }, x);
}

/// Ends a request that will have no output.
inline void refuse(device_request& x, const caf::error& why) {
  std::visit([&](auto& r) { r.reply.deliver(why); }, x);
}

} // namespace musetalk::actors
