#include "processors/views/ranked_list.h"

#include <algorithm>
#include <utility>

#include "state/catalog_view.h"

namespace millrace::processors {
namespace {

using Chunk = RankedList::Chunk;
using Chunks = std::vector<std::shared_ptr<const Chunk>>;

struct Edit {
  RankedEntry entry;
  bool insert = false;
};

// Appends `entries` as one chunk, or as several of equal size when they are too many for one.
void append(Chunks& chunks, Chunk entries) {
  if (entries.empty()) return;
  if (entries.size() <= RankedList::kMaxChunk) {
    chunks.push_back(std::make_shared<const Chunk>(std::move(entries)));
    return;
  }
  const std::size_t parts = entries.size() / (RankedList::kMaxChunk * 3 / 4) + 1;
  for (std::size_t i = 0; i < parts; ++i) {
    const auto from = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() * i / parts);
    const auto to = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() * (i + 1) / parts);
    chunks.push_back(std::make_shared<const Chunk>(from, to));
  }
}

// The chunk with the edits carried out; edits in order.
Chunk edited(const Chunk& chunk, std::span<const Edit> edits, const RankedOrder& order) {
  Chunk out;
  out.reserve(chunk.size() + edits.size());
  auto rest = chunk.begin();
  for (const Edit& edit : edits) {
    const auto place = std::lower_bound(rest, chunk.end(), edit.entry, order);
    out.insert(out.end(), rest, place);
    rest = place;
    if (edit.insert) {
      out.push_back(edit.entry);
    } else if (rest != chunk.end() && rest->item == edit.entry.item) {
      ++rest;
    }
  }
  out.insert(out.end(), rest, chunk.end());
  return out;
}

// Index of the chunk that `entry` is in or belongs in.
std::size_t chunk_for(const Chunks& chunks, const RankedEntry& entry, const RankedOrder& order) {
  const auto after = std::upper_bound(
      chunks.begin(), chunks.end(), entry,
      [&](const RankedEntry& e, const auto& chunk) { return order(e, chunk->front()); });
  return after == chunks.begin() ? 0 : static_cast<std::size_t>(after - chunks.begin()) - 1;
}

}  // namespace

bool RankedOrder::less_by_id(state::ItemIndex a, state::ItemIndex b) const {
  const auto first = items_->name(a);
  const auto second = items_->name(b);
  const std::uint64_t m = state::natural_of(first);
  const std::uint64_t n = state::natural_of(second);
  return m != n ? m < n : first < second;
}

RankedList RankedList::of(std::vector<RankedEntry> entries, const RankedOrder& order) {
  std::sort(entries.begin(), entries.end(), order);
  return of_sorted(std::move(entries));
}

RankedList RankedList::of_sorted(std::vector<RankedEntry> entries) {
  auto body = std::make_shared<Body>();
  body->size = entries.size();
  append(body->chunks, std::move(entries));
  RankedList list;
  list.body_ = std::move(body);
  return list;
}

RankedList RankedList::with(std::span<const RankedEntry> removals,
                            std::span<const RankedEntry> insertions,
                            const RankedOrder& order) const {
  if (removals.empty() && insertions.empty()) return *this;
  if (empty()) return of({insertions.begin(), insertions.end()}, order);
  std::vector<Edit> edits;
  edits.reserve(removals.size() + insertions.size());
  for (const auto& entry : removals) edits.push_back({entry, false});
  for (const auto& entry : insertions) edits.push_back({entry, true});
  std::stable_sort(edits.begin(), edits.end(),
                   [&](const Edit& a, const Edit& b) { return order(a.entry, b.entry); });

  auto body = std::make_shared<Body>();
  const Chunks& old = body_->chunks;
  body->chunks.reserve(old.size() + 2);
  body->size = body_->size;
  std::size_t kept = 0;  // chunks of `old` dealt with
  for (std::size_t i = 0; i < edits.size();) {
    const std::size_t c = chunk_for(old, edits[i].entry, order);
    std::size_t end = i + 1;
    while (end < edits.size() &&
           (c + 1 == old.size() || order(edits[end].entry, old[c + 1]->front()))) {
      ++end;
    }
    body->chunks.insert(body->chunks.end(), old.begin() + static_cast<std::ptrdiff_t>(kept),
                        old.begin() + static_cast<std::ptrdiff_t>(c));
    kept = c + 1;
    Chunk changed = edited(*old[c], std::span(edits).subspan(i, end - i), order);
    body->size += changed.size();
    body->size -= old[c]->size();
    // A chunk that has become small joins the one before it.
    if (changed.size() < kMaxChunk / 8 && !body->chunks.empty() &&
        body->chunks.back()->size() + changed.size() <= kMaxChunk * 3 / 4) {
      Chunk joined(*body->chunks.back());
      joined.insert(joined.end(), changed.begin(), changed.end());
      body->chunks.pop_back();
      changed = std::move(joined);
    }
    append(body->chunks, std::move(changed));
    i = end;
  }
  body->chunks.insert(body->chunks.end(), old.begin() + static_cast<std::ptrdiff_t>(kept),
                      old.end());
  RankedList list;
  list.body_ = std::move(body);
  return list;
}

std::vector<state::ItemIndex> RankedList::top(std::size_t n) const {
  std::vector<state::ItemIndex> out;
  out.reserve(std::min(n, size()));
  for_each([&](const RankedEntry& entry) {
    if (out.size() < n) out.push_back(entry.item);
    return out.size() < n;
  });
  return out;
}

std::size_t RankedList::memory_bytes() const {
  if (!body_) return 0;
  std::size_t bytes = sizeof(Body);
  for (const auto& chunk : body_->chunks) {
    bytes += 64 + chunk->capacity() * sizeof(RankedEntry);
  }
  return bytes;
}

}  // namespace millrace::processors
