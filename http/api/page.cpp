#include "http/api/page.hpp"

// The assembler takes a file in as it is.
#define PAGE_FILE(symbol, file)                                                                    \
  asm(".pushsection .rodata\n" #symbol ":\n.incbin \"" MUSETALK_API_PAGE_DIR "/" file              \
      "\"\n" #symbol "_end:\n.byte 0\n.popsection\n");                                             \
  extern const char symbol[] asm(#symbol);                                                         \
  extern const char symbol##_end[] asm(#symbol "_end")

namespace {

PAGE_FILE(api_page_html, "page.html");
PAGE_FILE(api_page_script, "page.js");
PAGE_FILE(api_page_style, "page.css");

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

} // namespace

namespace musetalk::http::api {

std::string_view page_html() {
  return between(api_page_html, api_page_html_end);
}

std::string_view page_script() {
  return between(api_page_script, api_page_script_end);
}

std::string_view page_style() {
  return between(api_page_style, api_page_style_end);
}

} // namespace musetalk::http::api
