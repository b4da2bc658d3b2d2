#pragma once
#include <functional>
#include <string>

#include "schemas/catalog_record.h"
#include "serving/deps.h"
#include "serving/http/message.h"

namespace millrace::serving {

// Appends a change that erases the person `user`, and answers 204 when their facts are gone and
// readers see it; 404 when the catalog found nothing to change.
Answer erase_person(const Deps& deps, CatalogRecord record, std::string user);

// Appends a merge, and answers with `done` when the events of the one are the other's, the one is
// gone, and readers see both.
Answer merge_people(const Deps& deps, CatalogRecord record, const MergePeople& people,
                    std::function<Reply()> done);

}  // namespace millrace::serving
