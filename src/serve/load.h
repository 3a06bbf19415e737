// From a reference to a model that is served: an encoder, a decoder or an encoder-decoder, as its files say.
#pragma once

#include <string>

#include "record/stores.h"
#include "serve/options.h"
#include "serve/served_model.h"

namespace slipway::serve {

// Hooks for the encoder that is about to be loaded; called for each.
using MakeHooks = std::function<ServeHooks()>;

// What a ModelServer loads its models with. `options` says how; its model and endpoint are set for each. The store is
// borrowed; null: folders and files only, and nothing is kept.
MakeModel model_maker(const ServeOptions& options, record::Store* store, MakeHooks hooks = {});

// Of "MODEL:NAME=FOLDER" MODEL; empty when an adapter does not say whose it is.
std::string model_of_adapter(const std::string& text);

}  // namespace slipway::serve
