#include "serving/surfaces/docs.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "serving/surfaces/assets.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/openapi.h"

namespace millrace::serving {
namespace {

struct Document {
  std::string_view name;
  std::string_view (*bytes)();
};
// A new document: a line here, one in docs.h, one in CMakeLists.txt. The first heads the whole.
constexpr Document kDocuments[] = {{"v1", openapi_v1},
                                   {"accounts", openapi_accounts},
                                   {"access", openapi_access},
                                   {"movies", openapi_movies},
                                   {"shoppable", openapi_shoppable},
                                   {"store", openapi_store},
                                   {"interactions", openapi_interactions},
                                   {"recommender", openapi_recommender},
                                   {"experiments", openapi_experiments},
                                   {"engine", openapi_engine}};

// Nothing comes from another host. Both pages make style sheets as they run, Swagger UI has its
// pictures in data: addresses, and ReDoc searches in a worker that it makes itself.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const Document* find_document(std::string_view name) {
  const auto* found = std::find_if(std::begin(kDocuments), std::end(kDocuments),
                                   [&](const Document& one) { return one.name == name; });
  return found == std::end(kDocuments) ? nullptr : found;
}

Reply get_document(const Request& request) {
  const auto* document = find_document(request.params.find("document")->second);
  if (document == nullptr) {
    return problem({Code::kNotFound, "there is no document of this name", {}});
  }
  return revalidated("application/yaml", std::string(document->bytes()));
}

Reply page(std::string_view title, std::string_view head, std::string_view body) {
  const std::string plain = "<link rel=\"icon\" href=\"data:,\">\n<style>body{margin:0}</style>\n";
  return page_reply({title, plain + std::string(head), body, kContentSecurityPolicy});
}

Reply page_is_missing(std::string_view title) {
  return page(title, {},
              "<p>This server was built where no npm registry was in reach, so this page is not in "
              "it.\nThe document is <a href=\"/openapi.yaml\">/openapi.yaml</a>.</p>\n");
}

Reply swagger_page(const std::string& assets) {
  constexpr std::string_view kTitle = "Millrace: Swagger UI";
  if (swagger_ui_js().empty()) return page_is_missing(kTitle);
  std::string documents;
  for (const auto& document : kDocuments) {
    documents.append(documents.empty() ? "" : " ").append(document.name);
  }
  return page(kTitle, "<link rel=\"stylesheet\" href=\"" + assets + "swagger-ui.css\">\n",
              "<div id=\"ui\" data-documents=\"" + documents + "\"></div>\n<script src=\"" +
                  assets + "swagger-ui.js\"></script>\n");
}

Reply redoc_page(const Request& request, const std::string& assets) {
  constexpr std::string_view kTitle = "Millrace: ReDoc";
  const auto asked = request.query_value("document");
  if (asked && find_document(*asked) == nullptr) {
    return problem({Code::kInvalid, "must be the name of a document", "document"});
  }
  if (redoc_js().empty()) return page_is_missing(kTitle);
  std::string links = "<nav style=\"font:14px sans-serif;padding:8px\">";
  links += "<a href=\"/api/docs/redoc/\">all surfaces</a>";
  for (const auto& document : kDocuments) {
    links.append(" · <a href=\"?document=").append(document.name).append("\">");
    links.append(document.name).append("</a>");
  }
  links += "</nav>\n";
  const std::string source =
      asked ? "/openapi/" + std::string(*asked) + ".yaml" : std::string("/openapi.yaml");
  return page(kTitle, {},
              links + "<redoc spec-url=\"" + source + "\"></redoc>\n<script src=\"" + assets +
                  "redoc.js\"></script>\n");
}

}  // namespace

std::vector<Route> docs_routes(const Deps& /*deps*/) {
  std::vector<OpenApiDocument> documents;
  for (const auto& document : kDocuments) documents.push_back({document.name, document.bytes()});
  const auto whole = std::make_shared<const std::string>(merged_openapi(documents));
  const auto assets = std::make_shared<const Assets>(
      "/api/docs/assets/",
      std::vector<Asset>{{"swagger-ui.js", swagger_ui_js, "text/javascript; charset=utf-8"},
                         {"swagger-ui.css", swagger_ui_css, "text/css; charset=utf-8"},
                         {"redoc.js", redoc_js, "text/javascript; charset=utf-8"},
                         {"licenses.txt", docs_licenses, "text/plain; charset=utf-8"}});
  return {
      {"GET", "/openapi.yaml", Policy::kAlways,
       [whole](const Request&) { return revalidated("application/yaml", *whole); }},
      {"GET", "/openapi/{document}.yaml", Policy::kAlways, get_document},
      {"GET", "/api/docs/swagger/", Policy::kAlways,
       [assets](const Request&) { return swagger_page(assets->address()); }},
      {"GET", "/api/docs/redoc/", Policy::kAlways,
       [assets](const Request& request) { return redoc_page(request, assets->address()); }},
      {"GET", "/api/docs/assets/{version}/{file}", Policy::kAlways,
       [assets](const Request& request) { return assets->get(request); }},
  };
}

}  // namespace millrace::serving
