// Which blocks of a page are its main text. Constant rules, no model; any thread.
#pragma once

#include <string>

#include "text/html_page.h"

namespace slipway::text {

// The main text, a line a block; the headline is left out (it is the title). When no block qualifies, all blocks.
std::string main_text_of(const HtmlPage& page);
std::string all_text_of(const HtmlPage& page);

}  // namespace slipway::text
