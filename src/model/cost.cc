#include "model/cost.h"

#include "model/encoder_names.h"

namespace slipway::model {

double flops_per_token(const ModelSpec& spec, int sequence) {
  if (spec.recurrent) {
    const RecurrentSpec& r = *spec.recurrent;
    double flops = 0;
    for (int layer = 0; layer < r.num_layers; ++layer) {
      flops += 2.0 * r.directions() * r.gates() * r.hidden_size * (r.layer_input(layer) + r.hidden_size);
    }
    return flops;
  }
  const double hidden = spec.hidden_size;
  const double linear = (4 * hidden * hidden) + ((spec.gated ? 3 : 2) * hidden * spec.intermediate_size);
  const double attention = 4.0 * sequence * hidden;  // q.k and p.v: 2 * sequence * hidden each
  const double convolution = 2.0 * spec.conv_kernel * hidden * hidden;
  return (spec.num_layers * ((2 * linear) + attention)) + convolution;
}

double flops_per_text(const ModelSpec& spec, int sequence) {
  double flops = sequence * flops_per_token(spec, sequence);
  if (spec.has_classifier()) {
    const double hidden = spec.hidden_size;
    const double dense = spec.recurrent ? 0 : hidden;
    flops += 2 * hidden * (dense + static_cast<double>(spec.labels.size()));
  }
  return flops;
}

int64_t weight_bytes_f32(const ModelSpec& spec) { return 4 * spec.parameter_count(); }

int64_t weight_bytes_int8(const ModelSpec& spec) {
  int64_t bytes = 0;
  for (const TensorInfo& tensor : encoder_tensors(spec, false)) {
    const bool quantised = tensor.role == TensorRole::kLinear || tensor.name == kWordEmbeddings;
    bytes += quantised ? tensor.count() + (4 * tensor.shape[0]) : 4 * tensor.count();
  }
  return bytes;
}

}  // namespace slipway::model
