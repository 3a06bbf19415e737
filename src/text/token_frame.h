// The "post_processor" section of a tokenizer.json: the special tokens around a text or a pair of texts, and whether
// offsets leave out the spaces at the ends of tokens. Plain values, immutable after loading: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace slipway::text {

struct TokenFrame {
  using Item = FrameItem;
  std::vector<Item> single = {{0, 0, 0}};
  std::vector<Item> pair = {{0, 0, 0}, {1, 0, 1}};
  bool trim_offsets = false;
  bool add_prefix_space = false;  // the space that trimming leaves alone at the beginning of the text
};

// Reads TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, or a Sequence of them; null gives a frame
// without tokens. Throws Error(kInvalid) naming what is wrong or not supported.
TokenFrame parse_post_processor(const base::Json& json, const std::string& source);

// One text between special tokens; of a pair the second has type 1, and `between` before it.
TokenFrame make_frame(const std::vector<int32_t>& before, const std::vector<int32_t>& after,
                      const std::vector<int32_t>& between);

}  // namespace slipway::text
