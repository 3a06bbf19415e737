// What predict, explain and the tokenizer read: JSON lines with a "text", from a file, a pipe or one argument.
#pragma once

#include <functional>
#include <istream>
#include <string>

#include "base/json.h"

namespace slipway::cli {

// Calls `take` with each line's object, in order. Throws Error(kInvalid) naming the line for one that is not a JSON object
// with a text of that name, or longer than 16 MiB. Blank lines are skipped.
void read_text_lines(std::istream& in, const std::string& source, const std::string& field,
                     const std::function<void(std::string text, const base::Json& row)>& take);

// The same for lines that need no text: `where` is for messages, `field` what a line should have, in messages.
void read_json_lines(std::istream& in, const std::string& source, const std::string& field,
                     const std::function<void(const base::Json& row, const std::string& where)>& take);

}  // namespace slipway::cli
