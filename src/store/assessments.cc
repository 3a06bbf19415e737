#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "store/tables.h"
#include "store/trace_rows.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using base::Json;
using record::Assessment;
using record::AssessmentChange;
using record::KeyValue;

constexpr const char* kSelect =
    "SELECT id, kind, name, value, valid, overrides, created_ms, updated_ms, body FROM assessments ";

// What no search looks at.
Json body_of(const Assessment& assessment) {
  Json body = {{"source_type", assessment.source_type}, {"source_id", assessment.source_id}};
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      body[key] = value;
    }
  };
  put("issue_name", assessment.issue_name);
  put("span_id", assessment.span_id);
  if (assessment.rationale) {
    body["rationale"] = *assessment.rationale;
  }
  if (!assessment.error.is_null()) {
    body["error"] = assessment.error;
  }
  if (!assessment.metadata.empty()) {
    Json metadata = Json::object();
    for (const KeyValue& pair : assessment.metadata) {
      metadata[pair.key] = pair.value;
    }
    body["metadata"] = std::move(metadata);
  }
  return body;
}

std::string text_of(const Json& body, const char* key) {
  const auto found = body.find(key);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Assessment read(const Statement& row, const std::string& trace_id) {
  Assessment assessment;
  assessment.id = row.text(0);
  assessment.trace_id = trace_id;
  assessment.kind = row.text(1);
  assessment.name = row.text(2);
  assessment.value = to_value(row.text(3));
  assessment.valid = row.integer(4) != 0;
  assessment.overrides = row.text(5);
  assessment.created_ms = row.integer(6);
  assessment.updated_ms = row.integer(7);
  const Json body = to_value(row.text(8));
  assessment.source_type = text_of(body, "source_type");
  assessment.source_id = text_of(body, "source_id");
  assessment.issue_name = text_of(body, "issue_name");
  assessment.span_id = text_of(body, "span_id");
  if (body.contains("rationale")) {
    assessment.rationale = text_of(body, "rationale");
  }
  if (const auto error = body.find("error"); error != body.end()) {
    assessment.error = *error;
  }
  if (const auto metadata = body.find("metadata"); metadata != body.end()) {
    for (const auto& [key, value] : metadata->items()) {
      assessment.metadata.push_back({key, value.is_string() ? value.get<std::string>() : base::dump_json(value)});
    }
  }
  return assessment;
}

// What > and < compare with: a number, or true and false as 1 and 0.
std::optional<double> amount_of(const Json& value) {
  if (value.is_boolean()) {
    return value.get<bool>() ? 1.0 : 0.0;
  }
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

Assessment found(Database& database, int64_t trace, const std::string& trace_id, const std::string& id) {
  Statement query = database.prepare(fmt::format("{}WHERE id = ? AND trace = ?", kSelect));
  if (!query.bind(id, trace).step()) {
    throw Error(Code::kNotFound, fmt::format("Assessment with ID '{}' not found for trace '{}'", id, trace_id));
  }
  return read(query, trace_id);
}

void apply(Assessment& assessment, const AssessmentChange& change) {
  if (change.feedback && change.expectation) {
    throw Error(Code::kInvalid, "Cannot specify both `expectation` and `feedback` parameters.");
  }
  if (change.expectation && assessment.kind != "expectation") {
    throw Error(Code::kInvalid, "Cannot update expectation value on a Feedback assessment.");
  }
  if (change.feedback && assessment.kind != "feedback") {
    throw Error(Code::kInvalid, "Cannot update feedback value on an Expectation assessment.");
  }
  assessment.name = change.name.value_or(assessment.name);
  if (change.feedback) {
    assessment.value = *change.feedback;
    assessment.error = change.error;
  }
  if (change.expectation) {
    assessment.value = *change.expectation;
  }
  if (change.rationale) {
    assessment.rationale = change.rationale;
  }
  assessment.valid = change.valid.value_or(assessment.valid);
  for (const KeyValue& pair : change.metadata) {
    const auto at = std::find_if(assessment.metadata.begin(), assessment.metadata.end(),
                                 [&](const KeyValue& there) { return there.key == pair.key; });
    if (at == assessment.metadata.end()) {
      assessment.metadata.push_back(pair);
    } else {
      at->value = pair.value;
    }
  }
}

}  // namespace

std::vector<Assessment> read_assessments(Database& database, int64_t trace, const std::string& trace_id) {
  std::vector<Assessment> assessments;
  Statement query = database.prepare(fmt::format("{}WHERE trace = ? ORDER BY number", kSelect));
  query.bind(trace);
  while (query.step()) {
    assessments.push_back(read(query, trace_id));
  }
  return assessments;
}

void put_assessment(Database& database, int64_t trace, const Assessment& assessment) {
  const auto amount = amount_of(assessment.value);
  const std::string value = to_text(assessment.value);
  const std::string shown = assessment.value.is_string() ? assessment.value.get<std::string>() : value;
  database
      .prepare(
          "INSERT INTO assessments(id, trace, kind, name, value, shown, amount, valid, overrides, created_ms, "
          "updated_ms, body) "
          "VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET name = excluded.name, value = excluded.value, "
          "shown "
          "= excluded.shown, amount = excluded.amount, valid = excluded.valid, updated_ms = excluded.updated_ms, body "
          "= "
          "excluded.body WHERE assessments.trace = excluded.trace")
      .bind(assessment.id, trace, assessment.kind, assessment.name, value, shown,
            amount.value_or(std::numeric_limits<double>::quiet_NaN()), assessment.valid ? 1 : 0, assessment.overrides,
            assessment.created_ms, assessment.updated_ms, to_text(body_of(assessment)))
      .run();
  if (database.changes() == 0) {
    throw Error(Code::kConflict, fmt::format("there is an assessment '{}' of another trace already", assessment.id));
  }
}

Assessment SqlAssessments::create(Assessment assessment) {
  check_name(assessment.id, "an assessment's id", "/");
  core_.write([&](Database& database) {
    const int64_t trace = trace_number(database, assessment.trace_id);
    if (!assessment.overrides.empty()) {
      database.prepare("UPDATE assessments SET valid = 0 WHERE id = ? AND trace = ?")
          .bind(assessment.overrides, trace)
          .run();
      if (database.changes() == 0) {
        throw Error(Code::kNotFound, fmt::format("Assessment with ID '{}' not found for trace '{}'",
                                                 assessment.overrides, assessment.trace_id));
      }
    }
    put_assessment(database, trace, assessment);
  });
  return assessment;
}

Assessment SqlAssessments::find(const std::string& trace_id, const std::string& id) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  return found(*database, trace_number(*database, trace_id), trace_id, id);
}

Assessment SqlAssessments::change(const std::string& trace_id, const std::string& id, const AssessmentChange& change) {
  const int64_t now = core_.now();
  Assessment result;
  core_.write([&](Database& database) {
    const int64_t trace = trace_number(database, trace_id);
    result = found(database, trace, trace_id, id);
    apply(result, change);
    result.updated_ms = now;
    put_assessment(database, trace, result);
  });
  return result;
}

void SqlAssessments::remove(const std::string& trace_id, const std::string& id) {
  core_.write([&](Database& database) {
    const int64_t trace = trace_number(database, trace_id);
    database
        .prepare(
            "UPDATE assessments SET valid = 1 WHERE trace = ?1 AND id = (SELECT overrides FROM assessments WHERE id = "
            "?2 "
            "AND trace = ?1)")
        .bind(trace, id)
        .run();
    database.prepare("DELETE FROM assessments WHERE id = ? AND trace = ?").bind(id, trace).run();
  });
}

}  // namespace slipway::store
