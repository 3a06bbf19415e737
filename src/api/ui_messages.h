// What the web UI asks beyond MLflow's protocol; api/openapi.yaml describes it for its types.
#pragma once

#include <string>
#include <vector>

#include "api/message.h"

namespace slipway::api {

struct CountRuns {
  std::vector<std::string> experiment_ids;
  std::string filter;
  record::Lifecycle run_view_type = record::Lifecycle::kActive;
};
template <>
struct Table<CountRuns> {
  using M = CountRuns;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids"), field<&M::filter>("filter"),
                                         field<&M::run_view_type>("run_view_type")};
};

// A window of a search: page tokens lead from page to page only, a scroll bar goes anywhere.
struct WindowOfRuns {
  std::vector<std::string> experiment_ids;
  std::string filter;
  record::Lifecycle run_view_type = record::Lifecycle::kActive;
  std::vector<std::string> order_by;
  int64_t offset = 0;
  int64_t max_results = 100;
};
template <>
struct Table<WindowOfRuns> {
  using M = WindowOfRuns;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids"),
                                         field<&M::filter>("filter"),
                                         field<&M::run_view_type>("run_view_type"),
                                         field<&M::order_by>("order_by"),
                                         field<&M::offset>("offset"),
                                         field<&M::max_results>("max_results", kPlain, {}, 1000)};
};

constexpr int64_t kMaxGroups = 1000;

struct GroupRuns {
  std::vector<std::string> experiment_ids;
  std::string filter;
  record::Lifecycle run_view_type = record::Lifecycle::kActive;
  std::string by;  // "params.lr", as in order_by
  int64_t max_results = 100;
};
template <>
struct Table<GroupRuns> {
  using M = GroupRuns;
  static constexpr std::array kFields = {field<&M::experiment_ids>("experiment_ids"), field<&M::filter>("filter"),
                                         field<&M::run_view_type>("run_view_type"), field<&M::by>("by", kRequired),
                                         field<&M::max_results>("max_results", kPlain, {}, kMaxGroups)};
};

struct Curves {
  std::vector<std::string> run_ids;
  std::vector<std::string> keys;
  int64_t points = 500;  // of each curve at most
};
template <>
struct Table<Curves> {
  using M = Curves;
  static constexpr std::array kFields = {field<&M::run_ids>("run_ids", kRequired | kNotEmptyList),
                                         field<&M::keys>("keys", kRequired | kNotEmptyList),
                                         field<&M::points>("points", kPlain, {}, 5000)};
};

}  // namespace slipway::api
