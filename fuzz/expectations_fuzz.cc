// A suite of expectations (up to the first NUL, YAML) over rows of JSON Lines, and the hashes of these rows: a report or an Error comes out.
#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/yaml.h"
#include "data/expectations.h"
#include "data/row_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), std::min<size_t>(size, 1 << 16));
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string_view rows = input.substr(std::min(end + 1, input.size()));
  const slipway::data::RowHasher hasher({"id"});
  hasher.of_json(rows.substr(0, rows.find('\n')));
  try {
    const slipway::data::ExpectationSuite suite =
        slipway::data::parse_expectations(slipway::base::parse_yaml(input.substr(0, end), "fuzz", {size_t{1} << 16, 16, 2000}).value, "fuzz");
    const slipway::base::TempDir folder;
    slipway::base::write_file_atomic(folder.path() / "a.jsonl", rows);
    static slipway::base::Pool pool(1);
    static slipway::base::Log log;
    static slipway::base::SystemClock clock;
    static slipway::base::SilentProgress progress;
    slipway::base::Context context{pool, log, clock, progress, {}};
    slipway::data::ExpectOptions options;
    options.memory_bytes = size_t{1} << 20;
    options.work = folder.path() / "work";
    slipway::data::check_expectations({{{"a.jsonl", "", 0}}, [&](const slipway::record::FolderFile& file) { return folder.path() / file.path; }}, suite, options, context);
  } catch (const slipway::base::Error&) {
    return 0;
  }
  return 0;
}
