// The write side of Xet's content-addressed storage, which current clients use for every large file: xorbs are kept as they
// come, a shard makes files of them, held to their SHA-256. The read side is hub_xet_read.cc.
//
// A client remembers which chunks it has sent where, and does not send them again. So the address it is given changes each
// week, and xorbs are kept for two: what it remembers of an address is still here.
#include <fmt/format.h>
#include <map>

#include "api/hub.h"
#include "api/spool.h"
#include "api/upload.h"
#include "api/xet_format.h"
#include "base/file.h"

namespace slipway::api {
namespace {

constexpr int64_t kEpochMs = int64_t{7} * 24 * 3600 * 1000;
constexpr int64_t kTokenSeconds = 3600;
constexpr uint64_t kMaxFile = uint64_t{1} << 40;

std::string name_of_xorb(std::string_view hash) {
  if (!is_xet_hash(hash)) {
    throw HubError(400, "", "a xorb's name is 64 hex digits");
  }
  return fmt::format("xorb/{}", hash);
}

net::Response token(const Backend& backend, const HubKind& kind, const net::Request& request) {
  hub_repo(backend, kind, request);
  return xet_token_answer(backend, request, fmt::format("{}/xet/{}", origin_of(backend, request), backend.clock.unix_ms() / kEpochMs), "/xet/");
}

net::Response take_xorb(const Backend& backend, const net::Request& request) {
  const std::string name = name_of_xorb(request.param("hash"));
  auto* upload = dynamic_cast<Upload*>(request.sink.get());
  if (upload == nullptr) {
    throw HubError(503, "", "there is no room for the xorb; try again");
  }
  record::HubFiles& files = backend.store.hub().files();
  const record::TreeFile blob = upload->commit();
  read_xorb(base::MappedFile(files.blob_of(blob.digest)).bytes());  // refuses what is none
  const auto known = files.find_named(name);
  files.name_upload(name, blob.digest);
  return net::json_response({{"was_inserted", !known.has_value()}});
}

// Files being put together out of xorbs, each mapped once.
class Builder {
 public:
  explicit Builder(record::HubFiles& files) : files_(files) {}

  void build(const XetFile& file) {
    if (file.sha256 && files_.find_upload("sha256:" + *file.sha256)) {
      return;
    }
    const auto whole = files_.begin_upload(false);
    uint64_t size = 0;
    std::string piece;
    for (const XetTerm& term : file.terms) {
      const Xorb& xorb = open(term.xorb);
      if (term.begin >= term.end || term.end > xorb.chunks.size()) {
        throw HubError(400, "", fmt::format("the xorb {} has {} chunks, not {} to {}", term.xorb, xorb.chunks.size(), term.begin, term.end));
      }
      uint64_t unpacked = 0;
      for (uint32_t i = term.begin; i < term.end; ++i) {
        piece.clear();
        unpack_chunk(xorb.chunks[i], piece);
        whole->write(piece);
        unpacked += piece.size();
      }
      size += unpacked;
      if (unpacked != term.size || size > kMaxFile) {
        throw HubError(400, "", fmt::format("chunks {} to {} of the xorb {} have {} bytes, not {}", term.begin, term.end, term.xorb,
                                            unpacked, term.size));
      }
    }
    const record::TreeFile made = whole->commit();
    if (file.sha256 && made.digest != "sha256:" + *file.sha256) {
      throw HubError(400, "", fmt::format("a file's chunks have the digest {}, not sha256:{}", made.digest, *file.sha256));
    }
  }

 private:
  struct Xorb {
    base::MappedFile bytes;
    std::vector<XetChunk> chunks;
  };

  const Xorb& open(const std::string& hash) {
    const auto there = xorbs_.find(hash);
    if (there != xorbs_.end()) {
      return there->second;
    }
    const auto digest = files_.find_named(name_of_xorb(hash));
    if (!digest || !files_.find_upload(*digest)) {  // which keeps it for another while
      throw HubError(400, "", fmt::format("the xorb {} is not here: upload it first", hash));
    }
    Xorb& xorb = xorbs_[hash];
    xorb.bytes = base::MappedFile(files_.blob_of(*digest));
    xorb.chunks = read_xorb(xorb.bytes.bytes());
    return xorb;
  }

  record::HubFiles& files_;
  std::map<std::string, Xorb> xorbs_;
};

net::Response take_shard(const Backend& backend, const net::Request& request) {
  const base::MappedFile body = Spool::body_of(request);
  Builder builder(backend.store.hub().files());
  for (const XetFile& file : read_shard(body.bytes())) {
    builder.build(file);
  }
  return net::json_response({{"result", 1}});
}

}  // namespace

net::Response xet_token_answer(const Backend& backend, const net::Request& request, const std::string& url, std::string_view place) {
  const int64_t end = backend.clock.unix_ms() / 1000 + kTokenSeconds;
  const std::string ticket = backend.authority == nullptr ? "" : backend.authority->ticket(request, place);
  const std::string token = ticket.empty() ? "local" : ticket;  // where nobody is asked it says nothing
  net::Response response = net::json_response({{"accessToken", token}, {"exp", end}, {"casUrl", url}});
  response.headers.add("X-Xet-Cas-Url", url);
  response.headers.add("X-Xet-Access-Token", token);
  response.headers.add("X-Xet-Token-Expiration", std::to_string(end));
  return response;
}

void add_hub_xet_routes(Routes& routes, Backend& backend) {
  for (const HubKind& kind : kHubKinds) {
    routes.add_at("GET", std::string(kind.api) + "/{ns}/{repo}/xet-write-token/{rev}",
                  [&](const net::Request& request) { return token(backend, kind, request); }, needs(Role::kEditor));
  }
  const auto sink = [&backend](const net::Request&) -> std::shared_ptr<net::BodySink> {
    return std::make_shared<Upload>([&backend] { return backend.store.hub().files().begin_upload(true); });
  };
  // Contents, of which a commit makes files of a repository: there it is asked whose that is.
  const Permission contents{Role::kEditor, true, {}};
  routes.add_upload_at(
      "POST", "/xet/{epoch}/v1/xorbs/{prefix}/{hash}", kMaxXorbBytes, sink,
      [&](const net::Request& request) { return take_xorb(backend, request); }, contents);
  routes.add_upload_at(
      "POST", "/xet/{epoch}/v1/shards", kMaxShardBytes, Spool::make,
      [&](const net::Request& request) { return take_shard(backend, request); }, contents);
}

}  // namespace slipway::api
