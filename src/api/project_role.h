// What role a caller has over the records that a request names (docs/decisions/0006-projects-are-names.md). Any thread; asks the store.
#pragma once

#include "api/caller.h"
#include "api/permission.h"
#include "record/stores.h"

namespace slipway::api {

// The lowest role that the caller has over the records named, everywhere when none is; a record that is not there counts as
// everywhere, so that who may not see it is told the same either way. One or two statements a record, a walk of the lineage a digest.
Role role_in(record::Store& store, const Caller& caller, const Subjects& subjects);

}  // namespace slipway::api
