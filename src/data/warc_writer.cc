#include "data/warc_writer.h"

#include <algorithm>
#include <fmt/format.h>
#include <zlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

void append_header(std::string_view name, std::string_view value, std::string& out) {
  if (name.empty() || (std::string(name) + std::string(value)).find_first_of("\r\n") != std::string::npos) {
    throw Error(Code::kInvalid, fmt::format("a WARC header '{}' with a line break or without a name", name.substr(0, 64)));
  }
  out.append(name).append(": ").append(value).append("\r\n");
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// The parts of `text` between `mark`, in order.
std::vector<std::string> parts_of(std::string_view text, char mark) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t at = text.find(mark);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::string gzip_member(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT: zlib's type for bytes
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) {
    throw Error(Code::kFailure, "zlib could not compress a record");
  }
  return out;
}

std::string warc_record_id(std::string_view seed) {
  std::string hex = base::sha256_hex(seed).substr(0, 32);
  hex[12] = '8';
  hex[16] = "89ab"[hex[16] % 4];
  return fmt::format("<urn:uuid:{}-{}-{}-{}-{}>", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string warc_record(const WarcDraft& draft) {
  std::string record = "WARC/1.1\r\n";
  append_header("WARC-Type", draft.type, record);
  append_header("WARC-Record-ID", draft.id, record);
  append_header("WARC-Date", draft.date, record);
  if (!draft.url.empty()) {
    append_header("WARC-Target-URI", draft.url, record);
  }
  append_header("WARC-Block-Digest", base::digest_of(draft.block), record);
  for (const auto& [name, value] : draft.headers) {
    append_header(name, value, record);
  }
  append_header("Content-Length", std::to_string(draft.block.size()), record);
  return record.append("\r\n").append(draft.block).append("\r\n\r\n");
}

WarcWriter::WarcWriter(std::filesystem::path path, bool gzip) : file_(std::move(path)), gzip_(gzip) {}

WarcEntry WarcWriter::write(std::string_view type, std::string_view url, std::string_view date, std::string_view block,
                            const std::vector<std::pair<std::string, std::string>>& headers) {
  const std::string id = warc_record_id(fmt::format("{}\n{}\n{}\n{}\n{}", file_.size(), type, url, date, block));
  const std::string record = warc_record({type, url, date, id, block, headers});
  const WarcEntry entry{file_.size(), 0};
  file_.write(gzip_ ? gzip_member(record) : record);
  return {entry.offset, file_.size() - entry.offset};
}

std::string surt_key(std::string_view url) {
  std::string rest = lowered(url);
  rest.resize(std::min(rest.find('#'), rest.size()));
  const size_t scheme = rest.find("://");
  if (scheme == std::string::npos) {
    return rest;
  }
  const bool tls = rest.starts_with("https");
  rest.erase(0, scheme + 3);
  const size_t host_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string host = rest.substr(0, host_end);
  rest.erase(0, host_end);
  host.erase(0, host.find('@') == std::string::npos ? 0 : host.find('@') + 1);
  if (host.ends_with(tls ? ":443" : ":80")) {
    host.resize(host.rfind(':'));
  }
  if (host.starts_with("www.")) {
    host.erase(0, 4);
  }
  std::string port;
  if (const size_t colon = host.rfind(':'); colon != std::string::npos && !host.ends_with(']')) {
    port = host.substr(colon);
    host.resize(colon);
  }
  std::vector<std::string> labels = parts_of(host, '.');
  const bool address = !host.empty() && (host.front() == '[' || host.find_first_not_of("0123456789.") == std::string::npos);
  if (!address) {
    std::reverse(labels.begin(), labels.end());
  }
  std::string key;
  for (const std::string& label : labels) {
    key += (key.empty() ? "" : address ? "." : ",") + label;
  }
  key += port + ")";
  const size_t query = rest.find('?');
  key += query == 0 || rest.empty() ? "/" : rest.substr(0, query);
  if (query != std::string::npos) {
    std::vector<std::string> parameters = parts_of(std::string_view(rest).substr(query + 1), '&');
    std::sort(parameters.begin(), parameters.end());
    for (size_t i = 0; i < parameters.size(); ++i) {
      key += (i == 0 ? '?' : '&') + parameters[i];
    }
  }
  return key;
}

std::string cdxj_line(const CdxjEntry& entry) {
  std::string digits;
  std::copy_if(entry.date.begin(), entry.date.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  digits.resize(14, '0');
  return fmt::format("{} {} {}\n", surt_key(entry.url), digits,
                     base::dump_json({{"url", entry.url},
                                      {"mime", entry.mime},
                                      {"status", entry.status},
                                      {"digest", entry.digest},
                                      {"length", std::to_string(entry.where.length)},
                                      {"offset", std::to_string(entry.where.offset)},
                                      {"filename", entry.filename}}));
}

}  // namespace slipway::data
