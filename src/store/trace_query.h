// A search of traces as SQL. Texts of users are bound, never written into it. Inside a read.
#pragma once

#include "store/query_parts.h"

namespace slipway::store {

// Selects traces.number of the page and one more, in order. Begins at the condition that few traces of the store
// satisfy, if there is one; else it walks the experiment in order of time. Throws Error(kInvalid).
SqlText traces_query(Database& database, const record::Query& query);

}  // namespace slipway::store
