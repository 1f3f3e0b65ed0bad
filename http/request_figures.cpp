#include "http/request_figures.hpp"

#include <array>
#include <string_view>

namespace musetalk::http {

namespace {

/// Whatever a client sends as its method must not become a label.
std::string method_label(std::string_view method) {
  constexpr auto known =
      std::array<std::string_view, 7>{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  for (auto x : known)
    if (x == method)
      return std::string{x};
  return "other";
}

} // namespace

void request_figures::note(const access_record& x) {
  auto pattern = x.pattern.empty() ? std::string{"none"} : x.pattern;
  auto method = method_label(x.method);
  auto lock = std::lock_guard{mutex_};
  ++counts_.answers[{pattern, method, x.status}];
  auto& seconds = counts_.seconds[{pattern, method}];
  if (seconds.bounds().empty())
    seconds =
        actors::bucket_counts{{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}};
  seconds.add(std::chrono::duration<double>{x.took}.count());
  counts_.bytes_in += x.bytes_in;
  counts_.bytes_out += x.bytes_out;
}

request_counts request_figures::read() const {
  auto lock = std::lock_guard{mutex_};
  return counts_;
}

} // namespace musetalk::http
