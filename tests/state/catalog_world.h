#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "schemas/catalog_record.h"
#include "state/catalog_store.h"
#include "tests/support/temp_dir.h"

namespace millrace::state {

// A catalog store, and records for it.
class CatalogWorld : public ::testing::Test {
 protected:
  CatalogWorld() { open(); }
  // Anew, from what was committed.
  void open() {
    store_.reset();
    items_ = std::make_unique<NameTable>();
    names_ = std::make_unique<CatalogNames>();
    store_ = CatalogStore::open({(dir_.path() / "catalog").string()}, shared_, *items_, *names_,
                                metrics_)
                 .value();
  }
  // Applies a change as the next record, whose log time is 1,000 and its offset, and publishes.
  std::optional<CommandVerdict> put(CatalogChange change, std::optional<Actor> actor = {}) {
    return put("c" + std::to_string(next_), std::move(change), std::move(actor));
  }
  std::optional<CommandVerdict> put(const std::string& command, CatalogChange change,
                                    std::optional<Actor> actor) {
    const Offset at = next_++;
    store_->apply(at, 1'000 + at,
                  encode(CatalogRecord{command, std::move(change), std::move(actor)}));
    store_->publish();
    return store_->verdict(command);
  }

  TempDir dir_;
  RocksShared shared_{{}};
  Metrics metrics_;
  std::unique_ptr<NameTable> items_;
  std::unique_ptr<CatalogNames> names_;
  std::unique_ptr<CatalogStore> store_;
  Offset next_ = 0;
};

}  // namespace millrace::state
