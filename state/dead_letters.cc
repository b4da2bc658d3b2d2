#include "state/dead_letters.h"

#include "state/keys.h"
#include "state/page_codec.h"

namespace millrace::state {

void DeadLetters::add(DeadLetter letter) {
  const std::lock_guard guard(lock_);
  const Offset offset = letter.offset;
  added_.push_back(offset);
  pending_.insert_or_assign(offset, std::move(letter));
}

void DeadLetters::erase(std::string_view user) {
  const std::lock_guard guard(lock_);
  std::erase_if(pending_, [user](const auto& at) { return at.second.user == user; });
  erased_.emplace_back(user);
  ++hidden_[std::string(user)];
}

bool DeadLetters::dirty() const {
  const std::lock_guard guard(lock_);
  return !added_.empty() || !erased_.empty();
}

FrozenLetters DeadLetters::freeze() {
  const std::lock_guard guard(lock_);
  FrozenLetters frozen;
  for (const Offset offset : added_) {
    if (const auto it = pending_.find(offset); it != pending_.end()) {
      frozen.added.push_back(it->second);
    }
  }
  frozen.erased = std::exchange(erased_, {});
  added_.clear();
  return frozen;
}

void DeadLetters::mark_written(const FrozenLetters& letters) {
  const std::lock_guard guard(lock_);
  for (const DeadLetter& letter : letters.added) pending_.erase(letter.offset);
  for (const std::string& user : letters.erased) {
    const auto it = hidden_.find(user);
    if (it != hidden_.end() && --it->second == 0) hidden_.erase(it);
  }
}

Result<std::vector<DeadLetter>> DeadLetters::read(Offset from, std::size_t limit) const {
  // Pending ones are copied first: one that is written meanwhile is then met twice, never missed.
  std::map<Offset, DeadLetter> letters;
  std::map<std::string, int, std::less<>> hidden;
  {
    const std::lock_guard guard(lock_);
    for (auto it = pending_.lower_bound(from); it != pending_.end() && letters.size() < limit;
         ++it) {
      letters.insert(*it);
    }
    hidden = hidden_;
  }
  std::size_t read = 0;
  Status corrupt;
  const auto status = db_.scan(keys::kDeadLetters, keys::dead_letter(std::max<Offset>(from, 0)),
                               [&](std::string_view, std::string_view value) {
                                 if (read >= limit) return false;
                                 auto letter = decode_dead_letter(value);
                                 if (!letter) {
                                   corrupt = tl::unexpected<Error>(letter.error());
                                   return false;
                                 }
                                 if (hidden.contains(letter->user)) return true;
                                 ++read;
                                 letters.insert_or_assign(letter->offset, std::move(*letter));
                                 return true;
                               });
  MILLRACE_CHECK(status);
  MILLRACE_CHECK(corrupt);
  std::vector<DeadLetter> answer;
  for (auto& [offset, letter] : letters) {
    if (answer.size() == limit) break;
    answer.push_back(std::move(letter));
  }
  return answer;
}

}  // namespace millrace::state
