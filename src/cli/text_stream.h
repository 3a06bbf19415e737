// Standard input through a function on all threads, in blocks of whole lines or sentences, the results in the order of the input.
// Memory: a few blocks a thread, however long the input is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/app.h"

namespace slipway::cli {

// Where a block may end: after a line, or after a line that is blank.
enum class BlockEnd { kLine, kBlankLine };

// Appends to `out` what is to be written for the block, whose first line is number `first_line` of the input. Called from several
// threads at once.
using BlockFunction = std::function<void(std::string_view block, uint64_t first_line, std::string& out)>;

// Reads standard input to its end, and what is there without waiting for more when it comes slowly. When a block fails,
// what comes before it is written, and its error thrown. Throws Error(kInvalid) for a line or sentence of more than 16 MiB,
// Error(kInterrupted) when the command is stopped.
// `begin`, when given, is called once with the begin of the input, before any block.
void stream_blocks(App& app, BlockEnd end, const BlockFunction& work, const std::function<void(std::string_view text)>& begin = {});

// Calls take(line, number) for each line of a block, without its end. A line that is no UTF-8 is an Error(kInvalid) naming line
// and byte, or, when `replace`, has U+FFFD in its place.
void for_each_line(std::string_view block, uint64_t first_line, bool replace,
                   const std::function<void(std::string_view line, uint64_t number)>& take);

// How standard input is called in messages.
constexpr const char* kStandardInput = "standard input";

}  // namespace slipway::cli
