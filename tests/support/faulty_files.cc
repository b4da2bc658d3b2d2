#include "tests/support/faulty_files.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace millrace {
namespace {

constexpr std::size_t kSector = 512;

void write_into(std::string& file, std::uint64_t position, std::string_view bytes) {
  if (file.size() < position + bytes.size()) file.resize(position + bytes.size(), '\0');
  file.replace(position, bytes.size(), bytes);
}

}  // namespace

struct FaultyFiles::State {
  mutable std::mutex mutex;
  std::condition_variable released;
  Names names;
  std::vector<Names> since_sync;  // the directory after each change since its sync, oldest first
  Names synced_names;
  std::set<std::string> locks;
  std::optional<int> steps_left;
  bool cut = false;
  std::uint64_t capacity = 1ull << 40;
  bool failing_syncs = false, failing_writes = false, holding_syncs = false;
  std::size_t syncs = 0;

  // Whether this step still happens: wholly, in part, or not at all.
  enum class Step { kWhole, kPart, kNone };
  Step step() {
    if (cut) return Step::kNone;
    if (steps_left && (*steps_left)-- <= 0) {
      cut = true;
      return Step::kPart;
    }
    return Step::kWhole;
  }

  std::uint64_t used() const {
    std::uint64_t total = 0;
    for (const auto& [name, node] : names) total += node->bytes.size();
    return total;
  }

  static tl::unexpected<Error> no_power() { return fail(Code::kIo, "the power is cut"); }

  void name_changed() { since_sync.push_back(names); }

  static std::string survivor(const Node& node, std::mt19937_64& random);
};

// What is left of a file: all, nothing, or a part of what was not synced, in write order with the
// last write torn, or sector by sector as a device may reorder.
std::string FaultyFiles::State::survivor(const Node& node, std::mt19937_64& random) {
  const auto kind = random() % 4;
  if (kind == 0) return node.synced;
  if (kind == 1) return node.bytes;
  std::string out = node.synced;
  if (kind == 2) {
    const std::size_t whole = random() % (node.since_sync.size() + 1);
    for (std::size_t i = 0; i <= whole && i < node.since_sync.size(); ++i) {
      if (const auto* write = std::get_if<Write>(&node.since_sync[i])) {
        const std::size_t length =
            i < whole ? write->bytes.size() : random() % (write->bytes.size() + 1);
        write_into(out, write->position, std::string_view(write->bytes).substr(0, length));
      } else if (i < whole) {
        out.resize(std::get<Truncate>(node.since_sync[i]).length);
      }
    }
    return out;
  }
  out.resize(node.bytes.size(), '\0');
  for (std::size_t at = 0; at < out.size(); at += kSector) {
    const std::size_t length = std::min(kSector, out.size() - at);
    if (random() % 2 == 0) out.replace(at, length, node.bytes, at, length);
  }
  if (random() % 2 == 0 && out.size() > node.synced.size()) {
    out.resize(node.synced.size() + random() % (out.size() - node.synced.size() + 1));
  }
  return out;
}

class FaultyFiles::Handle final : public ingest::File {
 public:
  Handle(std::shared_ptr<State> state, std::shared_ptr<Node> node)
      : state_(std::move(state)), node_(std::move(node)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<char> into) const override {
    const std::lock_guard lock(state_->mutex);
    if (state_->cut) return State::no_power();
    if (position >= node_->bytes.size()) return std::size_t{0};
    return node_->bytes.copy(into.data(), into.size(), position);
  }

  Status write_at(std::uint64_t position, std::string_view bytes) override {
    const std::lock_guard lock(state_->mutex);
    const auto step = state_->step();
    if (step == State::Step::kNone) return State::no_power();
    std::size_t length = bytes.size();
    const std::uint64_t grows =
        position + length - std::min<std::uint64_t>(position + length, node_->bytes.size());
    const std::uint64_t used = state_->used();
    const std::uint64_t space = state_->capacity - std::min(state_->capacity, used);
    if (grows > space) length -= std::min<std::uint64_t>(length, grows - space);
    if (state_->failing_writes || step == State::Step::kPart) length = bytes.size() / 2;
    write_into(node_->bytes, position, bytes.substr(0, length));
    node_->since_sync.push_back(Write{position, std::string(bytes.substr(0, length))});
    if (step == State::Step::kPart) return State::no_power();
    if (state_->failing_writes) return fail(Code::kIo, "write fails");
    if (length < bytes.size()) return fail(Code::kExhausted, "no space left");
    return {};
  }

  Status sync() override {
    std::unique_lock lock(state_->mutex);
    ++state_->syncs;
    state_->released.wait(lock, [&] { return !state_->holding_syncs; });
    if (state_->step() != State::Step::kWhole) return State::no_power();
    if (state_->failing_syncs) return fail(Code::kIo, "fdatasync fails");
    node_->synced = node_->bytes;
    node_->since_sync.clear();
    return {};
  }

  Status truncate(std::uint64_t length) override {
    const std::lock_guard lock(state_->mutex);
    if (state_->step() != State::Step::kWhole) return State::no_power();
    node_->bytes.resize(length);
    node_->since_sync.push_back(Truncate{length});
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(state_->mutex);
    return std::uint64_t{node_->bytes.size()};
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
};

class FaultyFiles::Lock final : public ingest::FileLock {
 public:
  Lock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~Lock() override {
    const std::lock_guard lock(state_->mutex);
    state_->locks.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

FaultyFiles::FaultyFiles() : state_(std::make_shared<State>()) {}
FaultyFiles::~FaultyFiles() = default;

void FaultyFiles::cut_power_after(int steps) {
  const std::lock_guard lock(state_->mutex);
  state_->steps_left = steps;
}

bool FaultyFiles::power_is_cut() const {
  const std::lock_guard lock(state_->mutex);
  return state_->cut;
}

void FaultyFiles::restart(std::mt19937_64& random) {
  const std::lock_guard lock(state_->mutex);
  // Directories are journalled: some number of their changes, in order.
  const std::size_t changes = random() % (state_->since_sync.size() + 1);
  Names names = changes == 0 ? state_->synced_names : state_->since_sync[changes - 1];
  std::set<Node*> done;
  for (auto& [name, node] : names) {
    if (!done.insert(node.get()).second) continue;
    node->bytes = node->synced = State::survivor(*node, random);
    node->since_sync.clear();
  }
  state_->names = state_->synced_names = std::move(names);
  state_->since_sync.clear();
  state_->cut = state_->failing_syncs = state_->failing_writes = false;
  state_->steps_left.reset();
}

void FaultyFiles::limit_space(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void FaultyFiles::fail_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->failing_syncs = true;
}

void FaultyFiles::fail_writes() {
  const std::lock_guard lock(state_->mutex);
  state_->failing_writes = true;
}

void FaultyFiles::hold_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->holding_syncs = true;
}

void FaultyFiles::release_syncs() {
  const std::lock_guard lock(state_->mutex);
  state_->holding_syncs = false;
  state_->released.notify_all();
}

std::size_t FaultyFiles::syncs() const {
  const std::lock_guard lock(state_->mutex);
  return state_->syncs;
}

std::vector<std::string> FaultyFiles::names() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> out;
  for (const auto& [name, node] : state_->names) out.push_back(name);
  return out;
}

std::string FaultyFiles::bytes(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->names.at(path)->bytes;
}

void FaultyFiles::put(const std::string& path, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  auto node = std::make_shared<Node>();
  node->bytes = node->synced = std::move(bytes);
  state_->names[path] = state_->synced_names[path] = std::move(node);
  state_->since_sync.clear();
}

void FaultyFiles::take_away(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->names.erase(path);
  state_->synced_names.erase(path);
  state_->since_sync.clear();
}

Result<std::unique_ptr<ingest::File>> FaultyFiles::open(const std::string& path,
                                                        ingest::FileMode mode) {
  const std::lock_guard lock(state_->mutex);
  if (state_->cut) return State::no_power();
  const bool create = mode == ingest::FileMode::kCreateNew;
  if (create && state_->step() != State::Step::kWhole) return State::no_power();
  auto found = state_->names.find(path);
  if (create && found != state_->names.end()) return fail(Code::kIo, path + ": exists");
  if (!create && found == state_->names.end())
    return fail(Code::kNotFound, path + ": no such file");
  if (create) {
    found = state_->names.emplace(path, std::make_shared<Node>()).first;
    state_->name_changed();
  }
  return std::make_unique<Handle>(state_, found->second);
}

Result<std::vector<std::string>> FaultyFiles::list(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> out;
  for (const auto& [name, node] : state_->names) {
    if (name.starts_with(directory + "/")) out.push_back(name.substr(directory.size() + 1));
  }
  return out;
}

Status FaultyFiles::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (state_->step() != State::Step::kWhole) return State::no_power();
  if (state_->names.erase(path) == 0) return fail(Code::kNotFound, path + ": no such file");
  state_->name_changed();
  return {};
}

Status FaultyFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  if (state_->step() != State::Step::kWhole) return State::no_power();
  auto node = state_->names.extract(from);
  if (node.empty()) return fail(Code::kNotFound, from + ": no such file");
  state_->names[to] = std::move(node.mapped());
  state_->name_changed();
  return {};
}

Status FaultyFiles::create_directories(const std::string&) { return {}; }

Status FaultyFiles::sync_directory(const std::string&) {
  const std::lock_guard lock(state_->mutex);
  if (state_->step() != State::Step::kWhole) return State::no_power();
  state_->synced_names = state_->names;
  state_->since_sync.clear();
  return {};
}

Result<std::unique_ptr<ingest::FileLock>> FaultyFiles::lock(const std::string& path,
                                                            ingest::LockMode) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->locks.insert(path).second) return fail(Code::kConflict, path + ": locked");
  return std::make_unique<Lock>(state_, path);
}

Result<std::uint64_t> FaultyFiles::free_bytes(const std::string&) {
  const std::lock_guard lock(state_->mutex);
  return state_->capacity - std::min(state_->capacity, state_->used());
}

}  // namespace millrace
