// Whole runs with what was logged to them, a page at a time. Inside a transaction or on a reader's connection.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/tracking.h"
#include "store/database.h"

namespace slipway::store {

// The runs of these numbers, each once, in this order. A server is asked a constant number of times, however many they are. Throws
// Error(kIntegrity) when one of them is not there whole.
std::vector<record::TrackedRun> read_runs(Database& database, std::span<const int64_t> numbers);
// The run's own fields, without what was logged to it.
record::TrackedRun read_run_info(Database& database, int64_t number);

}  // namespace slipway::store
