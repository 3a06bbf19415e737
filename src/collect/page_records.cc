#include "collect/page_records.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "data/warc_writer.h"

namespace slipway::collect {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
constexpr size_t kMaxOutlinks = 1000;  // that are told in metadata

std::string id_of(const PageStory& story, std::string_view type) {
  return data::warc_record_id(fmt::format("{}\n{}\n{}\n{}", type, story.url, story.time, story.seed));
}

std::string metadata_of(const PageStory& story) {
  std::string text = fmt::format("hopsFromSeed: {}\r\n", story.depth);
  if (!story.note.empty()) {
    text += fmt::format("notKept: {}\r\n", story.note);
  }
  if (story.canonical != nullptr && *story.canonical) {
    text += fmt::format("canonical: {}\r\n", (*story.canonical)->text());
  }
  for (size_t i = 0; story.links != nullptr && i < std::min(story.links->size(), kMaxOutlinks); ++i) {
    text += fmt::format("outlink: {}\r\n", (*story.links)[i].text());
  }
  return text;
}

std::string request_and_metadata(const Fetched& fetched, const PageStory& story, const std::string& about) {
  const std::string request_id = id_of(story, "request");
  const std::string metadata_id = id_of(story, "metadata");
  Headers with{{"Content-Type", "application/http; msgtype=request"}};
  Headers meta{{"Content-Type", "application/warc-fields"}};
  if (!about.empty()) {
    with.emplace_back("WARC-Concurrent-To", about);
    meta.emplace_back("WARC-Concurrent-To", about);
  }
  return data::gzip_member(data::warc_record({"request", story.url, story.time, request_id, fetched.request, with})) +
         data::gzip_member(data::warc_record({"metadata", story.url, story.time, metadata_id, metadata_of(story), meta}));
}

}  // namespace

std::string payload_digest(std::string_view body, std::string_view algorithm) {
  return algorithm == "sha256" ? base::digest_of(body) : "sha1:" + base::sha1_base32(body);
}

PageRecords page_records(const Fetched& fetched, const PageStory& story) {
  PageRecords records;
  if (!story.note.empty()) {
    records.packed = request_and_metadata(fetched, story, "");
    return records;
  }
  const bool revisit = story.same_as != nullptr && *story.same_as;
  const std::string id = id_of(story, "response");
  Headers headers{{"Content-Type", "application/http; msgtype=response"}};
  if (!story.digest.empty()) {
    headers.emplace_back("WARC-Payload-Digest", story.digest);
  }
  if (!fetched.address.empty()) {
    headers.emplace_back("WARC-IP-Address", fetched.address);
  }
  if (!fetched.cut.empty()) {
    headers.emplace_back("WARC-Truncated", fetched.cut);
  }
  std::string block = fetched.response();
  if (revisit) {
    headers.emplace_back("WARC-Profile", fmt::format("http://netpreserve.org/warc/1.1/revisit/{}",
                                                     fetched.status == 304 ? "server-not-modified" : "identical-payload-digest"));
    headers.emplace_back("WARC-Refers-To-Target-URI", story.url);
    headers.emplace_back("WARC-Refers-To-Date", (*story.same_as)->time);
    block.resize(block.size() - fetched.body.size());
  }
  records.packed = data::gzip_member(data::warc_record({revisit ? "revisit" : "response", story.url, story.time, id, block, headers}));
  records.response_bytes = records.packed.size();
  records.packed += request_and_metadata(fetched, story, id);
  return records;
}

std::string robots_record(std::string_view url, std::string_view time, std::string_view body) {
  const std::string id = data::warc_record_id(fmt::format("robots\n{}\n{}", url, time));
  return data::gzip_member(data::warc_record({"resource", url, time, id, body, {{"Content-Type", "text/plain"}}}));
}

std::string info_record(std::string_view time, std::string_view user_agent) {
  const std::string fields = fmt::format(
      "software: slipway\r\nformat: WARC File Format 1.1\r\n"
      "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
      "robots: obey\r\nhttp-header-user-agent: {}\r\n",
      user_agent);
  const std::string id = data::warc_record_id(fmt::format("warcinfo\n{}", time));
  return data::gzip_member(data::warc_record({"warcinfo", "", time, id, fields, {{"Content-Type", "application/warc-fields"}}}));
}

}  // namespace slipway::collect
