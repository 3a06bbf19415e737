// What a project of annotation takes from others: settings ('s'), answers ('a'), tasks ('t'), whole annotations ('n'), and what served models
// answer ('0' to '3': their protocol). Any bytes are a value or an Error; a value's JSON is read as the same value; what is suggested fits
// the scheme and the text.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/annotation_consensus.h"
#include "data/label_rules.h"
#include "data/suggestion_services.h"

namespace {

using slipway::base::Json;
namespace record = slipway::record;
namespace data = slipway::data;

void same(bool equal) {
  if (!equal) {
    __builtin_trap();
  }
}

record::AnnotationScheme scheme(bool several, bool overlapping) {
  record::AnnotationScheme made;
  made.questions = {several ? record::Question::kClasses : record::Question::kClass,
                    record::Question::kSpans,
                    record::Question::kRelations,
                    record::Question::kText,
                    record::Question::kRating,
                    record::Question::kPreference,
                    record::Question::kChatReview};
  made.classes = {{"good", "", ""}, {"bad", "", ""}};
  made.spans = {{"PER", "", ""}, {"ORG", "", ""}};
  made.relations = {{"founded", "", ""}};
  made.overlapping = overlapping;
  return made;
}

record::Task task() {
  record::Task made;
  made.key = "k";
  made.text = "\xF0\x9F\x98\x80 Larry Page founded Google.";
  made.candidates = {"yes", "no"};
  made.messages = {{"user", "a"}, {"assistant", "b"}};
  return made;
}

void settings(const Json& json) {
  const record::AnnotationSettings read = record::annotation_settings_from_json(json, "fuzz");
  same(record::annotation_settings_from_json(record::to_json(read), "fuzz") == read);
  const data::LabelRules rules(read.rules, read.scheme);
  rules.suggest(task());
  rules.matched("Larry Page");
  for (const record::AnnotationService& service : read.services) {
    data::service_request(service, read.scheme, task());
  }
}

void answer(const Json& json) {
  const record::Answer read = record::answer_from_json(json, "fuzz");
  same(record::answer_from_json(record::to_json(read), "fuzz") == read);
  const record::AnnotationScheme asked = scheme(true, true);
  record::likeness(read, record::Answer(), asked);
  record::check(read, asked, task());
  record::AnnotatedTask both;
  both.task = task();
  both.annotations.resize(2);
  both.annotations[0].annotator = "ann";
  both.annotations[1].annotator = "bob";
  both.annotations[0].answer = both.annotations[1].answer = read;
  data::Consensus consensus(asked, data::ConsensusKind::kDawidSkene);
  consensus.see(both);
  consensus.fit();
  same(consensus.add(both));
  record::check(both.annotations[0].answer, asked, both.task);
}

void service(int protocol, std::string_view body) {
  record::AnnotationService asked;
  asked.url = "https://models.example/predict";
  asked.protocol = static_cast<record::ServiceProtocol>(protocol);
  asked.labels = {{"WHO", "PER"}, {"MISC", ""}};
  for (const bool flag : {false, true}) {
    const record::AnnotationScheme made = scheme(flag, flag);
    if (const auto said = data::service_answer(asked, made, task(), body)) {
      record::check(said->answer, made, task());
      same(said->score >= 0 && said->score <= 1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (text.empty()) {
    return 0;
  }
  const char kind = text[0];
  text.remove_prefix(1);
  try {
    if (kind >= '0' && kind <= '3') {
      service(kind - '0', text);
      return 0;
    }
    const Json json = slipway::base::parse_json(text, "fuzz", {size_t{1} << 20, 64});
    switch (kind) {
      case 's': settings(json); break;
      case 'a': answer(json); break;
      case 't': record::to_json(record::task_from_json(json, "fuzz")); break;
      case 'n': record::to_json(record::annotation_from_json(json, "fuzz")); break;
      default: break;
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
