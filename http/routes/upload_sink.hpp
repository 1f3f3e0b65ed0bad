#pragma once

#include "http/exchange.hpp"
#include "http/multipart.hpp"
#include "http/routes/routes.hpp"
#include "pipeline/upload_spool.hpp"

#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <string>

namespace musetalk::http {

/// Takes an upload as it arrives: text fields are kept, the file goes to its folder. Fields may
/// come in any order; a wrong one is refused as soon as it is seen, not after 500 MB.
class upload_sink : public body_sink {
public:
  /// @throws error when the head alone says that this is no upload: media type, boundary, wait, or
  /// more bytes than the disk has.
  upload_sink(exchange_ptr to, const route_context& context);

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

  exchange_ptr to_;
  route_context context_;
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
