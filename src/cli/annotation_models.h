// Models of this machine that suggest answers to annotators (docs/guide/annotate-models.md): text and token classifiers of the engine, taggers of
// `slipway train tagger`, encoder-decoders, decoders.
#pragma once

#include <string>

#include "api/annotate_model.h"
#include "cli/app.h"

namespace slipway::cli {

// `model`: a folder or file, models:/NAME@ALIAS, hf://NS/NAME. `prompt`: what a writer of text is asked, with {text}; empty: encoder-decoders
// get the text, decoders a question made of the scheme. The model computes for one text at a time: a lock keeps the requests apart. `app`'s
// pool is borrowed. Throws as loading does, and Error(kInvalid) for a model that suggests nothing.
api::AnnotationModel annotation_model(App& app, const std::string& model, const std::string& prompt, const std::string& project);

}  // namespace slipway::cli
