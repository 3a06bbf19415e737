// The map of a dataset's texts, and the page's style and script.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "govern/dataset_page_parts.h"

namespace slipway::govern::dataset_page {
namespace {

using base::Json;
using html::escape;

constexpr size_t kColours = 10;  // the last one is of all others
constexpr size_t kMaxPoints = 10'000;
constexpr double kWidth = 900;
constexpr double kHeight = 560;
constexpr double kMargin = 14;

// One way of colouring: the names of its colours, the most frequent first, and the number of each point's.
struct Colouring {
  std::string key;   // "label"
  char letter = 'l';
  Said title;
  std::vector<std::string> names;
  std::vector<size_t> of;
};

Colouring by_text(const Json& points, const char* key, char letter, Said title) {
  Colouring colouring{key, letter, std::move(title), {}, {}};
  std::map<std::string, size_t> counts;
  for (const Json& point : points) {
    ++counts[html::text_at(point, key)];
  }
  std::vector<std::pair<std::string, size_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<std::string, size_t> number;
  for (size_t i = 0; i < order.size(); ++i) {
    number[order[i].first] = std::min(i, kColours - 1);
    if (i < kColours - 1) {
      colouring.names.push_back(order[i].first);
    }
  }
  if (order.size() >= kColours) {
    colouring.names.emplace_back("…");
  }
  for (const Json& point : points) {
    colouring.of.push_back(number[html::text_at(point, key)]);
  }
  return colouring;
}

std::vector<Colouring> colourings(const Json& facts, const Json& points) {
  std::vector<Colouring> all;
  Colouring label = by_text(points, "label", 'l', {"label", "标签"});
  if (label.names.size() > 1) {
    all.push_back(std::move(label));
  }
  Colouring cluster{"cluster", 'k', {"cluster", "聚类"}, {}, {}};
  const Json& names = html::at(facts, "map.clusters");
  for (const Json& name : names.is_array() ? names : Json::array()) {
    if (cluster.names.size() < kColours) {
      cluster.names.push_back(html::text_of(name));
    }
  }
  for (const Json& point : points) {
    const double number = html::number_at(point, "cluster");
    cluster.of.push_back(std::isfinite(number) && number >= 0 ? std::min(static_cast<size_t>(std::min(number, 1e6)), kColours - 1) : kColours - 1);
  }
  all.push_back(std::move(cluster));
  all.push_back(by_text(points, "language", 'g', {"language", "语言"}));
  Colouring near{"near", 'n', {"near-duplicates", "近似重复"}, {"alone", "near-duplicate"}, {}};
  for (const Json& point : points) {
    near.of.push_back(html::number_at(point, "near") >= 0 ? 1 : 0);
  }
  all.push_back(std::move(near));
  return all;
}

struct Range {
  double low = INFINITY;
  double high = -INFINITY;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double place(double value, double size) const { return kMargin + (high > low ? (value - low) / (high - low) : 0.5) * (size - 2 * kMargin); }
};

}  // namespace

Part map_part(const Json& facts) {
  Part part{"map",
            {"Map of the texts", "文本分布图"},
            {"Each point is a text of the sample; alike texts lie together. Point at one, or focus the map and use the arrow keys.", "每个点是样本中的一条文本，相似的文本靠在一起。用鼠标指向，或聚焦后用方向键移动。"},
            ""};
  const Json& given = html::at(facts, "map.points");
  if (!given.is_array() || given.empty()) {
    return part;
  }
  Json points = Json::array();
  Range x;
  Range y;
  for (const Json& point : given) {
    const double px = html::number_at(point, "x");
    const double py = html::number_at(point, "y");
    if (std::isfinite(px) && std::isfinite(py) && points.size() < kMaxPoints) {
      points.push_back(point);
      x.take(px);
      y.take(py);
    }
  }
  const std::vector<Colouring> all = colourings(facts, points);
  std::string body = "<p class=\"by\"><label for=\"by\">" + both({"Colour by", "着色"}) + "</label> <select id=\"by\">";
  for (const Colouring& one : all) {
    body += fmt::format("<option value=\"{0}\" data-en=\"{1}\" data-zh=\"{2}\">{1}</option>", one.key, escape(one.title.en), escape(one.title.zh));
  }
  body += "</select></p>";
  for (const Colouring& one : all) {
    body += fmt::format("<ul class=\"keys {}\">", one.key);
    for (size_t i = 0; i < one.names.size(); ++i) {
      body += fmt::format("<li><i class=\"c{}\"></i>{}</li>", i, escape(html::shorten(one.names[i].empty() ? "–" : one.names[i], 60)));
    }
    body += "</ul>";
  }
  body += fmt::format("<div class=\"map\" id=\"points\" data-by=\"{}\" tabindex=\"0\" role=\"application\" aria-label=\"Map of the texts: arrow keys go from text to text\" aria-describedby=\"point\">",
                      all.front().key);
  body += fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" aria-hidden=\"true\">", kWidth, kHeight);
  for (size_t i = 0; i < points.size(); ++i) {
    std::string classes = "p";
    for (const Colouring& one : all) {
      classes += fmt::format(" {}{}", one.letter, one.of[i]);
    }
    const Json& point = points[i];
    const std::string label = html::text_at(point, "label");
    body += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{}{}\n{}</title></circle>\n", classes, x.place(html::number_at(point, "x"), kWidth),
                        kHeight - y.place(html::number_at(point, "y"), kHeight), escape(html::text_at(point, "at")), label.empty() ? "" : " · " + escape(html::shorten(label, 60)),
                        escape(html::shorten(html::text_at(point, "text"), 300)));
  }
  body += "</svg></div><p id=\"point\" class=\"point\" aria-live=\"polite\">" + both({"No point is chosen.", "未选择任何点。"}) + "</p>";
  const std::string method = html::text_at(facts, "map.method");
  const Json& explained = html::at(facts, "map.explained");
  const double share = explained.is_array() && explained.size() > 1 && explained[0].is_number() && explained[1].is_number() ? explained[0].get<double>() + explained[1].get<double>() : NAN;
  const std::string features = escape(html::shorten(html::text_at(facts, "map.features"), 100));
  const std::string drawn = method == "tsne" ? "t-SNE" : "PCA";
  const std::string part_of = std::isfinite(share) && method != "tsne" ? escape(html::percent(share)) : "";
  body += "<p class=\"about\">" + both({fmt::format("{} of {}{}", drawn, features, part_of.empty() ? "" : ", " + part_of + " of the variance"),
                                        fmt::format("{}，特征 {}{}", drawn, features, part_of.empty() ? "" : "，方差占比 " + part_of)}) + "</p>";
  part.body = std::move(body);
  return part;
}

const char* style() noexcept {
  return R"css(
html:not([data-lang=zh]) .t[lang=zh],html[data-lang=zh] .t[lang=en]{display:none}
.bar{display:flex;justify-content:space-between;align-items:baseline}.bar button{font:inherit;font-size:13px;color:var(--accent);background:none;border:1px solid var(--line);border-radius:999px;padding:3px 12px;cursor:pointer}
.badge{background:var(--grid);color:var(--soft)}
.badge{white-space:nowrap}#findings td:nth-child(-n+3){white-space:nowrap}#findings td:nth-child(4){min-width:260px;overflow-wrap:anywhere}#near li{overflow-wrap:anywhere}
.by{margin:0 0 8px;font-size:13.5px}.by select{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:8px;padding:3px 8px}
.keys{display:none;list-style:none;padding:0;margin:0 0 8px;flex-wrap:wrap;gap:2px 14px;font-size:12.5px;color:var(--soft)}
.keys i{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:6px}
section:has(.map[data-by=label]) .keys.label,section:has(.map[data-by=cluster]) .keys.cluster,section:has(.map[data-by=language]) .keys.language,section:has(.map[data-by=near]) .keys.near{display:flex}
.map{border:1px solid var(--line);border-radius:10px;background:var(--bg)}.map svg{display:block;width:100%;height:auto}
.p{stroke:var(--card);stroke-width:.8;fill-opacity:.85}.p:hover,.p.on{stroke:var(--ink);stroke-width:2.5;fill-opacity:1}
.c0,[data-by=label] .l0,[data-by=cluster] .k0,[data-by=language] .g0,[data-by=near] .n0{fill:#4e79a7;background:#4e79a7}
.c1,[data-by=label] .l1,[data-by=cluster] .k1,[data-by=language] .g1,[data-by=near] .n1{fill:#e8853b;background:#e8853b}
.c2,[data-by=label] .l2,[data-by=cluster] .k2,[data-by=language] .g2{fill:#4fa05a;background:#4fa05a}
.c3,[data-by=label] .l3,[data-by=cluster] .k3,[data-by=language] .g3{fill:#d9534f;background:#d9534f}
.c4,[data-by=label] .l4,[data-by=cluster] .k4,[data-by=language] .g4{fill:#9b6fc0;background:#9b6fc0}
.c5,[data-by=label] .l5,[data-by=cluster] .k5,[data-by=language] .g5{fill:#9c755f;background:#9c755f}
.c6,[data-by=label] .l6,[data-by=cluster] .k6,[data-by=language] .g6{fill:#3fa7a0;background:#3fa7a0}
.c7,[data-by=label] .l7,[data-by=cluster] .k7,[data-by=language] .g7{fill:#c9a227;background:#c9a227}
.c8,[data-by=label] .l8,[data-by=cluster] .k8,[data-by=language] .g8{fill:#e377a2;background:#e377a2}
.c9,[data-by=label] .l9,[data-by=cluster] .k9,[data-by=language] .g9{fill:#8a8f98;background:#8a8f98}
.point{min-height:3.2em;white-space:pre-line;overflow-wrap:anywhere;font-size:14px}
)css";
}

// Without it the page is in English, coloured by what comes first, and the points tell their texts by the pointer.
const char* script() noexcept {
  return R"js((()=>{
const root=document.documentElement,button=document.getElementById("language");
const say=(zh)=>{root.dataset.lang=zh?"zh":"en";root.lang=zh?"zh":"en";for(const one of document.querySelectorAll("#by option"))one.textContent=zh?one.dataset.zh:one.dataset.en;button.textContent=zh?"English":"中文";button.lang=zh?"en":"zh"};
button.hidden=false;say(/^zh/i.test(navigator.language));
button.addEventListener("click",()=>say(root.dataset.lang!=="zh"));
const map=document.getElementById("points");
if(!map)return;
const by=document.getElementById("by");by.value=map.dataset.by;by.addEventListener("change",()=>{map.dataset.by=by.value});
const points=[...map.querySelectorAll("circle")].map((node)=>({node,x:+node.getAttribute("cx"),y:+node.getAttribute("cy"),text:node.textContent}));
const told=document.getElementById("point");
let at=-1;
const show=(i)=>{if(at>=0)points[at].node.classList.remove("on");at=i;points[i].node.classList.add("on");map.querySelector("svg").append(points[i].node);told.textContent=points[i].text};
const nearest=(dx,dy)=>{
if(at<0)return 0;
let best=-1,least=Infinity;
points.forEach((p,i)=>{const x=p.x-points[at].x,y=p.y-points[at].y,along=x*dx+y*dy,across=Math.abs(x*dy)+Math.abs(y*dx);
if(i!==at&&along>0&&across<=3*along+1){const far=along+2*across;if(far<least){least=far;best=i}}});
return best<0?at:best};
const keys={ArrowRight:[1,0],ArrowLeft:[-1,0],ArrowUp:[0,-1],ArrowDown:[0,1]};
map.addEventListener("keydown",(event)=>{const way=keys[event.key];if(way){event.preventDefault();show(nearest(...way))}});
map.addEventListener("pointerover",(event)=>{const i=points.findIndex((p)=>p.node===event.target);if(i>=0)show(i)});
})();)js";
}

}  // namespace slipway::govern::dataset_page
