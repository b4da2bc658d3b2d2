#include "app/peer_restore.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "app/maintenance.h"
#include "app/target.h"
#include "base/clock.h"
#include "base/log.h"
#include "schemas/json_value.h"
#include "schemas/position.h"
#include "state/checkpoint.h"
#include "state/digest.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr const char* kTakePath = "/v1/admin/checkpoint";
constexpr const char* kMaxAgeMs = "60000";  // several nodes that begin at once share a checkpoint
constexpr int kTries = 3;                   // of a part that arrives damaged

struct File {
  std::string path;
  std::uint64_t bytes = 0;
};

struct Listing {
  std::uint64_t bytes = 0;
  std::vector<File> files;
};

std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) c == '/' ? out += "%2F" : out += c;
  return out;
}

Result<Json> answer_of(const Result<HttpReply>& reply) {
  if (!reply) return tl::unexpected<Error>(reply.error());
  if (reply->status != 200) return tl::unexpected<Error>(error_of(*reply));
  return parse_json(reply->body);
}

Result<std::string> text_of(const Json& json, const char* name) {
  const auto* found = json.find(name);
  if (found == nullptr) return fail(Code::kInternal, std::string("the answer has no ") + name);
  return found->text;
}

Result<std::uint64_t> number_of(const Json& json, const char* name) {
  MILLRACE_TRY(const auto text, text_of(json, name));
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && rest == end) return number;
  return fail(Code::kInternal, std::string("the answer's ") + name + " is no number");
}

// A checkpoint is copied below a folder of ours: its files' names must stay there.
bool stays_below(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const auto& step : path) {
    if (step == ".." || step == "." || step.empty()) return false;
  }
  return true;
}

// The next peer is tried instead.
RetryPolicy no_retry() {
  RetryPolicy policy;
  policy.give_up_after = std::chrono::milliseconds(0);
  return policy;
}

// The log goes on where the position ends, or before.
bool reaches(const Position& position, const Starts& starts) {
  return std::all_of(starts.begin(), starts.end(), [&](const auto& entry) {
    const auto found = position.at().find(entry.first);
    return entry.second == 0 || (found != position.at().end() && found->second + 1 >= entry.second);
  });
}

class Copy {
 public:
  Copy(Url url, std::string token, const Starts& starts, fs::path to,
       const RestoreProgress& progress)
      : url_(std::move(url)),
        token_(std::move(token)),
        starts_(starts),
        reading_(url_, token_, no_retry(), {seconds(2), seconds(20)}),
        to_(std::move(to)),
        progress_(progress) {}

  Result<std::uint64_t> run() {
    MILLRACE_TRY(const auto name, take());
    folder_ = "/v1/admin/checkpoints/" + name;
    MILLRACE_TRY(const auto listing, list());
    for (const auto& file : listing.files) MILLRACE_CHECK(fetch(file, listing.bytes));
    return done_;
  }

 private:
  // Taking one may take long, and answers its name. One that there is already may be too old.
  Result<std::string> take() {
    HttpTarget taking(url_, token_, no_retry(), {seconds(2), seconds(120)});
    for (const char* max_age_ms : {kMaxAgeMs, "0"}) {
      MILLRACE_TRY(const auto taken,
                   answer_of(taking.post(std::string(kTakePath) + "?max_age_ms=" + max_age_ms,
                                         "application/json", "{}")));
      MILLRACE_TRY(const auto text, text_of(taken, "position"));
      MILLRACE_TRY(const auto position, text.empty() ? Result<Position>() : Position::parse(text));
      if (reaches(position, starts_)) return text_of(taken, "name");
    }
    return fail(Code::kUnavailable, "its state ends before the log starts");
  }

  Result<Listing> list() {
    MILLRACE_TRY(const auto answer, answer_of(reading_.get(folder_)));
    Listing listing;
    MILLRACE_TRY(listing.bytes, number_of(answer, "bytes"));
    const auto* files = answer.find("files");
    if (files == nullptr) return fail(Code::kInternal, "the answer has no files");
    for (const auto& element : files->elements) {
      File file;
      MILLRACE_TRY(file.path, text_of(element, "path"));
      MILLRACE_TRY(file.bytes, number_of(element, "bytes"));
      if (!stays_below(file.path)) {
        return fail(Code::kInvalid, "a file of the checkpoint is called " + file.path);
      }
      listing.files.push_back(std::move(file));
    }
    return listing;
  }

  Status fetch(const File& file, std::uint64_t of_bytes) {
    std::error_code error;
    fs::create_directories((to_ / file.path).parent_path(), error);
    std::ofstream out(to_ / file.path, std::ios::binary);
    for (std::uint64_t at = 0; at < file.bytes;) {
      MILLRACE_TRY(const auto part, part_of(file, at));
      out.write(part.data(), static_cast<std::streamsize>(part.size()));
      at += part.size();
      done_ += part.size();
      progress_(done_, of_bytes);
    }
    if (!out.flush()) return fail(Code::kIo, "cannot write " + (to_ / file.path).string());
    return {};
  }

  Result<std::string> part_of(const File& file, std::uint64_t at) {
    const auto target = folder_ + "/files/" + escaped(file.path) + "?offset=" + std::to_string(at);
    for (int i = 0; i < kTries; ++i) {
      MILLRACE_TRY(auto reply, reading_.get(target));
      if (reply.status != 200) return tl::unexpected<Error>(error_of(reply));
      const auto* digest = reply.header("x-millrace-digest");
      const bool whole = digest != nullptr && !reply.body.empty() &&
                         reply.body.size() <= file.bytes - at &&
                         *digest == state::row_digest({}, reply.body).text();
      if (whole) return std::move(reply.body);
    }
    return fail(Code::kCorrupt, "a part of " + file.path + " arrives damaged");
  }

  const Url url_;
  const std::string token_;
  const Starts& starts_;
  HttpTarget reading_;
  const fs::path to_;
  const RestoreProgress& progress_;
  std::string folder_;
  std::uint64_t done_ = 0;
};

Result<std::uint64_t> copy_from(const NodeRecord& peer, const std::string& token,
                                const Starts& starts, const fs::path& to,
                                const RestoreProgress& progress) {
  std::error_code error;
  fs::remove_all(to, error);
  fs::create_directories(to, error);
  if (error) return fail(Code::kIo, "cannot create " + to.string() + ": " + error.message());
  MILLRACE_TRY(auto url, Url::parse(peer.url));
  MILLRACE_TRY(const auto bytes, Copy(std::move(url), token, starts, to, progress).run());
  MILLRACE_TRY(const auto manifest, state::read_manifest(to));
  MILLRACE_CHECK(check_checkpoint(to, manifest));
  MILLRACE_CHECK(state::seal_checkpoint(to, manifest));
  return bytes;
}

// Whoever crashes between the two renames finds no state, and begins again.
Status take_place(const fs::path& copy, const fs::path& state) {
  const auto old = fs::path(state.string() + ".replaced");
  std::error_code error;
  fs::remove_all(old, error);
  if (fs::exists(state, error)) fs::rename(state, old, error);
  if (!error) fs::rename(copy, state, error);
  if (error) return fail(Code::kIo, "cannot rename " + copy.string() + ": " + error.message());
  fs::remove_all(old, error);
  return state::sync_folder(state.parent_path());
}

}  // namespace

Result<PeerRestore> restore_from_peers(const std::vector<NodeRecord>& peers,
                                       const std::string& token, const Starts& starts,
                                       const std::string& state, const RestoreProgress& progress) {
  const fs::path copy = state + ".restoring";
  std::string said;
  for (const auto& peer : peers) {
    const auto begun_us = steady_micros();
    const auto bytes = copy_from(peer, token, starts, copy, progress);
    if (bytes) {
      MILLRACE_CHECK(take_place(copy, state));
      return PeerRestore{peer.id, *bytes, static_cast<double>(steady_micros() - begun_us) / 1e6};
    }
    std::error_code ignored;
    fs::remove_all(copy, ignored);
    const auto why = "node " + peer.id + " at " + peer.url + ": " + bytes.error().detail;
    log_warn("no checkpoint from " + why);
    said += (said.empty() ? "" : "; ") + why;
  }
  return fail(Code::kUnavailable, said.empty() ? "no other node is ready" : said);
}

}  // namespace millrace::app
