#include "serving/surfaces/docs.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "serving/http/encoding.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/openapi.h"
#include "state/digest.h"

namespace millrace::serving {
namespace {

struct Embedded {
  std::string_view name;
  std::string_view (*bytes)();
  std::string_view type{};
};
// A new document: a line here, one in docs.h, one in CMakeLists.txt. The first heads the whole.
constexpr Embedded kDocuments[] = {{"v1", openapi_v1},
                                   {"accounts", openapi_accounts},
                                   {"access", openapi_access},
                                   {"movies", openapi_movies},
                                   {"shoppable", openapi_shoppable},
                                   {"store", openapi_store},
                                   {"interactions", openapi_interactions},
                                   {"recommender", openapi_recommender},
                                   {"experiments", openapi_experiments},
                                   {"engine", openapi_engine}};
constexpr Embedded kAssets[] = {{"swagger-ui.js", swagger_ui_js, "text/javascript; charset=utf-8"},
                                {"swagger-ui.css", swagger_ui_css, "text/css; charset=utf-8"},
                                {"redoc.js", redoc_js, "text/javascript; charset=utf-8"},
                                {"licenses.txt", docs_licenses, "text/plain; charset=utf-8"}};
constexpr std::size_t kMaxAssetBytes = 8 * 1024 * 1024;

// Nothing comes from another host. Both pages make style sheets as they run, Swagger UI has its
// pictures in data: addresses, and ReDoc searches in a worker that it makes itself.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const Embedded* find(const Request& request, std::string_view param, const Embedded* from,
                     const Embedded* to) {
  const auto name = request.params.find(param);
  const auto* found = std::find_if(from, to, [&](const Embedded& one) {
    return name != request.params.end() && one.name == name->second;
  });
  return found == to ? nullptr : found;
}

// To be asked for again, and sent again only when it has changed.
Reply text(std::string type, std::string body) {
  Reply reply;
  reply.content_type = std::move(type);
  reply.headers = {{"ETag", '"' + state::row_digest({}, body).text() + '"'},
                   {"Cache-Control", "no-cache"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = std::move(body);
  return reply;
}

Reply get_document(const Request& request) {
  const auto* document = find(request, "document", std::begin(kDocuments), std::end(kDocuments));
  if (document == nullptr) {
    return problem({Code::kNotFound, "there is no document of this name", {}});
  }
  return text("application/yaml", std::string(document->bytes()));
}

std::string assets_version() {
  std::string all;
  for (const auto& asset : kAssets) all += asset.bytes();
  return state::row_digest({}, all).text();
}

Reply get_asset(const Request& request, const std::string& version) {
  const auto* asset = find(request, "file", std::begin(kAssets), std::end(kAssets));
  if (asset == nullptr || request.params.find("version")->second != version ||
      asset->bytes().empty()) {
    return problem({Code::kNotFound, "this version of the server has no such file", {}});
  }
  Reply reply;
  reply.content_type = asset->type;
  reply.headers = {{"Cache-Control", "public, max-age=31536000, immutable"},
                   {"Vary", "Accept-Encoding"},
                   {"X-Content-Type-Options", "nosniff"}};
  if (accepts_gzip(request.header("accept-encoding").value_or(std::string_view()))) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body = asset->bytes();
    return reply;
  }
  auto body = gunzip(asset->bytes(), kMaxAssetBytes);
  if (!body) return problem(body.error());
  reply.body = *std::move(body);
  return reply;
}

Reply page(std::string_view title, std::string_view head, std::string_view body) {
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  html.append(title).append("</title>\n<link rel=\"icon\" href=\"data:,\">\n").append(head);
  html.append("<body style=\"margin:0\">\n").append(body).append("</html>\n");
  Reply reply = text("text/html; charset=utf-8", std::move(html));
  reply.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
  return reply;
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
  const bool known =
      !asked || std::any_of(std::begin(kDocuments), std::end(kDocuments),
                            [&](const Embedded& document) { return document.name == *asked; });
  if (!known) return problem({Code::kInvalid, "must be the name of a document", "document"});
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
  const std::string version = assets_version();
  const std::string assets = "/api/docs/assets/" + version + "/";
  return {
      {"GET", "/openapi.yaml", Policy::kAlways,
       [whole](const Request&) { return text("application/yaml", *whole); }},
      {"GET", "/openapi/{document}.yaml", Policy::kAlways, get_document},
      {"GET", "/api/docs/swagger/", Policy::kAlways,
       [assets](const Request&) { return swagger_page(assets); }},
      {"GET", "/api/docs/redoc/", Policy::kAlways,
       [assets](const Request& request) { return redoc_page(request, assets); }},
      {"GET", "/api/docs/assets/{version}/{file}", Policy::kAlways,
       [version](const Request& request) { return get_asset(request, version); }},
  };
}

}  // namespace millrace::serving
