#include "http/ctl/api.hpp"

#include "http/ctl/multipart_body.hpp"

#include <httplib.h>

#include <fstream>
#include <regex>

namespace musetalk::http::ctl {

struct api::impl {
  explicit impl(const std::string& url) : client(url) {
    client.set_connection_timeout(5);
    // Deletions and commits may take as long as the service's own time-outs.
    client.set_read_timeout(120);
    client.set_write_timeout(60);
    client.set_keep_alive(true);
  }

  httplib::Client client;
};

namespace {

constexpr auto json_type = "application/json";
constexpr auto piece_bytes = size_t{256} * 1024;

reply reply_of(const httplib::Result& x, const std::string& url) {
  if (!x)
    throw unreachable{url + " does not answer (" + httplib::to_string(x.error()) + ")"};
  return {x->status, json::parse(x->body, nullptr, false).is_discarded()
                         ? json{}
                         : json::parse(x->body, nullptr, false)};
}

} // namespace

api::api(const std::string& url) : url_(url) {
  while (url_.ends_with('/'))
    url_.pop_back();
  if (!std::regex_match(url_,
                        std::regex{R"(http://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?)"}))
    throw std::invalid_argument{"the URL must look like http://127.0.0.1:9000"};
  impl_ = std::make_unique<impl>(url_);
}

api::~api() = default;

reply api::get(const std::string& path) {
  return reply_of(impl_->client.Get(path), url_);
}

reply api::post(const std::string& path, const json& body) {
  return reply_of(impl_->client.Post(path, body.dump(), json_type), url_);
}

reply api::post(const std::string& path) {
  return reply_of(impl_->client.Post(path, std::string{}, json_type), url_);
}

reply api::put(const std::string& path) {
  return reply_of(impl_->client.Put(path, std::string{}, json_type), url_);
}

reply api::follow(const std::string& path, const std::string& last_event_id,
                  const std::function<bool(std::string_view)>& take) {
  // A connection of its own: this answer has no end that others could wait for.
  auto client = httplib::Client{url_};
  client.set_connection_timeout(5);
  client.set_read_timeout(40);
  auto headers = httplib::Headers{{"Accept", "text/event-stream"}};
  if (!last_event_id.empty())
    headers.emplace("Last-Event-ID", last_event_id);
  auto status = 0;
  auto problem = std::string{};
  auto answer = client.Get(
      path, headers,
      [&](const httplib::Response& head) {
        status = head.status;
        return true;
      },
      [&](const char* bytes, size_t size) {
        if (status == 200)
          return take({bytes, size});
        problem.append(bytes, std::min(size, piece_bytes));
        return problem.size() <= piece_bytes;
      });
  if (!answer)
    throw unreachable{url_ + " broke off (" + httplib::to_string(answer.error()) + ")"};
  auto body = json::parse(problem, nullptr, false);
  // A status without a body never came to the handler of heads.
  return {answer->status, body.is_discarded() ? json{} : body};
}

reply api::remove(const std::string& path) {
  return reply_of(impl_->client.Delete(path), url_);
}

std::string job_query(const std::string& priority, bool force) {
  auto result = std::string{};
  if (!priority.empty())
    result += "?priority=" + percent_encoded(priority);
  if (force)
    result += (result.empty() ? "?" : "&") + std::string{"force=true"};
  return result;
}

form form_of(const upload_request& what) {
  auto result = form{"/mgmt/v1/avatars/upload" + job_query(what.priority, what.force),
                     {{"avatar_id", what.avatar_id}},
                     "video_file",
                     what.file};
  if (!what.tutor_id.empty())
    result.texts.emplace_back("tutor_id", what.tutor_id);
  result.texts.emplace_back("apply_blur", what.apply_blur ? "true" : "false");
  return result;
}

reply api::download(const std::string& path, const std::filesystem::path& to) {
  auto part = to;
  part += ".part";
  auto out = std::ofstream{part, std::ios::binary | std::ios::trunc};
  if (!out)
    throw std::invalid_argument{to.string() + " cannot be written"};
  auto status = 0;
  auto problem = std::string{};
  auto answer = impl_->client.Get(
      path,
      [&](const httplib::Response& head) {
        status = head.status;
        return true;
      },
      [&](const char* bytes, size_t size) {
        if (status == 200)
          return static_cast<bool>(out.write(bytes, static_cast<std::streamsize>(size)));
        problem.append(bytes, std::min(size, piece_bytes));
        return problem.size() <= piece_bytes;
      });
  out.close();
  auto fault = std::error_code{};
  if (answer && answer->status == 200 && out) {
    std::filesystem::rename(part, to, fault);
    if (!fault)
      return {200, {}};
  }
  auto unwritten = fault || !out;
  std::filesystem::remove(part, fault);
  if (unwritten)
    throw std::invalid_argument{to.string() + " cannot be written"};
  if (!answer)
    throw unreachable{url_ + " broke off (" + httplib::to_string(answer.error()) + ")"};
  auto body = json::parse(problem, nullptr, false);
  return {answer->status, body.is_discarded() ? json{} : body};
}

reply api::send(const form& what, const upload_progress& progress) {
  auto body = multipart_body{what};
  auto provider = [&](size_t offset, size_t length, httplib::DataSink& sink) {
    auto piece = body.read(offset, std::min(length, piece_bytes));
    if (piece.empty() || !sink.write(piece.data(), piece.size()))
      return false;
    progress(offset + piece.size(), body.size());
    return true;
  };
  return reply_of(impl_->client.Post(what.path, body.size(), provider, body.content_type()), url_);
}

std::string percent_encoded(std::string_view text) {
  constexpr auto digits = std::string_view{"0123456789ABCDEF"};
  auto result = std::string{};
  for (auto c : text) {
    auto u = static_cast<unsigned char>(c);
    auto plain = (u < 0x80 && std::isalnum(u) != 0) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      result += c;
    else
      result += {'%', digits[u >> 4], digits[u & 15]};
  }
  return result;
}

std::string url_of(const config::endpoint& listen) {
  // "Every address" is none to connect to.
  auto reach = listen;
  if (reach.host == "0.0.0.0")
    reach.host = "127.0.0.1";
  if (reach.host == "::")
    reach.host = "::1";
  return "http://" + reach.text();
}

} // namespace musetalk::http::ctl
