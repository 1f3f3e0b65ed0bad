#pragma once

#include "http/exchange.hpp"
#include "http/routes/routes.hpp"

#include <memory>
#include <span>
#include <string>

namespace musetalk::http {

/// Takes the body of a request to speak that is JSON: a path below an allowed folder.
class speech_json_sink : public body_sink {
public:
  /// @throws error when the head alone is wrong.
  speech_json_sink(exchange_ptr to, const route_context& context);

  void write(std::span<const std::byte> bytes) override;
  void finish() override;
  void abort(const error&) noexcept override {}

private:
  exchange_ptr to_;
  route_context context_;
  wish_to_wait wait_;
  pipeline::request_key key_;
  std::string body_;
};

/// The sink of `POST /mgmt/v1/avatars/{id}/videos`, by its media type: a form with the field
/// `audio_file`, or JSON. @throws error `request_media_type` for any other, and as those.
std::unique_ptr<body_sink> open_speech_sink(exchange_ptr to, const route_context& context);

} // namespace musetalk::http
