// What a page says about itself: title, language, date of publication, author, from <title>, <meta> (Open Graph, Dublin
// Core, the names that news sites use), schema.org's JSON-LD and microdata, <time>. Of several the surest counts. One
// thread.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "text/html_page.h"
#include "text/html_scanner.h"

namespace slipway::text {

class HtmlHead {
 public:
  // Every start tag of the page, in order.
  void see(const HtmlToken& token, const TagAttributes& attributes);
  void move_to(HtmlPage& page);

 private:
  // Better ones first.
  enum Source : uint8_t { kOpenGraph, kLinkedData, kMicrodata, kNamed, kMarked, kSources };
  using Found = std::array<std::string, kSources>;
  void see_meta(const TagAttributes& attributes);
  void see_linked_data(std::string_view json);
  static void keep(Found& found, Source source, std::string_view value);

  std::string title_;
  std::string open_graph_title_;
  std::string language_;
  Found date_;
  Found author_;
};

// Runs of white space as one space, none at the ends, references replaced.
std::string plain_line(std::string_view html);

// A date as pages write it ("2019-11-20T08:38:00+05:30", "20191120", "November 20, 2019", "20 November 2019",
// "2019/11/20") as YYYY-MM-DD; "" when it is none of these, or no day.
std::string iso_date(std::string_view text);

}  // namespace slipway::text
