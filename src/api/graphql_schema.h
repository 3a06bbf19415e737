// The types that GraphQL requests may ask for: MLflow's, which are the answers of its REST calls with names in camel case.
// Constant; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace slipway::api::graphql {

struct Type;

struct Member {
  enum class Kind {
    kText,
    kLong,  // an integer as a text: JavaScript's numbers are too short
    kFloat,
    kBool,
    kTexts,
    kObject,
    kObjects,  // a list
    kError,    // an object that is always null: failures are told in "errors"
    kAsked     // of another call's answer: `call` with what `input` makes of the object; its field `name`
  };
  std::string_view name;  // "runId"; in answers "run_id"
  Kind kind = Kind::kText;
  const Type* type = nullptr;  // of objects
  std::string_view call = {};
  bool list = false;  // of kAsked
};

struct Type {
  std::string_view name;
  std::span<const Member> members;
};

// A field of the root: the call that answers it.
struct Call {
  std::string_view name;  // "mlflowGetRun"
  std::string_view method;
  std::string_view address;  // "/api/2.0/mlflow/runs/get"; "": an echo
  std::string_view input;    // the name of its input's type
  std::span<const std::string_view> inputs;
  const Type* type = nullptr;
  bool query = true;
  bool mutation = false;
};

const Call* find_call(std::string_view name);
const Member* find_member(const Type& type, std::string_view name);

// "runId" as "run_id".
std::string snake_case(std::string_view camel);

}  // namespace slipway::api::graphql
