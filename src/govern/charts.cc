#include "govern/charts.h"

#include <algorithm>
#include <fmt/format.h>

namespace slipway::govern::charts {
namespace {

using html::escape;

constexpr size_t kMaxPoints = 400;
constexpr double kWidth = 460;  // drawn at about this many pixels, so that text keeps its size
constexpr double kLeft = 46;
constexpr double kRight = 14;
constexpr double kTop = 12;
constexpr double kBottom = 36;

// About five round numbers that cover [low, high].
std::vector<double> ticks(double low, double high, bool whole = false) {
  const double span = high > low ? high - low : 1;
  const double rough = whole ? std::max(1.0, span / 5) : span / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    step = factor * power;
    if (step >= rough && (!whole || step == std::floor(step))) {
      break;
    }
  }
  std::vector<double> result;
  for (double tick = std::ceil(low / step) * step; tick <= high + (step * 1e-6) && result.size() < 12; tick += step) {
    result.push_back(std::fabs(tick) < step * 1e-6 ? 0 : tick);
  }
  return result;
}

// Where data fall on the drawing.
struct Frame {
  double x_low = 0;
  double x_high = 1;
  double y_low = 0;
  double y_high = 1;
  double height = 230;
  double x(double value) const { return kLeft + ((value - x_low) / (x_high - x_low) * (kWidth - kLeft - kRight)); }
  double y(double value) const { return kTop + ((y_high - value) / (y_high - y_low) * (height - kTop - kBottom)); }
};

std::string open_svg(std::string_view title, double width, double height, std::string_view kind) {
  return fmt::format("<svg class=\"{}\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\"><title>{}</title>",
                     kind, width, height, escape(title), escape(title));
}

std::string axes(const Frame& frame, std::string_view x_label, bool whole_x) {
  std::string out;
  for (const double tick : ticks(frame.y_low, frame.y_high)) {
    out += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
                       kWidth - kRight, frame.y(tick), frame.y(tick));
    out += fmt::format("<text class=\"tick e\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", kLeft - 7, frame.y(tick) + 4,
                       escape(html::number(tick, 5)));
  }
  for (const double tick : ticks(frame.x_low, frame.x_high, whole_x)) {
    out += fmt::format("<text class=\"tick m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", frame.x(tick),
                       frame.height - kBottom + 16, escape(html::number(tick, 5)));
  }
  out += fmt::format("<text class=\"axis m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", (kLeft + kWidth - kRight) / 2,
                     frame.height - 4, escape(x_label));
  return out;
}

// Means of equal pieces of the points, so that a long curve keeps its shape.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points) {
  if (points.size() <= kMaxPoints) {
    return points;
  }
  std::vector<std::pair<double, double>> result;
  for (size_t i = 0; i < kMaxPoints; ++i) {
    const size_t begin = i * points.size() / kMaxPoints;
    const size_t end = (i + 1) * points.size() / kMaxPoints;
    double x = 0;
    double y = 0;
    for (size_t k = begin; k < end; ++k) {
      x += points[k].first;
      y += points[k].second;
    }
    const auto n = static_cast<double>(end - begin);
    result.emplace_back(x / n, y / n);
  }
  return result;
}

void stretch(double& low, double& high, double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

Frame frame_of(const std::vector<Series>& series, const LineOptions& options) {
  double x_low = INFINITY;
  double x_high = -INFINITY;
  double y_low = options.from_zero ? 0 : INFINITY;
  double y_high = -INFINITY;
  for (const Series& one : series) {
    for (const auto& [x, y] : one.points) {
      stretch(x_low, x_high, x);
      stretch(y_low, y_high, y);
    }
  }
  if (std::isfinite(options.threshold)) {
    stretch(y_low, y_high, options.threshold);
  }
  Frame frame;
  frame.height = options.height;
  frame.x_low = x_low;
  frame.x_high = x_high > x_low ? x_high : x_low + 1;
  const double margin = y_high > y_low ? 0.06 * (y_high - y_low) : std::max(0.05, 0.05 * std::fabs(y_high));
  frame.y_low = options.from_zero ? 0 : y_low - margin;
  frame.y_high = y_high + margin;
  return frame;
}

std::string draw(const Series& series, const Frame& frame) {
  std::string path;
  for (const auto& [x, y] : thinned(series.points)) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.x(x), frame.y(y));
  }
  std::string out = fmt::format("<path class=\"line {}\" d=\"{}\"/>", series.style, path);
  if (series.dots && series.points.size() <= kMaxPoints) {
    for (size_t i = 0; i < series.points.size(); ++i) {
      const auto& [x, y] = series.points[i];
      const bool alarm = i < series.alarms.size() && series.alarms[i];
      out += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}: {}</title></circle>",
                         alarm ? "dot alarm" : "dot " + series.style, frame.x(x), frame.y(y), alarm ? "5" : "3.4",
                         escape(html::number(x)), escape(html::number(y)));
    }
  }
  return out;
}

}  // namespace

std::string bars(std::string_view caption, const std::vector<Bar>& rows, std::string (*format)(double)) {
  double largest = 0;
  for (const Bar& bar : rows) {
    largest = std::max(largest, std::isfinite(bar.value) ? bar.value : 0);
  }
  std::string out = fmt::format("<table class=\"bars\"><caption>{}</caption><tbody>\n", escape(caption));
  for (const Bar& bar : rows) {
    const double share = largest > 0 && std::isfinite(bar.value) ? std::max(0.0, 100 * bar.value / largest) : 0;
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"b\"><i class=\"{}\" style=\"width:{:.2f}%\"></i></td>"
        "<td class=\"v\">{}{}</td></tr>\n",
        escape(html::shorten(bar.label, 60)), bar.tone, share, escape(format(bar.value)),
        bar.note.empty() ? "" : fmt::format(" <small>{}</small>", escape(bar.note)));
  }
  return out + "</tbody></table>\n";
}

std::string intervals(std::string_view caption, const std::vector<IntervalRow>& rows, const IntervalOptions& options) {
  double low = INFINITY;
  double high = -INFINITY;
  for (const IntervalRow& row : rows) {
    if (row.estimate.known()) {
      stretch(low, high, row.estimate.value);
    }
    if (row.estimate.has_interval()) {
      stretch(low, high, row.estimate.low);
      stretch(low, high, row.estimate.high);
    }
  }
  if (std::isfinite(options.reference)) {
    stretch(low, high, options.reference);
  }
  if (!std::isfinite(low) || !std::isfinite(high)) {
    return html::absent(caption);
  }
  const double margin = high > low ? 0.06 * (high - low) : 0.05;
  low = std::isfinite(options.low) ? std::min(options.low, low) : low - margin;
  high = std::isfinite(options.high) ? std::max(options.high, high) : high + margin;
  const auto position = [&](double value) { return 100 * (value - low) / (high - low); };
  const auto shown = [&](double value) {
    return options.with_sign ? html::signed_fixed(value, options.decimals) : html::fixed(value, options.decimals);
  };
  std::string out = fmt::format(
      "<div class=\"scroll\"><table class=\"forest\"><caption>{}</caption><thead><tr>"
      "<th scope=\"col\">{}</th><th scope=\"col\" class=\"t\"><span>{}</span><span>{}</span></th>"
      "<th scope=\"col\" class=\"r\">Value</th><th scope=\"col\" class=\"r\">95% interval</th>"
      "<th scope=\"col\" class=\"r\">n</th>{}</tr></thead><tbody>\n",
      escape(caption), escape(options.label_head), shown(low), shown(high),
      options.note_head.empty() ? "" : fmt::format("<th scope=\"col\" class=\"r\">{}</th>", escape(options.note_head)));
  for (const IntervalRow& row : rows) {
    const html::Estimate& e = row.estimate;
    std::string track;
    if (std::isfinite(options.reference)) {
      track += fmt::format("<b style=\"left:{:.2f}%\"></b>", position(options.reference));
    }
    if (e.has_interval()) {
      track += fmt::format("<i style=\"left:{:.2f}%;width:{:.2f}%\"></i>", position(e.low),
                           std::max(0.0, position(e.high) - position(e.low)));
    }
    if (e.known()) {
      track += fmt::format("<u style=\"left:{:.2f}%\"></u>", position(e.value));
    }
    out += fmt::format(
        "<tr class=\"{}\"><th scope=\"row\">{}</th><td class=\"t\"><div>{}</div></td><td class=\"r\">{}</td>"
        "<td class=\"r\">{}</td><td class=\"r\">{}</td>{}</tr>\n",
        row.tone, escape(html::shorten(row.label, 60)), track, escape(shown(e.value)),
        e.has_interval() ? escape(shown(e.low) + " – " + shown(e.high)) : "–", escape(html::count(e.n)),
        options.note_head.empty() ? "" : fmt::format("<td class=\"r\">{}</td>", escape(row.note)));
  }
  return out + "</tbody></table></div>\n";
}

std::string lines(std::string_view title, const std::vector<Series>& series, const LineOptions& options) {
  std::vector<Series> drawn;
  for (const Series& one : series) {
    Series finite = one;
    finite.points.clear();
    finite.alarms.clear();
    for (size_t i = 0; i < one.points.size(); ++i) {
      if (std::isfinite(one.points[i].first) && std::isfinite(one.points[i].second)) {
        finite.points.push_back(one.points[i]);
        finite.alarms.push_back(i < one.alarms.size() && one.alarms[i]);
      }
    }
    if (!finite.points.empty()) {
      drawn.push_back(std::move(finite));
    }
  }
  if (drawn.empty()) {
    return html::absent(title);
  }
  const Frame frame = frame_of(drawn, options);
  std::string out = fmt::format("<figure><figcaption>{}<span class=\"legend\">", escape(title));
  for (const Series& one : drawn) {
    if (!one.name.empty()) {
      out += fmt::format("<span class=\"key {}\">{}</span>", one.style, escape(one.name));
    }
  }
  out += std::isfinite(options.threshold) ? "<span class=\"key limit\">threshold</span>" : "";
  out += "</span></figcaption>" + open_svg(title, kWidth, frame.height, "chart") +
         axes(frame, options.x_label, options.whole_x);
  if (std::isfinite(options.threshold)) {
    out += fmt::format("<line class=\"limit\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
                       kWidth - kRight, frame.y(options.threshold), frame.y(options.threshold));
  }
  for (const Series& one : drawn) {
    out += draw(one, frame);
  }
  return out + "</svg></figure>\n";
}

std::string histogram(std::string_view title, const std::vector<Bin>& bins, std::string_view x_label) {
  if (bins.empty()) {
    return html::absent(title);
  }
  Frame frame;
  frame.height = 210;
  frame.x_low = bins.front().low;
  frame.x_high = std::max(bins.back().high, frame.x_low + 1e-9);
  frame.y_low = 0;
  frame.y_high = 0;
  for (const Bin& bin : bins) {
    frame.y_high = std::max(frame.y_high, bin.count);
  }
  frame.y_high = frame.y_high > 0 ? 1.06 * frame.y_high : 1;
  std::string out = fmt::format("<figure><figcaption>{}</figcaption>", escape(title)) +
                    open_svg(title, kWidth, frame.height, "chart") + axes(frame, x_label, true);
  for (const Bin& bin : bins) {
    const double left = frame.x(bin.low);
    const double width = std::max(0.8, frame.x(bin.high) - left - 1.2);
    out += fmt::format(
        "<rect class=\"column\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"1.5\">"
        "<title>{} – {}: {}</title></rect>",
        left, frame.y(bin.count), width, std::max(0.0, frame.y(0) - frame.y(bin.count)), escape(html::number(bin.low)),
        escape(html::number(bin.high)), escape(html::count(bin.count)));
  }
  return out + "</svg></figure>\n";
}

std::string calibration(const std::vector<CalibrationPoint>& points) {
  constexpr double kSize = 340;
  constexpr double kPad = 42;
  const auto place = [](double value) { return kPad + (value * (kSize - kPad - 12)); };
  const auto upward = [&](double value) { return kSize - place(value); };
  double most = 0;
  for (const CalibrationPoint& point : points) {
    most = std::max(most, point.n);
  }
  std::string out =
      "<figure class=\"square\"><figcaption>Calibration: how often the model is right when it says it is this "
      "sure</figcaption>" +
      open_svg("Calibration: confidence against accuracy", kSize, kSize, "chart");
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    out += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>", place(0),
                       place(1), upward(tick));
    out += fmt::format("<text class=\"tick e\" x=\"{:.1f}\" y=\"{:.1f}\">{:.2g}</text>", place(0) - 6, upward(tick) + 4,
                       tick);
    out += fmt::format("<text class=\"tick m\" x=\"{:.1f}\" y=\"{:.1f}\">{:.2g}</text>", place(tick), upward(0) + 15,
                       tick);
  }
  out += fmt::format("<line class=\"diagonal\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", place(0),
                     upward(0), place(1), upward(1));
  for (const CalibrationPoint& point : points) {
    if (!(point.n > 0) || !(point.accuracy >= 0 && point.accuracy <= 1) ||
        !(point.confidence >= 0 && point.confidence <= 1)) {
      continue;
    }
    constexpr double kZ = 1.959963984540054;  // Wilson score interval, 95 %
    const double denominator = 1 + (kZ * kZ / point.n);
    const double centre = (point.accuracy + (kZ * kZ / (2 * point.n))) / denominator;
    const double half =
        kZ * std::sqrt((point.accuracy * (1 - point.accuracy) / point.n) + (kZ * kZ / (4 * point.n * point.n))) /
        denominator;
    out += fmt::format("<line class=\"whisker\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                       place(point.confidence), upward(std::max(0.0, centre - half)),
                       upward(std::min(1.0, centre + half)));
    out += fmt::format(
        "<circle class=\"dot s1\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>confidence {}, right {}, n {}"
        "</title></circle>",
        place(point.confidence), upward(point.accuracy), 2.5 + (6 * std::sqrt(point.n / most)),
        escape(html::fixed(point.confidence, 3)), escape(html::fixed(point.accuracy, 3)), escape(html::count(point.n)));
  }
  out += fmt::format("<text class=\"axis m\" x=\"{:.1f}\" y=\"{:.1f}\">confidence</text>", place(0.5), kSize - 6);
  out += fmt::format("<text class=\"axis m\" transform=\"translate(10 {:.1f}) rotate(-90)\">share right</text>",
                     upward(0.5));
  return out + "</svg></figure>\n";
}

namespace {

using Edges = std::vector<std::pair<int, int>>;

// The edges without those that lead back along a path from a source (a run that uses what it made itself), each once.
Edges without_cycles(size_t nodes, const Edges& edges) {
  std::vector<std::vector<int>> next(nodes);
  std::vector<bool> has_input(nodes, false);
  for (const auto& [from, to] : edges) {
    next[static_cast<size_t>(from)].push_back(to);
    has_input[static_cast<size_t>(to)] = has_input[static_cast<size_t>(to)] || from != to;
  }
  enum class Mark { kNew, kOnPath, kDone };
  std::vector<Mark> marks(nodes, Mark::kNew);
  std::vector<std::pair<int, size_t>> path;  // a node and how many of its edges have been followed
  Edges kept;
  const auto follow = [&](size_t start) {
    if (marks[start] != Mark::kNew) {
      return;
    }
    marks[start] = Mark::kOnPath;
    path.emplace_back(static_cast<int>(start), 0);
    while (!path.empty()) {
      const int at = path.back().first;
      const std::vector<int>& targets = next[static_cast<size_t>(at)];
      if (path.back().second == targets.size()) {
        marks[static_cast<size_t>(at)] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const int to = targets[path.back().second++];
      Mark& mark = marks[static_cast<size_t>(to)];
      if (mark != Mark::kOnPath) {
        kept.emplace_back(at, to);
      }
      if (mark == Mark::kNew) {
        mark = Mark::kOnPath;
        path.emplace_back(to, 0);
      }
    }
  };
  for (const bool sources : {true, false}) {
    for (size_t i = 0; i < nodes; ++i) {
      if (!has_input[i] || !sources) {
        follow(i);
      }
    }
  }
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

}  // namespace

std::string graph(std::string_view title, const std::vector<GraphNode>& nodes,
                  const std::vector<std::pair<int, int>>& all_edges) {
  const Edges edges = without_cycles(nodes.size(), all_edges);
  constexpr double kBoxWidth = 142;
  constexpr double kBoxHeight = 46;
  constexpr double kGapX = 30;
  constexpr double kGapY = 14;
  // Column of a node: the longest path to it.
  std::vector<int> column(nodes.size(), 0);
  for (size_t round = 0; round < nodes.size(); ++round) {
    bool changed = false;
    for (const auto& [from, to] : edges) {
      const int wanted = column[static_cast<size_t>(from)] + 1;
      if (from != to && column[static_cast<size_t>(to)] < wanted && wanted < static_cast<int>(nodes.size())) {
        column[static_cast<size_t>(to)] = wanted;
        changed = true;
      }
    }
    if (!changed) {
      break;
    }
  }
  // A source stands just before the first that uses it, so that its arrow crosses no other column.
  std::vector<bool> has_input(nodes.size(), false);
  std::vector<int> first_use(nodes.size(), static_cast<int>(nodes.size()));
  for (const auto& [from, to] : edges) {
    has_input[static_cast<size_t>(to)] = true;
    first_use[static_cast<size_t>(from)] =
        std::min(first_use[static_cast<size_t>(from)], column[static_cast<size_t>(to)]);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!has_input[i] && first_use[i] < static_cast<int>(nodes.size())) {
      column[i] = std::max(0, first_use[i] - 1);
    }
  }
  std::vector<int> rows_in(nodes.size() + 1, 0);
  std::vector<std::pair<double, double>> at(nodes.size());
  int columns = 0;
  int rows = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int row = rows_in[static_cast<size_t>(column[i])]++;
    at[i] = {4 + (column[i] * (kBoxWidth + kGapX)), 4 + (row * (kBoxHeight + kGapY))};
    columns = std::max(columns, column[i] + 1);
    rows = std::max(rows, row + 1);
  }
  // Columns shorter than the tallest stand in the middle of its height.
  for (size_t i = 0; i < nodes.size(); ++i) {
    at[i].second += (rows - rows_in[static_cast<size_t>(column[i])]) * (kBoxHeight + kGapY) / 2;
  }
  const double width = (columns * (kBoxWidth + kGapX)) - kGapX + 8;
  const double height = (rows * (kBoxHeight + kGapY)) - kGapY + 8;
  std::string out =
      fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", escape(title)) +
      fmt::format(
          "<svg class=\"graph\" style=\"width:{:.0f}px;max-width:100%;min-width:{:.0f}px\" viewBox=\"0 0 {:.0f} "
          "{:.0f}\" role=\"img\" "
          "aria-label=\"{}\"><defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
          "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/>"
          "</marker></defs>",
          width, 0.75 * width, width, height, escape(title));
  for (const auto& [from, to] : edges) {
    const auto& [x1, y1] = at[static_cast<size_t>(from)];
    const auto& [x2, y2] = at[static_cast<size_t>(to)];
    const double middle = (x1 + kBoxWidth + x2) / 2;
    out += fmt::format(
        "<path class=\"edge\" marker-end=\"url(#arrow)\" d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} "
        "{:.1f}\"/>",
        x1 + kBoxWidth, y1 + (kBoxHeight / 2), middle, y1 + (kBoxHeight / 2), middle, y2 + (kBoxHeight / 2), x2 - 1,
        y2 + (kBoxHeight / 2));
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto& [x, y] = at[i];
    out += fmt::format(
        "<g class=\"node k-{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"9\"/>"
        "<text class=\"kind\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>"
        "<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>",
        escape(nodes[i].kind), x, y, kBoxWidth, kBoxHeight, x + 11, y + 18, escape(nodes[i].subtitle), x + 11, y + 35,
        escape(html::shorten(nodes[i].title, 14)));
  }
  return out + "</svg></div>\n";
}

}  // namespace slipway::govern::charts
