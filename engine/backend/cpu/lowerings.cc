#include "engine/backend/cpu/lowerings.h"

#include <array>

#include "engine/backend/evaluate_step.h"
#include "engine/graph/half.h"

namespace fovea::cpu {

namespace {

std::vector<Tactic> lower_by_evaluation(const OpSite& site) {
  return {evaluate_tactic(site)};
}

using Table = std::array<Lowering*, std::variant_size_v<Op>>;

Table make_table() {
  Table table{};
  table.fill(lower_by_evaluation);
  table[kOpIndex<Conv2d>] = lower_conv2d;
  table[kOpIndex<Dense>] = lower_dense;
  table[kOpIndex<MaxPool>] = lower_pool;
  table[kOpIndex<AveragePool>] = lower_pool;
  table[kOpIndex<GlobalPool>] = lower_global_pool;
  table[kOpIndex<Lrn>] = lower_lrn;
  table[kOpIndex<Add>] = lower_elementwise;
  table[kOpIndex<Relu>] = lower_elementwise;
  table[kOpIndex<Clip>] = lower_elementwise;
  table[kOpIndex<Tanh>] = lower_elementwise;
  table[kOpIndex<Sigmoid>] = lower_elementwise;
  table[kOpIndex<Concat>] = lower_concat;
  table[kOpIndex<Reshape>] = lower_view;
  table[kOpIndex<Identity>] = lower_view;
  table[kOpIndex<Softmax>] = lower_softmax;
  table[kOpIndex<TopK>] = lower_topk;
  table[kOpIndex<NormalizeImage>] = lower_normalize_image;
  return table;
}

}  // namespace

std::vector<Tactic> lower(const OpSite& site) {
  static const Table kTable = make_table();
  if (is_half(site.input(0).dtype) || is_half(site.node.outputs[0].dtype)) return lower_half(site);
  return kTable.at(site.node.op.index())(site);
}

}  // namespace fovea::cpu
