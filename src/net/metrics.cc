#include "net/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <unistd.h>

namespace slipway::net {

namespace {

bool valid_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Backslash, newline and (in label values) the double quote are escaped.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  return fmt::format("{}", value);
}

// OpenMetrics wants bounds as floats: "1.0", not "1"; the text format takes both.
std::string bound_text(double bound) {
  std::string text = fmt::format("{}", bound);
  if (text.find_first_of(".en") == std::string::npos) {
    text += ".0";
  }
  return text;
}

constexpr std::string_view kTotal = "_total";

std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.size() > unit.size() + 1 && name.ends_with(unit) && name[name.size() - unit.size() - 1] == '_') {
      return unit;
    }
  }
  return {};
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {
  if (!std::is_sorted(bounds_.begin(), bounds_.end())) {
    throw std::logic_error("the bounds of a histogram must rise");
  }
}

void Histogram::observe(double value) noexcept {
  const size_t bucket = static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot result;
  result.sum = sum_.load(std::memory_order_relaxed);
  uint64_t count = 0;
  for (const auto& bucket : buckets_) {
    count += bucket.load(std::memory_order_relaxed);
    result.cumulative.push_back(count);
  }
  return result;
}

double Histogram::quantile(double q) const {
  const Snapshot now = snapshot();
  const auto count = static_cast<double>(now.cumulative.back());
  if (count == 0) {
    return 0;
  }
  const double rank = q * count;
  for (size_t i = 0; i < bounds_.size(); ++i) {
    if (static_cast<double>(now.cumulative[i]) >= rank) {
      const double low = i == 0 ? 0 : bounds_[i - 1];
      const double before = i == 0 ? 0 : static_cast<double>(now.cumulative[i - 1]);
      const double inside = static_cast<double>(now.cumulative[i]) - before;
      return inside == 0 ? bounds_[i] : low + (bounds_[i] - low) * (rank - before) / inside;
    }
  }
  return bounds_.empty() ? 0 : bounds_.back();
}

std::vector<double> latency_bounds() {
  return {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
}

struct MetricRegistry::Family {
  struct Child {
    std::string labels;  // rendered without braces: a="x",b="y"
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> read;
  };

  std::string name;
  std::string help;
  Type type = Type::kGauge;
  LabelNames label_names;
  mutable std::shared_mutex mutex;  // guards children
  std::map<LabelValues, Child> children;

  std::string render_labels(const LabelValues& values) const {
    std::string text;
    for (size_t i = 0; i < values.size(); ++i) {
      text += fmt::format("{}{}=\"{}\"", i == 0 ? "" : ",", label_names[i], escaped(values[i], true));
    }
    return text;
  }

  template <class Make>
  Child& child(const LabelValues& values, Make make) {
    if (values.size() != label_names.size()) {
      throw std::logic_error("metric " + name + " has " + std::to_string(label_names.size()) + " labels");
    }
    {
      const std::shared_lock lock(mutex);
      if (const auto it = children.find(values); it != children.end()) {
        return it->second;
      }
    }
    const std::unique_lock lock(mutex);
    const bool full = children.size() >= kMaxChildren && !children.contains(values);
    const LabelValues& key = full ? LabelValues(values.size(), "other") : values;
    const auto [it, is_new] = children.try_emplace(key);
    if (is_new) {
      it->second.labels = render_labels(key);
      make(it->second);
    }
    return it->second;
  }

  void expose_head(Exposition format, std::string& out) const;
  // `before`: rendered labels of the registry, put before those of each sample.
  void expose_samples(const std::string& before, std::string& out) const;
};

void MetricRegistry::Family::expose_head(Exposition format, std::string& out) const {
  const bool open = format == Exposition::kOpenMetrics;
  std::string_view family_name = name;
  if (open && type == Type::kCounter && family_name.ends_with(kTotal)) {
    family_name.remove_suffix(kTotal.size());
  }
  static constexpr std::array<const char*, 3> kTypes = {"counter", "gauge", "histogram"};
  // OpenMetrics escapes quotes in help texts too.
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family_name, escaped(help, open), family_name,
                     kTypes[static_cast<size_t>(type)]);
  if (const std::string_view unit = unit_of(family_name); open && !unit.empty()) {
    out += fmt::format("# UNIT {} {}\n", family_name, unit);
  }
}

void MetricRegistry::Family::expose_samples(const std::string& before, std::string& out) const {
  const std::shared_lock lock(mutex);
  for (const auto& [values, child] : children) {
    const std::string labels = before + (before.empty() || child.labels.empty() ? "" : ",") + child.labels;
    const std::string braces = labels.empty() ? "" : "{" + labels + "}";
    if (type == Type::kHistogram) {
      const Histogram::Snapshot now = child.histogram->snapshot();
      const std::string comma = labels.empty() ? "" : labels + ",";
      const std::vector<double>& bounds = child.histogram->bounds();
      for (size_t i = 0; i < bounds.size(); ++i) {
        out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, comma, bound_text(bounds[i]), now.cumulative[i]);
      }
      out += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", name, comma, now.cumulative.back());
      out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces, number(now.sum), name, braces,
                         now.cumulative.back());
    } else {
      const double value = child.read               ? child.read()
                           : type == Type::kCounter ? child.counter->value()
                                                    : child.gauge->value();
      out += fmt::format("{}{} {}\n", name, braces, number(value));
    }
  }
}

MetricRegistry::Family& MetricRegistry::family(std::string_view name, std::string_view help, Type type,
                                               const LabelNames& names) {
  const auto check = [&](Family& found) -> Family& {
    if (found.type != type || found.label_names != names) {
      throw std::logic_error("metric " + std::string(name) + " was registered with another type or other labels");
    }
    return found;
  };
  {
    const std::shared_lock lock(mutex_);
    if (const auto it = families_.find(name); it != families_.end()) {
      return check(*it->second);
    }
  }
  if (!valid_name(name) || (type == Type::kCounter) != name.ends_with(kTotal)) {
    throw std::logic_error("not a metric's name: " + std::string(name) + " (only counters end in _total)");
  }
  const std::unique_lock lock(mutex_);
  auto& slot = families_[std::string(name)];
  if (!slot) {
    slot = std::make_shared<Family>();
    slot->name = name;
    slot->help = help;
    slot->type = type;
    slot->label_names = names;
  }
  return check(*slot);
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, const LabelNames& names,
                                 const LabelValues& values) {
  return *family(name, help, Type::kCounter, names)
              .child(values, [](Family::Child& child) { child.counter = std::make_unique<Counter>(); })
              .counter;
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, const LabelNames& names,
                             const LabelValues& values) {
  return *family(name, help, Type::kGauge, names)
              .child(values, [](Family::Child& child) { child.gauge = std::make_unique<Gauge>(); })
              .gauge;
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                                     const LabelNames& names, const LabelValues& values) {
  return *family(name, help, Type::kHistogram, names)
              .child(values, [&](Family::Child& child) { child.histogram = std::make_unique<Histogram>(bounds); })
              .histogram;
}

void MetricRegistry::callback(std::string_view name, std::string_view help, std::function<double()> read,
                              const LabelNames& names, const LabelValues& values) {
  family(name, help, name.ends_with(kTotal) ? Type::kCounter : Type::kGauge, names)
      .child(values, [&](Family::Child& child) { child.read = std::move(read); });
}

std::string MetricRegistry::expose(Exposition format) const {
  const LabelledRegistry only{this};
  return net::expose({&only, 1}, format);
}

std::string expose(std::span<const LabelledRegistry> registries, Exposition format) {
  struct Part {
    std::shared_ptr<MetricRegistry::Family> family;
    std::string before;
  };
  std::map<std::string, std::vector<Part>> parts;
  for (const LabelledRegistry& one : registries) {
    std::string before;
    for (const auto& [label, value] : one.labels) {
      before += fmt::format("{}{}=\"{}\"", before.empty() ? "" : ",", label, escaped(value, true));
    }
    const std::shared_lock lock(one.registry->mutex_);
    for (const auto& [name, family] : one.registry->families_) {
      parts[name].push_back({family, before});
    }
  }
  std::string out;
  for (const auto& [name, of_family] : parts) {
    of_family.front().family->expose_head(format, out);
    for (const Part& part : of_family) {
      part.family->expose_samples(part.before, out);
    }
  }
  if (format == Exposition::kOpenMetrics) {
    out += "# EOF\n";
  }
  return out;
}

Response MetricRegistry::response(std::string_view accept) const {
  const LabelledRegistry only{this};
  return metrics_response({&only, 1}, accept);
}

Response metrics_response(std::span<const LabelledRegistry> registries, std::string_view accept) {
  const double open = header_quality(accept, "application/openmetrics-text");
  if (open > 0 && open >= header_quality(accept, "text/plain")) {
    return {200,
            {{"Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8"}},
            expose(registries, Exposition::kOpenMetrics)};
  }
  return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, expose(registries, Exposition::kText)};
}

namespace {

// Fields of /proc/self/stat after the name in parentheses, which may itself hold spaces.
std::vector<double> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t close = line.rfind(')');
  if (close == std::string::npos || close + 4 >= line.size()) {
    return {};
  }
  std::istringstream rest(line.substr(close + 4));
  std::vector<double> fields;  // fields[0] is ppid, the 4th of proc(5)
  for (double value = 0; rest >> value;) {
    fields.push_back(value);
  }
  return fields;
}

double stat_field(size_t number_in_proc5) {
  const std::vector<double> fields = process_stat();
  const size_t i = number_in_proc5 - 4;
  return i < fields.size() ? fields[i] : 0;
}

double open_files() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) {
    return 0;
  }
  double count = -3;  // ".", ".." and the folder's own descriptor
  while (readdir(folder) != nullptr) {
    ++count;
  }
  closedir(folder);
  return count;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    if (word == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
  }
  return 0;
}

}  // namespace

void MetricRegistry::add_process_metrics() {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  callback("process_resident_memory_bytes", "Resident memory size in bytes.", [page] { return stat_field(24) * page; });
  callback("process_virtual_memory_bytes", "Virtual memory size in bytes.", [] { return stat_field(23); });
  callback("process_cpu_seconds_total", "User and system CPU time spent in seconds.",
           [ticks] { return (stat_field(14) + stat_field(15)) / ticks; });
  callback("process_open_fds", "Number of open file descriptors.", open_files);
  callback("process_threads", "Number of threads.", [] { return stat_field(20); });
  const double started = boot_time() + stat_field(22) / ticks;
  callback("process_start_time_seconds", "Start time of the process since 1970 in seconds.",
           [started] { return started; });
}

}  // namespace slipway::net
