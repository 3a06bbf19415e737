#include "model/encoder_family.h"

#include <array>

namespace slipway::model {
namespace {

constexpr std::array<const EncoderFamily*, 10> kFamilies = {
    &kBertFamily,    &kRobertaFamily,    &kXlmRobertaFamily, &kDistilBertFamily, &kMpnetFamily,
    &kElectraFamily, &kModernBertFamily, &kDebertaV2Family,  &kLstmFamily,       &kGruFamily};

}  // namespace

const EncoderFamily& encoder_family(Architecture architecture) noexcept {
  for (const EncoderFamily* family : kFamilies) {
    if (family->architecture == architecture) {
      return *family;
    }
  }
  return kBertFamily;
}

const EncoderFamily* find_encoder_family(std::string_view model_type) noexcept {
  for (const EncoderFamily* family : kFamilies) {
    if (family->model_type == model_type) {
      return family;
    }
  }
  return nullptr;
}

const char* architecture_name(Architecture architecture) noexcept {
  return architecture == Architecture::kWordVectors ? "word vectors" : encoder_family(architecture).title;
}

std::string encoder_family_names() {
  std::string names;
  for (const EncoderFamily* family : kFamilies) {
    names += (names.empty() ? "" : ", ") + std::string(family->model_type);
  }
  return names;
}

}  // namespace slipway::model
