#include "store/run_query.h"
#include "store/tables.h"

namespace slipway::store {

int64_t SqlRunOverview::count(const record::Query& query) {
  if (query.experiment_ids.empty()) {
    return 0;
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  Statement select = count_query(*database, query).prepare(*database);
  return select.step() ? select.integer(0) : 0;
}

record::Page<record::RunGroup> SqlRunOverview::groups(const record::Query& query, const record::Grouping& by) {
  record::Page<record::RunGroup> page;
  if (query.experiment_ids.empty()) {
    return page;
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  Statement select = groups_query(*database, query, by).prepare(*database);
  while (select.step()) {
    if (static_cast<int64_t>(page.items.size()) == query.limit) {
      page.more = true;
      break;
    }
    record::RunGroup group;
    if (!select.is_null(0)) {
      group.value = select.text(0);
    }
    group.runs = select.integer(1);
    group.newest_ms = select.integer(2);
    page.items.push_back(std::move(group));
  }
  return page;
}

}  // namespace slipway::store
