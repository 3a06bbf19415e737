// What the tests of this room share: a context, files, sources read into memory, generated documents.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/document.h"
#include "data/frames.h"
#include "data/plan.h"
#include "data/source.h"
#include "support/support.h"

namespace slipway::data {

// A silent context with its own pool.
struct TestContext {
  explicit TestContext(int threads = 2) : pool(threads), context{pool, log, clock, progress, stop.get_token()} {}
  base::Pool pool;
  base::Log log;
  base::FixedClock clock{0};
  base::SilentProgress progress;
  std::stop_source stop;
  base::Context context;
};

struct ReadResult {
  std::vector<Document> documents;
  SourceCounts counts;
};

inline ReadResult read_all(const Json& options, const std::filesystem::path& root) {
  TestContext test;
  ReadResult result;
  read_source(
      parse_source_options(options, "test"), root, test.context,
      [&](Document&& document) { result.documents.push_back(std::move(document)); }, result.counts);
  return result;
}

// The message of the Error that `body` throws; fails the test when it throws none or with another code.
template <class Body>
std::string error_of(base::Code code, Body&& body) {
  try {
    body();
  } catch (const base::Error& error) {
    EXPECT_EQ(base::code_name(error.code()), std::string(base::code_name(code))) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

// A text of `words` made-up words.
inline std::string random_text(base::Rng& rng, size_t words) {
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    text += text.empty() ? "" : " ";
    for (uint64_t n = 3 + rng.below(6); n > 0; --n) {
      text += static_cast<char>('a' + rng.below(26));
    }
  }
  return text;
}

inline Document make_document(const std::string& text, const std::string& label, const std::string& source = "s") {
  return {document_id(source, text), text, label, source, Json::object()};
}

// Lays documents out as a step's folder.
inline void write_documents(const std::filesystem::path& folder, const std::vector<Document>& documents,
                            base::Pool& pool) {
  base::make_dirs(folder);
  FrameWriter writer(folder / kDocumentsFile, pool);
  std::string line;
  for (const Document& document : documents) {
    line.clear();
    append_line(document, line);
    writer.append(line);
  }
  writer.finish();
}

inline std::vector<Document> read_documents(const std::filesystem::path& file) {
  TestContext test;
  std::vector<Document> all;
  for_each_batch(file, test.context, "test", [&](std::vector<Document>& documents, uint64_t) {
    all.insert(all.end(), documents.begin(), documents.end());
  });
  return all;
}

}  // namespace slipway::data
