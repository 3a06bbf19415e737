#include "model/safetensors_header.h"

#include <fmt/format.h>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// Where in the header the parser is. Every event that a state does not expect is an error, so nesting is bounded by the
// states themselves.
enum class State {
  kStart,
  kTop,
  kTensor,
  kDtype,
  kShape,
  kInShape,
  kOffsets,
  kInOffsets,
  kMetadata,
  kMetadataValue,
  kEnd
};

class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& source) : source_(source) {}

  Header take() {
    if (state_ != State::kEnd) {
      fail("the header is cut short");
    }
    return std::move(header_);
  }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool number_integer(number_integer_t value) override { return unexpected(fmt::format("the number {}", value)); }
  bool number_float(number_float_t, const string_t& text) override {
    return unexpected("the number " + text.substr(0, 40));
  }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::kInShape) {
      if (tensor_.shape.size() == kMaxRank) {
        fail(fmt::format("tensor '{}' has more than {} dimensions", shown(tensor_.name), kMaxRank));
      }
      tensor_.shape.push_back(value);
    } else if (state_ == State::kInOffsets) {
      if (offsets_ == 2) {
        fail(fmt::format("tensor '{}' has more than two data_offsets", shown(tensor_.name)));
      }
      (offsets_++ == 0 ? tensor_.begin : tensor_.end) = value;
    } else {
      return unexpected(fmt::format("the number {}", value));
    }
    return true;
  }

  bool string(string_t& value) override {
    if (state_ == State::kDtype) {
      tensor_.dtype = value.substr(0, 32);
      state_ = State::kTensor;
    } else if (state_ == State::kMetadataValue) {
      header_.metadata[metadata_key_] = std::move(value);
      state_ = State::kMetadata;
    } else {
      return unexpected("a text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) {
      state_ = State::kTop;
    } else if (state_ == State::kTop && in_metadata_) {
      state_ = State::kMetadata;
    } else if (state_ == State::kTop && !tensor_.name.empty()) {
      state_ = State::kTensor;
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool key(string_t& key) override {
    switch (state_) {
      case State::kTop: return top_key(key);
      case State::kTensor: return tensor_key(key);
      case State::kMetadata:
        if (header_.metadata.contains(key)) {
          fail(fmt::format("__metadata__ has the key '{}' twice", shown(key)));
        }
        metadata_key_ = std::move(key);
        state_ = State::kMetadataValue;
        return true;
      default: return unexpected("a key");
    }
  }

  bool end_object() override {
    if (state_ == State::kTensor) {
      if (seen_ != 7U) {
        const char* missing = (seen_ & 1U) == 0 ? "dtype" : (seen_ & 2U) == 0 ? "shape" : "data_offsets";
        fail(fmt::format("tensor '{}' has no {}", shown(tensor_.name), missing));
      }
      header_.tensors.push_back(std::exchange(tensor_, {}));
      state_ = State::kTop;
    } else if (state_ == State::kMetadata) {
      in_metadata_ = false;
      state_ = State::kTop;
    } else if (state_ == State::kTop) {
      state_ = State::kEnd;
    } else {
      return unexpected("the end of an object");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::kShape) {
      state_ = State::kInShape;
    } else if (state_ == State::kOffsets) {
      state_ = State::kInOffsets;
      offsets_ = 0;
    } else {
      return unexpected("a list");
    }
    return true;
  }

  bool end_array() override {
    if (state_ == State::kInOffsets && offsets_ != 2) {
      fail(fmt::format("tensor '{}' must have two data_offsets", shown(tensor_.name)));
    }
    state_ = State::kTensor;  // only kInShape and kInOffsets can be open here
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail(fmt::format("the header is not valid JSON at byte {}", 8 + position));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kIntegrity, fmt::format("{}: not a safetensors file: {}", source_, what));
  }

  // Names come from the file: cut to what a message can show.
  static std::string shown(const std::string& text) { return text.size() <= 120 ? text : text.substr(0, 120) + "…"; }

  bool unexpected(const std::string& what) const {
    std::string where = "at the top of the header";
    if (in_metadata_) {
      where = "in __metadata__, where keys and values are texts";
    } else if (!tensor_.name.empty()) {
      where = fmt::format("in tensor '{}'", shown(tensor_.name));
    }
    fail(fmt::format("unexpected {} {}", what, where));
  }

  bool top_key(string_t& key) {
    if (key == "__metadata__") {
      if (std::exchange(metadata_seen_, true)) {
        fail("__metadata__ is there twice");
      }
      in_metadata_ = true;
      return true;
    }
    if (key.empty() || key.size() > kMaxTensorNameBytes) {
      fail(fmt::format("a tensor's name has {} bytes; it must have between 1 and {}", key.size(), kMaxTensorNameBytes));
    }
    if (header_.tensors.size() == kMaxTensors) {
      fail(fmt::format("more than {} tensors", kMaxTensors));
    }
    if (!names_.insert(key).second) {
      fail(fmt::format("tensor '{}' is there twice", shown(key)));
    }
    tensor_.name = std::move(key);
    seen_ = 0;
    return true;
  }

  bool tensor_key(const string_t& key) {
    unsigned bit = 0;
    if (key == "dtype") {
      bit = 1;
      state_ = State::kDtype;
    } else if (key == "shape") {
      bit = 2;
      state_ = State::kShape;
    } else if (key == "data_offsets") {
      bit = 4;
      state_ = State::kOffsets;
    } else {
      fail(fmt::format("tensor '{}' has the unknown key '{}'", shown(tensor_.name), shown(key)));
    }
    if ((seen_ & bit) != 0) {
      fail(fmt::format("tensor '{}' has the key '{}' twice", shown(tensor_.name), key));
    }
    seen_ |= bit;
    return true;
  }

  const std::string& source_;
  Header header_;
  State state_ = State::kStart;
  HeaderTensor tensor_;
  unsigned seen_ = 0;  // bits of the keys of tensor_ seen: 1 dtype, 2 shape, 4 data_offsets
  int offsets_ = 0;
  bool in_metadata_ = false;
  bool metadata_seen_ = false;
  std::string metadata_key_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Header parse_safetensors_header(std::string_view json, const std::string& source) {
  // The JSON lexer takes a NUL for the end of the text, and skips a byte-order mark: neither may be here.
  if (!json.starts_with('{') || json.find('\0') != std::string_view::npos) {
    throw Error(Code::kIntegrity, fmt::format("{}: not a safetensors file: the header is not a JSON object", source));
  }
  HeaderReader reader(source);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  return reader.take();
}

}  // namespace slipway::model
