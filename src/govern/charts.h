// Charts of the report. Those that are rows (bars, intervals) are HTML, so that they fit any width and are read as
// tables; those that need axes are inline SVG. Colours are classes, so that they follow light and dark. Internal to the
// room.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "govern/html.h"

namespace slipway::govern::charts {

struct Bar {
  std::string label;  // not escaped yet, as all texts here
  double value = 0;
  std::string note;  // shown after the value
  std::string tone;  // "", "pos", "neg", "warn", "muted"
};
// Horizontal bars from 0 to the largest value. `format` turns a value into text.
std::string bars(std::string_view caption, const std::vector<Bar>& rows, std::string (*format)(double));

struct IntervalRow {
  std::string label;
  html::Estimate estimate;
  std::string note;  // a last column, e.g. a p value
  std::string tone;
};
struct IntervalOptions {
  std::string label_head = "Measure";
  std::string note_head = {};                                   // empty: no such column
  double reference = std::numeric_limits<double>::quiet_NaN();  // a vertical line there
  int decimals = 3;
  bool with_sign = false;
  double low = std::numeric_limits<double>::quiet_NaN();  // ends of the axis; NaN: from the data
  double high = std::numeric_limits<double>::quiet_NaN();
};
// A forest plot: each row a point with its interval on one common axis, the numbers beside it.
std::string intervals(std::string_view caption, const std::vector<IntervalRow>& rows, const IntervalOptions& options);

struct Series {
  std::string name;
  std::string style;  // "s1", "s2", "s3", "faint"
  std::vector<std::pair<double, double>> points;
  bool dots = false;
  std::vector<bool> alarms;  // points to mark, when dots
};
struct LineOptions {
  std::string x_label = {};
  bool whole_x = true;  // ticks at whole numbers only: steps, epochs, windows
  double threshold = std::numeric_limits<double>::quiet_NaN();
  bool from_zero = false;
  int height = 210;
};
// Lines over a common x axis; at most 400 points a series are drawn (means of equal pieces).
std::string lines(std::string_view title, const std::vector<Series>& series, const LineOptions& options);

struct Bin {
  double low = 0;
  double high = 0;
  double count = 0;
};
std::string histogram(std::string_view title, const std::vector<Bin>& bins, std::string_view x_label);

struct CalibrationPoint {
  double confidence = 0;
  double accuracy = 0;
  double n = 0;
};
// Confidence against accuracy with the diagonal, Wilson 95 % intervals, areas by n.
std::string calibration(const std::vector<CalibrationPoint>& points);

struct GraphNode {
  std::string title;
  std::string subtitle;
  std::string kind;
};
// Nodes in columns by their distance from the sources, with arrows. `edges` are indices into `nodes`.
std::string graph(std::string_view title, const std::vector<GraphNode>& nodes,
                  const std::vector<std::pair<int, int>>& edges);

}  // namespace slipway::govern::charts
