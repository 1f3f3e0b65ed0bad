#include "tests/models/parity.hpp"

#include "models/networks/weight_loading.hpp"
#include "tests/models/golden.hpp"

#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace musetalk::models::testing {

golden_case::golden_case(const std::filesystem::path& folder)
    : manifest_(testing::manifest(folder)),
      tensors_(checkpoint::open(folder / "tensors.safetensors")) {
  // nop
}

const json_value& golden_case::config() const {
  if (const auto* tiny = manifest_.find("case"))
    return tiny->at("config");
  return manifest_.at("config");
}

uint64_t golden_case::seed() const {
  const auto* tiny = manifest_.find("case");
  return static_cast<uint64_t>((tiny ? tiny->at("seed") : manifest_.at("seed")).integer());
}

double golden_case::gain() const {
  return manifest_.at("gain").number();
}

bool golden_case::has(const std::string& name) const {
  return tensors_.find(name) != nullptr;
}

at::Tensor golden_case::tensor(const std::string& name) {
  const auto* x = tensors_.find(name);
  if (!x)
    throw std::runtime_error("no golden tensor " + name);
  return to_tensor(tensors_, *x);
}

double golden_case::tolerance(const std::string& name) const {
  return manifest_.at("tensors").at(name).at("tolerance_abs").number();
}

std::vector<std::string> golden_case::names(const std::string& prefix) const {
  auto list = std::vector<std::string>{};
  for (const auto& x : tensors_.tensors())
    if (x.name.starts_with(prefix))
      list.push_back(x.name);
  return list;
}

double golden_case::expect(const std::string& name, const at::Tensor& got) {
  auto wanted = tensor(name);
  if (got.sizes() != wanted.sizes()) {
    ADD_FAILURE() << name << " has the shape " << got.sizes() << " instead of " << wanted.sizes();
    return INFINITY;
  }
  auto limit = tolerance(name);
  auto worst = (got.to(at::kDouble) - wanted.to(at::kDouble)).abs().max().item<double>();
  ::testing::Test::RecordProperty(name, std::to_string(worst * 1e6) + "e-6");
  // Written so that NaN fails.
  EXPECT_TRUE(worst <= limit) << name << " is off by " << worst << " (tolerance " << limit << ")";
  return worst;
}

void golden_case::expect_share(const std::string& name, const at::Tensor& got, double share) {
  auto wanted = tensor(name).to(at::kDouble);
  ASSERT_EQ(got.sizes(), wanted.sizes()) << name;
  auto apart = got.to(at::kDouble) - wanted;
  auto off = (apart.square().mean() / wanted.square().mean()).sqrt().item<double>();
  ::testing::Test::RecordProperty(name, std::to_string(100 * off) + " %");
  EXPECT_TRUE(off <= share) << name << " is off by " << 100 * off << " % (limit " << 100 * share
                            << " %)";
}

size_t golden_case::expect_intermediates(const std::map<std::string, at::Tensor>& recorded) {
  auto count = size_t{0};
  for (const auto& name : names("intermediate.")) {
    auto found = recorded.find(name.substr(std::string_view{"intermediate."}.size()));
    if (found == recorded.end())
      continue;
    expect(name, found->second);
    ++count;
  }
  return count;
}

at::Tensor hashed_tensor(const std::string& name, at::IntArrayRef shape, uint64_t seed,
                         float scale) {
  auto values = hashed_input(name, static_cast<size_t>(c10::multiply_integers(shape)), seed, scale);
  return at::from_blob(values.data(), shape, at::kFloat).clone();
}

void fill_full_size(torch::nn::Module& network, const golden_case& expected) {
  c10::NoGradGuard no_grad;
  const auto& prefix = expected.manifest().at("hashed_name_prefix").text();
  hash_fill(network, expected.seed(), expected.gain(), prefix);
  auto parameters = network.named_parameters();
  auto buffers = network.named_buffers();
  for (const auto& [name, first] : expected.manifest().at("weight_check").members()) {
    const auto* filled = parameters.contains(name) ? parameters.find(name) : buffers.find(name);
    ASSERT_TRUE(filled) << name;
    auto flat = filled->flatten();
    for (size_t i = 0; i < first.items().size(); ++i)
      EXPECT_EQ(flat[static_cast<int64_t>(i)].item<float>(),
                static_cast<float>(first.items()[i].number()))
          << name;
  }
}

std::vector<std::string> names_and_shapes(const torch::nn::Module& network) {
  auto list = std::vector<std::string>{};
  for (const auto& x : network.named_parameters())
    list.push_back(x.key() + " " + to_string(x.value().sizes().vec()));
  for (const auto& x : network.named_buffers())
    list.push_back(x.key() + " " + to_string(x.value().sizes().vec()));
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<std::string> real_names_and_shapes(const std::string& list) {
  auto file =
      std::ifstream{std::filesystem::path{MUSETALK_SOURCE_DIR} / "tests/golden/keys" / list};
  auto lines = std::vector<std::string>{};
  for (std::string line; std::getline(file, line);)
    if (!line.empty())
      lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

} // namespace musetalk::models::testing
