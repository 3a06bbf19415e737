// The parts of the report of a dataset. Internal to the room.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "govern/html.h"

namespace slipway::govern::dataset_page {

// A text in both languages, of which one is shown; HTML already, as the caller escapes what is data.
struct Said {
  std::string en;
  std::string zh;
};
std::string both(const Said& said);
// A chart in both languages, where its texts are in it.
std::string both_charts(const std::function<std::string(bool chinese)>& chart);

struct Part {
  std::string id;
  Said title;
  Said about;
  std::string body;  // empty: left out of the page
};

// A table with heads in both languages; cells are HTML.
std::string table(const Said& caption, const std::vector<Said>& head, const std::vector<std::string>& rows, size_t numeric = 1);

Part findings_part(const base::Json& facts);
Part columns_part(const base::Json& facts);
Part lengths_part(const base::Json& facts);
Part languages_part(const base::Json& facts);
Part ngrams_part(const base::Json& facts);
Part near_part(const base::Json& facts);
Part quality_part(const base::Json& facts);
Part personal_part(const base::Json& facts);
Part map_part(const base::Json& facts);
Part tests_part(const base::Json& facts);

const char* style() noexcept;   // beside the run's report's
const char* script() noexcept;  // languages, colours, and the map by keyboard

}  // namespace slipway::govern::dataset_page
