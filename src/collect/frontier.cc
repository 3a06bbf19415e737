#include "collect/frontier.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "data/warc_writer.h"

namespace slipway::collect {
namespace {

using base::Code;
using base::Error;
constexpr int kVersion = 1;  // stored

// Members of an event; the names are short because there are many (docs/formats/crawl.md).
constexpr const char* kKind = "k";
constexpr const char* kNew = "new";
constexpr const char* kOld = "old";
constexpr const char* kFirst = "a";
constexpr const char* kDates = "l";

}  // namespace

Frontier::Frontier(const std::filesystem::path& folder, Scope& scope) : folder_(folder), scope_(scope), log_(folder / "crawl.log") {
  log_.replay([&](const Json& event, uint64_t offset) {
    const auto file = base::get_or<uint32_t>(event, "w", 0, "crawl.log");
    if (file > 0 && base::get<uint64_t>(event, "n", "crawl.log") > Archive::size_of(folder_, file)) {
      return false;  // of an archive that was moved away everything was forgotten, too: it is fetched again
    }
    replay(event, offset);
    return true;
  });
  resumed_ = round_ > 0 && !complete_;
  for (const UrlKind kind : {UrlKind::kSitemap, UrlKind::kPage}) {  // lists first: they say what has changed
    for (uint32_t id = 0; id < entries_.size(); ++id) {
      if (!complete_ && entries_[id].queued && !entries_[id].done && entries_[id].kind == kind) {
        const std::optional<Url> url = parse_url(entries_[id].url);
        hosts_.push(hosts_.host_of(url ? url->host : ""), id);
      }
    }
  }
}

void Frontier::replay(const Json& event, uint64_t offset) {
  const auto kind = base::get<std::string>(event, kKind, "crawl.log");
  if (kind == "crawl") {
    const int version = base::get<int>(event, "v", "crawl.log");
    if (version != kVersion) {
      throw Error(Code::kIntegrity, fmt::format("the crawl in '{}' is of version {}; this program reads {}", folder_.string(), version,
                                                kVersion));
    }
  } else if (kind == "round") {
    ++round_;
    complete_ = false;
    visited_ = 0;
    for (Entry& entry : entries_) {
      entry.queued = entry.done = false;
    }
  } else if (kind == "end") {
    complete_ = true;
  } else if (kind == "page") {
    const auto id = base::get<uint32_t>(event, "i", "crawl.log");
    if (id >= entries_.size()) {
      throw Error(Code::kIntegrity, fmt::format("'{}' names an address it does not have", (folder_ / "crawl.log").string()));
    }
    entries_[id].done = true;
    visited_ += base::get_or<int>(event, "s", 0, "crawl.log") > 0 ? 1 : 0;
    take_places(event);
    apply_found(event);
    if (event.contains("g")) {
      entries_[id].visit = static_cast<int64_t>(offset);
    }
  } else {  // "seed", "robots"
    take_places(event);
    apply_found(event);
  }
}

void Frontier::take_places(const Json& event) {
  if (event.contains("w")) {
    last_ = {base::get<uint32_t>(event, "w", "crawl.log"), base::get<uint64_t>(event, "o", "crawl.log"),
             base::get<uint64_t>(event, "n", "crawl.log")};
  }
}

// What an event brought, into the tables; the queues of hosts are filled when all is read.
void Frontier::apply_found(const Json& event) {
  const auto news = event.find(kNew);
  if (news != event.end()) {
    for (const Json& one : *news) {
      std::optional<Url> url = parse_url(one.at(0).get<std::string>());
      if (!url) {
        throw Error(Code::kIntegrity, "an address in crawl.log is none");
      }
      Found found{*url, one.at(1).get<int>(), static_cast<UrlKind>(one.at(2).get<int>()), one.at(3).get<int>()};
      std::string_view reason;
      scope_.count(*url, reason);
      const uint32_t id = add(*url, found);
      entries_[id].queued = true;
      if (found.depth == 0 && found.kind == UrlKind::kPage) {
        scope_.add_seed(*url);
      }
    }
  }
  if (const auto dates = event.find(kDates); dates != event.end()) {
    for (const Json& one : *dates) {
      if (const auto id = one.at(0).get<uint32_t>(); id < entries_.size()) {
        entries_[id].modified = one.at(1).get<int64_t>();
      }
    }
  }
  const auto old = event.find(kOld);
  if (old != event.end()) {
    const int depth = base::get_or<int>(event, "d", 0, "crawl.log");
    for (const Json& one : *old) {
      const auto id = one.get<uint32_t>();
      if (id < entries_.size() && !entries_[id].queued) {
        entries_[id].queued = true;
        entries_[id].depth = static_cast<uint8_t>(depth);
      }
    }
  }
}

void Frontier::begin_round(const std::string& time) {
  if (round_ == 0) {
    log_.append({{kKind, "crawl"}, {"v", kVersion}});
  }
  const Json event = {{kKind, "round"}, {"t", time}};
  log_.append(event);
  replay(event, 0);
}

void Frontier::end_round() {
  log_.append({{kKind, "end"}});
  log_.sync();
  complete_ = true;
}

uint32_t Frontier::add(const Url& url, const Found& found) {
  const auto id = static_cast<uint32_t>(entries_.size());
  ids_.try_emplace(base::xxh64(url_key(url)), id);
  entries_.push_back({url.text(), static_cast<uint8_t>(std::min(found.depth, 255)), static_cast<uint8_t>(found.redirects), 0,
                      found.kind, false, false, 0, -1});
  return id;
}

void Frontier::enqueue(uint32_t id, int depth, int redirects) {
  Entry& entry = entries_[id];
  entry.queued = true;
  entry.depth = static_cast<uint8_t>(std::min(depth, 255));
  entry.redirects = static_cast<uint8_t>(redirects);
  const std::optional<Url> url = parse_url(entry.url);
  const size_t host = hosts_.host_of(url ? url->host : "");
  entry.kind == UrlKind::kSitemap ? hosts_.push_front(host, id) : hosts_.push(host, id);
}

void Frontier::add_found(const std::vector<Found>& found, Json& event) {
  Json news = Json::array();
  Json old = Json::array();
  Json dates = Json::array();
  const auto first = static_cast<uint32_t>(entries_.size());
  for (const Found& one : found) {
    const bool seed = one.depth == 0 && one.kind == UrlKind::kPage;
    if (seed) {
      scope_.add_seed(one.url);
    }
    std::string_view reason = one.kind == UrlKind::kPage ? scope_.refuse(one.url, one.depth) : std::string_view{};
    const auto it = ids_.find(base::xxh64(url_key(one.url)));
    // A redirect that only puts the parameters in another order is followed: its source is what was seen.
    const bool known = it != ids_.end() && (one.redirects == 0 || entries_[it->second].url == one.url.text());
    if (reason.empty() && !known) {
      scope_.count(one.url, reason);
    }
    if (!reason.empty()) {
      ++refused_[std::string(reason)];
      continue;
    }
    const uint32_t id = known ? it->second : add(one.url, one);
    if (one.modified > 0) {
      entries_[id].modified = one.modified;
      dates.push_back({id, one.modified});
    }
    if (!known) {
      news.push_back({one.url.text(), one.depth, static_cast<int>(one.kind), one.redirects});
      enqueue(id, one.depth, one.redirects);
    } else {
      old.push_back(id);
      if (!entries_[id].queued) {
        enqueue(id, one.depth, one.redirects);
      }
    }
    event["d"] = one.depth;
  }
  if (!news.empty()) {
    event[kFirst] = first;
    event[kNew] = std::move(news);
  }
  if (!old.empty()) {
    event[kOld] = std::move(old);
  }
  if (!dates.empty()) {
    event[kDates] = std::move(dates);
  }
}

void Frontier::add_seeds(const std::vector<Url>& seeds) {
  std::vector<Found> found;
  for (const Url& seed : seeds) {
    found.push_back({seed, 0, UrlKind::kPage, 0});
  }
  Json event = {{kKind, "seed"}};
  add_found(found, event);
  log_.append(event);
}

std::optional<Visit> Frontier::last_visit(uint32_t id) const {
  if (entries_[id].visit < 0) {
    return std::nullopt;
  }
  const Json event = log_.read(static_cast<uint64_t>(entries_[id].visit));
  const auto text = [&](const char* key) { return base::get_or<std::string>(event, key, "", "crawl.log"); };
  return Visit{text("t"), text("e"), text("m"), text("g"), text("c"), text("x")};
}

std::vector<uint32_t> Frontier::links_of_visit(uint32_t id) const {
  std::vector<uint32_t> links;
  const Json event = log_.read(static_cast<uint64_t>(entries_[id].visit));
  const auto news = event.find(kNew);
  const auto first = base::get_or<uint32_t>(event, kFirst, 0, "crawl.log");
  for (uint32_t i = 0; news != event.end() && i < news->size(); ++i) {
    links.push_back(first + i);
  }
  if (const auto old = event.find(kOld); old != event.end()) {
    for (const Json& one : *old) {
      links.push_back(one.get<uint32_t>());
    }
  }
  return links;
}

void Frontier::page(uint32_t id, Json event, const std::vector<Found>& found, bool unchanged) {
  event[kKind] = "page";
  event["i"] = id;
  std::vector<Found> all = found;
  if (unchanged && entries_[id].visit >= 0) {
    for (const uint32_t link : links_of_visit(id)) {
      if (std::optional<Url> url = link < entries_.size() ? parse_url(entries_[link].url) : std::nullopt) {
        all.push_back({std::move(*url), entries_[id].depth + 1, entries_[link].kind, 0});
      }
    }
  }
  add_found(all, event);
  const uint64_t offset = log_.append(event);
  Entry& entry = entries_[id];
  entry.done = true;
  visited_ += event.value("s", 0) > 0 ? 1 : 0;
  take_places(event);
  if (event.contains("g")) {
    entry.visit = static_cast<int64_t>(offset);
  }
}

void Frontier::robots(Json event, const std::vector<Found>& found) {
  event[kKind] = "robots";
  add_found(found, event);
  log_.append(event);
  take_places(event);
}

std::vector<std::string> Frontier::index() {
  std::vector<std::string> lines;
  log_.replay([&](const Json& event, uint64_t) {
    if (event.contains("b") && event.contains("i")) {
      const auto text = [&](const char* key) { return base::get_or<std::string>(event, key, "", "crawl.log"); };
      const auto id = base::get<uint32_t>(event, "i", "crawl.log");
      data::CdxjEntry entry{entries_.at(id).url, text("t"), text("c"), std::to_string(event.value("s", 0)), text("g"),
                            Archive::name_of(base::get<uint32_t>(event, "w", "crawl.log")), {}};
      entry.where = {base::get<uint64_t>(event, "o", "crawl.log"), base::get<uint64_t>(event, "b", "crawl.log")};
      lines.push_back(data::cdxj_line(entry));
    }
    return true;
  });
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace slipway::collect
