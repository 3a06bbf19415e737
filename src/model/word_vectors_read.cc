#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "model/load.h"
#include "model/word_vectors.h"

namespace slipway::model {

using base::Code;
using base::Error;

namespace {

constexpr int32_t kFastTextMagic = 793712314;
constexpr int32_t kFastTextVersion = 12;

template <class T>
bool parse_all(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

// Reads one file into one WordVectors.
class WordVectorReader {
 public:
  WordVectorReader(const std::filesystem::path& path, int64_t max_words)
      : path_(path), source_(path.string()), max_words_(max_words > 0 ? std::min(max_words, kMaxWords) : kMaxWords) {}
  WordVectors read();

 private:
  struct Header {
    int64_t words = 0;
    int64_t dim = 0;
  };
  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Code::kIntegrity, fmt::format("{}: no file of word vectors: {}", source_, what));
  }
  [[noreturn]] void refused(const std::string& what) const {
    throw Error(Code::kInvalid, fmt::format("{}: {}", source_, what));
  }
  static std::optional<Header> parse_header(std::string_view line);
  void check(int64_t words, int64_t dim) const;
  bool add(std::string_view word, const float* values);
  void read_text();
  void parse_line(std::string_view line, uint64_t number, std::vector<float>& values);
  void read_word2vec_binary(std::string_view bytes, const Header& header, size_t at);
  void read_fasttext(std::string_view bytes);
  std::string_view take(std::string_view bytes, size_t& at, uint64_t count) const;
  template <class T>
  T number(std::string_view bytes, size_t& at) const {
    return load<T>(take(bytes, at, sizeof(T)).data());
  }

  std::filesystem::path path_;
  std::string source_;
  int64_t max_words_;
  WordVectors out_;
  std::unordered_map<std::string, bool> seen_;
};

// "400000 300"
std::optional<WordVectorReader::Header> WordVectorReader::parse_header(std::string_view line) {
  while (line.ends_with(' ') || line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const size_t space = line.find(' ');
  Header header;
  const bool good = space != std::string_view::npos && parse_all(line.substr(0, space), header.words) &&
                    parse_all(line.substr(space + 1), header.dim);
  return good ? std::optional(header) : std::nullopt;
}

void WordVectorReader::check(int64_t words, int64_t dim) const {
  if (words < 1 || words > kMaxWords || dim < 1 || dim > kMaxVectorDim) {
    refused(fmt::format("{} words of {} dimensions; allowed are up to {} words of up to {}", words, dim, kMaxWords,
                        kMaxVectorDim));
  }
}

// False when enough words were read.
bool WordVectorReader::add(std::string_view word, const float* values) {
  if (word.size() > kMaxWordBytes) {
    damaged(fmt::format("word {} has more than {} bytes", out_.words_.size() + 1, kMaxWordBytes));
  }
  if (seen_.emplace(std::string(word), true).second) {
    out_.words_.emplace_back(word);
    out_.matrix_.insert(out_.matrix_.end(), values, values + out_.dim_);
  }
  return static_cast<int64_t>(out_.words_.size()) < max_words_;
}

// The last dim fields are the vector, what is before them the word (GloVe's 840B file has words with spaces).
void WordVectorReader::parse_line(std::string_view line, uint64_t number, std::vector<float>& values) {
  while (line.ends_with(' ')) {
    line.remove_suffix(1);
  }
  values.resize(static_cast<size_t>(out_.dim_));
  for (size_t i = values.size(); i > 0; --i) {
    const size_t space = line.rfind(' ');
    if (space == std::string_view::npos || !parse_all(line.substr(space + 1), values[i - 1]) ||
        !std::isfinite(values[i - 1])) {
      damaged(fmt::format("line {} has no {} numbers behind a word", number, out_.dim_));
    }
    line = line.substr(0, space);
  }
  add(line, values.data());
}

void WordVectorReader::read_text() {
  base::LineReader lines(path_, size_t{4} << 20);
  std::string_view line;
  std::vector<float> values;
  std::optional<Header> header;
  int64_t rows = 0;
  while (static_cast<int64_t>(out_.words_.size()) < max_words_ && lines.next(line)) {
    if (line.empty()) {
      continue;
    }
    if (out_.dim_ == 0) {
      header = parse_header(line);
      const auto spaces = std::count(line.begin(), line.end(), ' ') - (line.ends_with(' ') ? 1 : 0);
      check(header ? header->words : 1, header ? header->dim : spaces);
      out_.dim_ = static_cast<int>(header ? header->dim : spaces);
      out_.format_ = header ? WordVectorFormat::kWord2VecText : WordVectorFormat::kGlove;
      if (header) {
        continue;
      }
    }
    parse_line(line, lines.line_number(), values);
    ++rows;
  }
  if (header && static_cast<int64_t>(out_.words_.size()) < max_words_ && rows < header->words) {
    damaged(fmt::format("it has {} words, the first line says {}: it is cut short", rows, header->words));
  }
}

std::string_view WordVectorReader::take(std::string_view bytes, size_t& at, uint64_t count) const {
  if (count > bytes.size() - at) {
    damaged(fmt::format("{} bytes are missing at byte {}: it is cut short", count - (bytes.size() - at), at));
  }
  const std::string_view taken = bytes.substr(at, count);
  at += count;
  return taken;
}

// After the first line: each word, a space, its floats, perhaps a line end.
void WordVectorReader::read_word2vec_binary(std::string_view bytes, const Header& header, size_t at) {
  check(header.words, header.dim);
  out_.format_ = WordVectorFormat::kWord2VecBinary;
  out_.dim_ = static_cast<int>(header.dim);
  std::vector<float> values(static_cast<size_t>(out_.dim_));
  for (int64_t i = 0; i < header.words; ++i) {
    while (at < bytes.size() && bytes[at] == '\n') {
      ++at;
    }
    const size_t space = bytes.substr(at, kMaxWordBytes + 1).find(' ');
    if (space == std::string_view::npos) {
      damaged(fmt::format("word {} at byte {} has no end", i + 1, at));
    }
    const std::string_view word = bytes.substr(at, space);
    at += space + 1;
    std::memcpy(values.data(), take(bytes, at, values.size() * sizeof(float)).data(), values.size() * sizeof(float));
    if (!add(word, values.data())) {
      return;
    }
  }
}

void WordVectorReader::read_fasttext(std::string_view bytes) {
  size_t at = 4;
  if (number<int32_t>(bytes, at) != kFastTextVersion) {
    refused("a fastText model of another version than 12");
  }
  std::array<int32_t, 12> arguments{};
  for (int32_t& one : arguments) {
    one = number<int32_t>(bytes, at);
  }
  number<double>(bytes, at);  // sampling threshold
  const int32_t dim = arguments[0];
  const int32_t buckets = arguments[8];
  const auto entries = number<int32_t>(bytes, at);
  const auto words = number<int32_t>(bytes, at);
  number<int32_t>(bytes, at);  // labels
  number<int64_t>(bytes, at);  // tokens
  const auto pruned = number<int64_t>(bytes, at);
  check(words, dim);
  const bool has_subwords = arguments[10] > 0;
  if (buckets < 0 || buckets > kMaxSubwordBuckets || entries < words || arguments[9] < 0 || arguments[10] > 64 ||
      arguments[9] > std::max(arguments[10], 1)) {
    refused("its sizes are out of bounds");
  }
  if (pruned > 0) {
    refused("a fastText model with pruned words (.ftz), which is not supported");
  }
  std::vector<std::string_view> names;
  for (int32_t i = 0; i < entries; ++i) {
    const size_t end = bytes.substr(at, kMaxWordBytes + 1).find('\0');
    if (end == std::string_view::npos) {
      damaged(fmt::format("word {} at byte {} has no end", i + 1, at));
    }
    const std::string_view name = bytes.substr(at, end);
    at += end + 1;
    number<int64_t>(bytes, at);  // how often
    if (number<int8_t>(bytes, at) == 0) {
      names.push_back(name);
    }
  }
  if (names.size() != static_cast<size_t>(words)) {
    damaged("the vocabulary has another number of words than it says");
  }
  if (number<uint8_t>(bytes, at) != 0) {
    refused("a quantised fastText model (.ftz), which is not supported");
  }
  const auto rows = number<int64_t>(bytes, at);
  const auto columns = number<int64_t>(bytes, at);
  if (columns != dim || rows != int64_t{words} + buckets) {
    damaged(fmt::format("the matrix is [{}, {}], not [{}, {}]", rows, columns, int64_t{words} + buckets, dim));
  }
  // Both are bounded, so the product fits; the file must have it before memory is taken.
  const std::string_view matrix =
      take(bytes, at, static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns) * sizeof(float));
  const auto row_bytes = static_cast<size_t>(dim) * sizeof(float);
  out_.format_ = WordVectorFormat::kFastTextBinary;
  out_.dim_ = dim;
  if (has_subwords && buckets > 0) {
    out_.buckets_ = buckets;
    out_.min_ngram_ = arguments[9];
    out_.max_ngram_ = arguments[10];
    out_.subwords_.resize(static_cast<size_t>(buckets) * static_cast<size_t>(dim));
    std::memcpy(out_.subwords_.data(), matrix.data() + static_cast<size_t>(words) * row_bytes,
                out_.subwords_.size() * sizeof(float));
  }
  std::vector<float> values(static_cast<size_t>(dim));
  std::vector<int64_t> parts;
  for (size_t i = 0; i < names.size(); ++i) {
    // A word's vector is the mean of its own row and its parts'.
    std::memcpy(values.data(), matrix.data() + i * row_bytes, row_bytes);
    parts.clear();
    if (out_.buckets_ > 0 && names[i] != "</s>") {
      out_.subword_rows(names[i], parts);
    }
    for (const int64_t part : parts) {
      for (size_t d = 0; d < values.size(); ++d) {
        values[d] += out_.subwords_[static_cast<size_t>(part) * values.size() + d];
      }
    }
    for (float& value : values) {
      value /= static_cast<float>(parts.size() + 1);
    }
    if (!add(names[i], values.data())) {
      break;
    }
  }
}

WordVectors WordVectorReader::read() {
  const base::MappedFile file(path_);
  const std::string_view bytes = file.bytes();
  int32_t magic = 0;
  if (bytes.size() >= sizeof(magic)) {
    std::memcpy(&magic, bytes.data(), sizeof(magic));
  }
  if (magic == kFastTextMagic) {
    read_fasttext(bytes);
  } else {
    // A first line "words dimensions", a word, a space: then a number in a text, or four bytes of one.
    const size_t line_end = bytes.substr(0, 64).find('\n');
    const auto header = line_end == std::string_view::npos ? std::nullopt : parse_header(bytes.substr(0, line_end));
    const size_t space =
        header ? bytes.substr(0, line_end + 2 + kMaxWordBytes).find(' ', line_end + 1) : std::string_view::npos;
    bool is_text = true;
    if (space != std::string_view::npos) {
      const std::string_view rest = bytes.substr(space + 1, 64);
      float first = 0;
      is_text = parse_all(rest.substr(0, rest.find_first_of(" \r\n")), first);
    }
    if (is_text) {
      read_text();
    } else {
      read_word2vec_binary(bytes, *header, line_end + 1);
    }
  }
  if (out_.words_.empty()) {
    damaged("there are no words in it");
  }
  out_.finish();
  return std::move(out_);
}

WordVectors WordVectors::load(const std::filesystem::path& path, int64_t max_words) {
  return WordVectorReader(path, max_words).read();
}

}  // namespace slipway::model
