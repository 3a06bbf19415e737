// What the classes over the tables of traces share, inside a transaction or on a reader's connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/traces.h"
#include "store/database.h"

namespace slipway::store {

std::optional<int64_t> find_trace(Database& database, const std::string& id);
// Throws Error(kNotFound) in MLflow's words.
int64_t trace_number(Database& database, const std::string& id);

// In the order they were made.
std::vector<record::Assessment> read_assessments(Database& database, int64_t trace, const std::string& trace_id);
// Replaces one of its id on that trace. Throws Error(kConflict) when another trace has it.
void put_assessment(Database& database, int64_t trace, const record::Assessment& assessment);

}  // namespace slipway::store
