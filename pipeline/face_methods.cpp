#include "pipeline/face_methods.hpp"

#include "errors/error.hpp"
#include "pipeline/sentence.hpp"
#include "pipeline/weights.hpp"

namespace musetalk::pipeline {

namespace {

// Files of one need that are not usable, as `path: state`.
std::vector<std::string> unusable(const weights_status& weights, std::string_view need) {
  auto result = std::vector<std::string>{};
  for (const auto& x : weights.files)
    if (x.need == need && !x.usable)
      result.push_back(x.path + ": " + x.state);
  return result;
}

parsing_mode mode_of(const std::string& text) {
  for (auto x : {parsing_mode::jaw, parsing_mode::neck, parsing_mode::raw})
    if (text == to_string(x))
      return x;
  throw error{errc::settings_invalid, "The parsing mode must be jaw, neck or raw."};
}

} // namespace

std::string_view to_string(face_backend x) noexcept {
  return x == face_backend::dwpose ? "dwpose" : "mediapipe";
}

std::string_view to_string(mask_source x) noexcept {
  return x == mask_source::bisenet ? "bisenet" : "polygon";
}

std::string_view to_string(parsing_mode x) noexcept {
  switch (x) {
  case parsing_mode::jaw:
    return "jaw";
  case parsing_mode::neck:
    return "neck";
  case parsing_mode::raw:
    return "raw";
  }
  return "unknown";
}

std::string describe(const face_methods& x) {
  return std::string{to_string(x.backend)} + ", masks by " + std::string{to_string(x.mask)} + " (" +
         std::string{to_string(x.mode)} + ")";
}

face_choice choose_faces(const std::string& backend, const std::string& mode,
                         const weights_status& weights) {
  if (backend != "auto" && backend != "dwpose" && backend != "mediapipe")
    throw error{errc::settings_invalid, "The face backend must be auto, dwpose or mediapipe."};
  auto result = face_choice{};
  auto& methods = result.methods;
  methods.mode = mode_of(mode);
  if (weights.mode != "real") {
    if (weights.mode == "synthetic" && backend == "dwpose")
      methods = {face_backend::dwpose, mask_source::bisenet, methods.mode};
    return result;
  }
  auto no_pose = unusable(weights, "create-dwpose");
  // Wanted by name and absent: then jobs are refused with the list of files, and nothing is put in
  // its place.
  if (backend == "dwpose" || (backend == "auto" && no_pose.empty()))
    methods.backend = face_backend::dwpose;
  else if (backend == "auto")
    result.notes.push_back("faces are found by mediapipe; dwpose, MuseTalk's own way, needs " +
                           comma_list(no_pose));
  if (auto no_parser = unusable(weights, "create-parsing"); no_parser.empty())
    methods.mask = mask_source::bisenet;
  else
    result.notes.push_back("masks are drawn from the points of the face; BiSeNet, MuseTalk's own "
                           "way, needs " +
                           comma_list(no_parser));
  return result;
}

} // namespace musetalk::pipeline
