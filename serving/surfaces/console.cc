#include "serving/surfaces/console.h"

#include <memory>
#include <string>

#include "serving/surfaces/assets.h"

namespace millrace::serving {
namespace {

// Nothing comes from another host, and nothing is written into the page as a style or a script.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view kTitle = "Millrace console";
// A wheel of eight paddles in the accent's colour.
constexpr std::string_view kIcon =
    "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
    "viewBox='0 0 16 16' fill='none' stroke='%230b7285' stroke-width='2'%3E%3Ccircle cx='8' cy='8' "
    "r='4'/%3E%3Cpath d='M8 0v16M0 8h16M2.3 2.3l11.4 11.4M2.3 13.7 13.7 2.3'/%3E%3C/svg%3E\">\n";

Reply console_page(const std::string& assets) {
  if (console_js().empty()) {
    return page_reply(
        {kTitle, kIcon,
         "<h1>The console is not in this server</h1>\n<p>It was built where no npm "
         "registry was in reach. Build again with one:\n<code>./dev build</code>. All "
         "that the console shows is in the API: <a "
         "href=\"/openapi.yaml\">/openapi.yaml</a>.</p>\n",
         kContentSecurityPolicy});
  }
  std::string head(kIcon);
  head += "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"stylesheet\" href=\"" +
          assets + "console.css\">\n<script type=\"module\" src=\"" + assets +
          "console.js\"></script>\n";
  return page_reply({kTitle, head,
                     "<div id=\"console\"></div>\n"
                     "<noscript>The console needs JavaScript.</noscript>\n",
                     kContentSecurityPolicy});
}

}  // namespace

std::vector<Route> console_routes(const Deps& /*deps*/) {
  const auto assets = std::make_shared<const Assets>(
      "/console/assets/",
      std::vector<Asset>{{"console.js", console_js, "text/javascript; charset=utf-8"},
                         {"console.css", console_css, "text/css; charset=utf-8"},
                         {"licenses.txt", console_licenses, "text/plain; charset=utf-8"}});
  return {
      {"GET", "/console/", Policy::kAlways,
       [assets](const Request&) { return console_page(assets->address()); }},
      {"GET", "/console/assets/{version}/{file}", Policy::kAlways,
       [assets](const Request& request) { return assets->get(request); }},
  };
}

}  // namespace millrace::serving
