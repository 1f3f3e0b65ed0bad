#include "http/api/async_document.hpp"
#include "http/api/document.hpp"
#include "http/api/page.hpp"
#include "http/fields.hpp"
#include "http/routes/routes.hpp"

namespace musetalk::http {

namespace {

/// A text that never changes while the process runs.
void add_text(router& to, std::string_view path, std::string_view type, std::string text) {
  auto answer = response{200, {{"Content-Type", std::string{type}}}, std::move(text)};
  answer.headers.add("Cache-Control", "no-cache");
  answer.headers.add("X-Content-Type-Options", "nosniff");
  if (type.starts_with("text/html"))
    answer.headers.add("Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
                       "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  to.add("GET", path, {0}, [answer = std::move(answer)](const exchange_ptr& x) {
    require_known_query(x->in(), {});
    x->respond(answer);
  });
}

} // namespace

void add_document_routes(router& to) {
  add_text(to, "/openapi.json", "application/json",
           text_of(api::openapi_document(MUSETALKD_VERSION)));
  add_text(to, "/asyncapi.json", "application/json",
           text_of(api::async_document(MUSETALKD_VERSION)));
  add_text(to, "/docs", "text/html; charset=utf-8", std::string{api::page_html()});
  add_text(to, "/docs/page.js", "text/javascript; charset=utf-8", std::string{api::page_script()});
  add_text(to, "/docs/page.css", "text/css; charset=utf-8", std::string{api::page_style()});
}

} // namespace musetalk::http
