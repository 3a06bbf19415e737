// What a route asks of whoever calls it. Plain values, made when routes are added. docs/decisions/0006.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/http.h"
#include "record/accounts.h"

namespace slipway::api {

using record::Role;

// The records that a request names: by them it is told which projects it touches.
struct Subjects {
  std::vector<std::string> names;        // of experiments, registered models, repositories ("team/name")
  std::vector<std::string> experiments;  // by id
  std::vector<std::string> runs;         // by id
  std::vector<std::string> traces = {};      // by id
  std::vector<std::string> new_traces = {};  // by id: those that are there already; a new one is its experiment's
  std::vector<std::string> models = {};      // logged models, by id
  std::vector<std::string> uploads = {};     // in parts, by id
  // Artifacts and versions of datasets. Equal contents are one for all: it is enough to have the role over one of the records that
  // name it.
  std::vector<std::string> digests = {};
  bool empty() const {
    return names.empty() && experiments.empty() && runs.empty() && traces.empty() && new_traces.empty() && models.empty() &&
           uploads.empty() && digests.empty();
  }
};

// Whose artifacts a path of the tree names: its first folder is an experiment's id. Nothing for one that is no path.
Subjects experiment_of(std::string_view path);

// What a route says when it is added. What it leaves out is the safe side: GET needs a viewer, DELETE an admin, what else
// an editor; and a request that names no record needs that role everywhere, not in one project.
struct Permission {
  std::optional<Role> role = {};  // kNone: everybody, also without an account
  bool filtered = false;          // the handler itself tells only what the caller may see (may_see)
  std::function<Subjects(const net::Request&)> subjects = {};  // from the head alone; a message's fields tell theirs
};
inline Permission needs(Role role) { return {role, false, {}}; }
inline Permission for_everybody() { return {Role::kNone, false, {}}; }
inline Permission filtered_by_handler() { return {Role::kViewer, true, {}}; }
inline Permission on(std::function<Subjects(const net::Request&)> subjects) { return {{}, false, std::move(subjects)}; }

// The same with nothing left out.
struct Rule {
  Role role = Role::kAdmin;
  bool filtered = false;
  std::function<Subjects(const net::Request&)> subjects = {};
};
Rule rule_of(std::string_view method, Permission permission);

// The rule of every route. Filled before the server starts, then only read: any thread.
class Rules {
 public:
  void add(std::string_view method, std::string_view pattern, Rule rule);
  // HEAD has GET's; null for a route that nobody gave one.
  const Rule* find(std::string_view method, std::string_view pattern) const;

 private:
  std::unordered_map<std::string, Rule> rules_;  // by "METHOD PATTERN"
};

// The records that a message names, by its fields: `run_id`, `source_run_id`, `run_ids`, `experiment_id`, `experiment_ids`,
// `experiment_name`, `new_name`, `trace_id`, `trace_ids`, `model_id` (also of its `metrics` and `models`); `name` where its table says
// kNamesRecord; and what its table's add_subjects(message, subjects) adds.
template <class T>
struct Table;
template <class T>
Subjects subjects_of(const T& message) {
  Subjects subjects;
  const auto add = [](std::vector<std::string>& list, const auto& value) {
    if constexpr (requires { value.begin()->empty(); }) {
      list.insert(list.end(), value.begin(), value.end());
    } else if constexpr (requires { value.value(); }) {
      list.push_back(value.value_or(std::string()));
    } else {
      list.push_back(value);
    }
    std::erase(list, std::string());  // left out
  };
  if constexpr (requires { message.run_id; }) {
    add(subjects.runs, message.run_id);
  }
  if constexpr (requires { message.source_run_id; }) {
    add(subjects.runs, message.source_run_id);
  }
  if constexpr (requires { message.run_ids; }) {
    add(subjects.runs, message.run_ids);
  }
  if constexpr (requires { message.experiment_id; }) {
    add(subjects.experiments, message.experiment_id);
  }
  if constexpr (requires { message.experiment_ids; }) {
    add(subjects.experiments, message.experiment_ids);
  }
  if constexpr (requires { message.experiment_name; }) {
    add(subjects.names, message.experiment_name);
  }
  if constexpr (requires { message.new_name; }) {
    add(subjects.names, message.new_name);
  }
  if constexpr (requires { message.trace_id; }) {
    add(subjects.traces, message.trace_id);
  }
  if constexpr (requires { message.trace_ids; }) {
    add(subjects.traces, message.trace_ids);
  }
  if constexpr (requires { message.model_id; }) {
    add(subjects.models, message.model_id);
  }
  const auto add_models_of = [&](const auto& list) {
    for (const auto& one : list) {
      // Mostly none is named, or one by a thousand points.
      if (!one.model_id.empty() && (subjects.models.empty() || subjects.models.back() != one.model_id)) {
        add(subjects.models, one.model_id);
      }
    }
  };
  if constexpr (requires { message.metrics.begin()->model_id; }) {
    add_models_of(message.metrics);
  }
  if constexpr (requires { message.models.begin()->model_id; }) {
    add_models_of(message.models);
  }
  if constexpr (requires { Table<T>::kNamesRecord; }) {
    add(subjects.names, message.name);
  }
  if constexpr (requires { Table<T>::add_subjects(message, subjects); }) {
    Table<T>::add_subjects(message, subjects);
  }
  return subjects;
}

}  // namespace slipway::api
