#include "http/routes/speech_sink.hpp"

#include "http/fields.hpp"
#include "http/idempotency.hpp"
#include "http/plain_text.hpp"
#include "http/routes/upload_sink.hpp"
#include "http/speech_request.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace musetalk::http {

namespace {

upload_form speech_form() {
  auto result = upload_form{};
  result.file_field = "audio_file";
  for (auto name : speech_fields)
    result.text_fields.emplace_back(name);
  result.kind = pipeline::job_kind::speak;
  result.take = [](pipeline::job_request& to, const std::string& name, const std::string& text) {
    set_speech_field(to.speech, name, text);
  };
  return result;
}

} // namespace

speech_json_sink::speech_json_sink(exchange_ptr to, const route_context& context)
    : to_(std::move(to)), context_(context), wait_(wait_of(to_->in(), context.max_wait)) {
  require_known_query(to_->in(), job_query);
  key_ = idempotency_key_of(to_->in());
}

void speech_json_sink::write(std::span<const std::byte> bytes) {
  if (body_.size() + bytes.size() > context_.max_body_bytes)
    throw error{errc::request_too_large, "The body has more than " +
                                             std::to_string(context_.max_body_bytes) +
                                             " bytes, the limit."};
  body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void speech_json_sink::finish() {
  auto wish = speech_request_of(body_);
  wish.avatar_id = avatar_id_field(to_->in().param("id"));
  take_job_query(wish, to_->in());
  wish.key = sealed(key_, to_->in(),
                    {wish.avatar_id, wish.video_path, speech_text(wish.speech),
                     to_string(wish.priority), wish.force ? "1" : "0"});
  caf::anon_send(context_.front_end, create_avatar{to_, std::move(wish), wait_});
}

std::unique_ptr<body_sink> open_speech_sink(exchange_ptr to, const route_context& context) {
  auto type = to->in().headers.get("Content-Type");
  type = trimmed(type.substr(0, std::min(type.find(';'), type.size())));
  if (equals_ignoring_case(type, "application/json"))
    return std::make_unique<speech_json_sink>(std::move(to), context);
  auto form = speech_form();
  form.avatar_id = avatar_id_field(to->in().param("id"));
  return std::make_unique<upload_sink>(std::move(to), context, form);
}

} // namespace musetalk::http
