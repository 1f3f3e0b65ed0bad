#pragma once

#include "http/exchange.hpp"
#include "http/multipart.hpp"
#include "http/routes/routes.hpp"
#include "pipeline/upload_spool.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace musetalk::http {

/// What boundaries and part heads may add to a file.
inline constexpr auto multipart_overhead_bytes = uint64_t{64} * 1024;

/// What a form with one file holds.
struct upload_form {
  std::string file_field;
  std::vector<std::string> text_fields;
  std::vector<std::string> required; ///< Of the text fields; the file always is.
  pipeline::job_kind kind = pipeline::job_kind::create;
  std::string avatar_id; ///< Where the path tells it.
  bool examine = false;  ///< Only look at the file.
  /// Takes a text field into the request. Throws `error` to refuse it.
  std::function<void(pipeline::job_request&, const std::string& name, const std::string& text)>
      take;
};

/// The form of `POST /mgmt/v1/avatars/upload`.
upload_form avatar_form();

/// Takes an upload as it arrives: text fields are kept, the file goes to its folder. Fields may
/// come in any order; a wrong one is refused as soon as it is seen, not after 500 MB.
class upload_sink : public body_sink {
public:
  /// @throws error when the head alone says that this is no upload: media type, boundary, wait, or
  /// more bytes than the disk has.
  upload_sink(exchange_ptr to, const route_context& context, upload_form form);

  /// Whatever was not handed on is removed.
  ~upload_sink() override;

  void write(std::span<const std::byte> bytes) override;
  void finish() override;
  void abort(const error& why) noexcept override;

private:
  void begin_part(const part_head& head);
  void take(std::span<const std::byte> bytes);
  void end_part();
  void tell_alive();
  void let_go() noexcept;
  std::string known_fields() const;

  exchange_ptr to_;
  route_context context_;
  upload_form form_;
  wish_to_wait wait_;
  pipeline::job_request request_;
  std::shared_ptr<pipeline::upload_spool> spool_; ///< From the file part's head on.
  std::set<std::string> seen_;                    ///< Names of the fields that have begun.
  std::string field_;                             ///< Name of the part that is being read.
  std::string text_;                              ///< Its bytes, unless it is the file.
  std::chrono::steady_clock::time_point told_alive_;
  bool handed_on_ = false;
  multipart_parser parser_;
};

} // namespace musetalk::http
