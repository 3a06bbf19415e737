#include "explain/masked_text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::explain {
namespace {

constexpr size_t kChunk = 1024;  // texts between two looks at the stop token: a few seconds of work

// log(p / (1 - p)) of label `label` from its row of logits, without leaving the log domain.
double log_odds(std::span<const float> row, size_t label) {
  double top = -INFINITY;
  for (size_t k = 0; k < row.size(); ++k) {
    top = k == label ? top : std::max(top, static_cast<double>(row[k]));
  }
  double others = 0;
  for (size_t k = 0; k < row.size(); ++k) {
    others += k == label ? 0 : std::exp(row[k] - top);
  }
  return row[label] - top - std::log(others);
}

// White space runs as one space, none at the ends.
std::string collapsed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    if (!text::is_whitespace(d.code)) {
      out.append(text, at, d.size);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    at += d.size;
  }
  if (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

}  // namespace

MaskedText::MaskedText(std::string text, size_t max_words) : text_(std::move(text)) {
  text::split_words(text_, words_);
  if (words_.size() > max_words) {
    words_.resize(max_words);
  }
}

std::string MaskedText::without(const Mask& there) const {
  std::string out;
  out.reserve(text_.size());
  size_t done = 0;
  for (size_t i = 0; i < words_.size(); ++i) {
    if (!there[i]) {
      out.append(text_, done, words_[i].begin - done);
      done = words_[i].end;
    }
  }
  out.append(text_, done, text_.size() - done);
  return out;
}

std::string MaskedText::replaced(const Mask& there, std::string_view mask_token, bool collapse) const {
  std::string out;
  bool masked = false;
  for (size_t i = 0; i < words_.size(); ++i) {
    if (!there[i]) {
      if (!collapse || !masked) {
        out += ' ';
        out += mask_token;
        // SHAP glues the next word to the mask; a space keeps them two words for every tokenizer.
        out += ' ';
      }
      masked = true;
      continue;
    }
    masked = false;
    const size_t begin = i == 0 ? 0 : words_[i].begin;
    const size_t end = i + 1 < words_.size() ? words_[i + 1].begin : words_[i].end;
    out.append(text_, begin, end - begin);
  }
  if (!words_.empty()) {
    out.append(text_, words_.back().end, text_.size() - words_.back().end);
  }
  return collapsed(out);
}

Answers::Answers(model::Predictor& predictor, int label, Output output, base::Context& context)
    : predictor_(predictor), label_(label), output_(output), context_(context) {
  const auto labels = static_cast<int>(predictor.labels().size());
  if (labels < 2) {
    throw base::Error(base::Code::kInvalid, "cannot explain: the model has no classification head (no labels)");
  }
  if (label < 0 || label >= labels) {
    throw base::Error(base::Code::kInvalid, fmt::format("cannot explain label {}: the model has {}", label, labels));
  }
}

double Answers::answer_of(std::span<const float> logits) const {
  const double odds = log_odds(logits, static_cast<size_t>(label_));
  return output_ == Output::kLogit ? odds : 1 / (1 + std::exp(-odds));
}

void Answers::know(const std::string& text, std::span<const float> logits) {
  evaluations_ += known_.insert_or_assign(text, answer_of(logits)).second ? 1 : 0;
}

std::vector<double> Answers::values(const std::vector<std::string>& texts) {
  std::vector<std::string> fresh;
  for (const std::string& text : texts) {
    if (known_.try_emplace(text, NAN).second) {
      fresh.push_back(text);
    }
  }
  for (size_t begin = 0; begin < fresh.size(); begin += kChunk) {
    base::check_stop(context_, "the explanation");
    const std::span part = std::span(fresh).subspan(begin, std::min(kChunk, fresh.size() - begin));
    const model::Matrix rows = predictor_.logits(part);
    SLIPWAY_CHECK(rows.rows == static_cast<int>(part.size()));
    for (size_t i = 0; i < part.size(); ++i) {
      known_[part[i]] = answer_of(rows.row(static_cast<int>(i)));
    }
    evaluations_ += static_cast<int64_t>(part.size());
  }
  std::vector<double> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    out.push_back(known_.at(text));
  }
  return out;
}

}  // namespace slipway::explain
