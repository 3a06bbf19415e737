// A BERT classifier in double and the plainest form, from the tensors of a folder: what the engine is held to.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "kernels/reference.h"
#include "model/encoder_names.h"
#include "model/folder.h"

namespace slipway::tests {

using Rows = std::vector<std::vector<double>>;

class ReferenceBert {
 public:
  explicit ReferenceBert(const std::filesystem::path& folder)
      : folder_(model::open_model_folder(folder)), opened_(model::open_float_weights(folder_)) {}

  struct Result {
    std::vector<double> logits;
    std::vector<double> embedding;
  };

  Result run(std::span<const int32_t> ids) const {
    const model::ModelSpec& spec = folder_.spec;
    const auto words = read(model::kWordEmbeddings);
    const auto positions = read(model::kPositionEmbeddings);
    const auto types = read(model::kTypeEmbeddings);
    Rows x;
    for (size_t t = 0; t < ids.size(); ++t) {
      std::vector<double> row;
      for (int j = 0; j < spec.hidden_size; ++j) {
        row.push_back(double{words[at(ids[t], j)]} + positions[at(static_cast<int>(t), j)] + types[at(0, j)]);
      }
      x.push_back(row);
    }
    x = norm(x, model::kEmbeddingsNormWeight, model::kEmbeddingsNormBias);
    for (int i = 0; i < spec.num_layers; ++i) {
      x = layer(x, model::encoder_layer_names(i));
    }
    Result result;
    result.embedding = pool(x);
    if (spec.has_classifier()) {
      Rows pooled = linear({x[0]}, model::kPoolerWeight, model::kPoolerBias);
      for (double& v : pooled[0]) {
        v = std::tanh(v);
      }
      result.logits = linear(pooled, model::kClassifierWeight, model::kClassifierBias)[0];
    }
    return result;
  }

 private:
  size_t at(int row, int column) const {
    return static_cast<size_t>(row) * static_cast<size_t>(folder_.spec.hidden_size) + static_cast<size_t>(column);
  }

  std::vector<float> read(const std::string& name) const {
    const std::string in_file = opened_.naming.in_file(name);
    return opened_.file->read_f32(in_file, opened_.file->find(in_file)->count());
  }

  Rows linear(const Rows& x, const std::string& weight_name, const std::string& bias_name) const {
    const auto w = read(weight_name);
    const auto b = read(bias_name);
    Rows y;
    for (const auto& row : x) {
      std::vector<double> out;
      for (size_t o = 0; o < b.size(); ++o) {
        double sum = b[o];
        for (size_t i = 0; i < row.size(); ++i) {
          sum += row[i] * w[o * row.size() + i];
        }
        out.push_back(sum);
      }
      y.push_back(out);
    }
    return y;
  }

  Rows norm(const Rows& x, const std::string& gain_name, const std::string& bias_name) const {
    const auto gain = read(gain_name);
    const auto bias = read(bias_name);
    Rows y = x;
    for (auto& row : y) {
      double mean = 0;
      double variance = 0;
      for (const double v : row) {
        mean += v / static_cast<double>(row.size());
      }
      for (const double v : row) {
        variance += (v - mean) * (v - mean) / static_cast<double>(row.size());
      }
      for (size_t j = 0; j < row.size(); ++j) {
        row[j] = (row[j] - mean) / std::sqrt(variance + folder_.spec.layer_norm_eps) * gain[j] + bias[j];
      }
    }
    return y;
  }

  Rows attention(const Rows& q, const Rows& k, const Rows& v) const {
    const int dim = folder_.spec.head_dim();
    Rows out(q.size(), std::vector<double>(q[0].size()));
    for (int head = 0; head < folder_.spec.num_heads; ++head) {
      for (size_t i = 0; i < q.size(); ++i) {
        std::vector<double> scores;
        double sum = 0;
        for (size_t j = 0; j < q.size(); ++j) {
          double dot = 0;
          for (int d = head * dim; d < (head + 1) * dim; ++d) {
            dot += q[i][static_cast<size_t>(d)] * k[j][static_cast<size_t>(d)];
          }
          scores.push_back(std::exp(dot / std::sqrt(dim)));
          sum += scores.back();
        }
        for (size_t j = 0; j < q.size(); ++j) {
          for (int d = head * dim; d < (head + 1) * dim; ++d) {
            out[i][static_cast<size_t>(d)] += scores[j] / sum * v[j][static_cast<size_t>(d)];
          }
        }
      }
    }
    return out;
  }

  static Rows add(const Rows& a, const Rows& b) {
    Rows sum = a;
    for (size_t i = 0; i < a.size(); ++i) {
      for (size_t j = 0; j < a[i].size(); ++j) {
        sum[i][j] += b[i][j];
      }
    }
    return sum;
  }

  Rows layer(const Rows& x, const model::EncoderLayerNames& n) const {
    const Rows mixed = attention(linear(x, n.query_weight, n.query_bias), linear(x, n.key_weight, n.key_bias),
                                 linear(x, n.value_weight, n.value_bias));
    const Rows attended = norm(add(linear(mixed, n.attention_output_weight, n.attention_output_bias), x),
                               n.attention_norm_weight, n.attention_norm_bias);
    Rows inner = linear(attended, n.intermediate_weight, n.intermediate_bias);
    const auto f = folder_.spec.activation == "relu"   ? kernels::Activation::kRelu
                   : folder_.spec.activation == "gelu" ? kernels::Activation::kGelu
                                                       : kernels::Activation::kGeluTanh;
    for (auto& row : inner) {
      for (double& v : row) {
        v = kernels::reference::activation(f, v);
      }
    }
    return norm(add(linear(inner, n.output_weight, n.output_bias), attended), n.output_norm_weight, n.output_norm_bias);
  }

  static std::vector<double> pool(const Rows& x) {
    std::vector<double> mean(x[0].size());
    double squares = 0;
    for (size_t j = 0; j < mean.size(); ++j) {
      for (const auto& row : x) {
        mean[j] += row[j] / static_cast<double>(x.size());
      }
      squares += mean[j] * mean[j];
    }
    for (double& v : mean) {
      v /= std::sqrt(squares);
    }
    return mean;
  }

  model::ModelFolder folder_;
  model::OpenedWeights opened_;
};

}  // namespace slipway::tests
