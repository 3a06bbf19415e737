// The report of a dataset's version: one self-contained HTML page (inline style, SVG and one small script, nothing from the network), in
// English and Chinese, light or dark as the reader's system is, usable by keyboard and screen reader. Pure function; any thread.
#pragma once

#include <string>

#include "base/json.h"

namespace slipway::govern {

// `facts` is what docs/formats/data-report.md describes; every part may be absent and nothing in it is trusted: all text is escaped,
// numbers that are not finite are shown as a dash, lists are cut to what a page can show. The same facts give the same bytes. Throws
// Error(kInvalid) when `facts` is no object.
std::string render_dataset_page(const base::Json& facts);

}  // namespace slipway::govern
