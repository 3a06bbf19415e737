#include "collect/crawl.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "collect/archive.h"
#include "collect/fetch.h"
#include "collect/frontier.h"
#include "collect/page_links.h"
#include "collect/page_records.h"
#include "collect/robots.h"
#include "collect/sitemap.h"
#include "data/http_message.h"
#include "text/charset.h"

namespace slipway::collect {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr double kRobotsAge = 24 * 3600.0;  // seconds; RFC 9309, 2.4
constexpr int kMaxSitemapDepth = 3;
constexpr int kHostFailures = 5;     // in a row, and a host is given up
constexpr double kSyncEvery = 1.0;   // seconds of work that a loss of power may cost

// The robots.txt of an origin.
struct RobotsState {
  Robots rules;
  double fetched = -1e300;
  int tries = 0;
  bool settled = false;  // an answer that holds for a day
};

// What one answer means, made without the lock.
struct Digested {
  Json event;                // of the log, without the places
  std::vector<Found> found;
  std::string records;       // packed
  size_t response_bytes = 0;
  std::string skipped;       // why nothing is kept
  bool stored = false;
  bool unchanged = false;
  bool same_links = false;   // as at the last visit
  bool again = false;        // it is to be tried again
  double wait = 0;           // seconds that the host asked for
};

class Crawl {
 public:
  Crawl(const CrawlOptions& options, base::Context& context)
      : options_(options),
        context_(context),
        agent_(product_token(options.user_agent)),
        scope_(options.scope),
        frontier_(options.out, scope_),
        fetcher_(fetch_options(options)),
        archive_(options.out, frontier_.last_place(), options.max_file_bytes, info_record(now_text(), options.user_agent)),
        random_(options.seed, "crawl") {}

  CrawlSummary run(const std::vector<Url>& seeds) {
    summary_.resumed = frontier_.resumed();
    if (frontier_.complete() && !options_.recrawl) {
      return finish(true);
    }
    if (frontier_.round() == 0 || frontier_.complete()) {
      frontier_.begin_round(now_text());
    }
    frontier_.add_seeds(seeds);
    context_.progress.start("crawl", 0, "pages");
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.concurrency; ++i) {
      threads.emplace_back([this] { work(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (error_) {
      std::rethrow_exception(error_);
    }
    archive_.close();
    frontier_.sync();
    base::check_stop(context_, "the crawl (started again it goes on)");
    const bool done = frontier_.hosts().idle();
    if (done) {
      frontier_.end_round();
      std::string index;
      for (const std::string& line : frontier_.index()) {
        index += line;
      }
      base::write_file_atomic(options_.out / "index.cdxj", index);
    }
    context_.progress.finish(fmt::format("{} pages", summary_.stored));
    return finish(done);
  }

 private:
  static FetchOptions fetch_options(const CrawlOptions& options) {
    FetchOptions fetch;
    fetch.user_agent = options.user_agent;
    fetch.ca_file = options.ca_file;
    fetch.allow_private = options.allow_private;
    fetch.max_body_bytes = options.max_page_bytes;
    fetch.page_timeout = std::chrono::seconds(options.page_timeout);
    fetch.piece_timeout = std::chrono::seconds(std::min(options.page_timeout, 20));
    return fetch;
  }

  std::string now_text() const { return base::iso8601(context_.clock.unix_ms()); }

  CrawlSummary finish(bool complete) {
    summary_.complete = complete;
    summary_.fetched = frontier_.visited();
    summary_.known = frontier_.known();
    summary_.waiting = frontier_.hosts().waiting();
    summary_.round = frontier_.round();
    summary_.refused = frontier_.refused();
    return std::move(summary_);
  }

  bool enough() { return frontier_.visited() + frontier_.hosts().busy() >= options_.max_pages; }

  // One thread: a turn after the other.
  void work() {
    std::unique_lock lock(mutex_);
    try {
      while (!error_ && !context_.stop.stop_requested() && !frontier_.hosts().idle()) {
        const double now = base::monotonic_seconds();
        std::optional<Hosts::Turn> turn;
        if (!enough()) {
          turn = frontier_.hosts().take(now);
        } else if (frontier_.hosts().busy() == 0) {
          break;
        }
        if (turn) {
          take_turn(*turn, lock);
          changed_.notify_all();
          continue;
        }
        const double wake = frontier_.hosts().next_time().value_or(now + 1);
        // The stop token is looked at ten times a second.
        changed_.wait_for(lock, std::chrono::duration<double>(std::clamp(wake - now, 0.001, 0.1)));
      }
    } catch (...) {
      error_ = std::current_exception();
    }
    changed_.notify_all();
  }

  double pause_of(const RobotsState* robots) {
    const double own = options_.delay * (1 + options_.jitter * random_.uniform());
    return robots != nullptr && robots->rules.crawl_delay() ? std::max(own, *robots->rules.crawl_delay()) : own;
  }

  void take_turn(const Hosts::Turn& turn, std::unique_lock<std::mutex>& lock) {
    const std::optional<Url> url = parse_url(frontier_.entry(turn.item).url);
    RobotsState& robots = robots_[url->origin()];
    if (!robots.settled || base::monotonic_seconds() - robots.fetched > kRobotsAge) {
      fetch_robots(*url, turn, robots, lock);
      return;
    }
    if (!robots.rules.allows(url->target())) {
      skip(turn.item, "robots.txt");
      frontier_.hosts().done(turn.host, base::monotonic_seconds());
      return;
    }
    const Frontier::Entry entry = frontier_.entry(turn.item);
    const std::optional<Visit> last = frontier_.last_visit(turn.item);
    if (last && options_.lastmod && unchanged_since(entry, *last)) {  // it leads where it led
      ++summary_.skipped["lastmod"];
      frontier_.page(turn.item, {{"s", 0}, {"x", "lastmod"}, {"t", now_text()}}, {}, true);
      frontier_.hosts().done(turn.host, base::monotonic_seconds());
      return;
    }
    lock.unlock();
    Digested digested;
    try {
      const Fetched fetched = get(*url, entry, last);
      digested = digest(*url, entry, last, fetched);
    } catch (...) {
      lock.lock();
      throw;
    }
    lock.lock();
    settle(turn, robots, std::move(digested));
  }

  // By its sitemap: changed before our last visit, which is not too long ago.
  bool unchanged_since(const Frontier::Entry& entry, const Visit& last) const {
    const int64_t visited = time_of_lastmod(last.time);
    const int64_t now = context_.clock.unix_ms() / 1000;
    return entry.modified > 0 && entry.modified < visited && now - visited < int64_t{options_.max_age} * 86'400;
  }

  Fetched get(const Url& url, const Frontier::Entry& entry, const std::optional<Visit>& last) {
    net::Headers headers;
    if (last && !last->etag.empty()) {
      headers.add("If-None-Match", last->etag);
    }
    if (last && !last->modified.empty()) {
      headers.add("If-Modified-Since", last->modified);
    }
    return fetcher_.get(url, headers, [&](std::string_view type) {
      const bool list = entry.kind == UrlKind::kSitemap || (entry.depth == 0 && type.find("xml") != std::string_view::npos);
      return list || type.empty() || std::find(options_.types.begin(), options_.types.end(), type) != options_.types.end();
    });
  }

  // Of /robots.txt of the origin, over redirects of any host (RFC 9309, 2.3.1.2). Costs the host a turn.
  void fetch_robots(const Url& url, const Hosts::Turn& turn, RobotsState& robots, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    Url at{url.scheme, url.host, url.port, "/robots.txt", ""};
    const std::string file = at.text();
    Fetched fetched;
    std::string body;
    std::string fault;
    try {
      for (int hop = 0; hop <= options_.max_redirects; ++hop) {
        fetched = fetcher_.get(at, {}, [](std::string_view) { return true; });
        if (fetched.status < 300 || fetched.status > 399) {
          break;
        }
        const std::optional<Url> next = resolve_url(at, fetched.headers.get("Location"));
        fetched.status = 404;  // more of them than allowed, or to nowhere: as if there were none
        if (!next) {
          break;
        }
        at = *next;
      }
      body = plain_body(fetched, fault);
    } catch (...) {
      lock.lock();
      throw;
    }
    lock.lock();
    const double now = base::monotonic_seconds();
    robots.fetched = now;
    if (fetched.is_private && at.host == url.host) {
      give_up(turn, "private address");
      return;
    }
    const bool failed = fetched.status == 0 || fetched.status == 429 || fetched.status >= 500 || !fault.empty();
    if (failed && !fetched.is_private && ++robots.tries <= options_.retries) {
      frontier_.hosts().push_front(turn.host, turn.item);
      const double asked = retry_after(fetched.headers.get("Retry-After"), static_cast<double>(context_.clock.unix_ms()) / 1000);
      frontier_.hosts().done(turn.host, now + std::max(std::min<double>(asked, options_.max_wait), back_off(robots.tries)));
      return;
    }
    robots.settled = true;
    robots.tries = 0;
    const bool good = fetched.status >= 200 && fetched.status < 300;
    robots.rules = failed ? Robots::nothing_allowed() : good ? Robots::parse(body, agent_) : Robots();
    if (fetched.status == 0 && at.host == url.host) {
      give_up(turn, "no answer");
      return;
    }
    Json event = {{"r", url.origin()}, {"s", fetched.status}, {"t", now_text()}};
    std::vector<Found> found;
    for (const std::string& map : options_.sitemaps && good ? robots.rules.sitemaps() : std::vector<std::string>{}) {
      if (std::optional<Url> one = resolve_url(at, map)) {
        found.push_back({std::move(*one), 0, UrlKind::kSitemap, 0});
      }
    }
    if (good) {
      place(archive_.append(robots_record(file, now_text(), body)), event);
    }
    frontier_.robots(std::move(event), found);
    frontier_.hosts().push_front(turn.host, turn.item);
    frontier_.hosts().done(turn.host, now + pause_of(&robots));
  }

  static void place(const Archive::Place& place, Json& event) {
    event["w"] = place.file;
    event["o"] = place.offset;
    event["n"] = place.end;
  }

  double back_off(int tries) { return options_.delay * static_cast<double>(1U << std::min(tries, 10)) * (1 + options_.jitter * random_.uniform()); }

  // The body with content coding undone; `fault`: why it cannot be.
  static std::string plain_body(const Fetched& fetched, std::string& fault) {
    data::HttpMessage message;
    const std::string response = fetched.response();
    data::parse_http_response(response, kMaxSitemapBytes, message);
    fault = message.fault;
    return std::string(message.body);
  }

  void skip(uint32_t item, const char* reason, int status = 0) {
    ++summary_.skipped[reason];
    frontier_.page(item, {{"s", status}, {"x", reason}, {"t", now_text()}}, {});
  }

  // The host's waiting addresses are done with, for this round.
  void give_up(const Hosts::Turn& turn, const char* reason) {
    skip(turn.item, reason);
    for (const uint32_t item : frontier_.hosts().drain(turn.host)) {
      skip(item, reason);
    }
    frontier_.hosts().done(turn.host, base::monotonic_seconds());
  }

  // Without the lock.
  Digested digest(const Url& url, const Frontier::Entry& entry, const std::optional<Visit>& last, const Fetched& fetched) {
    Digested out;
    const std::string time = now_text();
    out.event = {{"s", fetched.status}, {"t", time}};
    if (fetched.status == 0) {
      out.skipped = fetched.is_private ? "private address" : "no answer";
      out.again = !fetched.is_private;
      return out;
    }
    if (fetched.status == 429 || fetched.status >= 500) {
      out.skipped = fmt::format("status {}", fetched.status);
      out.again = true;
      out.wait = retry_after(fetched.headers.get("Retry-After"), static_cast<double>(context_.clock.unix_ms()) / 1000);
      return out;
    }
    if (fetched.status == 304 && last) {
      keep_unchanged(url, entry, *last, fetched, time, out);
    } else if (fetched.status >= 300 && fetched.status < 400) {
      keep_redirect(url, entry, fetched, time, out);
    } else if (fetched.status < 200 || fetched.status > 299) {
      out.skipped = fmt::format("status {}", fetched.status);
    } else if (fetched.unwanted) {
      out.skipped = "type " + media_type(fetched.headers.get("Content-Type"));
    } else {
      keep_page(url, entry, last, fetched, time, out);
    }
    return out;
  }

  void keep_unchanged(const Url& url, const Frontier::Entry& entry, const Visit& last, const Fetched& fetched, const std::string& time,
                      Digested& out) const {
    const std::optional<Visit> same = last;
    remember(fetched, last.digest, out);
    out.event["e"] = last.etag;
    out.event["m"] = last.modified;
    out.event["c"] = last.type;
    out.same_links = true;
    out.skipped = last.note;
    const std::string text = url.text();
    const std::string_view note = last.note == "sitemap" ? std::string_view{} : last.note;
    store({text, time, "", last.digest, entry.depth, note, nullptr, nullptr, &same}, fetched, out);
    out.stored = out.unchanged = last.note.empty();
  }

  void keep_redirect(const Url& url, const Frontier::Entry& entry, const Fetched& fetched, const std::string& time, Digested& out) const {
    std::optional<Url> next = resolve_url(url, fetched.headers.get("Location"));
    out.skipped = "redirect";
    if (!next || entry.redirects >= options_.max_redirects) {
      out.skipped = next ? "too many redirects" : "redirect to nowhere";
    } else {
      out.found.push_back({std::move(*next), entry.depth, entry.kind, entry.redirects + 1});
    }
    const std::string text = url.text();
    store({text, time, "", payload_digest(fetched.body, options_.digest), entry.depth, "", nullptr, nullptr, nullptr}, fetched, out);
    out.stored = false;
  }

  void keep_page(const Url& url, const Frontier::Entry& entry, const std::optional<Visit>& last, const Fetched& fetched,
                 const std::string& time, Digested& out) const {
    const std::string type = media_type(fetched.headers.get("Content-Type"));
    const std::string digest = payload_digest(fetched.body, options_.digest);
    remember(fetched, digest, out);
    if (!fetched.cut.empty()) {
      out.event["cut"] = fetched.cut;
    }
    std::string fault;
    std::string body = plain_body(fetched, fault);
    if (!fault.empty()) {  // kept as it came; who reads the archive meets the same
      out.event["fault"] = fault;
    }
    PageLinks page;
    const bool list = entry.kind == UrlKind::kSitemap || (entry.depth == 0 && looks_like_sitemap(body));
    if (list) {
      read_sitemap(url, entry, std::move(body), out);
    } else if (type.find("html") != std::string::npos || type.empty()) {
      std::string converted;
      const text::Utf8Text utf8 =
          text::to_utf8(body, text::charset_of_content_type(fetched.headers.get("Content-Type")), converted);
      page = links_of(utf8.bytes, url, agent_);
    }
    read_wishes(fetched, page.wishes);
    if (!page.wishes.no_follow) {
      for (const Url& link : page.links) {
        out.found.push_back({link, entry.depth + 1, UrlKind::kPage, 0});
      }
      if (page.canonical) {
        out.found.push_back({*page.canonical, entry.depth + 1, UrlKind::kPage, 0});
      }
    }
    const bool reserved = page.wishes.no_ai && !options_.keep_reserved;
    const std::string note = page.wishes.no_index ? "noindex" : reserved ? "reserved" : "";
    const bool same = last && last->digest == digest;
    const std::optional<Visit> same_as = same ? last : std::nullopt;
    const std::string text = url.text();
    store({text, time, "", digest, entry.depth, note, &page.links, &page.canonical, &same_as}, fetched, out);
    out.stored = note.empty() && !list;
    out.unchanged = out.stored && same;
    out.skipped = list ? "sitemap" : note;
  }

  void read_sitemap(const Url& url, const Frontier::Entry& entry, std::string body, Digested& out) const {
    if (body.starts_with("\x1f\x8b")) {  // a file that is compressed, not a coding of HTTP
      std::string unpacked;
      const std::string fault = data::undo_coding("gzip", body, kMaxSitemapBytes, unpacked);
      if (!fault.empty()) {
        out.event["fault"] = fault;
      }
      body = std::move(unpacked);
    }
    const Sitemap map = parse_sitemap(body);
    const int depth = entry.kind == UrlKind::kSitemap ? entry.depth : 0;
    if (map.cut) {
      out.event["cut"] = "sitemap";
    }
    if (map.index && depth >= kMaxSitemapDepth) {
      return;
    }
    for (size_t i = 0; i < map.urls.size(); ++i) {
      std::optional<Url> target = resolve_url(url, map.urls[i]);
      if (target && (!map.index || target->host == url.host)) {
        out.found.push_back(
            {std::move(*target), map.index ? depth + 1 : 1, map.index ? UrlKind::kSitemap : UrlKind::kPage, 0, map.modified[i]});
      }
    }
  }

  void read_wishes(const Fetched& fetched, RobotsWishes& wishes) const {
    for (const auto& [name, value] : fetched.headers) {
      if (net::equal_ignoring_case(name, "X-Robots-Tag")) {
        wishes.add_header(value, agent_);
      } else if (net::equal_ignoring_case(name, "TDM-Reservation")) {
        wishes.no_ai = wishes.no_ai || value == "1";
      }
    }
  }

  static void remember(const Fetched& fetched, const std::string& digest, Digested& out) {
    out.event["e"] = std::string(fetched.headers.get("ETag"));
    out.event["m"] = std::string(fetched.headers.get("Last-Modified"));
    out.event["c"] = media_type(fetched.headers.get("Content-Type"));
    out.event["g"] = digest;
  }

  static void store(const PageStory& story, const Fetched& fetched, Digested& out) {
    PageRecords records = page_records(fetched, story);
    out.records = std::move(records.packed);
    out.response_bytes = records.response_bytes;
    out.stored = true;
  }

  // With the lock.
  void settle(const Hosts::Turn& turn, const RobotsState& robots, Digested digested) {
    Hosts& hosts = frontier_.hosts();
    const double now = base::monotonic_seconds();
    const double pause = pause_of(&robots);
    Frontier::Entry& entry = frontier_.entry(turn.item);
    const bool no_answer = digested.event.value("s", 0) == 0;
    int& failures = failures_[turn.host];
    failures = no_answer ? failures + 1 : 0;
    if (digested.again && entry.tries < options_.retries && digested.wait <= options_.max_wait && failures < kHostFailures) {
      ++entry.tries;
      hosts.push_front(turn.host, turn.item);
      hosts.done(turn.host, now + std::max({pause, digested.wait, digested.wait < 0 || no_answer ? back_off(entry.tries) : 0.0}));
      return;
    }
    if (no_answer && failures >= kHostFailures) {
      give_up(turn, "host does not answer");
      return;
    }
    if (!digested.skipped.empty()) {
      digested.event["x"] = digested.skipped;
      ++summary_.skipped[digested.skipped];
    }
    if (!digested.records.empty()) {
      const Archive::Place where = archive_.append(digested.records);
      place(where, digested.event);
      if (digested.response_bytes > 0) {
        digested.event["b"] = digested.response_bytes;
      }
      summary_.bytes += where.end - where.offset;
    }
    summary_.stored += digested.stored ? 1 : 0;
    summary_.unchanged += digested.unchanged ? 1 : 0;
    frontier_.page(turn.item, std::move(digested.event), digested.found, digested.same_links);
    hosts.done(turn.host, now + std::max(pause, digested.wait));
    if (now - synced_ > kSyncEvery) {
      archive_.sync();
      frontier_.sync();
      synced_ = now;
    }
    context_.progress.update(static_cast<int64_t>(frontier_.visited()), fmt::format("{} waiting", hosts.waiting()));
  }

  const CrawlOptions& options_;
  base::Context& context_;
  const std::string agent_;
  std::mutex mutex_;  // guards all below but fetcher_
  std::condition_variable changed_;
  Scope scope_;
  Frontier frontier_;
  Fetcher fetcher_;
  Archive archive_;
  base::Rng random_;
  std::unordered_map<std::string, RobotsState> robots_;  // by origin; references stay
  std::unordered_map<size_t, int> failures_;             // of hosts, in a row
  CrawlSummary summary_;
  std::exception_ptr error_;
  double synced_ = 0;
};

}  // namespace

void CrawlOptions::describe(base::FieldTable& table) {
  table.add("scope", scope.reach, "which hosts: those of the URLs, those and below them, or any", {"host", "domain", "any"});
  table.add("domains", scope.domains, "these and what is below them, too");
  table.add("exclude_domains", scope.exclude_domains, "not these and what is below them");
  table.add("include", scope.include, "only addresses that match one of these patterns (RE2)");
  table.add("exclude", scope.exclude, "no address that matches one of these patterns (RE2)");
  table.add("depth", scope.depth, "links from a URL that was given", {0, 100});
  table.add("max_pages", max_pages, "answers after which it stops", {1, 1e12});
  table.add("max_pages_per_host", scope.max_urls_per_host, "addresses of one host", {1, 1e12});
  table.add("max_queries", scope.max_queries, "addresses that differ in their query only", {1, 1e9});
  table.add("delay", delay, "seconds between two requests to a host; Crawl-delay of robots.txt may ask for more", {0, 86'400});
  table.add("jitter", jitter, "of the delay, at random on top", {0, 10});
  table.add("concurrency", concurrency, "hosts at a time", {1, 256});
  table.add("types", types, "media types that are kept");
  table.add("page_timeout", page_timeout, "seconds for a page", {1, 3600});
  table.add("retries", retries, "of no answer, 429 and 5xx", {0, 10});
  table.add("max_wait", max_wait, "seconds that Retry-After may ask for; more is left for the next round", {0, 86'400});
  table.add("digest", digest, "of payloads", {"sha1", "sha256"});
  table.add("sitemaps", sitemaps, "read the sitemaps that robots.txt names");
  table.add("keep_reserved", keep_reserved, "keep pages that ask not to be used for training (noai, TDM-Reservation), too");
  table.add("allow_private", allow_private, "connect to addresses that are not on the public Internet, too");
  table.add("lastmod", lastmod, "recrawl: do not ask for pages that their sitemap calls older than the last visit");
  table.add("max_age", max_age, "recrawl: days after which they are asked nevertheless", {0, 36'500});
  table.add("recrawl", recrawl, "of a complete crawl: again, asking for what has changed");
  table.add("ca_file", ca_file, "PEM file of authorities to trust");
  table.add("user_agent", user_agent, "how it names itself; robots.txt is asked about the name before the first '/'");
}

Json CrawlSummary::to_json() const {
  Json skipped_json = Json::object();
  for (const auto& [reason, n] : skipped) {
    skipped_json[reason] = n;
  }
  Json refused_json = Json::object();
  for (const auto& [reason, n] : refused) {
    refused_json[reason] = n;
  }
  return {{"round", round},       {"complete", complete}, {"resumed", resumed}, {"fetched", fetched},
          {"stored", stored},     {"unchanged", unchanged}, {"bytes", bytes},   {"known", known},
          {"waiting", waiting},   {"skipped", skipped_json}, {"refused", refused_json}};
}

CrawlSummary crawl(const CrawlOptions& options, base::Context& context) {
  if (product_token(options.user_agent).empty()) {
    throw Error(Code::kInvalid, fmt::format("the user agent '{}' should begin with a name of letters, '-' and '_'", options.user_agent));
  }
  if (options.user_agent.find_first_of("\r\n") != std::string::npos) {
    throw Error(Code::kInvalid, "a line break in the user agent");
  }
  if (options.max_page_bytes > (uint64_t{48} << 20)) {
    throw Error(Code::kInvalid, "--max-page-size: at most 48 MiB; a record of 64 MiB is what readers take");
  }
  std::vector<Url> seeds;
  for (const std::string& seed : options.seeds) {
    const bool bare = seed.find("://") == std::string::npos;
    std::optional<Url> url = parse_url(bare ? "https://" + seed : seed);
    if (!url) {
      throw Error(Code::kInvalid, fmt::format("'{}' is no address of the form http://HOST/PATH or https://HOST/PATH", seed));
    }
    seeds.push_back(std::move(*url));
  }
  base::make_dirs(options.out);
  return Crawl(options, context).run(seeds);
}

}  // namespace slipway::collect
