#include "http/console_files.hpp"

#include <array>
#include <cstdint>
#include <string>

// The assembler takes a file in as it is: no copy of it in another form, and no limit on its size.
#define CONSOLE_FILE(symbol, file)                                                                 \
  asm(".pushsection .rodata\n" #symbol ":\n.incbin \"" MUSETALK_CONSOLE_DIR "/" file               \
      "\"\n" #symbol "_end:\n.byte 0\n.popsection\n");                                             \
  extern const char symbol[] asm(#symbol);                                                         \
  extern const char symbol##_end[] asm(#symbol "_end")

namespace {

CONSOLE_FILE(console_index, "index.html");
CONSOLE_FILE(console_style, "style.css");
CONSOLE_FILE(console_app, "app.js");
CONSOLE_FILE(console_chart, "chart.js");
CONSOLE_FILE(console_dom, "dom.js");
CONSOLE_FILE(console_live, "live.js");
CONSOLE_FILE(console_pages, "pages.js");
CONSOLE_FILE(console_actors, "actors.js");
CONSOLE_FILE(console_jobs, "jobs.js");
CONSOLE_FILE(console_avatars, "avatars.js");
CONSOLE_FILE(console_words, "words.js");
CONSOLE_FILE(console_icon, "icon.svg");

} // namespace

namespace musetalk::http {

namespace {

struct kept_file {
  std::string_view name;
  std::string_view text;
  std::string tag;
};

std::string tag_of(std::string_view text) {
  // FNV-1a: other contents, other tag.
  auto hash = uint64_t{14695981039346656037u};
  for (unsigned char c : text)
    hash = (hash ^ c) * 1099511628211u;
  auto result = std::string{"\""};
  for (auto shift = 60; shift >= 0; shift -= 4)
    result += "0123456789abcdef"[hash >> shift & 15];
  return result + "\"";
}

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html"))
    return "text/html; charset=utf-8";
  if (name.ends_with(".css"))
    return "text/css; charset=utf-8";
  if (name.ends_with(".svg"))
    return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

kept_file kept(std::string_view name, const char* begin, const char* end) {
  auto text = std::string_view{begin, static_cast<size_t>(end - begin)};
  return {name, text, tag_of(text)};
}

const auto& files() {
  static const auto result = std::array{
      kept("index.html", console_index, console_index_end),
      kept("style.css", console_style, console_style_end),
      kept("app.js", console_app, console_app_end),
      kept("chart.js", console_chart, console_chart_end),
      kept("dom.js", console_dom, console_dom_end),
      kept("live.js", console_live, console_live_end),
      kept("pages.js", console_pages, console_pages_end),
      kept("actors.js", console_actors, console_actors_end),
      kept("jobs.js", console_jobs, console_jobs_end),
      kept("avatars.js", console_avatars, console_avatars_end),
      kept("words.js", console_words, console_words_end),
      kept("icon.svg", console_icon, console_icon_end),
  };
  return result;
}

} // namespace

std::optional<console_file> find_console_file(std::string_view name) {
  for (const auto& x : files())
    if (x.name == name)
      return console_file{x.name, type_of(x.name), x.tag, x.text};
  return std::nullopt;
}

} // namespace musetalk::http
