#include "processors/views/sessions.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "schemas/interaction_table.h"

namespace millrace::processors {
namespace {

// What a session takes whatever its items: a cell, its owner, and a place in the table of open
// ones.
constexpr std::size_t kBytesEach = 64 + 8 + 48;
constexpr std::size_t kBytesPosted = sizeof(Sessions::Number) * 5 / 4;

constexpr auto kWriteData = std::memory_order_release;
constexpr auto kReadData = std::memory_order_acquire;

std::uint64_t hash_of(std::string_view text) {
  return text.empty() ? 0 : std::hash<std::string_view>()(text);
}

}  // namespace

struct Sessions::Posting {
  std::vector<Number> newest;  // ascending, the last kKept
  std::atomic<std::uint32_t> sessions{0};
};

bool is_visit(std::uint32_t type, std::optional<std::int32_t> value_centi) {
  switch (static_cast<BuiltIn>(type)) {
    case BuiltIn::kImpression:
    case BuiltIn::kUnlike:
    case BuiltIn::kDislike:
    case BuiltIn::kUnsave:
    case BuiltIn::kSkip:
    case BuiltIn::kUnrate:
    case BuiltIn::kUnwatch: return false;
    case BuiltIn::kRate: return value_centi.value_or(0) >= kLikedRatingCenti;
    default: return true;
  }
}

Sessions::Sessions(std::size_t max_bytes)
    : max_bytes_(max_bytes),
      capacity_(std::clamp<std::size_t>(max_bytes / (kBytesEach + kBytesPosted), 1,
                                        decltype(cells_)::capacity())),
      stripes_(std::make_unique<Stripe[]>(kStripes)) {}
Sessions::~Sessions() = default;

bool Sessions::continues(const Open& open, std::uint64_t name, UnixMillis time) {
  if (open.name != name) return false;
  return name != 0 || (time - open.last <= kSessionGapMs && open.last - time <= kSessionGapMs);
}

void Sessions::visit(const Visit& visit) {
  const std::lock_guard lock(writing_);
  step(hash_of(visit.user), hash_of(visit.session), visit.time, visit.item);
}

void Sessions::step(std::uint64_t user, std::uint64_t name, UnixMillis time,
                    state::ItemIndex item) {
  auto [found, fresh] = open_.try_emplace(user);
  Open& open = found->second;
  const bool same = !fresh && continues(open, name, time);
  open.last = same ? std::max(open.last, time) : time;
  open.name = name;
  if (!same || !append(open.number, item)) begin(open, user, item);
  if (fresh && open_.size() > 2 * capacity_) forget_closed();
}

void Sessions::begin(Open& open, std::uint64_t user, state::ItemIndex item) {
  while (oldest_ <= newest_ &&
         (newest_ - oldest_ + 1 >= capacity_ || memory_bytes() >= max_bytes_)) {
    if (drop(oldest_++)) dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  const Number number = ++newest_;
  open.number = number;
  const auto at = place(number);
  cells_.grow_to(std::max(cells_.size(), at + 1));
  owners_.resize(std::max(owners_.size(), at + 1));
  owners_[at] = user;
  Cell& cell = cells_[at];
  cell.number.store(0, std::memory_order_relaxed);
  cell.items[0].store(item + 1, kWriteData);
  for (std::size_t i = 1; i < kMaxItems; ++i) cell.items[i].store(0, kWriteData);
  cell.number.store(number, std::memory_order_release);
  live_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(kBytesEach, std::memory_order_relaxed);
  post(item, number);
}

// False: the session is gone or full.
bool Sessions::append(Number session, state::ItemIndex item) {
  Cell& cell = cells_[place(session)];
  if (cell.number.load(std::memory_order_relaxed) != session) return false;
  for (auto& slot : cell.items) {
    const auto there = slot.load(std::memory_order_relaxed);
    if (there == item + 1) return true;
    if (there != 0) continue;
    slot.store(item + 1, kWriteData);
    post(item, session);
    return true;
  }
  return false;
}

// False: it was gone already.
bool Sessions::drop(Number session) {
  std::array<state::ItemIndex, kMaxItems> room;
  const auto had = items(session, room);
  if (had.empty()) return false;
  cells_[place(session)].number.store(0, std::memory_order_release);
  owners_[place(session)] = 0;
  for (const auto item : had) unpost(item, session);
  live_.fetch_sub(1, std::memory_order_relaxed);
  bytes_.fetch_sub(kBytesEach, std::memory_order_relaxed);
  return true;
}

void Sessions::forget_closed() {
  erase_if(open_, [this](const auto& one) { return one.second.number < oldest_; });
}

void Sessions::post(state::ItemIndex item, Number session) {
  if (item >= postings_.size()) {
    const auto before = postings_.size();
    postings_.grow_to(item + std::size_t{1});
    bytes_.fetch_add((postings_.size() - before) * sizeof(Posting), std::memory_order_relaxed);
  }
  Posting& posting = postings_[item];
  const std::lock_guard lock(lock_of(item));
  posting.sessions.fetch_add(1, std::memory_order_relaxed);
  auto& numbers = posting.newest;
  // A session that goes on while others began: its place is near the end.
  auto at = numbers.end();
  while (at != numbers.begin() && *(at - 1) > session) --at;
  numbers.insert(at, session);
  if (numbers.size() > kKept) {
    numbers.erase(numbers.begin());
  } else {
    bytes_.fetch_add(kBytesPosted, std::memory_order_relaxed);
  }
}

void Sessions::unpost(state::ItemIndex item, Number session) {
  Posting& posting = postings_[item];
  const std::lock_guard lock(lock_of(item));
  posting.sessions.fetch_sub(1, std::memory_order_relaxed);
  auto& numbers = posting.newest;
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), session);
  if (at == numbers.end() || *at != session) return;
  numbers.erase(at);
  bytes_.fetch_sub(kBytesPosted, std::memory_order_relaxed);
}

// Owners are looked through whole: people are seldom erased, and a table of each person's sessions
// would take as much memory as the sessions.
void Sessions::erase(std::string_view user) {
  const std::lock_guard lock(writing_);
  const auto owner = hash_of(user);
  open_.erase(owner);
  for (Number session = oldest_; session <= newest_; ++session) {
    if (owners_[place(session)] == owner) drop(session);
  }
}

void Sessions::clear() {
  const std::lock_guard lock(writing_);
  while (oldest_ <= newest_) drop(oldest_++);
  open_.clear();
}

void Sessions::newest(state::ItemIndex item, std::size_t limit, std::vector<Number>& into) const {
  into.clear();
  if (item >= postings_.size()) return;
  const std::lock_guard lock(lock_of(item));
  const auto& numbers = postings_[item].newest;
  const auto some = static_cast<std::ptrdiff_t>(std::min(limit, numbers.size()));
  into.assign(numbers.rbegin(), numbers.rbegin() + some);
}

std::span<const state::ItemIndex> Sessions::items(
    Number session, std::array<state::ItemIndex, kMaxItems>& into) const {
  const Cell& cell = cells_[place(session)];
  if (cell.number.load(std::memory_order_acquire) != session) return {};
  std::size_t count = 0;
  while (count < kMaxItems) {
    const auto item = cell.items[count].load(kReadData);
    if (item == 0) break;
    into[count++] = item - 1;
  }
  if (cell.number.load(std::memory_order_relaxed) != session) return {};
  return {into.data(), count};
}

std::uint32_t Sessions::with(state::ItemIndex item) const {
  return item < postings_.size() ? postings_[item].sessions.load(std::memory_order_relaxed) : 0;
}

void Sessions::Past::visit(const Visit& visit) {
  const auto user = hash_of(visit.user), name = hash_of(visit.session);
  if (!runs_.empty() && runs_.back().user == user) {
    Run& run = runs_.back();
    if (continues({0, run.name, run.ended}, name, visit.time)) {
      run.ended = std::max(run.ended, visit.time);
      run.items.push_back(visit.item);
      return;
    }
  }
  if (runs_.size() >= 2 * sessions_.capacity_) keep_newest(sessions_.capacity_);
  runs_.push_back({visit.time, visit.time, user, name, {visit.item}});
}

void Sessions::Past::keep_newest(std::size_t count) {
  const auto cut = runs_.begin() + static_cast<std::ptrdiff_t>(runs_.size() - count);
  std::nth_element(runs_.begin(), cut, runs_.end(),
                   [](const Run& a, const Run& b) { return a.began < b.began; });
  runs_.erase(runs_.begin(), cut);
}

void Sessions::Past::replay() {
  std::stable_sort(runs_.begin(), runs_.end(),
                   [](const Run& a, const Run& b) { return a.began < b.began; });
  const std::lock_guard lock(sessions_.writing_);
  for (const Run& run : runs_) {
    for (const auto item : run.items) sessions_.step(run.user, run.name, run.ended, item);
  }
  runs_.clear();
}

}  // namespace millrace::processors
