#include "http/speech_request.hpp"

#include "errors/error.hpp"
#include "http/create_request.hpp"
#include "http/fields.hpp"
#include "http/plain_text.hpp"

#include <algorithm>

namespace musetalk::http {

namespace {

// Beyond, a window of sound would leave the published network's context.
constexpr int64_t least_fps = 10;
constexpr int64_t most_fps = 50;

constexpr int64_t most_start_frame = 10'000'000;

void set_sync_mode(pipeline::speech_options& to, std::string_view text) {
  auto mode = pipeline::sync_mode_from_string(text);
  if (!mode)
    refuse_field("sync_mode", "must be loop, bounce or cut_off");
  to.mode = *mode;
}

std::string audio_path_member(const nlohmann::json& x) {
  if (!x.is_string())
    refuse_field("audio_path", std::string{"must be a text, not "} + x.type_name());
  const auto& text = x.get_ref<const std::string&>();
  if (text.empty() || text.size() > max_video_path_bytes || has_control_characters(text))
    refuse_field("audio_path", "has " + std::to_string(text.size()) + " bytes; it must have 1 to " +
                                   std::to_string(max_video_path_bytes) +
                                   " and no control characters");
  return text;
}

} // namespace

void set_speech_field(pipeline::speech_options& to, std::string_view name, std::string_view text) {
  auto whole = [&](int64_t least, int64_t most) {
    return whole_field(name, text, least, most);
  };
  if (name == "fps")
    to.fps = static_cast<int32_t>(whole(least_fps, most_fps));
  else if (name == "batch_size")
    to.batch_size = static_cast<int32_t>(whole(1, max_speech_batch));
  else if (name == "start_frame")
    to.start_frame = whole(0, most_start_frame);
  else if (name == "crf")
    to.crf = static_cast<int32_t>(whole(0, 51));
  else if (name == "sync_mode")
    set_sync_mode(to, text);
}

pipeline::job_request speech_request_of(std::string_view body) {
  auto result = pipeline::job_request{};
  result.kind = pipeline::job_kind::speak;
  // Named, because items() would not keep it alive.
  auto members = flat_object_of(body);
  for (const auto& [name, value] : members.items()) {
    if (name == "audio_path") {
      result.video_path = audio_path_member(value);
      result.video_name = display_name(result.video_path);
    } else if (std::find(speech_fields.begin(), speech_fields.end(), name) == speech_fields.end()) {
      throw error{errc::request_field_unknown,
                  "The body has a member " + quoted_name(name) +
                      " that this call does not know. Known: audio_path, fps, batch_size, "
                      "start_frame, sync_mode, crf."};
    } else if (name == "sync_mode" ? !value.is_string() : !value.is_number_integer()) {
      refuse_field(name, name == "sync_mode" ? "must be a text" : "must be a whole number");
    } else {
      set_speech_field(result.speech, name,
                       value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  if (result.video_path.empty())
    throw error{errc::request_field_missing, "audio_path is missing."};
  return result;
}

std::string speech_text(const pipeline::speech_options& x) {
  return std::to_string(x.fps) + " " + std::to_string(x.batch_size) + " " +
         std::to_string(x.start_frame) + " " + std::string{to_string(x.mode)} + " " +
         std::to_string(x.crf);
}

} // namespace musetalk::http
