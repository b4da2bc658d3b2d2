#include "tests/support/test_node.h"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "serving/http/body_sink.h"
#include "serving/surfaces/authorize.h"
#include "serving/surfaces/guard.h"
#include "serving/surfaces/list.h"
#include "tests/support/body_pieces.h"

namespace millrace {
namespace {

const Json* child(const Json* json, std::string_view step) {
  if (json->kind == JsonKind::kObject) return json->find(step);
  std::size_t index = 0;
  const auto parsed = std::from_chars(step.data(), step.data() + step.size(), index);
  if (parsed.ec != std::errc() || index >= json->elements.size()) return nullptr;
  return &json->elements[index];
}

TestReply test_reply(serving::Reply reply) {
  TestReply out{std::move(reply), {}};
  if (!out.reply.stream && out.reply.content_type.find("json") != std::string::npos) {
    auto json = parse_json(out.reply.body);
    if (!json) throw std::runtime_error("an answer is no JSON: " + out.reply.body);
    out.json = *std::move(json);
  }
  return out;
}

// Gives `finish` the answer when it is there, behind the body where that streams.
void deliver(serving::Answer answer, const std::string& body,
             const std::function<void(serving::Reply)>& finish) {
  if (auto* later = std::get_if<serving::Later>(&answer)) {
    return later->start(
        [body, finish](const serving::Render& render) { deliver(render(), body, finish); });
  }
  auto& reply = std::get<serving::Reply>(answer);
  if (!reply.sink) return finish(std::move(reply));
  deliver(serving::take_whole(*reply.sink, body), {}, finish);
}

}  // namespace

std::string TestReply::header(std::string_view name) const {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return {};
}

const Json* TestReply::find(std::string_view path) const {
  const Json* at = &json;
  while (at != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    at = child(at, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at;
}

std::string TestReply::at(std::string_view path) const {
  const Json* found = find(path);
  return found == nullptr ? std::string() : found->text;
}

double TestReply::number(std::string_view path) const {
  const Json* found = find(path);
  if (found == nullptr || found->kind != JsonKind::kNumber) return std::nan("");
  return std::stod(found->text);
}

std::size_t TestReply::size(std::string_view path) const {
  const Json* found = find(path);
  return found == nullptr ? 0 : found->elements.size();
}

std::vector<std::string> TestReply::ids(std::string_view path) const {
  std::vector<std::string> ids;
  const Json* list = find(path);
  if (list == nullptr) return ids;
  for (const auto& element : list->elements) {
    const Json* id = element.find("id");
    ids.push_back(id == nullptr ? std::string() : id->text);
  }
  return ids;
}

TestNode::TestNode(Options options)
    : options_(std::move(options)), log_(clock_, options_.partitions) {
  if (options_.shared) log_.let_others_write();
  start();
}

TestNode::~TestNode() { stop_training(); }

void TestNode::stop_training() {
  dispatcher_.reset();
  routes_.clear();
  trainer_->stop();
  jobs_.reset();
  trainer_.reset();
  media_.reset();
}

void TestNode::start() {
  auto options = options_.engine;
  options.directory = directory_.path() / ("state" + std::to_string(generation_));
  auto engine = processors::Engine::open(options, log_, clock_, metrics_);
  if (!engine) throw std::runtime_error(engine.error().detail);
  engine_ = *std::move(engine);
  const auto started = engine_->start([](std::uint64_t, std::uint64_t) {});
  if (!started) throw std::runtime_error(started.error().detail);
  impressions_ =
      std::make_unique<ingest::Impressions>(log_, clock_, metrics_, options_.impressions);
  acceptor_ = std::make_unique<ingest::Acceptor>(
      log_, engine_->table(),
      [this](std::uint16_t partition, const state::Identity& identity) {
        return engine_->store(partition).first_seen(identity);
      },
      clock_, metrics_,
      ingest::Acceptor::Options{
          .highest_user = [this] { return engine_->catalog().highest_user(); },
          .before_attributed = [this] { impressions_->flush(); }});
  jobs_ = std::make_unique<processors::Jobs>(clock_, metrics_);
  auto training = options_.training;
  training.folder = models_folder();
  trainer_ = std::make_unique<processors::Trainer>(training, *engine_, *jobs_, clock_, metrics_);
  auto media_options = options_.media;
  media_options.directory = media_folder();
  auto media = serving::Media::open(
      media_options, {[this] { return engine_->catalog().view(); }, options_.fetch_media},
      metrics_);
  if (!media) throw std::runtime_error(media.error().detail);
  media_ = *std::move(media);
  serving::Deps& deps = deps_;
  deps = {};
  deps.engine = engine_.get();
  deps.log = &log_;
  deps.jobs = jobs_.get();
  deps.trainer = trainer_.get();
  deps.acceptor = acceptor_.get();
  deps.impressions = impressions_.get();
  deps.ids = &ids_;
  deps.clock = &clock_;
  deps.metrics = &metrics_;
  deps.options = options_.surface;
  deps.checkpoint = [this](std::int64_t) -> Result<std::string> {
    const auto path = state::next_checkpoint(directory_.path()).first;
    MILLRACE_TRY(const auto manifest, engine_->checkpoint(path));
    MILLRACE_CHECK(state::seal_checkpoint(path, manifest));
    return path;
  };
  deps.checkpoints = directory_.path();
  deps.media = media_.get();
  deps.nodes = [this] { return nodes_; };
  gate_ = serving::make_gate(deps, options_.gate, options_.block_ms);
  deps.gate = gate_.get();
  live_ = std::make_unique<serving::LiveHub>(*engine_, clock_, metrics_, options_.live);
  deps.live = live_.get();
  routes_ = serving::all_routes(deps);
  http_metrics_ = std::make_unique<serving::HttpMetrics>(metrics_, routes_);
  dispatcher_ = std::make_unique<serving::Dispatcher>(
      serving::Router(routes_),
      serving::Dispatcher::Checks{serving::authorize_with(deps), serving::catch_up_with(deps),
                                  gate_},
      8u << 20, *http_metrics_);
}

void TestNode::restart(bool forget) {
  stop_training();
  acceptor_.reset();
  impressions_.reset();
  live_.reset();
  engine_.reset();
  if (forget) ++generation_;
  start();
}

std::future<TestReply> TestNode::begin(const std::string& method, const std::string& target,
                                       const std::string& body, Headers headers) {
  serving::Request request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.address = address_;
  request.headers = std::move(headers);
  if (!body.empty() && !request.header("content-type")) {
    request.headers.emplace_back("content-type", "application/json");
  }
  auto outcome = dispatcher_->dispatch(request);
  const auto promise = std::make_shared<std::promise<TestReply>>();
  auto future = promise->get_future();
  const auto finish = [promise, request, this](serving::Reply reply) {
    try {
      promise->set_value(test_reply(dispatcher_->in_form(request, std::move(reply))));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  };
  deliver(std::move(outcome.answer), body, finish);
  return future;
}

TestReply TestNode::call(const std::string& method, const std::string& target,
                         const std::string& body, Headers headers) {
  auto future = begin(method, target, body, std::move(headers));
  if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    throw std::runtime_error("no answer to " + method + " " + target);
  }
  auto answer = future.get();
  if (!answer.reply.stream) return answer;
  answer.reply.body = drained(*std::exchange(answer.reply.stream, nullptr));
  return test_reply(std::move(answer.reply));
}

void TestNode::put(const std::string& id, const std::string& members) {
  const auto reply = call("POST", "/v1/items",
                          "{\"id\":\"" + id + "\"" + (members.empty() ? "" : ",") + members + "}");
  if (reply.status() != 200 || reply.at("accepted") != "1") {
    throw std::runtime_error("putting " + id + ": " + reply.body());
  }
}

void TestNode::event(const std::string& type, const std::string& user, const std::string& item,
                     const std::string& more_data) {
  const auto reply =
      call("POST", "/v1/events?wait=applied",
           "{\"type\":\"" + type + "\",\"data\":{\"user\":\"" + user + "\",\"item\":\"" + item +
               "\"" + (more_data.empty() ? "" : ",") + more_data + "}}");
  if (reply.status() != 200 || reply.at("accepted") != "1") {
    throw std::runtime_error(type + ": " + reply.body());
  }
}

}  // namespace millrace
