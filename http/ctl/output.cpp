#include "http/ctl/output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace musetalk::http::ctl {

namespace {

std::string line_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string fixed(double x, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return text;
}

double number_member(const json& x, const char* name, double otherwise) {
  auto found = x.find(name);
  return found != x.end() && found->is_number() ? found->get<double>() : otherwise;
}

/// What a person sees of a job's state while it runs.
std::string label_of(const json& job) {
  auto stage = text_member(job, "stage");
  return stage.empty() ? text_member(job, "status") : stage;
}

} // namespace

output::output(std::ostream& out, std::ostream& errors, bool terminal, int columns)
    : out_(out), errors_(errors), terminal_(terminal), columns_(std::clamp(columns, 40, 200)) {
  // nop
}

void output::result(const json& object, const std::string& text) {
  end_bar();
  if (terminal_)
    out_ << text << "\n" << std::flush;
  else
    out_ << line_of(object) << "\n" << std::flush;
}

void output::problem(const reply& x) {
  end_bar();
  if (!terminal_) {
    auto body = x.body.is_object() ? x.body : json{{"status", x.status}};
    out_ << line_of(body) << "\n" << std::flush;
    return;
  }
  auto title = text_member(x.body, "title");
  auto detail = text_member(x.body, "detail");
  errors_ << "error: " << (title.empty() ? "status " + std::to_string(x.status) : title);
  if (!detail.empty() && detail != title)
    errors_ << ": " << detail;
  errors_ << "\n";
  if (auto hint = text_member(x.body, "hint"); !hint.empty())
    errors_ << "  " << hint << "\n";
  auto code = text_member(x.body, "code");
  auto request = text_member(x.body, "request_id");
  errors_ << "  (" << code << ", request " << request << ")\n" << std::flush;
}

void output::fault(const std::string& text, const std::string& hint) {
  end_bar();
  if (terminal_)
    errors_ << "error: " << text << "\n" << (hint.empty() ? "" : "  " + hint + "\n") << std::flush;
  else
    out_ << line_of({{"error", text}, {"hint", hint}}) << "\n" << std::flush;
}

void output::upload(uint64_t sent, uint64_t total) {
  auto fraction = total == 0 ? 1. : static_cast<double>(sent) / static_cast<double>(total);
  if (terminal_) {
    bar("upload", fraction, size_text(sent) + " of " + size_text(total));
    return;
  }
  auto tenth = static_cast<int64_t>(fraction * 10.);
  if (tenth == std::exchange(last_tenth_, tenth))
    return;
  out_ << line_of({{"event", "upload"}, {"sent_bytes", sent}, {"total_bytes", total}}) << "\n"
       << std::flush;
}

void output::job(const json& job) {
  if (!terminal_) {
    auto line = job;
    // These alone say nothing new.
    line.erase("eta_s");
    auto text = line_of(line);
    if (text != std::exchange(last_, text))
      out_ << line_of(job) << "\n" << std::flush;
    return;
  }
  auto after = std::string{};
  if (text_member(job, "status") == "queued")
    after = fixed(number_member(job, "position", 0.), 0) + " ahead";
  else if (auto eta = number_member(job, "eta_s", -1.); eta >= 0.)
    after = duration_text(eta) + " left";
  bar(label_of(job), number_member(job, "fraction", 0.), after);
}

void output::hashing(const std::string& file, uint64_t done, uint64_t total) {
  if (!terminal_)
    return;
  if (done < total) {
    bar("sha256", static_cast<double>(done) / static_cast<double>(total), file);
    return;
  }
  if (std::exchange(bar_open_, false))
    out_ << "\r\033[K" << std::flush;
}

void output::end_bar() {
  if (std::exchange(bar_open_, false))
    out_ << "\n" << std::flush;
}

void output::bar(const std::string& label, double fraction, const std::string& after) {
  auto left = label;
  left.resize(std::max<size_t>(left.size(), 9), ' ');
  auto percent = fixed(std::floor(std::clamp(fraction, 0., 1.) * 100.), 0);
  auto right = std::string(3 - std::min<size_t>(percent.size(), 3), ' ') + percent + " %";
  if (!after.empty())
    right += "  " + after;
  // Room for the longest text, so that the bar keeps its width.
  auto width = std::clamp(columns_ - 9 - 6 - 26, 10, 40);
  auto line = left + " [" + bar_text(fraction, width) + "] " + right;
  line.resize(std::min<size_t>(line.size(), static_cast<size_t>(columns_ - 1)));
  out_ << "\r" << line << "\033[K" << std::flush;
  bar_open_ = true;
}

std::string text_member(const json& x, const char* name) {
  auto found = x.find(name);
  return found != x.end() && found->is_string() ? printable(found->get<std::string>()) : "";
}

std::string printable(std::string_view text) {
  auto result = std::string{};
  for (auto c : text)
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return result;
}

std::string size_text(uint64_t bytes) {
  constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000)
    return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1000.;
  auto unit = size_t{0};
  // 999.95 would be shown as 1000.0.
  for (; value >= 999.95 && unit < 3; ++unit)
    value /= 1000.;
  return fixed(value, 1) + " " + units[unit];
}

std::string duration_text(double seconds) {
  auto whole = static_cast<int64_t>(std::ceil(std::clamp(seconds, 0., 1e9)));
  if (whole < 60)
    return std::to_string(whole) + " s";
  if (whole < 3600)
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

std::string bar_text(double fraction, int width) {
  auto full = static_cast<int>(std::floor(std::clamp(fraction, 0., 1.) * width));
  return std::string(static_cast<size_t>(full), '#') +
         std::string(static_cast<size_t>(width - full), '.');
}

} // namespace musetalk::http::ctl
