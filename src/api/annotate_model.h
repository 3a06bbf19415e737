// A model that makes suggestions to annotators. A plain value that the program plugs in: this room knows no engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "record/annotation.h"

namespace slipway::api {

// `suggest` is called from several threads at once; what it throws is logged, and the model left out that time.
struct AnnotationModel {
  std::string project;  // whose tasks; empty: all
  std::string name;     // "NAME@VERSION"
  std::function<std::vector<record::Suggestion>(const record::AnnotationScheme& scheme, const record::Task& task)> suggest;
};

}  // namespace slipway::api
