#include "http/api/call.hpp"

namespace musetalk::http::api {

namespace {

constexpr auto tag = std::string_view{"documents"};

call document(std::string_view path, std::string_view id, std::string_view type,
              std::string_view summary) {
  return {"GET", path, id, tag, summary, {}, {}, {{200, "The document.", {type, {}}, {}}}, {}};
}

} // namespace

calls document_calls() {
  return {
      document("/openapi.json", "getOpenApi", "application/json", "This interface as OpenAPI 3.1"),
      document("/asyncapi.json", "getAsyncApi", "application/json",
               "Messages of WebSocket and server-sent events as AsyncAPI 3"),
      document("/docs", "readDocs", "text/html", "Both as a page to browse"),
      document("/docs/page.js", "getDocsScript", "text/javascript", "Its script"),
      document("/docs/page.css", "getDocsStyle", "text/css", "Its style"),
  };
}

} // namespace musetalk::http::api
