#pragma once

#include "http/message.hpp"
#include "pipeline/job.hpp"

#include <array>
#include <string>
#include <string_view>

namespace musetalk::http {

/// Fields of `POST /mgmt/v1/avatars/{id}/videos` beside the sound.
inline constexpr std::array speech_fields = {
    std::string_view{"fps"}, std::string_view{"batch_size"}, std::string_view{"start_frame"},
    std::string_view{"sync_mode"}, std::string_view{"crf"}};

/// Most frames that a client may have computed together.
inline constexpr int32_t max_speech_batch = 64;

/// Takes a field as a form gives it. @throws error `request_field_invalid`.
void set_speech_field(pipeline::speech_options& to, std::string_view name, std::string_view text);

/// The body in JSON: a flat object with the text `audio_path`, and optionally the fields above.
/// Strict, as `create_request_of`. `audio_path` is as the client sent it: not yet resolved.
/// @returns A request without its avatar.
/// @throws error `request_*`.
pipeline::job_request speech_request_of(std::string_view body);

/// The options in one line, for the fingerprint of a request.
std::string speech_text(const pipeline::speech_options& x);

} // namespace musetalk::http
