// Where it came from and how to do it again.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "govern/charts.h"
#include "govern/report_sections.h"

namespace slipway::govern {

using base::Json;
using html::escape;

namespace {

constexpr size_t kMaxNodes = 40;
constexpr size_t kMaxEdges = 160;
constexpr size_t kMaxListed = 400;

// "dataset:sha256:09ab…" -> kind "dataset", title "09ab12cd"; a name given in lineage.names wins.
charts::GraphNode node_of(const std::string& id, const Json& names) {
  const size_t colon = id.find(':');
  charts::GraphNode node;
  node.subtitle = colon == std::string::npos ? "" : id.substr(0, colon);
  node.title = colon == std::string::npos ? id : id.substr(colon + 1);
  if (node.title.starts_with("sha256:")) {
    node.title = node.title.substr(7, 12);
  }
  const auto it = names.is_object() ? names.find(id) : names.end();
  if (names.is_object() && it != names.end() && it->is_string()) {
    node.title = it->get<std::string>();
  }
  for (const char* known : {"file", "dataset", "run", "artifact", "model", "deployment", "prediction", "alert"}) {
    if (node.subtitle == known) {
      node.kind = known;
    }
  }
  return node;
}

}  // namespace

Section lineage_section(const Json& facts) {
  Section section{"lineage", "Lineage", "From the raw files on the left to what was made of them.", "", "", true};
  const Json& edges = html::at(facts, "lineage.edges");
  if (!edges.is_array() || edges.empty()) {
    section.measured = false;
    section.body = html::absent("no lineage is recorded");
    return section;
  }
  const Json& names = html::at(facts, "lineage.names");
  std::map<std::string, int> index;
  std::vector<charts::GraphNode> nodes;
  std::vector<std::pair<int, int>> links;
  std::vector<std::string> rows;
  bool fits = edges.size() <= kMaxEdges;
  for (const Json& edge : edges) {
    const std::string from = html::text_at(edge, "from");
    const std::string to = html::text_at(edge, "to");
    if (rows.size() < kMaxListed) {
      rows.push_back(html::row({html::code(from, 60), escape(html::text_at(edge, "kind")), html::code(to, 60)}));
    }
    for (const std::string& id : {from, to}) {
      if (index.try_emplace(id, static_cast<int>(nodes.size())).second && nodes.size() <= kMaxNodes) {
        nodes.push_back(node_of(id, names));
      }
    }
    fits = fits && nodes.size() <= kMaxNodes;
    if (fits) {
      links.emplace_back(index[from], index[to]);
    }
  }
  section.chip = fmt::format("{} edges", edges.size());
  if (fits) {
    section.body = charts::graph("Lineage graph", nodes, links);
  }
  section.body += fmt::format("<details{}><summary>As a list</summary>{}{}</details>", fits ? "" : " open",
                              html::table("", {"From", "How", "To"}, rows, 3),
                              edges.size() > kMaxListed ? fmt::format("<p class=\"about\">{} more are not shown.</p>",
                                                                      edges.size() - kMaxListed)
                                                        : "");
  return section;
}

Section repeat_section(const Json& facts) {
  Section section{"repeat",
                  "How to repeat it",
                  "The same inputs, seeds and versions give the same artifacts on the same machine.",
                  "",
                  "",
                  true};
  const Json& repeat = html::at(facts, "repeat");
  if (!repeat.is_object() || repeat.empty()) {
    section.measured = false;
    section.body = html::absent("no record of how it was made");
    return section;
  }
  const Json& commands = html::at(repeat, "commands");
  if (commands.is_array() && !commands.empty()) {
    std::string text;
    for (const Json& command : commands) {
      text += html::text_of(command) + "\n";
    }
    section.body += fmt::format("<pre tabindex=\"0\"><code>{}</code></pre>", escape(text));
  }
  section.body += "<div class=\"two\">";
  for (const auto& [key, title] :
       {std::pair{"versions", "Versions"}, std::pair{"seeds", "Seeds"}, std::pair{"digests", "Digests"}}) {
    const Json& object = html::at(repeat, key);
    std::vector<std::string> rows;
    if (object.is_object()) {
      for (const auto& item : object.items()) {
        rows.push_back(html::row({escape(item.key()), html::code(html::text_of(item.value(), "–"), 72)}));
      }
    }
    if (!rows.empty()) {
      section.body += "<div>" + html::table(title, {"", ""}, rows, 2) + "</div>";
    }
  }
  section.body += "</div>";
  const std::string config = html::text_at(repeat, "config");
  if (!config.empty()) {
    section.body += fmt::format(
        "<details><summary>The resolved configuration</summary><pre tabindex=\"0\"><code>{}</code></pre>"
        "</details>",
        escape(html::shorten(config, 20'000)));
  }
  return section;
}

}  // namespace slipway::govern
