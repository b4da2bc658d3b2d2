#pragma once
#include <string>
#include <vector>

#include "ingest/importers/import_source.h"

namespace millrace::ingest {

// MovieLens as parts to import: its films, then its ratings. The layout is told from the files that
// are there: GroupLens' CSV files (movies.csv and ratings.csv, and tags.csv and links.csv if they
// are there), or RecBole's atomic files (NAME.item and NAME.inter). kNotFound for neither.
//
// A film is the item `movie:<id>` of kind movie: title without its year, which is the attribute
// `release_year`; genres as categories; what people tagged it with most, in small letters, as up to
// 20 tags; published on 1 January of its year (the catalog knows no time before 1970: older films
// are published at its start); links as the attributes `imdb_id` and `tmdb_id`.
//
// A rating is a `rate` event of its value and time, of source `import:movielens` and id
// `<user>:<film>:<seconds>`. Ratings come in the order of their times, however the file has them,
// so all of them are held in memory at 20 bytes each. Rows that are bad come first.
Result<std::vector<ImportPart>> movielens_parts(const std::string& folder);

}  // namespace millrace::ingest
