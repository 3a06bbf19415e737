// Lines of JSON, of a file or made from one, as rows of a source. Internal. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace slipway::data {

class JsonRows {
 public:
  JsonRows(const SourceOptions& options, RowSink& sink);
  // One line; empty ones are passed over, unreadable ones counted as bad. Throws Error(kInvalid) for an array in the first line, kNotFound
  // when none of the first rows has the key of the text or the label.
  // `kept` is kept with the row, too.
  void add(std::string_view line, uint64_t number, Json kept = Json::object());
  void finish() const;  // throws the same

 private:
  const SourceOptions& options_;
  RowSink& sink_;
  const std::string text_key_;
  const std::string label_key_;
  bool saw_text_ = false;
  bool saw_label_ = false;
  std::vector<std::string> first_keys_;
  uint64_t rows_ = 0;
};

}  // namespace slipway::data
