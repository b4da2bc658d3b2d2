#include "serving/surfaces/list_feeds.h"

#include <algorithm>
#include <string_view>

#include "base/json_text.h"
#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"

namespace millrace::serving {
namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Appends `text` as XML character data that is good in attributes, too. What XML 1.0 cannot say
// becomes U+FFFD.
void append_xml(std::string& out, std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    const char c = text[0];
    if (length == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') ||
        text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF")) {
      out += kReplacement;
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out += '<';
  out += name;
  out += '>';
  append_xml(out, text);
  out += "</";
  out += name;
  out += '>';
}

void append_link(std::string& out, std::string_view rel, std::string_view href) {
  out += "<link rel=\"";
  out += rel;
  out += "\" href=\"";
  append_xml(out, href);
  out += "\"/>";
}

std::string item_url(const FeedDocument& document, const Item& item) {
  return document.base + "/v1/items/" + percent_encode(item.id.value);
}

std::string_view title_of(const Item& item) {
  return item.title.empty() ? std::string_view(item.id.value) : std::string_view(item.title);
}

std::string summary_of(const Item& item) {
  std::string text = item.kind;
  for (const auto& category : item.categories) {
    text += (&category == &item.categories.front() ? ": " : ", ") + category;
  }
  return text;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string item_urn(const std::string& id) { return "urn:millrace:item:" + percent_encode(id); }

std::string json_feed(const FeedDocument& document) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("version", "https://jsonfeed.org/version/1.1");
  out.member("title", document.title);
  if (!document.base.empty()) {
    out.member("home_page_url", document.base + document.path);
    out.member("feed_url", document.base + document.self);
  }
  out.key("items");
  out.begin_array();
  for (const auto* entry : document.items) {
    const auto& item = entry->item;
    out.begin_object();
    out.member("id", item_urn(item.id.value));
    if (!document.base.empty()) out.member("url", item_url(document, item));
    out.member("title", title_of(item));
    out.member("content_text", summary_of(item));
    out.member("date_published", rfc3339(entry->appeared));
    if (!item.tags.empty()) {
      out.key("tags");
      out.begin_array();
      for (const auto& tag : item.tags) out.value(tag);
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return body;
}

std::string atom_feed(const FeedDocument& document) {
  UnixMillis updated = document.items.empty() ? document.made : 0;
  for (const auto* entry : document.items) updated = std::max(updated, entry->appeared);
  std::string out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
  out += "<feed xmlns=\"http://www.w3.org/2005/Atom\">";
  append_element(out, "id", "urn:millrace:list:" + percent_encode(document.path));
  append_element(out, "title", document.title);
  append_element(out, "updated", rfc3339(updated));
  out += "<author><name>Millrace</name></author>";
  append_link(out, "self", document.base + document.self);
  append_link(out, "alternate", document.base + document.path);
  for (const auto* entry : document.items) {
    const auto& item = entry->item;
    out += "\n<entry>";
    append_element(out, "id", item_urn(item.id.value));
    append_element(out, "title", title_of(item));
    append_element(out, "updated", rfc3339(entry->appeared));
    append_element(out, "summary", summary_of(item));
    append_link(out, "alternate", item_url(document, item));
    for (const auto& category : item.categories) {
      out += "<category term=\"";
      append_xml(out, category);
      out += "\"/>";
    }
    out += "</entry>";
  }
  out += "\n</feed>\n";
  return out;
}

}  // namespace millrace::serving
