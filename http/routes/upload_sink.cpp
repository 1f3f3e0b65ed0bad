#include "http/routes/upload_sink.hpp"

#include "http/fields.hpp"
#include "http/idempotency.hpp"
#include "http/plain_text.hpp"
#include "pipeline/disk.hpp"
#include "pipeline/ids.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <charconv>

namespace musetalk::http {

namespace {

/// Most bytes of a field that is text.
constexpr auto max_text_bytes = size_t{1024};

constexpr auto sign_of_life_every = std::chrono::seconds{1};

void require_room(const request& in, const pipeline::store_layout& store) {
  auto length = in.headers.get("Content-Length");
  auto bytes = uint64_t{0};
  std::from_chars(length.data(), length.data() + length.size(), bytes);
  auto space = pipeline::disk_space_of(store.root);
  if (space && bytes > space->free_bytes)
    throw error{errc::storage_full, "The upload has " + std::to_string(bytes) + " bytes; " +
                                        std::to_string(space->free_bytes) + " are free."};
}

const auto none = std::initializer_list<std::string_view>{};

} // namespace

upload_sink::upload_sink(exchange_ptr to, const route_context& context, upload_form form)
    : to_(std::move(to)), context_(context), form_(std::move(form)),
      wait_(wait_of(to_->in(), context.max_wait)),
      parser_(multipart_boundary(to_->in().headers.get("Content-Type")), {},
              {[this](const part_head& head) { begin_part(head); },
               [this](std::span<const std::byte> bytes) { take(bytes); },
               [this] {
                 end_part();
               }}) {
  require_known_query(to_->in(), form_.examine ? none : job_query);
  require_room(to_->in(), context_.store);
  take_job_query(request_, to_->in());
  request_.key = idempotency_key_of(to_->in());
  request_.kind = form_.kind;
  request_.avatar_id = form_.avatar_id;
}

upload_sink::~upload_sink() {
  let_go();
}

void upload_sink::write(std::span<const std::byte> bytes) {
  parser_.push(bytes);
}

void upload_sink::finish() {
  parser_.finish();
  auto required = form_.required;
  required.push_back(form_.file_field);
  for (const auto& name : required)
    if (!seen_.contains(name))
      throw error{errc::request_field_missing, name + " is missing."};
  handed_on_ = true;
  caf::anon_send(context_.closer,
                 end_upload{to_, std::move(spool_), request_, wait_, form_.examine});
}

void upload_sink::abort(const error&) noexcept {
  let_go();
}

void upload_sink::begin_part(const part_head& head) {
  auto is_file = head.name == form_.file_field;
  const auto& known = form_.text_fields;
  if (!is_file && std::find(known.begin(), known.end(), head.name) == known.end())
    throw error{errc::request_field_unknown,
                "The form has a field " + quoted_name(head.name) +
                    " that this call does not know. Known: " + known_fields() + "."};
  if (!seen_.insert(head.name).second)
    throw error{errc::request_field_duplicate, head.name + " comes twice."};
  if (is_file != head.filename.has_value())
    throw error{errc::request_field_invalid, head.name + (is_file ? " must be a file with a name."
                                                                  : " must be text, not a file.")};
  field_ = head.name;
  text_.clear();
  if (!is_file)
    return;
  request_.video_name = display_name(*head.filename);
  request_.upload_id = pipeline::new_upload_id();
  spool_ = std::make_shared<pipeline::upload_spool>(context_.store.upload(request_.upload_id),
                                                    request_.upload_id, context_.max_upload_bytes);
  tell_alive();
}

void upload_sink::tell_alive() {
  told_alive_ = std::chrono::steady_clock::now();
  caf::anon_send(context_.uploads(), actors::atom::began_v, actors::upload_id{request_.upload_id});
}

void upload_sink::take(std::span<const std::byte> bytes) {
  if (field_ == form_.file_field) {
    spool_->write(bytes);
    // Slow is not dead: the clock of its expiry starts anew.
    if (std::chrono::steady_clock::now() - told_alive_ > sign_of_life_every)
      tell_alive();
    return;
  }
  if (text_.size() + bytes.size() > max_text_bytes)
    throw error{errc::request_field_invalid,
                field_ + " has more than " + std::to_string(max_text_bytes) + " bytes."};
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void upload_sink::end_part() {
  if (field_ != form_.file_field)
    form_.take(request_, field_, text_);
}

std::string upload_sink::known_fields() const {
  auto result = std::string{};
  for (const auto& x : form_.text_fields)
    result += x + ", ";
  return result + form_.file_field;
}

void upload_sink::let_go() noexcept {
  if (handed_on_ || request_.upload_id.empty())
    return;
  handed_on_ = true;
  spool_.reset();
  caf::anon_send(context_.uploads(), actors::atom::gone_v, actors::upload_id{request_.upload_id});
}

upload_form avatar_form() {
  auto result = upload_form{};
  result.file_field = "video_file";
  result.text_fields = {"avatar_id", "tutor_id", "apply_blur", "priority", "force"};
  result.required = {"avatar_id"};
  result.take = [](pipeline::job_request& to, const std::string& name, const std::string& text) {
    if (name == "avatar_id")
      to.avatar_id = avatar_id_field(text);
    else if (name == "tutor_id")
      to.tutor_id = tutor_id_field(text);
    else if (name == "apply_blur")
      to.apply_blur = yes_no_field(name, text);
    else if (name == "priority")
      to.priority = priority_field(text);
    else if (name == "force")
      to.force = yes_no_field(name, text);
  };
  return result;
}

void add_upload_route(router& to, const route_context& context) {
  auto limits = route_limits{context.max_upload_bytes + multipart_overhead_bytes};
  to.add_upload("POST", "/mgmt/v1/avatars/upload", limits, [=](exchange_ptr x) {
    return std::make_unique<upload_sink>(std::move(x), context, avatar_form());
  });
}

} // namespace musetalk::http
