#include "state/person_notes.h"

#include <utility>

#include "schemas/proto/catalog_state.pb.h"
#include "state/catalog_keys.h"

namespace millrace::state {
namespace {

namespace keys = catalog_keys;

std::size_t bytes_of(const std::string& user, const PersonNote& note) {
  std::size_t bytes = 200 + user.size() + note.attributes.size();
  for (const auto& label : note.labels) bytes += sizeof(std::string) + label.size();
  for (const auto& genre : note.genres) bytes += sizeof(std::string) + genre.size();
  return bytes;
}

}  // namespace

void PersonNotes::place(const std::string& user, PersonNote note) {
  shared_.reset();
  if (const auto* old = now_.find(user)) bytes_ -= bytes_of(user, **old);
  bytes_ += bytes_of(user, note);
  now_.put(user, std::make_shared<const PersonNote>(std::move(note)));
}

CommandVerdict PersonNotes::apply(const DescribePerson& put) {
  const bool fresh = now_.find(put.user.value) == nullptr;
  proto::PersonNoteRow row;
  row.mutable_label()->Assign(put.note.labels.begin(), put.note.labels.end());
  row.mutable_genre()->Assign(put.note.genres.begin(), put.note.genres.end());
  row.set_attributes(put.note.attributes);
  rows_.put(keys::of(keys::kPersonNote, put.user.value), row.SerializeAsString());
  place(put.user.value, put.note);
  return {fresh ? CommandOutcome::kCreated : CommandOutcome::kReplaced};
}

void PersonNotes::erase(const UserId& user) {
  const auto* old = now_.find(user.value);
  if (old == nullptr) return;
  bytes_ -= bytes_of(user.value, **old);
  shared_.reset();
  now_.erase(user.value);
  rows_.erase(keys::of(keys::kPersonNote, user.value));
}

std::shared_ptr<const PersonNotesView> PersonNotes::view() {
  if (!shared_) shared_ = std::make_shared<const PersonNotesView>(now_.share());
  return shared_;
}

Status PersonNotes::restore(std::string_view key, std::string_view row) {
  proto::PersonNoteRow message;
  if (!message.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
    return fail(Code::kCorrupt, "what was said of a person is not what was written");
  }
  place(std::string(key.substr(1)), {{message.label().begin(), message.label().end()},
                                     {message.genre().begin(), message.genre().end()},
                                     message.attributes()});
  return {};
}

}  // namespace millrace::state
