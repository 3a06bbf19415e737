// A record::Query as SQL. Texts of users are bound, never written into it. Inside a read; any thread with its connection.
#pragma once

#include <optional>

#include "record/tracking.h"
#include "store/query_parts.h"

namespace slipway::store {

// Selects runs.number of the page and one more, in order. Throws Error(kInvalid) for an attribute that there is not.
// Looks into the indices by value: conditions that few rows satisfy are where the search begins.
SqlText runs_query(Database& database, const record::Query& query);
// The same page by walking the index of the one metric that the query orders by, when the experiments are so large that
// this pays. What it selects counts only when it is a full page and one more: behind the runs with a value come those with
// NaN or none, which it does not see.
std::optional<SqlText> metric_walk(Database& database, const record::Query& query);
// Selects how many runs match, whatever page and order the query asks for. O(runs that match).
SqlText count_query(Database& database, const record::Query& query);
// Selects value (NULL for runs without one), number of runs, newest start of each group, the largest groups first: one more
// than the query's limit. Throws Error(kInvalid) for metrics and datasets.
SqlText groups_query(Database& database, const record::Query& query, const record::Grouping& by);
// Selects experiments.number, likewise.
SqlText experiments_query(const record::Query& query);

// Selects models.name; and model_versions.model, .version. A tag that is missing differs from every value.
SqlText models_query(const record::Query& query);
SqlText versions_query(const record::Query& query);

}  // namespace slipway::store
