// The report of a run: one self-contained HTML page (inline style and SVG, no script needed, nothing from the network),
// light or dark as the reader's system is, printable, usable by keyboard and screen reader. Pure function; any thread.
#pragma once

#include <string>

#include "base/json.h"

namespace slipway::govern {

// `facts` is described in docs/formats/report.md; every part may be absent ("not measured") and nothing in it is
// trusted: all text is escaped, numbers that are not finite are shown as a dash, lists are cut to what a page can show
// (said so). Throws Error(kInvalid) when `facts` is not an object.
std::string render_report(const base::Json& facts);

}  // namespace slipway::govern
