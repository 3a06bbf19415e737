#include "data/options.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/keys.h"

namespace slipway::data {

using base::Code;
using base::Error;

DataOptions parse_data_options(const Json& section, const std::string& where) {
  check_keys(section, {"sources", "clean", "deduplicate", "validate", "split"}, where);
  const auto part = [&](const char* key) {
    const auto found = section.is_object() ? section.find(key) : section.end();
    return found == section.end() ? Json() : *found;
  };
  DataOptions options;
  const Json sources = part("sources");
  if (!sources.is_array() || sources.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: 'sources' needs a list with at least one source: "
                                            "{{id: reviews, path: data/reviews.csv, text: review, label: label}}",
                                            where));
  }
  for (const Json& item : sources) {
    SourceOptions source = parse_source_options(item, fmt::format("{}.sources[{}]", where, options.sources.size()));
    for (const SourceOptions& other : options.sources) {
      if (other.id == source.id) {
        throw Error(Code::kInvalid, fmt::format("{}.sources: two sources are called '{}'", where, source.id));
      }
    }
    options.sources.push_back(std::move(source));
  }
  options.clean = parse_clean_options(part("clean"), where + ".clean");
  const Json duplicates = part("deduplicate");
  options.deduplicate =
      parse_deduplicate_options(duplicates.is_null() ? Json::object() : duplicates, where + ".deduplicate");
  options.validate = parse_validate_options(part("validate"), where + ".validate");
  options.split = parse_split_options(part("split"), where + ".split");
  return options;
}

Json to_json(const DataOptions& options) {
  Json sources = Json::array();
  for (const SourceOptions& source : options.sources) {
    sources.push_back(to_json(source));
  }
  return {{"sources", std::move(sources)},
          {"clean", to_json(options.clean)},
          {"deduplicate", to_json(options.deduplicate)},
          {"validate", to_json(options.validate)},
          {"split", to_json(options.split)}};
}

}  // namespace slipway::data
