#pragma once

#include <string_view>

namespace musetalk::http::api {

/// The page that shows both documents; the files of `page/` become part of the program when it is
/// built.
std::string_view page_html();
std::string_view page_script();
std::string_view page_style();

} // namespace musetalk::http::api
