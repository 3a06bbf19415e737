// One request's texts on their way through the server, and what came of them. Filled by the scheduler's callbacks,
// immutable once handed to the log and the monitor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "record/record.h"
#include "serve/served.h"

namespace slipway::serve {

struct Item {
  std::string text;  // empty when the client sent ids
  std::vector<int32_t> ids;
  std::vector<int32_t> types = {};  // token types of a pair; empty: all 0
  bool truncated = false;           // the text was longer than the model takes
};

struct Answer {
  record::Prediction prediction;
  std::vector<int32_t> ids;
  std::vector<float> logits;
  std::vector<float> embedding;
  bool truncated = false;
};

struct Batch {
  std::shared_ptr<Served> served;
  std::vector<Answer> answers;
};

}  // namespace slipway::serve
