// The tokens of a web page, one after the other, as the tokenizer of the HTML standard finds them (13.2.5), without a
// tree: tags with the few attributes that extraction asks for, and runs of text. Never fails: any bytes are tokens.
// Views are into the page. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/html_tags.h"

namespace slipway::text {

// Values as they stand in the page (references not replaced); empty when absent or without a value.
struct TagAttributes {
  std::string_view class_names;
  std::string_view id;
  std::string_view style;
  std::string_view role;
  std::string_view item_property;  // itemprop
  std::string_view name;
  std::string_view property;
  std::string_view content;
  std::string_view language;   // lang
  std::string_view date_time;  // datetime
  std::string_view relation;   // rel
  std::string_view reference;  // href
  std::string_view type;
  bool hidden = false;  // hidden, or aria-hidden="true"
};

struct HtmlToken {
  enum class Kind : uint8_t { kText, kStart, kEnd, kEndOfPage };
  Kind kind = Kind::kEndOfPage;
  TagInfo info;               // of tags
  std::string_view name;      // of tags, as written
  bool self_closing = false;  // <x/>
  std::string_view text;      // of text: with references; of a start tag with raw content: that content
};

class HtmlScanner {
 public:
  explicit HtmlScanner(std::string_view page) noexcept : page_(page) {}
  // The next token. A start tag fills attributes() until the next call. The end tag of raw content comes with its start
  // tag.
  HtmlToken next();
  const TagAttributes& attributes() const noexcept { return attributes_; }
  // Inside <svg> and <math> the names of HTML mean nothing: no element's content is raw.
  void set_foreign(bool foreign) noexcept { foreign_ = foreign; }

 private:
  HtmlToken start_tag(size_t name_begin);
  HtmlToken end_tag(size_t name_begin);
  size_t skip_markup(size_t at) const;  // comments, declarations: past their end
  size_t read_attributes(size_t at, bool keep, bool& self_closing);
  void keep_attribute(std::string_view name, std::string_view value);
  std::string_view raw_content(std::string_view name);

  std::string_view page_;
  size_t at_ = 0;
  bool foreign_ = false;
  TagAttributes attributes_;
};

}  // namespace slipway::text
