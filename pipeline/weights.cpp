#include "pipeline/weights.hpp"

#include "models/weights.hpp"

namespace musetalk::pipeline {

namespace {

weight_file describe(const std::filesystem::path& models_dir, const models::weight_file& x) {
  const auto usable =
      x.state == models::weight_state::ok || x.state == models::weight_state::unknown_size;
  return {.path = x.path,
          .role = x.role,
          .need = std::string{models::to_string(x.need)},
          .state = std::string{models::to_string(x.state)},
          .usable = usable,
          .expected_bytes = x.expected_bytes,
          .found_bytes = x.found_bytes,
          .hint = x.hint,
          .found = x.found_path.empty() ? std::filesystem::path{} : models_dir / x.found_path,
          .expected_sha256 = x.expected_sha256};
}

} // namespace

weights_status look_at_weights(const std::filesystem::path& models_dir, const std::string& mode,
                               const std::string& face_backend) {
  weights_status result{
      .mode = mode, .ready = true, .problems = {}, .speak_problems = {}, .files = {}};
  if (mode == "none")
    return result;
  const auto report = models::inspect_weights(models_dir);
  for (const auto& file : report.files)
    result.files.push_back(describe(models_dir, file));
  if (mode != "real")
    return result;
  auto needs = std::vector{models::weight_need::create};
  if (face_backend == "dwpose")
    needs.push_back(models::weight_need::create_dwpose);
  for (auto need : needs)
    for (auto& problem : report.problems(need))
      result.problems.push_back(std::move(problem));
  result.speak_problems = report.problems(models::weight_need::speak);
  result.ready = result.problems.empty();
  return result;
}

} // namespace musetalk::pipeline
