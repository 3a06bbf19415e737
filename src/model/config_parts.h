// Parts of a config.json that families of decoders and encoder-decoders read alike. Internal to the room.
#pragma once

#include <string>
#include <vector>

#include "model/config_reader.h"
#include "model/decoder_spec.h"

namespace slipway::model {

// transformers' name of an activation. Error(kInvalid) for one without a kernel.
DecoderActivation activation_of(const std::string& name, const ConfigReader& config);
// "eos_token_id": an id or a list of them below `vocab_size`; empty when the key is absent.
std::vector<int> read_eos_ids(const ConfigReader& config, int vocab_size);

}  // namespace slipway::model
